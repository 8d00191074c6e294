"""Invitations as calendars read them: by the library that writes them, and by two that never met it."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar

from loket.core.invitation import Guest, Method, Occasion, invitation
from loket.core.model import Booking
from tests.core.waitingroom import DEWI, SITI, WaitingRoom, at, calendar_of, mail_of, to

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import vobject

NOW = at(11, 24, 9)
PLACE = "Zoom; https://zoom.example/j/1234567890?pwd=a,b"


def booking(start: datetime, **more: object) -> Booking:
    made = {"uid": "LKT-2026-000001-1.t.k1.0.abc.1@yahoo.co.id", "ticket": "LKT-2026-000001-1", "queue": "q"}
    return Booking(**made, applicant=SITI, start=start, end=start + timedelta(minutes=30), seat=1, at=NOW, **more)  # type: ignore[arg-type] # as they are


def written(
    of: Booking, method: Method = "REQUEST", zone: str = "Asia/Jakarta", name: str = 'Siti "Ti"; Rahayu, Ny.\r\nX: y'
) -> str:
    occasion = Occasion(
        "ditlai_otsmkos@yahoo.co.id",
        "Loket B dan Persuratan – Loket Registrasi OT & SK",
        "Konsultasi via Zoom: “Jamu”; sedia, H₂O " + "panjang " * 20,
        "Nomor tiket: LKT-2026-000001-1\nUntuk mengganti waktu, balas email ini; \\n bukan baris.",
        ZoneInfo(zone),
        "id",
    )
    guests = [Guest(SITI, name, asked=True), Guest(DEWI, "Dewi", attendance="accepted")]
    return invitation(of, method, occasion, guests, NOW).content.decode()


def test_the_object_is_as_rfc_5545_and_5546_ask() -> None:
    """Lines end in CRLF and are folded at 75 octets; what a REQUEST must have stands once."""
    text = written(booking(at(12, 7, 10), sequence=3, place=PLACE))
    assert "\n" not in text.replace("\r\n", "")
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    lines = text.replace("\r\n ", "").split("\r\n")
    for line in (
        "METHOD:REQUEST",
        "UID:LKT-2026-000001-1.t.k1.0.abc.1@yahoo.co.id",
        "DTSTAMP:20261124T020000Z",
        "SEQUENCE:3",
        "DTSTART;TZID=Asia/Jakarta:20261207T100000",
        "DTEND;TZID=Asia/Jakarta:20261207T103000",
        "STATUS:CONFIRMED",
        "LOCATION:Zoom\\; https://zoom.example/j/1234567890?pwd=a\\,b",
    ):
        assert lines.count(line) == 1, line
    assert sum(line.startswith("ORGANIZER;") for line in lines) == 1
    [siti] = [line for line in lines if line.endswith(f":mailto:{SITI}")]
    assert "RSVP=TRUE" in siti
    assert "PARTSTAT=NEEDS-ACTION" in siti
    assert "X: y" not in lines, "a name makes no line of its own"


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL"])
def test_three_implementations_read_the_same(method: Method) -> None:
    text = written(booking(at(12, 7, 10), sequence=2, place=PLACE), method)
    start = at(12, 7, 10)

    own = Calendar.from_ical(text)
    [event] = own.walk("VEVENT")
    assert (str(own["method"]), event.decoded("dtstart"), event.decoded("sequence")) == (method, start, 2)
    assert not own.errors
    assert not event.errors

    other = vobject.readOne(text)
    assert other.method.value == method
    assert other.vevent.dtstart.value.astimezone(UTC) == start
    assert other.vevent.location.value == PLACE
    assert other.vevent.status.value == ("CANCELLED" if method == "CANCEL" else "CONFIRMED")
    assert [one.value for one in other.vevent.attendee_list] == [f"mailto:{SITI}", f"mailto:{DEWI}"]
    assert other.vevent.attendee_list[0].params["CN"] == ["Siti 'Ti'; Rahayu, Ny. X: y"]
    assert other.vevent.description.value.split("\n")[0] == "Nomor tiket: LKT-2026-000001-1"
    assert other.validate()

    third = IcsCalendarStream.calendar_from_ics(text)
    [one] = third.events
    assert (third.method, one.dtstart.astimezone(UTC), one.sequence) == (method, start, 2)
    assert one.dtend - one.dtstart == timedelta(minutes=30)
    assert [str(guest.uri) for guest in one.attendees] == [f"mailto:{SITI}", f"mailto:{DEWI}"]


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 0, 30, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 7, 6, 7, 0, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 25, 2, 30, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 2, 14, 0, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 10, 5, 1, 0, tzinfo=UTC)),
        ("Asia/Jakarta", datetime(2026, 12, 7, 3, 0, tzinfo=UTC)),
        ("UTC", datetime(2026, 12, 7, 3, 0, tzinfo=UTC)),
    ],
)
def test_a_calendar_that_knows_no_zone_by_its_name_reads_the_moment_from_the_rules(zone: str, moment: datetime) -> None:
    """The zone goes by a name that nobody has; only the VTIMEZONE tells when it is."""
    name = f"Nirgends/{zone}/{moment:%j}"
    text = (
        written(booking(moment), zone=zone)
        .replace(f"TZID={zone}", f"TZID={name}")
        .replace(f"TZID:{zone}", f"TZID:{name}")
    )
    assert vobject.readOne(text).vevent.dtstart.value.astimezone(UTC) == moment


def test_the_mail_brings_it_as_an_alternative_and_as_a_file() -> None:
    """As RFC 6047 asks, the method stands in the part's field too; phones that know no invitations get a file."""
    room = WaitingRoom()
    ticket = room.ask()
    mail = mail_of(to(room.reply(ticket, "nomor 2"), SITI)[0])
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/calendar",
        "application/ics",
    ]
    _, _, _, calendar, file = mail.walk()
    assert calendar["Content-Type"].params["method"] == "REQUEST"
    assert calendar["Content-Type"].params["charset"] == "utf-8"
    assert (file.get_filename(), file.get_payload(decode=True)) == ("jadwal.ics", calendar.get_payload(decode=True))
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["To"].addresses[0].addr_spec == SITI


def test_the_uid_can_be_made_by_nobody_else() -> None:
    room = WaitingRoom()
    plan = room.reply(room.ask(), "nomor 2")
    found = calendar_of(to(plan, SITI)[0]).replace("\r\n ", "").replace("\n ", "")
    assert re.search(r"UID:LKT-2026-000001-1\.t\.k1\.0\.[a-z2-7]{26}\.1@yahoo\.co\.id", found)
