"""Appointments in the store: one seat of one moment is one ticket's, however many ask for it at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy.exc import IntegrityError

from loket.core.known import Hints
from loket.core.model import Booking, BookingState, Offer, Plan, State
from loket.store import schema
from loket.store.intake import IntakeStore
from tests.contract.conftest import Store
from tests.contract.values import HERE, NOW, minutes, number, ticket

START = NOW + timedelta(days=6)
QUEUE = "konsultasi-zoom"


def booking(serial: int, start: int = 0, seat: int = 1, **changes: object) -> Booking:
    """An appointment of a ticket; `start` in minutes after the first of the day."""
    begins = START + minutes(start)
    made = Booking(
        f"{number(serial)}.1@office.test",
        number(serial),
        QUEUE,
        "siti@jamu.test",
        begins,
        begins + minutes(30),
        seat,
        NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type] # as they are


def offer(serial: int, **changes: object) -> Offer:
    """What a ticket was offered."""
    made = Offer(number(serial), QUEUE, "siti@jamu.test", (START, START + minutes(30)), NOW)
    return replace(made, **changes)  # type: ignore[arg-type] # as they are


def keep(store: Store, *plans: Plan) -> None:
    """Plans in one transaction."""
    with store.intake.begin() as batch:
        batch.apply(plans, NOW)


@pytest.fixture
def tickets(store: Store) -> Store:
    """A store with twenty tickets."""
    keep(store, *[Plan(opened=ticket(serial, queue=QUEUE, identity="")) for serial in range(1, 21)])
    return store


def test_what_is_kept_is_read_back_as_it_was(tickets: Store) -> None:
    made = booking(
        1,
        sequence=3,
        place="Zoom “x”",
        attendance="tentative",
        stamp=NOW,
        officers=("dewi@office.test", "eko@office.test"),
    )
    waiting = offer(2, starts=(START,), waiting=NOW - minutes(5), until=NOW + minutes(5))
    keep(tickets, Plan(bookings=(made,), offers=(waiting, offer(3))))
    known = tickets.desk.standing(NOW)
    assert list(known.bookings.values()) == [made]
    assert known.offers == {number(2): waiting, number(3): offer(3)}
    assert set(known.tickets) == {number(1), number(2), number(3)}


def test_a_seat_is_one_tickets(tickets: Store) -> None:
    keep(tickets, Plan(bookings=(booking(1),)))
    with pytest.raises(IntegrityError):
        keep(tickets, Plan(bookings=(booking(2),)))
    keep(tickets, Plan(bookings=(booking(2, seat=2), booking(3, start=30), booking(4, queue="konsultasi-lain"))))
    assert len(tickets.desk.standing(NOW).bookings) == 4


@pytest.mark.parametrize("state", [one for one in BookingState if one is not BookingState.BOOKED])
def test_what_is_given_back_may_be_taken_in_the_same_step(tickets: Store, state: BookingState) -> None:
    keep(tickets, Plan(bookings=(booking(1),)))
    keep(tickets, Plan(bookings=(replace(booking(1), state=state),)), Plan(bookings=(booking(2),)))
    [there] = tickets.desk.standing(NOW).bookings.values()
    assert there == booking(2)
    # Any number that are over stand in nobody's way.
    keep(tickets, Plan(bookings=(replace(booking(2), state=state),)))
    assert tickets.desk.standing(NOW).bookings == {}
    assert len(tickets.rows(schema.appointment)) == 2


def test_moved_it_has_the_new_place_alone(tickets: Store) -> None:
    keep(tickets, Plan(bookings=(booking(1),)))
    keep(tickets, Plan(bookings=(booking(1, start=30, sequence=1),)))
    keep(tickets, Plan(bookings=(booking(2),)))
    assert [(one.ticket, one.start) for one in tickets.desk.standing(NOW).bookings.values()] == [
        (number(2), START),
        (number(1), START + minutes(30)),
    ]


def test_twenty_who_want_one_seat_at_once_get_it_once(tickets: Store) -> None:
    """Past all that the decision knows: the constraint alone, from threads with connections of their own."""
    barrier = Barrier(8)

    def take(serial: int) -> bool:
        with tickets.another() as other:
            barrier.wait(timeout=30)
            try:
                keep(other, Plan(bookings=(booking(serial),)))
            except IntegrityError:
                return False
        return True

    with ThreadPoolExecutor(8) as people:
        assert sum(people.map(take, range(1, 9))) == 1
    assert len(tickets.desk.standing(NOW).bookings) == 1


def test_many_who_decide_at_once_on_what_they_read_take_each_a_seat_of_their_own(tickets: Store) -> None:
    """Read and written in one transaction, as intake does it: three seats, eight tickets, nobody twice, none left."""
    barrier = Barrier(8)

    def take(serial: int) -> int | None:
        with tickets.another() as other:
            intake = IntakeStore(other.database, {HERE: True})
            barrier.wait(timeout=30)
            with intake.begin() as batch:
                known = batch.known(Hints(frozenset({number(serial)}), frozenset()), NOW)
                taken = {one.seat for one in known.bookings.values() if one.start == START}
                seat = next((one for one in (1, 2, 3) if one not in taken), None)
                if seat is not None:
                    batch.apply([Plan(bookings=(booking(serial, seat=seat),))], NOW)
        return seat

    with ThreadPoolExecutor(8) as people:
        seats = list(people.map(take, range(1, 9)))
    assert sorted(seat for seat in seats if seat) == [1, 2, 3]
    assert seats.count(None) == 5


def test_a_mail_knows_all_that_stands_and_all_its_ticket_ever_had(tickets: Store) -> None:
    over = replace(booking(1), state=BookingState.OVER)
    keep(tickets, Plan(bookings=(over, booking(2, start=30)), offers=(offer(3, applicant="budi@jamu.test"),)))
    intake = IntakeStore(tickets.database, {HERE: True})
    with intake.begin() as batch:
        known = batch.known(Hints(frozenset({number(1)}), frozenset({"budi@jamu.test"})), NOW)
    assert set(known.bookings) == {over.uid, booking(2).uid}
    assert known.bookings[over.uid].state is BookingState.OVER
    # The ticket of the mail, and the one whose offer its author has.
    assert set(known.tickets) == {number(1), number(3)}


def test_an_offer_takes_the_place_of_the_one_before_and_goes_when_it_is_over(tickets: Store) -> None:
    keep(tickets, Plan(offers=(offer(1),)), Plan(offers=(offer(1, starts=(START,)),)))
    assert tickets.desk.standing(NOW).offers == {number(1): offer(1, starts=(START,))}
    keep(tickets, Plan(offers=(offer(1, over=True),)))
    assert tickets.desk.standing(NOW).offers == {}


def test_whoever_has_an_appointment_or_waits_for_one_is_not_reminded_to_answer(tickets: Store) -> None:
    """Nor is their ticket closed for it; who was only offered something is."""
    waits = [ticket(serial, queue=QUEUE, identity="", state=State.WAITING) for serial in (1, 2, 3, 4)]
    keep(
        tickets,
        Plan(changed=tuple(waits), bookings=(booking(1),), offers=(offer(2, starts=(), waiting=NOW), offer(3))),
        Plan(bookings=(replace(booking(4, start=30), state=BookingState.CANCELLED),)),
    )
    found = [one.number for one, _ in tickets.desk.waiting(NOW + timedelta(days=1))]
    assert sorted(found) == [number(3), number(4)]


def test_those_who_wait_come_in_their_order(tickets: Store) -> None:
    keep(
        tickets,
        Plan(offers=(offer(1, waiting=NOW + minutes(2)), offer(2, waiting=NOW), offer(3, waiting=NOW + minutes(1)))),
    )
    assert list(tickets.desk.standing(NOW).tickets) == [number(2), number(3), number(1)]
