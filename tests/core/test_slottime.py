"""What the clock and officers do to appointments, in core alone: reminders once, waiting in order, `JADWAL`."""

from __future__ import annotations

from datetime import datetime

import pytest

from loket.core import token
from loket.core.mail import Post
from loket.core.model import BookingState, Kind, Plan, State, Ticket
from loket.core.slottime import due, orphaned, reminders
from loket.core.table import Table, table
from tests.core.desk import DITLAI, KEYS
from tests.core.waitingroom import BUDI, DEWI, SITI, WaitingRoom, at, calendar_of, house, mail_of, to


@pytest.fixture
def room() -> WaitingRoom:
    """Tuesday morning, nothing taken."""
    return WaitingRoom()


def seen(room: WaitingRoom, ticket: Ticket) -> Table:
    """The ticket's book as a timer opens it."""
    post = Post(room.house, room.house.counters[DITLAI], KEYS, room.now)
    found = table(post, room.known, room.ticket(ticket.number), f"clock:{ticket.number}")
    assert found is not None
    return found


def reminded(room: WaitingRoom, ticket: Ticket, now: datetime) -> list[tuple[datetime, int]]:
    """When each reminder that is due was, and how many mails it writes."""
    room.now = now
    return [(occurrence.due_at, len(plan.outbox)) for occurrence, plan in reminders(seen(room, ticket))]


def step(room: WaitingRoom, ticket: Ticket) -> Plan | None:
    """One step of the clock for a ticket, carried out."""
    plan = due(seen(room, ticket))
    return room.carry(plan) if plan is not None else None


def said(plan: Plan, address: str) -> str:
    """What the last letter to an address says."""
    body = mail_of(to(plan, address)[-1]).get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_each_reminder_is_due_at_its_own_moment_before(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.reply(ticket, "nomor 3")
    assert reminded(room, ticket, at(11, 27, 9, 59)) == []
    assert reminded(room, ticket, at(11, 27, 10)) == [(at(11, 27, 10), 1)]


def test_a_daemon_that_was_down_reminds_once_and_counts_both_as_happened(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.reply(ticket, "nomor 3")
    assert reminded(room, ticket, at(11, 30, 9, 30)) == [(at(11, 27, 10), 0), (at(11, 30, 9), 1)]
    assert reminded(room, ticket, at(11, 30, 10)) == []


def test_nobody_is_reminded_of_what_was_made_or_moved_later_than_the_reminder_or_called_off(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.now = at(11, 27, 15)
    room.reply(ticket, "jam 09.00")
    assert reminded(room, ticket, at(11, 27, 16)) == []
    room.now = at(11, 27, 15, 30)
    room.reply(ticket, "batal")
    assert reminded(room, ticket, at(11, 30, 8, 30)) == []


def test_when_it_has_been_the_ticket_is_the_officers_with_time_to_end_it(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.reply(ticket, "nomor 1")
    room.now = at(11, 30, 9, 29)
    assert step(room, ticket) is None
    room.now = at(11, 30, 9, 30)
    plan = step(room, ticket)
    assert plan is not None
    assert (plan.outbox, [one.state for one in plan.bookings]) == ((), [BookingState.OVER])
    assert room.ticket(ticket.number).state is State.OPEN
    assert room.ticket(ticket.number).due_at == at(12, 2, 16)
    assert step(room, ticket) is None
    room.order(ticket, "SELESAI")
    assert room.ticket(ticket.number).state is State.CLOSED


def test_the_first_who_waits_is_offered_what_becomes_free_and_the_next_after_them() -> None:
    room = WaitingRoom(
        house=house(hours="Mon 09:00-10:00", ahead=house().queues["konsultasi-zoom"].appointments.ahead / 4)
    )
    one, two = room.ask("a@x.example"), room.ask("b@x.example")
    room.reply(one, "nomor 1")
    room.reply(two, "nomor 2")
    first = room.ask(SITI)
    room.later(minutes=1)
    second = room.ask(BUDI)
    room.later(minutes=1)
    room.reply(one, "batal")
    assert step(room, second) is None, "not before the one who waits longer"
    kept = step(room, first)
    assert kept is not None
    assert to(kept, SITI)[0].kind is Kind.REMINDER
    assert "Rabu, 25 November 2026, pukul 16.00 WIB" in said(kept, SITI)
    assert step(room, first) is None, "once"
    assert step(room, second) is None, "it is kept"
    # Another becomes free: it is the second's.
    room.reply(two, "batal")
    offered = step(room, second)
    assert offered is not None
    assert "pukul 09.30 WIB" in said(offered, BUDI)
    # Who says nothing leaves the list.
    room.now = at(11, 25, 16)
    over = step(room, first)
    assert over is not None
    assert "tidak diambil sampai\nbatasnya" in said(over, SITI)
    assert room.offer(first) is None


def test_an_officer_is_bound_to_the_hours_and_what_is_free_and_not_to_the_notice(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.now = at(11, 30, 8)
    plan = room.order(ticket, "JADWAL hari ini jam 10.00")
    booking = room.booking(ticket)
    assert booking is not None
    assert booking.start == at(11, 30, 10)
    assert "METHOD:REQUEST" in calendar_of(to(plan, SITI)[0])
    other = room.ask(BUDI)
    for words, reason in (
        ("JADWAL hari ini jam 10.00", "sudah terisi"),
        ("JADWAL 30/11 12.30", "tidak ada konsultasi menurut jadwal"),
        ("JADWAL Senin", "hari dan jamnya tidak kami kenali"),
        ("JADWAL https://zoom.example/j/1", "belum mempunyai jadwal"),
    ):
        plan = room.order(other, words)
        assert reason in said(plan, DEWI), words
        assert to(plan, BUDI) == []
    plan = room.order(other, "schedule December 7, 10:30 https://zoom.example/j/2")
    assert "Tempat: https://zoom.example/j/2" in said(plan, BUDI)
    assert room.booking(other) is not None
    room.order(other, "Cancel schedule")
    assert room.booking(other) is None


def test_the_same_moment_again_changes_nothing_and_the_applicant_hears_nothing(room: WaitingRoom) -> None:
    """An officer who sends it twice is told so; with a link it is the link that is new."""
    ticket = room.ask()
    room.order(ticket, "JADWAL 7 Desember 10.00")
    booked = room.booking(ticket)
    again = room.order(ticket, "JADWAL 7/12 10.00")
    assert "sudah mempunyai jadwal pada" in said(again, DEWI)
    assert to(again, SITI) == []
    assert room.booking(ticket) == booked
    linked = room.order(ticket, "JADWAL 7/12 10.00 https://zoom.example/j/3")
    assert "https://zoom.example/j/3" in said(linked, SITI)
    assert len(to(linked, SITI)) == 1


def test_two_in_one_mail_cannot_have_the_same_time(room: WaitingRoom) -> None:
    """The second command sees what the first did."""
    first, second = room.ask(), room.ask(BUDI)
    reference = f"<{KEYS.officer(token.desk('LKT'), DEWI, room.now)}.0123456789abcdef0123@yahoo.co.id>"
    body = f"{first.number} JADWAL 7 Desember 10.00\n{second.number} JADWAL 7 Desember 10.00\n"
    plan = room.write(body, "Re: Rekap", author=f"Dewi <{DEWI}>", fields={"In-Reply-To": reference})
    assert [one.ticket for one in plan.bookings] == [first.number]
    assert "sudah terisi" in said(plan, DEWI)


def test_a_queue_without_appointments_says_so(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.order(ticket, "ALIH konsultasi-iklan")
    assert "tidak melayani konsultasi dengan perjanjian" in said(room.order(ticket, "JADWAL 7/12 10.00"), DEWI)


def test_batal_alone_says_how_an_appointment_is_called_off(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.reply(ticket, "nomor 1")
    assert "BATAL JADWAL" in said(room.order(ticket, "BATAL"), DEWI)
    assert room.booking(ticket) is not None


def test_status_tells_the_appointment_to_officer_and_applicant(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.reply(ticket, "nomor 1")
    assert "Jadwal konsultasi: Senin, 30 November 2026, pukul 09.00 WIB" in said(room.order(ticket, "STATUS"), DEWI)
    told = said(room.write("Mohon info", f"Status {ticket.number}"), SITI)
    assert "sudah dijadwalkan:\nSenin, 30 November 2026, pukul 09.00 WIB" in told


def test_a_queue_that_works_by_appointment_no_more_leaves_nobody_waiting(room: WaitingRoom) -> None:
    """The admin takes `appointments` out: offers are void, an appointment there is is kept and ends in its time."""
    offered, booked = room.ask(), room.ask(BUDI)
    room.reply(booked, "nomor 1")
    post = Post(room.house, room.house.counters[DITLAI], KEYS, room.now)
    for ticket in (offered, booked):
        plan = orphaned(post, room.known, room.ticket(ticket.number))
        assert plan is not None
        room.carry(plan)
    assert (room.ticket(offered.number).state, room.ticket(booked.number).state) == (State.OPEN, State.WAITING)
    assert room.booking(booked) is not None
    post = Post(room.house, room.house.counters[DITLAI], KEYS, at(11, 30, 9, 30))
    plan = orphaned(post, room.known, room.ticket(booked.number))
    assert plan is not None
    room.carry(plan)
    assert (room.booking(booked), room.ticket(booked.number).state) == (None, State.OPEN)
    assert orphaned(post, room.known, room.ticket(booked.number)) is None
