"""Consultations by Zoom through real servers: asked for, chosen, invited to, answered by calendars, moved, reminded."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from loket.core.model import Booking, Ticket
from loket.demo.officer import reply as officer_reply
from tests.core.calendars import answered
from tests.flows.letters import mail, reply
from tests.flows.office import FlowOffice, Mail

STORY = Path(__file__).parent / "04-konsultasi-zoom"
DITLAI, DEWI = "ditlai_otsmkos@yahoo.co.id", "dewi@pom.go.id"
DEDI, WULAN, TUTI = "dedi@rempahnusa.example", "wulan@jamuwulan.example", "tuti@herbaltuti.example"
WIB = ZoneInfo("Asia/Jakarta")


def literal(name: str, found: Mail) -> None:
    """The mail reads exactly as the story says; LOKET_WRITE_EXPECTED=1 writes what it says, for reading and review.

    An original bears when the servers had it: its bytes are compared elsewhere.
    """
    shown = re.sub(r"(\.eml, application/octet-stream) sha256=\w+", r"\1", found.shown())
    expected = STORY / "expected" / f"{name}.txt"
    if os.environ.get("LOKET_WRITE_EXPECTED"):
        expected.parent.mkdir(exist_ok=True)
        expected.write_text(shown)
    assert shown == expected.read_text()


class Story:
    """An office with appointments, and what each has read of its mail."""

    def __init__(self, office: FlowOffice) -> None:
        self.office = office
        self.read: dict[str, int] = {}
        office.empty([DEDI, WULAN, TUTI, DEWI])

    def at(self, month: int, day: int, hour: int, minute: int = 0) -> None:
        """Time passes, and the daemon looks at its clock."""
        self.office.clock.at = datetime(2026, month, day, hour, minute, tzinfo=WIB)
        self.office.work()

    def send(self, raw: bytes) -> None:
        """A mail to the counter, and the daemon at work."""
        self.office.submit(raw)
        self.office.work()

    def new(self, address: str) -> list[Mail]:
        """The mails of an address that nobody has looked at yet."""
        found = [Mail(raw) for raw in self.office.servers.messages(address)]
        fresh = found[self.read.get(address, 0) :]
        self.read[address] = len(found)
        return fresh

    def ask(self, who: str, text: str = "Mohon jadwal konsultasi.\n") -> Mail:
        """A request; what it is answered with."""
        self.send(mail(f"Pemohon <{who}>", DITLAI, "Konsultasi via Zoom", text))
        [offer] = self.new(who)
        return offer

    def answer(self, to: Mail, words: str, who: str) -> list[Mail]:
        """The applicant replies; what comes back."""
        self.send(reply(to, words, sender=f"Pemohon <{who}>"))
        return self.new(who)

    def order(self, to: Mail, words: str) -> list[Mail]:
        """The officer replies; what comes back."""
        self.send(officer_reply(to.raw, words, now=self.office.clock.now()))
        return self.new(DEWI)

    def bookings(self) -> list[tuple[Booking, Ticket]]:
        """What stands in the store."""
        stores = self.office.stores()
        known = stores.desk.standing(self.office.clock.now())
        stores.database.close()
        return [(one, known.tickets[one.ticket]) for one in known.bookings.values()]

    def only(self) -> Booking:
        """The one appointment there is."""
        [(booking, _)] = self.bookings()
        return booking


@pytest.fixture
def story(office: FlowOffice) -> Story:
    """An office with appointments."""
    return Story(office)


def calendar(of: Mail) -> str:
    """The invitation of a mail, unfolded."""
    [part] = [part for part in of.message.walk() if part.get_content_type() == "text/calendar"]
    return str(part.get_content()).replace("\r\n", "\n").replace("\n ", "")


def test_a_request_is_offered_times_and_a_reply_takes_one(story: Story) -> None:
    """To the letter: the offer, the confirmation with its invitation, the officer's, the reminders, the digest."""
    story.send((STORY / "request.eml").read_bytes().replace(b"\n", b"\r\n"))
    [offer] = story.new(DEDI)
    literal("1-offer", offer)
    [confirmation] = story.answer(offer, "Yang kedua saja, Bu.\nTerima kasih", DEDI)
    literal("2-confirmation", confirmation)
    [invited] = story.new(DEWI)
    literal("3-officer", invited)
    assert "METHOD:REQUEST" in calendar(confirmation)
    assert "DTSTART;TZID=Asia/Jakarta:20261130T093000" in calendar(confirmation)
    # On Friday, at the same time of day, and an hour before; each once.
    story.at(11, 27, 9, 29)
    assert story.new(DEDI) == []
    story.at(11, 27, 9, 30)
    [reminder] = story.new(DEDI)
    literal("4-reminder", reminder)
    story.at(11, 27, 9, 31)
    assert story.new(DEDI) == []
    story.new(DEWI)
    story.at(11, 30, 8, 30)
    assert [one.subject for one in story.new(DEDI)] == [reminder.subject]
    [digest] = story.new(DEWI)
    literal("5-digest", digest)
    # When it has been, the ticket is the officer's again, who ends it.
    story.at(11, 30, 10, 0)
    story.at(11, 30, 13, 0)
    [digest] = story.new(DEWI)
    assert "SELESAI – Konsultasi selesai" in digest.text
    story.order(invited, "SELESAI\nSenang bertemu Bapak.")
    [done] = story.new(DEDI)
    literal("6-done", done)
    assert story.bookings() == []


def test_two_choose_the_same_and_the_second_is_offered_the_rest(story: Story) -> None:
    """Both replies lie in the mailbox before the daemon looks."""
    first, second = story.ask(DEDI), story.ask(WULAN)
    for offer, who in ((first, DEDI), (second, WULAN)):
        story.office.submit(reply(offer, "nomor 1", sender=f"Pemohon <{who}>"))
    story.office.work()
    assert "Konsultasi Bapak/Ibu sudah kami jadwalkan." in story.new(DEDI)[0].text
    [told] = story.new(WULAN)
    assert "sudah terisi:\nSenin, 30 November 2026, pukul 09.00 WIB." in told.text
    story.answer(told, "1", WULAN)
    assert sorted(one.start.astimezone(WIB).strftime("%H.%M") for one, _ in story.bookings()) == ["09.00", "09.30"]


def test_calendars_answer_and_a_decline_frees_the_time(story: Story) -> None:
    """Accepted by Outlook, declined later from a phone: the officer's calendar has it no more, others may take it."""
    offer = story.ask(DEDI)
    story.answer(offer, "nomor 3", DEDI)
    story.new(DEWI)
    story.send(answered(story.only(), "ACCEPTED", "outlook"))
    assert story.only().attendance == "accepted"
    assert (story.new(DEDI), story.new(DEWI)) == ([], [])
    story.send(answered(story.only(), "DECLINED", "apple", nonce="2"))
    [told], [cancelled] = story.new(DEDI), story.new(DEWI)
    assert "Penolakan Bapak/Ibu dari kalender sudah kami terima." in told.text
    assert "METHOD:CANCEL" in calendar(cancelled)
    assert story.bookings() == []
    assert "Senin, 30 November 2026, pukul 10.00 WIB" in story.ask(WULAN).text


def test_moved_and_called_off_by_mail(story: Story) -> None:
    """The same event with a higher SEQUENCE, then CANCEL; no reminder after that."""
    [confirmation] = story.answer(story.ask(DEDI), "jam 10.30 saja", DEDI)
    [moved] = story.answer(confirmation, "Mohon ganti ke 7 Desember pukul 13.30", DEDI)
    [cancelled] = story.answer(moved, "Maaf, batal.", DEDI)
    found = [calendar(one) for one in (confirmation, moved, cancelled)]
    assert len({line for one in found for line in one.split("\n") if line.startswith("UID:")}) == 1
    assert [line for one in found for line in one.split("\n") if line.startswith("SEQUENCE")] == [
        "SEQUENCE:0",
        "SEQUENCE:1",
        "SEQUENCE:2",
    ]
    assert [("METHOD:CANCEL" in one) for one in found] == [False, False, True]
    story.at(12, 4, 13, 30)
    story.at(12, 7, 12, 30)
    assert story.new(DEDI) == []


def test_an_officer_books_moves_sends_the_link_and_calls_off(story: Story) -> None:
    """`JADWAL` and `BATAL JADWAL`, each answered, each with the applicant's invitation."""
    offer = story.ask(DEDI)
    [confirmation] = story.answer(offer, "nomor 1", DEDI)
    [invited] = story.new(DEWI)
    assert confirmation.subject.endswith("Senin, 30 November 2026, pukul 09.00 WIB")

    receipt, update = sorted(
        story.order(invited, "JADWAL https://zoom.example/j/123"), key=lambda one: "ubah" in one.text
    )
    assert any("Tempat konsultasi disimpan" in one.text for one in (receipt, update))
    [told] = story.new(DEDI)
    assert "Tempat: https://zoom.example/j/123" in told.text
    assert "LOCATION:https://zoom.example/j/123" in calendar(told)

    story.order(invited, "JADWAL 7 Desember 13.30\nMohon maaf, kami ada rapat.")
    [told] = story.new(DEDI)
    assert "Waktu: Senin, 7 Desember 2026, pukul 13.30 WIB" in told.text
    assert "Mohon maaf, kami ada rapat." in told.text
    assert "https://zoom.example/j/123" in told.text

    [refused] = story.order(invited, "JADWAL 8 Desember 10.00")
    assert "tidak ada konsultasi menurut jadwal antrean:\nSelasa, 8 Desember 2026" in refused.text
    assert "- Senin, 30 November 2026, pukul 09.00 WIB" in refused.text

    story.order(invited, "BATAL JADWAL\nPetugas kami sakit.")
    [told] = story.new(DEDI)
    assert "petugas kami membatalkan jadwal konsultasi Bapak/Ibu." in told.text
    assert "Petugas kami sakit." in told.text
    assert story.bookings() == []
    [refused] = story.order(invited, "BATAL JADWAL")
    assert "belum mempunyai jadwal konsultasi" in refused.text
    story.order(invited, "JADWAL\nSilakan pilih waktu lain.")
    [told] = story.new(DEDI)
    assert "Silakan pilih waktu lain." in told.text
    assert "1. Senin, 30 November 2026, pukul 09.00 WIB" in told.text


def test_whoever_waits_is_offered_what_becomes_free_in_order_and_for_a_while(office: FlowOffice) -> None:
    """One time a week, four weeks ahead: five ask for four."""
    rules = office.folder / "rules/loket-b.yaml"
    text = rules.read_text().replace('"Mon 09:00-12:00, Mon 13:00-15:00"', "Mon 09:00-09:30")
    rules.write_text(text.replace("ahead: 4 weeks", "ahead: 1 week"))
    story = Story(office)
    [confirmation] = story.answer(story.ask(DEDI), "nomor 1", DEDI)
    waits = story.ask(WULAN)
    assert "daftar tunggu, nomor 1." in waits.text
    story.office.clock.at = datetime(2026, 11, 24, 9, 5, tzinfo=WIB)
    assert "daftar tunggu, nomor 2." in story.ask(TUTI).text
    story.answer(confirmation, "batal", DEDI)
    [chance] = story.new(WULAN)
    assert "Senin, 30 November 2026, pukul 09.00 WIB" in chance.text
    assert "sampai\nRabu, 25 November 2026, pukul 16.00 WIB" in chance.text
    assert story.new(TUTI) == []
    # Kept for her, and nobody else's; in the evening she has not answered, and it is the next one's, once.
    assert "daftar tunggu, nomor 2." in story.ask(DEDI, "Kami ingin jadwal lagi.\n").text
    story.at(11, 25, 16, 0)
    [over] = story.new(WULAN)
    assert "tidak diambil sampai\nbatasnya" in over.text
    [chance] = story.new(TUTI)
    [confirmation] = story.answer(chance, "Ya", TUTI)
    assert "Waktu: Senin, 30 November 2026, pukul 09.00 WIB" in confirmation.text
    story.at(11, 26, 9)
    assert (story.new(WULAN), story.new(TUTI)) == ([], [])


def test_a_day_off_that_is_decreed_later_calls_the_appointment_off_and_offers_others(story: Story) -> None:
    """The admin adds it to config.yaml; applicant and officer are told, and times offered, once."""
    assert len(story.answer(story.ask(DEDI), "nomor 1", DEDI)) == 1
    story.new(DEWI)
    config = story.office.folder / "config.yaml"
    config.write_text(config.read_text().replace("    add: [", "    add: [2026-11-30, ", 1))
    story.office.work()
    cancelled, offer = sorted(story.new(DEDI), key=lambda one: "pilih" in one.subject)
    assert "kantor kami tutup pada hari itu" in cancelled.text
    assert "METHOD:CANCEL" in calendar(cancelled)
    assert "1. Senin, 7 Desember 2026, pukul 09.00 WIB" in offer.text
    [told] = story.new(DEWI)
    assert "Kantor tutup pada hari itu." in told.text
    story.office.work()
    assert (story.new(DEDI), story.new(DEWI)) == ([], [])
    [again] = story.answer(offer, "nomor 1", DEDI)
    assert "DTSTART;TZID=Asia/Jakarta:20261207T090000" in calendar(again)
