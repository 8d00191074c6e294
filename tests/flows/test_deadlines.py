"""What becomes late, through real servers: the officers are reminded, then the supervisor hears of it; each once."""

from __future__ import annotations

import pytest

from tests.flows.letters import mail, reply
from tests.flows.office import FlowOffice
from tests.flows.test_officers import APPLICANT, DEWI, EKO, IKLAN, WATI, Story

HEAD = "kepala@pom.go.id"
RULE = f"{{remind: 4 working hours, supervisor: {HEAD}, after: 1 working day}}"


class Office(Story):
    """Dewi and Eko serve the queue, digests are in the small hours of Sunday, and late items are told."""

    def __post_init__(self) -> None:
        self.office.set_up(
            ("queues: [konsultasi-it]", "queues: [konsultasi-it, konsultasi-iklan]"),
            ("name: Dewi\n", "name: Dewi\n    deputy: eko@pom.go.id\n"),
            ('at: "Mon-Fri 08:30, 13:00"', 'at: "Sun 01:00"'),
            ("escalation: {}", f"escalation: {RULE} #"),
        )
        self.office.empty([APPLICANT, HEAD])
        self.read = {}

    def at(self, hour: int, minute: int = 0, days: int = 0) -> None:
        """The clock says so, and the daemon works."""
        self.office.clock.wib(hour, minute, days)
        self.office.work()

    def subjects(self, address: str) -> list[str]:
        """What an address was told that nobody has looked at yet."""
        return [one.subject for one in self.new(address)]


@pytest.fixture
def office_(office: FlowOffice) -> Office:
    return Office(office)


def test_the_officers_are_reminded_before_and_at_the_due_time_then_the_supervisor_hears_of_it(office_: Office) -> None:
    """Asked on Tuesday at 09.00, due on Thursday at 16.00: told on Thursday at 12.00, on Friday, and at its end."""
    number = office_.asked()
    office_.at(11, 59, 2)
    assert (office_.subjects(DEWI), office_.subjects(EKO)) == ([], [])
    for minute in (0, 1, 30):
        office_.at(12, minute, 2)
    [soon] = office_.new(DEWI)
    assert soon.subject == f"[{number}] Segera jatuh tempo: Iklan radio"
    assert "Pengingat ini dikirim satu kali" in soon.text
    assert "JAWAB" in soon.markup
    assert len(office_.new(EKO)) == 1
    # The due time is the moment of closing: nobody is written to in the evening.
    for hour in (16, 17, 20):
        office_.at(hour, 0, 2)
    assert office_.subjects(DEWI) == []
    for minute in (30, 31):
        office_.at(8, minute, 3)
    [late] = office_.new(DEWI)
    assert late.subject == f"[{number}] Terlambat: Iklan radio"
    assert office_.subjects(HEAD) == []
    # A working day after it is Friday's closing; the supervisor reads it on Monday.
    office_.at(15, 59, 3)
    assert office_.subjects(HEAD) == []
    for minute in (30, 35):
        office_.at(8, minute, 6)
    [told] = office_.new(HEAD)
    assert told.subject == "Terlambat di Konsultasi Registrasi Iklan: 1 tiket"
    for part in (number, "Iklan radio", "Petugas: Dewi, Eko", "Terlambat: 7 jam 30 menit kerja"):
        assert part in told.text
    assert "mailto:" not in told.text + told.markup
    office_.read[EKO] = 0
    assert len(office_.new(EKO)) == 2


def test_a_reminder_is_answered_like_a_digest(office_: Office) -> None:
    office_.asked()
    office_.at(13, 0, 2)
    [soon] = office_.new(DEWI)
    office_.new(EKO)
    assert "sudah dilaksanakan" in office_.reply(soon, "JAWAB\n\nSudah sesuai.").text
    for days in (3, 6, 7):
        office_.at(9, 0, days)
    assert (office_.subjects(DEWI), office_.subjects(EKO), office_.subjects(HEAD)) == ([], [], [])


def test_only_who_has_it_in_hand_is_reminded(office_: Office) -> None:
    number = office_.asked()
    office_.at(12, 0, 2)
    [soon] = office_.new(DEWI)
    office_.new(EKO)
    office_.reply(soon, "AMBIL")
    office_.at(9, 0, 3)
    assert office_.subjects(DEWI) == [f"[{number}] Terlambat: Iklan radio"]
    assert office_.subjects(EKO) == []


def test_an_absent_officer_is_not_reminded_and_a_deputy_is(office_: Office) -> None:
    number = office_.asked()
    office_.at(12, 0, 2)
    [soon] = office_.new(DEWI)
    office_.new(EKO)
    office_.reply(soon, f"{number} AMBIL")
    office_.send(reply(soon, "CUTI sampai 30 November", sender=f"Dewi <{DEWI}>"))
    office_.new(DEWI), office_.new(EKO)
    office_.at(9, 0, 3)
    assert office_.subjects(DEWI) == []
    assert office_.subjects(EKO) == [f"[{number}] Terlambat: Iklan radio"]


def test_what_was_put_off_or_waits_for_its_applicant_is_not_late(office_: Office) -> None:
    first, second = office_.asked(), office_.asked("Iklan televisi")
    office_.at(12, 0, 2)
    [soon] = office_.new(DEWI)
    assert soon.subject == "Segera jatuh tempo: 2 tiket"
    office_.new(EKO)
    office_.reply(soon, f"{first} TUNDA 2 Desember\n{second} TANYA\nUntuk media apa?")
    for hour, days in ((9, 3), (9, 6), (9, 7)):
        office_.at(hour, 0, days)
    assert (office_.subjects(DEWI), office_.subjects(EKO), office_.subjects(HEAD)) == ([], [], [])
    # Put off to Wednesday, it is due at the end of it, and its officers hear of it once more.
    office_.at(12, 30, 8)
    assert office_.subjects(EKO) == [f"[{first}] Segera jatuh tempo: Iklan radio"]


def test_a_daemon_that_was_down_tells_each_once_and_the_later_word_stands_for_the_earlier(office_: Office) -> None:
    number = office_.asked()
    for minute in (0, 1):
        office_.at(10, minute, 7)
    assert office_.subjects(DEWI) == [f"[{number}] Terlambat: Iklan radio"]
    assert office_.subjects(HEAD) == ["Terlambat di Konsultasi Registrasi Iklan: 1 tiket"]


def test_a_queue_may_have_a_supervisor_of_its_own_or_none(office_: Office) -> None:
    rules = office_.office.folder / "rules/iklan.yaml"
    text = rules.read_text()
    rules.write_text(text.replace("    outcomes:\n", "    escalation: {}\n    outcomes:\n"))
    office_.asked()
    office_.at(10, 0, 7)
    assert (office_.subjects(DEWI), office_.subjects(HEAD)) == ([], [])
    own = "    escalation: {supervisor: kasi@pom.go.id, after: 4 working hours}\n    outcomes:\n"
    rules.write_text(text.replace("    outcomes:\n", own))
    office_.office.empty(["kasi@pom.go.id"])
    office_.at(10, 1, 7)
    assert (office_.subjects(DEWI), office_.subjects(HEAD), len(office_.new("kasi@pom.go.id"))) == ([], [], 1)


def test_nothing_is_told_of_another_counters_closed_hours(office_: Office) -> None:
    """A day off: the reminder of a ticket that is due meanwhile comes with the next opening."""
    office_.office.clock.wib(9, 0)
    office_.office.submit(mail(WATI, IKLAN, "Iklan radio"))
    office_.at(9, 0, 28)  # Tuesday, 22 December
    office_.new(APPLICANT)
    for days in (30, 31, 32, 33):  # the 24th and 25th are off
        office_.at(9, 0, days)
    assert office_.subjects(DEWI) == []
    office_.at(12, 0, 34)  # Monday the 28th, the second working day
    assert len(office_.subjects(DEWI)) == 1
