"""Every command of an officer beside the outcomes: what it does, and what it says when it cannot."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loket.core import orders
from loket.core.known import hints
from loket.core.model import Kind, State
from tests.core.desk import KEYS, NOW, letter, shown
from tests.core.room import DESK, DEWI, GITA, HADI, IKLAN, Room

WIB = ZoneInfo("Asia/Jakarta")


@pytest.mark.parametrize("word", ["AMBIL", "ambil.", "Claim"])
def test_ambil_takes_a_ticket_for_eight_hours_of_opening_time(word: str) -> None:
    room = Room()
    number = room.ask()
    room.say(number, f"{word}\n")
    ticket = room.ticket(number)
    # Tuesday 09.00, seven hours today; the eighth ends on Wednesday at 09.30.
    assert (ticket.claimed_by, ticket.claimed_until) == (DEWI, datetime(2026, 11, 25, 9, 30, tzinfo=WIB))
    assert "Rabu, 25 November 2026, pukul 09.30 WIB" in room.receipt
    room.say(number, "AMBIL\n", GITA)
    assert (room.reason(), room.ticket(number).claimed_by) == ("claimed", DEWI)
    assert "sedang dikerjakan oleh Dewi" in room.receipt


def test_it_is_everybodys_again_when_the_time_is_over_or_it_is_given_back() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "AMBIL\n")
    room.say(number, "LEPAS\n", GITA)
    assert room.reason() == "not-taken"
    room.say(number, "LEPAS\n")
    assert room.ticket(number).claimed_by is None
    room.say(number, "AMBIL\n")
    room.now += timedelta(days=2)
    room.say(number, "CLAIM\n", GITA)
    assert room.ticket(number).claimed_by == GITA


def test_alih_gives_a_ticket_to_a_colleague_who_is_told_and_may_answer_it() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "ALIH Hadi\n")
    assert room.ticket(number).claimed_by == HADI
    told, receipt = room.to_officers()
    assert (told.kind, told.recipient, receipt.recipient) == (Kind.NOTICE, HADI, DEWI)
    assert "Dewi mengalihkan tiket ini kepada Anda" in shown(told)
    assert KEYS.read_officer(told.message_id, HADI, NOW) == number
    room.say(number, "JAWAB Sudah benar.\n", HADI)
    assert (room.state(number), len(room.to_applicant())) == (State.CLOSED, 1)


def test_a_colleague_who_is_away_is_given_nothing() -> None:
    room = Room()
    number = room.ask()
    room.say(DESK, "CUTI sampai 5 Desember\n", GITA)
    room.say(number, "MOVE gita@pom.go.id\n")
    assert room.reason() == "officer-away"
    assert "Minggu, 6 Desember" in room.receipt


@pytest.mark.parametrize("body", ["TANYA\n\nIklannya untuk media apa?\n", "ask Iklannya untuk media apa?\n"])
def test_tanya_asks_the_applicant_and_stops_the_due_time_until_the_answer_comes(body: str) -> None:
    room = Room()
    number = room.ask()
    before = room.ticket(number)
    assert before.due_at is not None
    room.now += timedelta(hours=2)
    room.say(number, body)
    [question] = room.to_applicant()
    assert (question.kind, question.not_before) == (Kind.QUESTION, None)
    assert "Iklannya untuk media apa?" in shown(question)
    ticket = room.ticket(number)
    assert (ticket.state, ticket.asked_by, ticket.due_at) == (State.WAITING, DEWI, None)
    left = room.office.counters[IKLAN].calendar.open_between(room.now, before.due_at)
    assert ticket.term is not None
    assert ticket.term.stands_still
    assert left > timedelta()

    room.now += timedelta(days=7)
    room.write(number, "Untuk televisi.\n")
    ticket = room.ticket(number)
    assert (ticket.state, ticket.asked_by, ticket.claimed_by) == (State.OPEN, DEWI, DEWI)
    assert ticket.due_at == before.due_at + timedelta(days=7), "the same time of day: nothing of it was lost"
    [notice] = room.to_officers()
    assert (notice.kind, notice.recipient) == (Kind.NOTICE, DEWI)
    assert "Pemohon menulis lagi setelah jawaban atau pertanyaan Anda" in shown(notice, *room.received)


@pytest.mark.parametrize(
    ("body", "reason"), [("TANYA\n", "words-required"), ("TUNDA\n", "no-day"), ("CATATAN\n", "note-required")]
)
def test_a_command_without_what_it_needs_says_what_is_missing(body: str, reason: str) -> None:
    room = Room()
    number = room.ask()
    before = room.ticket(number)
    room.say(number, body)
    assert (room.reason(), room.ticket(number), room.to_applicant()) == (reason, before, [])


def test_a_question_takes_no_scan_along() -> None:
    """Or a letter could leave past the proof that letters need."""
    room = Room()
    number = room.ask()
    room.say(number, "TANYA Benar ini?\n", files=[("SK.pdf", b"%PDF-1.4 x")])
    assert (room.reason(), room.to_applicant()) == ("attachment-forbidden", [])


@pytest.mark.parametrize("body", ["TUNDA sampai 5 Desember\n", "snooze until Dec 5, 2026\n", "TUNDA\n\n2026-12-05\n"])
def test_tunda_hides_a_ticket_until_the_day_and_is_due_no_sooner(body: str) -> None:
    room = Room()
    number = room.ask()
    room.say(number, body)
    ticket = room.ticket(number)
    assert ticket.snoozed_until == datetime(2026, 12, 5, tzinfo=WIB)
    # A Saturday: the counter opens on Monday.
    assert ticket.due_at == datetime(2026, 12, 7, 16, 0, tzinfo=WIB)
    assert "Sabtu, 5 Desember 2026" in room.receipt
    room.write(number)
    assert room.ticket(number).snoozed_until is None, "whoever writes wants it seen"


@pytest.mark.parametrize("body", ["TUNDA kemarin\n", "TUNDA 24 November\n", "TUNDA 2028-01-01\n"])
def test_tunda_wants_a_day_to_come(body: str) -> None:
    room = Room()
    room.say(room.ask(), body)
    assert room.reason() == "no-day"


def test_catatan_is_kept_for_officers_and_never_leaves() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "CATATAN Sudah ditelepon,\nmenunggu surat.\n")
    assert room.to_applicant() == []
    assert room.ticket(number).note == "Dewi: Sudah ditelepon, menunggu surat."
    assert room.last.events[0].detail["words"] == "Sudah ditelepon,\nmenunggu surat."
    room.say(number, "STATUS\n", GITA)
    assert "Catatan: Dewi: Sudah ditelepon" in room.receipt


def test_status_tells_where_a_ticket_stands_or_what_waits() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "AMBIL\n")
    room.say(number, "status\n", GITA)
    for text in ("Status: menunggu petugas", "Dikerjakan oleh: Dewi", "- JAWAB:"):
        assert text in room.receipt
    room.say(DESK, "STATUS\n")
    for text in ("1 menunggu", number, "sampai Rabu, 25 November"):
        assert text in room.receipt


@pytest.mark.parametrize(("number", "words"), [(DESK, 5), ("", len(orders.MEANING["id"]))])
def test_bantuan_lists_the_commands(number: str, words: int) -> None:
    room = Room()
    ticket = room.ask()
    room.say(number or ticket, "bantuan\n")
    # JAWAB beside them, no JADWAL where the queue has no appointments, no GILIRAN where nobody is called in turn.
    assert room.receipt.count("\n- ") == words
    assert "CUTI sampai" in room.receipt


def test_every_word_means_something_in_every_language() -> None:
    assert {frozenset(said) for said in orders.MEANING.values()} == {frozenset(orders.WORDS.values())}
    assert set(orders.PLAIN) | set(orders.WITH_TEXT) | set(orders.ON_LINE) == set(orders.WORDS.values())


def test_cuti_gives_the_items_to_the_deputy_and_says_until_when() -> None:
    room = Room()
    number = room.ask()
    room.say(DESK, "CUTI sampai 5 Desember\n")
    assert room.known.away == {DEWI: datetime(2026, 12, 6, tzinfo=WIB)}
    deputy, receipt = room.to_officers()
    assert (deputy.recipient, "Anda mewakili Dewi" in shown(deputy)) == (HADI, True)
    assert "Rekap dikirim lagi mulai Senin, 7 Desember 2026" in shown(receipt)
    assert room.office.queues_of(room.office.officers[HADI], room.known.away) == ("konsultasi-it", "konsultasi-iklan")
    room.say(number, "JAWAB Baik.\n", HADI)
    assert room.state(number) is State.CLOSED
    room.say(DESK, "CUTI selesai\n")
    assert room.known.away[DEWI] == room.now
    assert "Selamat bertugas kembali" in room.receipt


def test_cuti_without_anybody_left_says_so() -> None:
    room = Room()
    room.say(DESK, "AWAY until Friday\n", HADI)
    assert "tidak ada petugas lain" in room.receipt
    room.say(DESK, "CUTI nanti\n", HADI)
    assert room.reason() == "no-day"


def test_what_an_absent_officer_had_taken_is_the_deputys() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "AMBIL\n")
    room.say(DESK, "CUTI 3 hari\n")
    room.say(number, "AMBIL\n", GITA)
    assert "sedang dikerjakan oleh Hadi" in room.receipt


def test_an_unknown_command_is_told_with_the_nearest_of_all_words() -> None:
    room = Room()
    room.say(room.ask(), "CATATN sesuatu\n")
    assert (room.last.events[0].kind, room.last.events[0].detail["nearest"]) == ("command-unknown", "CATATAN")
    assert "Mungkin yang Anda maksud: CATATAN" in room.receipt


def test_an_officers_mail_makes_the_tickets_it_names_known() -> None:
    reference = {"In-Reply-To": f"<{KEYS.officer(DESK, DEWI, NOW)}.0123456789abcdef0123@yahoo.com>"}
    said = hints([letter("Re: x", "LKT-2026-000007-5 AMBIL\n", author=DEWI, fields=reference)])
    assert "LKT-2026-000007-5" in said.numbers
    assert said.officers == {DEWI}
    # An applicant who writes numbers makes nothing known by them.
    assert hints([letter("Re: x", "LKT-2026-000007-5 AMBIL\n")]).officers == frozenset()
