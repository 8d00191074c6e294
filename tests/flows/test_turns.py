"""Live consultations through real servers: asked for, registered, called in turn, ended by officers and time."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from loket.core.model import Turn
from loket.demo.officer import reply as officer_reply
from tests.flows.letters import mail, reply
from tests.flows.office import FlowOffice, Mail

STORY = Path(__file__).parent / "13-konsultasi-live"
DITLAI, DEWI = "ditlai_otsmkos@yahoo.co.id", "dewi@pom.go.id"
PEOPLE = ("ani@jamu.example", "budi@jamu.example", "citra@jamu.example", "dodi@jamu.example", "eka@jamu.example")
SARI = "sari@jamu.example"
WIB = ZoneInfo("Asia/Jakarta")


def literal(name: str, found: Mail) -> None:
    """The mail reads exactly as the story says; LOKET_WRITE_EXPECTED=1 writes what it says, for reading and review."""
    # What the officer answers quotes a digest, and its identifier is made of that.
    shown = re.sub(r"<[0-9a-f]{24}@pom", "<REPLY@pom", found.shown())
    expected = STORY / "expected" / f"{name}.txt"
    if os.environ.get("LOKET_WRITE_EXPECTED"):
        expected.parent.mkdir(parents=True, exist_ok=True)
        expected.write_text(shown)
    assert shown == expected.read_text()


class Story:
    """An office that calls in turn, and what each has read of its mail."""

    def __init__(self, office: FlowOffice) -> None:
        self.office = office
        self.read: dict[str, int] = {}
        office.empty([*PEOPLE, SARI, DEWI])

    def at(self, hour: int, minute: int = 0, day: int = 24) -> None:
        """Time passes, and the daemon looks at its clock."""
        self.office.clock.at = datetime(2026, 11, day, hour, minute, tzinfo=WIB)
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

    def ask(self, who: str) -> list[Mail]:
        """A request by mail; what comes back, the acknowledgement before the call."""
        name = who.partition("@")[0].title()
        self.send(mail(f"{name} <{who}>", DITLAI, "Konsultasi live chat via ASROT", f"Mohon dilayani. {name}\n"))
        return sorted(self.new(who), key=lambda one: "Giliran Bapak/Ibu sekarang" in one.subject)

    def order(self, to: Mail, words: str) -> list[Mail]:
        """The officer replies; what comes back, the receipt first."""
        self.send(officer_reply(to.raw, words, now=self.office.clock.now()))
        return sorted(self.new(DEWI), key=lambda one: "Giliran sekarang" in one.subject)

    def line(self) -> tuple[Turn, ...]:
        """Who stands in the line."""
        stores = self.office.stores()
        known = stores.desk.lines(self.office.clock.now())
        stores.database.close()
        return known.lines["konsultasi-chat"].turns


@pytest.fixture
def story(office: FlowOffice) -> Story:
    """An office that calls in turn."""
    return Story(office)


def test_three_are_served_at_once_and_each_end_calls_the_next(story: Story) -> None:
    """To the letter: called at once, told place and wait, called when a turn ends by an officer or the clock."""
    acknowledged, called = story.ask(PEOPLE[0])
    literal("1-acknowledged", acknowledged)
    literal("2-called", called)
    [told] = story.new(DEWI)
    literal("3-officer", told)
    for who in PEOPLE[1:3]:
        assert [one.subject.partition("] ")[2][:27] for one in story.ask(who)][1:] == ["Giliran Bapak/Ibu sekarang:"]
    [waits] = story.ask(PEOPLE[3])
    literal("4-waits", waits)
    [behind] = story.ask(PEOPLE[4])
    assert "Nomor urut antrean: 2\n" in behind.text
    story.new(DEWI)
    # 09.04: the first is done. The next is called in the same step, and its officer told.
    story.office.clock.wib(9, 4)
    receipt, next_ = story.order(told, "SELESAI\nTerima kasih, semoga jelas.")
    assert "Konsultasi selesai" in receipt.text
    [call] = story.new(PEOPLE[3])
    assert call.subject.endswith("Giliran Bapak/Ibu sekarang: Konsultasi live chat via ASROT")
    assert "Masih menunggu giliran: 1\n" in next_.text
    [done] = story.new(PEOPLE[0])
    assert "semoga jelas" in done.text
    # 09.15: the time of the second and the third is up; the last is called, one seat stays free.
    story.at(9, 14)
    assert story.new(PEOPLE[4]) == []
    story.at(9, 15)
    [call] = story.new(PEOPLE[4])
    assert "sampai pukul\n09.30 WIB" in call.text
    story.at(9, 16)
    assert [story.new(who) for who in PEOPLE] == [[], [], [], [], []]
    assert [one.seat for one in story.line()] == [1, 2]
    # Nobody came: LEWAT, and the applicant asks for another turn.
    [told] = [one for one in story.new(DEWI) if "Giliran sekarang" in one.subject]
    story.order(told, "LEWAT")
    [missed] = story.new(PEOPLE[4])
    literal("5-missed", missed)
    story.send(reply(missed, "GILIRAN", sender=f"Eka <{PEOPLE[4]}>"))
    assert [one.seat for one in story.line()] == [1, 2]
    assert sorted("Giliran Bapak/Ibu sekarang" in one.subject for one in story.new(PEOPLE[4])) == [False, True]


def test_a_contact_by_telephone_is_registered_and_called_by_the_officer(story: Story) -> None:
    """`CATAT` without an address: whom to call is said to the officer; with one, the applicant is called by mail."""
    _ = [story.ask(who) for who in PEOPLE[:3]]
    [notice, *_] = story.new(DEWI)
    story.office.clock.wib(13)
    story.office.work()
    desk = [one for one in story.new(DEWI) if one.subject.startswith("Rekap Loket B")][-1]
    form = "CATAT\nSaluran: {}\nNama: {}\nKontak: 0812 3456 7890\nEmail: {}\nAntrean: konsultasi-chat\n"
    story.office.clock.wib(13, 1)
    receipt, told = story.order(desk, form.format("Telepon", "Bu Wati", ""))
    literal("6-registered", receipt)
    literal("7-officer-calls", told)
    story.order(desk, form.format("Live chat", "Bu Sari", SARI))
    acknowledged, called = sorted(story.new(SARI), key=lambda one: "sekarang:" in one.subject)
    assert "melalui live chat" in acknowledged.text
    assert 'klik "Chat Asrot"' in " ".join(called.text.split())
    story.order(told, "SELESAI Sudah dijawab lewat telepon.")
    assert [one.served for one in story.line()] == [True]
    assert notice.subject != told.subject


def test_status_tells_place_and_wait_and_batal_gives_the_place_up(story: Story) -> None:
    for who in PEOPLE[:3]:
        story.ask(who)
    [waits], [behind] = story.ask(PEOPLE[3]), story.ask(PEOPLE[4])
    number = re.search(r"LKT-\d{4}-\d{6}-\d", behind.subject)
    assert number is not None
    story.send(mail(f"Eka <{PEOPLE[4]}>", DITLAI, f"Status {number[0]}", ""))
    [status] = story.new(PEOPLE[4])
    literal("8-status", status)
    story.send(reply(waits, "Batal saja, terima kasih.", sender=f"Dodi <{PEOPLE[3]}>"))
    [gone] = story.new(PEOPLE[3])
    literal("9-given-up", gone)
    story.send(reply(status, "Masih lama giliran saya?", sender=f"Eka <{PEOPLE[4]}>"))
    [place] = story.new(PEOPLE[4])
    literal("10-place", place)


def test_who_asks_in_the_evening_is_called_in_the_morning(story: Story) -> None:
    """After hours, over a night; and nobody is called for less than a whole turn before closing."""
    story.office.clock.wib(15, 50)
    [late] = story.ask(PEOPLE[0])
    assert "Rabu, 25 November 2026, pukul 08.30" in " ".join(late.text.split())
    story.office.clock.wib(20)
    [evening] = story.ask(PEOPLE[1])
    assert "Nomor urut antrean: 2" in evening.text
    story.at(8, 29, day=25)
    assert (story.new(PEOPLE[0]), story.new(PEOPLE[1])) == ([], [])
    story.at(8, 30, day=25)
    for who in PEOPLE[:2]:
        [call] = story.new(who)
        assert "sampai pukul\n08.45 WIB" in call.text
