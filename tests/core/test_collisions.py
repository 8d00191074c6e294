"""Two officers, one ticket: who was first counts, what comes second is kept back, what has not left is called off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from loket.core.mail import Post
from loket.core.model import Fate, HeldState, Kind, Phase, Sent, State
from loket.core.undelivered import undelivered
from tests.core.desk import KEYS
from tests.core.room import DESK, DEWI, GITA, HADI, IKLAN, WATI, Room, shared

WIB = ZoneInfo("Asia/Jakarta")


def test_batal_calls_back_an_answer_that_waits_and_nothing_leaves() -> None:
    room = Room(shared(timedelta(minutes=10)))
    number = room.ask()
    before = room.ticket(number)
    room.say(number, "JAWAB Sudah.\n")
    [delivery] = room.to_applicant()
    assert delivery.not_before == room.now + timedelta(minutes=10)
    assert "Dikirim: Selasa, 24 November 2026, pukul 09.10 WIB" in room.receipt
    room.say(number, "BATAL\n", GITA)
    assert room.reason() == "not-yours"
    room.say(number, "BATAL\n")
    assert [(move.key, move.phase) for move in room.last.moves] == [(delivery.key, Phase.CANCELLED)]
    after = room.ticket(number)
    assert (after.state, after.due_at, after.answered_by, after.outcome) == (State.OPEN, before.due_at, None, None)
    room.say(number, "BATAL\n")
    assert room.reason() == "nothing-to-cancel"


def test_batal_comes_too_late_for_what_has_left() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "JAWAB Sudah.\n")
    room.known.unsent.clear()
    room.say(number, "UNDO\n")
    assert (room.reason(), room.state(number)) == ("left-already", State.CLOSED)


def test_batal_calls_back_a_question_too() -> None:
    room = Room()
    number = room.ask()
    before = room.ticket(number)
    room.say(number, "TANYA Benar?\n")
    room.say(number, "BATAL\n")
    after = room.ticket(number)
    assert (after.state, after.asked_by, after.due_at) == (State.OPEN, None, before.due_at)
    assert [move.phase for move in room.last.moves] == [Phase.CANCELLED]


def test_the_second_answer_is_kept_back_and_its_author_told_who_was_first() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "JAWAB Dari Dewi.\n")
    room.say(number, "JAWAB Dari Gita.\n", GITA)
    assert (room.reason(), room.last.fate, room.to_applicant()) == ("already-answered", Fate.COMMAND, [])
    [held] = room.last.held
    assert (held.officer, held.ticket, held.state) == (GITA, number, HeldState.HELD)
    assert "sudah dijawab oleh Dewi" in room.receipt
    assert "pada Selasa, 24 November 2026, pukul 09.00 WIB" in room.receipt
    assert "balas email ini dengan KIRIM" in room.receipt
    assert room.ticket(number).answered_by == DEWI


def test_kirim_sends_it_anyway_with_the_bytes_that_were_written() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "JAWAB Dari Dewi.\n")
    room.say(number, "JAWAB Dari Gita.\n", GITA)
    [held] = room.last.held
    room.say(number, "KIRIM\n")
    assert room.reason() == "nothing-held", "it is Gita's"
    room.say(number, "KIRIM\n", GITA)
    assert [(move.key, move.phase) for move in room.last.moves] == [(held.key, Phase.DUE)]
    assert [one.state for one in room.last.held] == [HeldState.SENT]
    assert (room.ticket(number).answered_by, room.to_applicant()) == (GITA, [])
    room.say(number, "SEND\n", GITA)
    assert room.reason() == "nothing-held"
    room.say(number, "BATAL\n", GITA)
    assert [(move.key, move.phase) for move in room.last.moves] == [(held.key, Phase.CANCELLED)]
    assert room.ticket(number).answered_by == DEWI


def test_batal_drops_what_was_kept_back() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "JAWAB Dari Dewi.\n")
    room.known.unsent.clear()
    room.say(number, "JAWAB Dari Gita.\n", GITA)
    room.say(number, "BATAL\n", GITA)
    assert [one.state for one in room.last.held] == [HeldState.DROPPED]
    assert [move.phase for move in room.last.moves] == [Phase.CANCELLED]
    assert room.ticket(number).answered_by == DEWI


def test_an_answer_to_what_a_colleague_has_taken_is_kept_back() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "AMBIL\n")
    room.say(number, "JAWAB Dari Gita.\n", GITA)
    assert (room.reason(), room.state(number), room.to_applicant()) == ("claimed", State.OPEN, [])
    room.say(number, "JAWAB Dari Dewi.\n")
    assert room.state(number) is State.CLOSED


def test_a_second_answer_from_the_same_officer_is_kept_back_too() -> None:
    """A client that sends twice, with another Message-ID."""
    room = Room()
    number = room.ask()
    room.say(number, "JAWAB Sudah.\n")
    room.say(number, "JAWAB Sudah.\n")
    assert (room.reason(), room.to_applicant()) == ("already-answered", [])


def test_an_applicant_who_writes_to_an_answered_ticket_comes_back_to_who_answered() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "JAWAB Sudah.\n", GITA)
    room.write(number)
    ticket = room.ticket(number)
    assert (ticket.state, ticket.claimed_by, ticket.answered_by) == (State.OPEN, GITA, GITA)
    assert [(mail.kind, mail.recipient) for mail in room.last.outbox] == [(Kind.NOTICE, GITA)]
    room.say(number, "JAWAB Lagi.\n", GITA)
    assert (room.state(number), len(room.to_applicant())) == (State.CLOSED, 1)


def test_nobody_is_called_to_work_on_a_day_off() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "JAWAB Sudah.\n")
    room.now = datetime(2026, 11, 28, 10, 0, tzinfo=WIB)  # a Saturday
    room.write(number)
    [notice] = room.to_officers()
    assert notice.not_before == datetime(2026, 11, 30, 8, 30, tzinfo=WIB)


def test_it_comes_back_to_the_deputy_or_to_everybody_while_they_are_away() -> None:
    room = Room()
    for who, whose in ((DEWI, HADI), (GITA, None)):
        number = room.ask()
        room.say(number, "JAWAB Sudah.\n", who)
        room.say(DESK, "CUTI 3 hari\n", who)
        room.write(number)
        assert room.ticket(number).claimed_by == whose


def test_a_question_that_does_not_arrive_opens_the_ticket_and_tells_who_asked() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "TANYA Benar?\n", GITA)
    [question] = room.to_applicant()
    sent = Sent(question.message_id, Kind.QUESTION, IKLAN, WATI, number, Phase.SENT)
    post = Post(room.office, room.office.counters[IKLAN], KEYS, room.now)
    plan = undelivered(post, sent, room.ticket(number), Phase.BOUNCED, "550 no", "x")
    [ticket] = plan.changed
    assert (ticket.state, ticket.asked_by, ticket.due_at is not None) == (State.OPEN, None, True)
    assert [mail.recipient for mail in plan.outbox] == [GITA]


def test_of_two_answers_that_wait_each_can_be_called_off() -> None:
    """The later one first; then the ticket is as it was before both."""
    room = Room(shared(timedelta(minutes=10)))
    number = room.ask()
    before = room.ticket(number)
    room.say(number, "JAWAB Pertama.\n")
    [first] = room.to_applicant()
    room.say(number, "JAWAB Kedua.\n")
    [second] = [held.key for held in room.last.held]
    room.say(number, "KIRIM\n")
    for key, state in ((second, State.CLOSED), (first.key, State.OPEN)):
        room.say(number, "BATAL\n")
        assert [(move.key, move.phase) for move in room.last.moves] == [(key, Phase.CANCELLED)]
        assert room.state(number) is state
    after = room.ticket(number)
    assert (after.answered_by, after.due_at, after.undo) == (None, before.due_at, None)
    room.say(number, "BATAL\n")
    assert room.reason() == "nothing-to-cancel"


def test_an_officer_calls_off_the_own_answer_below_a_colleagues() -> None:
    """The colleague's stands; were it called off as well, the ticket is as it was before both."""
    room = Room(shared(timedelta(minutes=10)))
    number = room.ask()
    room.say(number, "JAWAB Dari Dewi.\n")
    [first] = room.to_applicant()
    room.say(number, "JAWAB Dari Gita.\n", GITA)
    room.say(number, "KIRIM\n", GITA)
    room.say(number, "BATAL\n")
    assert [move.key for move in room.last.moves] == [first.key]
    assert (room.state(number), room.ticket(number).answered_by) == (State.CLOSED, GITA)
    room.say(number, "BATAL\n")
    assert room.reason() == "not-yours"
    room.say(number, "BATAL\n", GITA)
    assert (room.state(number), room.ticket(number).answered_by) == (State.OPEN, None)


def test_an_answer_is_called_off_though_its_applicant_has_written_meanwhile() -> None:
    """The ticket stays open, as the applicant's mail left it."""
    room = Room(shared(timedelta(minutes=10)))
    number = room.ask()
    room.say(number, "JAWAB Sudah.\n")
    [delivery] = room.to_applicant()
    room.write(number)
    room.say(number, "BATAL\n")
    assert [(move.key, move.phase) for move in room.last.moves] == [(delivery.key, Phase.CANCELLED)]
    assert room.state(number) is State.OPEN


def test_kirim_sends_nothing_to_an_address_that_is_no_longer_the_applicants() -> None:
    """The letter was written to the old one (promise P14)."""
    room = Room()
    number = room.ask()
    room.say(number, "JAWAB Dari Dewi.\n")
    room.say(number, "JAWAB Dari Gita.\n", GITA)
    [held] = room.last.held
    room.known.tickets[number] = replace(room.ticket(number), applicant="wati@baru.example")
    room.say(number, "KIRIM\n", GITA)
    assert room.reason() == "other-recipient"
    assert [(move.key, move.phase) for move in room.last.moves] == [(held.key, Phase.CANCELLED)]
    assert "alamat pemohon tiket ini sudah berubah" in room.receipt
    room.say(number, "KIRIM\n", GITA)
    assert room.reason() == "nothing-held"
