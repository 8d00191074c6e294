"""Calendars answer: from the applicant, about our appointment as it stands; anybody else's changes nothing."""

from __future__ import annotations

from datetime import timedelta
from time import process_time

import pytest

from loket.core.model import BookingState, Fate, Kind, Plan, State, Ticket
from loket.core.rsvp import rsvp
from tests.core.calendars import CLIENTS, answered
from tests.core.desk import DITLAI, read
from tests.core.waitingroom import BUDI, DEWI, SITI, WaitingRoom, at, calendar_of, mail_of, to


class Booked(WaitingRoom):
    """Siti has the second moment of Monday."""

    def __init__(self) -> None:
        super().__init__()
        self.ticket_of_siti = self.ask()
        self.reply(self.ticket_of_siti, "nomor 2")

    def calendar(self, partstat: str, client: str = "gmail", ticket: Ticket | None = None, **more: object) -> Plan:
        """An answer to the appointment as it last stood."""
        ticket = ticket or self.ticket_of_siti
        last = [one for one in self.known.bookings.values() if one.ticket == ticket.number][-1]
        self.uid += 1
        data = answered(last, partstat, client, nonce=str(self.uid), **more)  # type: ignore[arg-type] # as they are
        return self.take(read(data, DITLAI, self.uid))


@pytest.fixture
def room() -> Booked:
    """An appointment, and an invitation for it."""
    return Booked()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("said", ["ACCEPTED", "TENTATIVE"])
def test_an_acceptance_is_noted_and_answered_by_nothing(room: Booked, client: str, said: str) -> None:
    plan = room.calendar(said, client)
    booking = room.booking(room.ticket_of_siti)
    assert booking is not None
    assert (booking.attendance, booking.start) == (said.lower(), at(11, 30, 9, 30))
    assert (plan.fate, plan.outbox, plan.opened) == (Fate.FOLLOW_UP, (), None)
    assert room.ticket(room.ticket_of_siti.number).state is State.WAITING


@pytest.mark.parametrize("client", CLIENTS)
def test_a_decline_frees_the_moment_and_takes_it_out_of_the_officers_calendar(room: Booked, client: str) -> None:
    plan = room.calendar("DECLINED", client)
    assert room.booking(room.ticket_of_siti) is None
    assert at(11, 30, 9, 30) in room.book.free(room.now)
    assert "METHOD:CANCEL" in calendar_of(to(plan, DEWI)[0])
    assert room.ticket(room.ticket_of_siti.number).state is State.CLOSED


def test_a_machines_decline_is_carried_out_and_not_answered(room: Booked) -> None:
    """Google marks it `Auto-Submitted`; a phone does not, and its owner is told (RFC 3834)."""
    assert to(room.calendar("DECLINED", "gmail"), SITI) == []
    other = Booked()
    [told] = to(other.calendar("DECLINED", "apple"), SITI)
    assert told.kind is Kind.INVITATION
    body = mail_of(told).get_body(("plain",))
    assert body is not None
    assert "Penolakan Bapak/Ibu dari kalender sudah kami terima." in body.get_content()


def test_a_calendar_that_calls_off_declines(room: Booked) -> None:
    room.calendar("NEEDS-ACTION", "apple", method="CANCEL")
    assert room.booking(room.ticket_of_siti) is None


def test_an_answer_to_an_earlier_state_changes_nothing(room: Booked) -> None:
    """Declined was the time before the move, which came later."""
    room.reply(room.ticket_of_siti, "ganti ke Senin 14 Desember jam 10.00")
    plan = room.calendar("DECLINED", sequence=0)
    booking = room.booking(room.ticket_of_siti)
    assert booking is not None
    assert booking.start == at(12, 14, 10)
    assert [event.kind for event in plan.events] == ["calendar-noted"]


def test_of_two_answers_the_later_word_counts_whichever_comes_first(room: Booked) -> None:
    later = room.now + timedelta(hours=2)
    room.calendar("TENTATIVE", stamp=later)
    room.calendar("ACCEPTED", stamp=later - timedelta(hours=1))
    booking = room.booking(room.ticket_of_siti)
    assert booking is not None
    assert booking.attendance == "tentative"


def test_declined_and_then_accepted_after_all_is_booked_anew_if_it_is_free(room: Booked) -> None:
    """As the same event: the applicant's calendar has it already."""
    room.calendar("DECLINED")
    plan = room.calendar("ACCEPTED", stamp=room.now + timedelta(hours=2))
    booking = room.booking(room.ticket_of_siti)
    assert booking is not None
    assert (booking.start, booking.sequence, len(room.known.bookings)) == (at(11, 30, 9, 30), 2, 1)
    assert "METHOD:REQUEST" in calendar_of(to(plan, DEWI)[0])


def test_declined_and_then_accepted_when_another_has_it_is_told_so(room: Booked) -> None:
    room.calendar("DECLINED", "apple")
    other = room.ask(BUDI)
    room.reply(other, "nomor 2")
    plan = room.calendar("ACCEPTED", "apple", stamp=room.now + timedelta(hours=2))
    assert room.booking(room.ticket_of_siti) is None
    body = mail_of(to(plan, SITI)[0]).get_body(("plain",))
    assert body is not None
    assert "sudah terisi" in body.get_content()


@pytest.mark.parametrize("author", [BUDI, "orang@luar.example"])
def test_somebody_elses_calendar_changes_nothing(room: Booked, author: str) -> None:
    plan = room.calendar("DECLINED", author=author)
    assert room.booking(room.ticket_of_siti) is not None
    assert (plan.outbox, plan.opened, plan.fate) == ((), None, Fate.FOLLOW_UP)


def test_an_officers_calendar_changes_nothing_and_is_no_forgery(room: Booked) -> None:
    """Pressing `Decline` in a calendar is no command, and nothing to put in quarantine."""
    plan = room.calendar("DECLINED", author=DEWI)
    assert room.booking(room.ticket_of_siti) is not None
    assert (plan.outbox, plan.quarantine) == ((), None)


def test_an_answer_to_no_invitation_of_ours_opens_nothing(room: Booked) -> None:
    data = answered(next(iter(room.known.bookings.values())), "ACCEPTED").replace(b"UID:LKT", b"UID:XYZ")
    plan = room.take(read(data, DITLAI, 99))
    assert (plan.fate, plan.opened, plan.outbox) == (Fate.MACHINE, None, ())


def test_another_time_that_is_free_is_taken(room: Booked) -> None:
    plan = room.calendar("TENTATIVE", "outlook", method="COUNTER", start=at(12, 7, 10), comment="Senin lain bisa?")
    booking = room.booking(room.ticket_of_siti)
    assert booking is not None
    assert (booking.start, booking.sequence) == (at(12, 7, 10), 1)
    assert "METHOD:REQUEST" in calendar_of(to(plan, SITI)[0])


def test_another_time_that_is_none_is_answered_with_what_is_free(room: Booked) -> None:
    plan = room.calendar("TENTATIVE", "outlook", method="COUNTER", start=at(12, 8, 10))
    body = mail_of(to(plan, SITI)[0]).get_body(("plain",))
    assert body is not None
    assert "pada waktu ini kami tidak melayani konsultasi:\r\nSelasa, 8 Desember 2026" in body.get_content()
    booking = room.booking(room.ticket_of_siti)
    assert booking is not None
    assert booking.start == at(11, 30, 9, 30)


def test_a_machine_that_proposes_what_cannot_be_is_read_by_a_person(room: Booked) -> None:
    plan = room.calendar("TENTATIVE", "gmail", method="COUNTER", start=at(12, 8, 10))
    assert to(plan, SITI) == []
    assert room.ticket(room.ticket_of_siti.number).state is State.OPEN


def test_two_calendars_that_move_without_end_are_stopped(room: Booked) -> None:
    """A machine on the other side that proposes another time whenever it is invited."""
    moves = 0
    for round_ in range(40):
        start = at(12, 7, 9) if round_ % 2 else at(12, 14, 9)
        moves += bool(room.calendar("TENTATIVE", "gmail", method="COUNTER", start=start).bookings)
    assert moves == 10


def test_our_own_invitation_that_comes_back_in_a_report_is_no_answer(room: Booked) -> None:
    """A delivery report encloses what it could not deliver, calendar and all."""
    data = answered(next(iter(room.known.bookings.values())), "DECLINED")
    data = data.replace(b"multipart/mixed;", b"multipart/report; report-type=delivery-status;", 1)
    assert room.take(read(data, DITLAI, 99)).fate is Fate.MACHINE
    assert room.booking(room.ticket_of_siti) is not None


@pytest.mark.parametrize(
    "inside",
    [
        "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\n",
        "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nDTSTAMP:gestern\r\nSEQUENCE:viele\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        "METHOD:REPLY\r\n" + "BEGIN:VEVENT\r\n" * 3000,
        "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nATTENDEE;PARTSTAT=\x00\xff:;;;:::\r\nDTSTART;TZID=/../etc:2026\r\nEND:VEVENT\r\n",
        "METHOD:REPLY\r\n" + "X" * 70_000,
    ],
)
def test_a_broken_object_is_no_answer_and_never_raises(inside: str) -> None:
    head = f"From: {SITI}\r\nTo: {DITLAI}\r\nSubject: x\r\nContent-Type: text/calendar; method=REPLY\r\n\r\n"
    found = rsvp(read(head.encode() + inside.encode("latin-1"), DITLAI))
    assert found is None or found.uid == ""


def test_ten_seats_of_bookings_are_told_apart_by_their_uid(room: Booked) -> None:
    other = room.ask(BUDI)
    room.reply(other, "nomor 2")
    room.calendar("DECLINED", ticket=other)
    assert room.booking(other) is None
    assert room.booking(room.ticket_of_siti) is not None
    assert BookingState.DECLINED in {one.state for one in room.known.bookings.values()}


@pytest.mark.parametrize(
    "line",
    [
        "ATTENDEE;" + "A=" * 20_000 + ":x",
        "RRULE:" + "FREQ=DAILY;" * 4000,
        "X:" + "\\" * 50_000,
        "DTSTART;TZID=" + "a" * 50_000 + ":x",
    ],
)
def test_a_long_object_is_read_in_no_time(line: str) -> None:
    head = f"From: {SITI}\r\nTo: {DITLAI}\r\nSubject: x\r\nContent-Type: text/calendar; method=REPLY\r\n\r\n"
    inside = f"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\n{line}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    began = process_time()
    rsvp(read(head.encode() + inside.encode(), DITLAI))
    assert process_time() - began < 2
