"""Turns in the store: what is kept is read back, a seat serves one, and many who decide at once call nobody twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import IntegrityError

from loket.core.calendar import Calendar, parse_hours
from loket.core.known import Hints
from loket.core.model import End, Plan, Turn
from loket.core.turns import Line, Live, advance, over
from loket.store import schema
from loket.store.intake import IntakeStore
from tests.contract.conftest import Store
from tests.contract.values import HERE, NOW, minutes, number, outbound, ticket

QUEUE = "konsultasi-chat"
LIVE = Live(at_once=3, length=timedelta(minutes=15))
OPEN = Calendar(ZoneInfo("Asia/Jakarta"), parse_hours("Mon-Fri 08:30-16:00"), lambda _: False)
NOTHING = Hints(frozenset(), frozenset())


def turn(serial: int, **changes: object) -> Turn:
    """A ticket's place."""
    return replace(Turn(QUEUE, serial, number(serial), NOW), **changes)  # type: ignore[arg-type] # as they are


def served(serial: int, seat: int) -> Turn:
    """The same, called."""
    return turn(serial, called_at=NOW, ends_at=NOW + minutes(15), seat=seat)


def keep(store: Store, *plans: Plan) -> None:
    """Plans in one transaction."""
    with store.intake.begin() as batch:
        batch.apply(plans, NOW)


def the_line(store: Store) -> Line:
    """The line as a mail finds it."""
    with IntakeStore(store.database, {HERE: True}).begin() as batch:
        return batch.known(NOTHING, NOW).lines[QUEUE]


@pytest.fixture
def tickets(store: Store) -> Store:
    """A store with forty tickets."""
    keep(store, *[Plan(opened=ticket(serial, queue=QUEUE, identity="")) for serial in range(1, 41)])
    return store


def test_without_a_line_there_is_none(tickets: Store) -> None:
    assert tickets.desk.lines(NOW).lines == {}


def test_what_is_kept_is_read_back_as_it_was(tickets: Store) -> None:
    turns = (served(1, 1), served(2, 2), turn(3), turn(4, since=NOW + minutes(1)))
    keep(tickets, Plan(turns=turns))
    assert the_line(tickets) == Line(QUEUE, turns, 4)
    known = tickets.desk.lines(NOW)
    assert known.lines == {QUEUE: Line(QUEUE, turns, 4)}
    assert set(known.tickets) == {number(serial) for serial in (1, 2, 3, 4)}


def test_a_number_is_never_given_again(tickets: Store) -> None:
    keep(tickets, Plan(turns=(turn(1),)), Plan(turns=(over(turn(1), End.WITHDRAWN, NOW),)))
    there = the_line(tickets)
    assert (there.turns, there.last, there.joined("x", NOW).serial) == ((), 1, 2)
    assert len(tickets.rows(schema.turn)) == 1


def test_what_the_served_took_is_known_and_who_stayed_away_says_nothing(tickets: Store) -> None:
    keep(
        tickets,
        Plan(
            turns=(
                over(served(1, 1), End.ANSWERED, NOW + minutes(4)),
                over(served(2, 2), End.ANSWERED, NOW + minutes(9)),
                over(served(3, 3), End.TIME, NOW + minutes(15)),
                over(turn(4), End.ANSWERED, NOW + minutes(1)),
            )
        ),
    )
    assert the_line(tickets).taken == (timedelta(minutes=9), timedelta(minutes=4))


def test_a_seat_serves_one_and_is_the_next_ones_in_the_same_step(tickets: Store) -> None:
    keep(tickets, Plan(turns=(served(1, 1),)))
    with pytest.raises(IntegrityError):
        keep(tickets, Plan(turns=(served(2, 1),)))
    keep(tickets, Plan(turns=(over(served(1, 1), End.ANSWERED, NOW), served(2, 1))))
    assert [one.serial for one in the_line(tickets).served] == [2]


def test_a_ticket_stands_in_one_place(tickets: Store) -> None:
    keep(tickets, Plan(turns=(turn(1),)))
    with pytest.raises(IntegrityError):
        keep(tickets, Plan(turns=(turn(2, ticket=number(1)),)))
    with pytest.raises(IntegrityError):
        keep(tickets, Plan(turns=(turn(2, ticket=number(1), queue="konsultasi-lain"),)))
    keep(tickets, Plan(turns=(over(turn(1), End.TIME, NOW),)), Plan(turns=(turn(2, ticket=number(1)),)))
    assert [one.serial for one in the_line(tickets).turns] == [2]


def test_the_tickets_of_a_long_line_are_those_that_may_be_called(
    tickets: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loket.store.turns.AHEAD", 5)
    keep(tickets, Plan(turns=(served(1, 1), *[turn(serial) for serial in range(2, 30)])))
    known = tickets.desk.lines(NOW)
    assert len(known.lines[QUEUE].waiting) == 28
    assert sorted(known.tickets) == [number(serial) for serial in range(1, 7)]


def test_many_who_decide_at_once_call_everybody_once_and_three_at_a_time(tickets: Store) -> None:
    """Eight that look at the clock at once, again and again: read and written in one transaction each."""
    keep(tickets, Plan(turns=tuple(turn(serial) for serial in range(1, 41))))
    barrier = Barrier(8)

    def work(_: int) -> list[int]:
        called: list[int] = []
        with tickets.another() as other:
            intake = IntakeStore(other.database, {HERE: True})
            barrier.wait(timeout=30)
            for step in range(20):
                now = NOW + minutes(15 * step)
                with intake.begin() as batch:
                    changed = advance(batch.known(NOTHING, now).lines[QUEUE], LIVE, OPEN, now)
                    keys = [f"turn-call:{QUEUE}:{one.serial}" for one in changed if one.served]
                    batch.apply([Plan(turns=changed, outbox=tuple(outbound(key) for key in keys))], now)
                called += [one.serial for one in changed if one.served]
        return called

    with ThreadPoolExecutor(8) as clocks:
        called = [serial for some in clocks.map(work, range(8)) for serial in some]
    assert sorted(called) == list(range(1, 41))
    rows = sorted(tickets.rows(schema.turn), key=lambda row: row.serial)
    starts = [row.called_at for row in rows]
    assert starts == sorted(starts)
    assert all(starts.count(start) <= 3 for start in starts)
