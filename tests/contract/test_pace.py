"""What the store remembers of answers: the last of each queue, in one row, and how each ticket stood after an event."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from loket.core.known import Hints
from loket.core.model import Plan, State
from loket.core.pace import LAST
from loket.store import schema
from tests.contract.conftest import Store
from tests.contract.values import NOW, event, number, opening, raw, ticket


def test_the_last_answers_of_each_queue_are_kept_oldest_first(store: Store) -> None:
    one = ticket()
    store.take([raw(1)], [opening(raw(1), one)])
    for count in range(LAST + 2):
        answered = replace(event("answered"), ticket=one.number, at=NOW + timedelta(hours=count), worked=count)
        with store.intake.begin() as batch:
            batch.apply([Plan(changed=(one,), events=(answered, event("noted")))], NOW)
    with store.intake.begin() as batch:
        pace = batch.known(Hints(frozenset(), frozenset()), NOW).pace
    assert [worked for _, worked in pace[one.queue]] == list(range(2, LAST + 2))
    assert pace[one.queue][0][0] == int((NOW + timedelta(hours=2)).timestamp())
    with store.database.read() as connection:
        assert len(connection.execute(select(schema.pace)).all()) == 1


def test_an_event_keeps_how_its_ticket_stands_after_it(store: Store) -> None:
    one = ticket()
    opened = replace(event("opened"), ticket=one.number)
    store.take([raw(1)], [replace(opening(raw(1), one), events=(opened,))])
    closed = replace(one, state=State.CLOSED, due_at=NOW, claimed_by="dewi@pom.go.id")
    about = replace(event("answered"), ticket=one.number)
    with store.intake.begin() as batch:
        batch.apply([Plan(changed=(closed,), events=(about,)), Plan(events=(replace(about, kind="noted"),))], NOW)
    e = schema.event.c
    with store.database.read() as connection:
        rows = connection.execute(select(e.kind, e.queue, e.state, e.due_at, e.holder).order_by(e.id)).all()
    assert [tuple(row) for row in rows] == [
        ("opened", one.queue, one.state.value, one.due_at, None),
        ("answered", one.queue, "closed", NOW, "dewi@pom.go.id"),
        ("noted", None, None, None, None),
    ]


def test_an_answer_that_was_called_off_or_never_arrived_is_forgotten(store: Store) -> None:
    one, two = ticket(), replace(ticket(), number=number(2))
    for uid, each in enumerate((one, two), start=1):
        store.take([raw(uid)], [opening(raw(uid), each)])
    for about, kind, worked in (
        (one, "answered", 1),
        (two, "answered", 2),
        (one, "answered", 3),
        (one, "called-off", 0),
    ):
        told = replace(event(kind), ticket=about.number, worked=worked or None)
        with store.intake.begin() as batch:
            batch.apply([Plan(changed=(about,), events=(told,))], NOW)
    with store.intake.begin() as batch:
        pace = batch.known(Hints(frozenset(), frozenset()), NOW).pace
    assert [worked for _, worked in pace[one.queue]] == [1, 2]
