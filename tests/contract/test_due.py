"""What timers ask the store: what nears its due time and waits for a stage, and the history of the figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from loket.core.escalation import ESCALATED, OVERDUE, SOON, Watch
from loket.core.figures import Step
from loket.core.model import Occurrence, Plan, State, Term
from tests.contract.conftest import Store
from tests.contract.values import NOW, event, number, opening, raw, ticket


def test_what_nears_its_due_time_is_told_with_the_stages_that_have_happened(store: Store) -> None:
    due = NOW + timedelta(hours=4)
    tickets = [
        replace(ticket(), number=number(1), due_at=due),
        replace(ticket(), number=number(2), due_at=due + timedelta(seconds=1)),
        replace(ticket(), number=number(3), due_at=due, state=State.WAITING),
        replace(ticket(), number=number(4), due_at=None),
        replace(ticket(), number=number(5), due_at=due, queue="triase"),
    ]
    for uid, one in enumerate(tickets, start=1):
        store.take([raw(uid)], [opening(raw(uid), one)])
    queue = tickets[0].queue
    soon, late = Watch(SOON, due, (queue,)), Watch(OVERDUE, due, (queue,))

    def found(*watches: Watch) -> list[tuple[str, set[str]]]:
        return [(one.number, set(done)) for one, done in store.desk.nearing(watches)]

    assert found() == []
    assert found(soon, late) == [(number(1), set())]
    with store.intake.begin() as batch:
        happened = (Occurrence(SOON, number(1), due), Occurrence(ESCALATED, number(1), NOW))
        batch.apply([Plan(occurrences=happened)], NOW)
    assert found(soon) == []
    # Of another due time, a stage says nothing.
    assert found(soon, late) == [(number(1), {SOON})]
    assert found(replace(soon, until=due + timedelta(seconds=1))) == [(number(2), set())]
    assert found(replace(late, others=True)) == [(number(5), set())]
    assert found(replace(late, queues=("triase",), others=True)) == [(number(1), {SOON})]


def test_the_history_of_what_changed_since_or_is_open_comes_ticket_by_ticket(store: Store) -> None:
    old, open_, new = (replace(ticket(), number=number(one)) for one in (1, 2, 3))
    for uid, one in enumerate((old, open_, new), start=1):
        opened = replace(event("opened"), ticket=one.number, at=NOW)
        store.take([raw(uid)], [replace(opening(raw(uid), one), events=(opened,))])
    later = NOW + timedelta(days=1)
    for one, at in ((old, NOW), (new, later)):
        closed = replace(one, state=State.CLOSED)
        done = replace(event("answered"), ticket=one.number, at=at, worked=60)
        with store.intake.begin() as batch:
            batch.apply([Plan(changed=(closed,), events=(done,))], NOW)
    told = replace(event("noted"), ticket=new.number, at=later)
    with store.intake.begin() as batch:
        batch.apply([Plan(events=(told,))], NOW)
    found = store.desk.steps(later, later + timedelta(seconds=1))
    assert [(step.ticket, step.kind, step.state, step.worked) for step in found] == [
        (open_.number, "opened", open_.state, None),
        (new.number, "opened", new.state, None),
        (new.number, "answered", State.CLOSED, 60),
    ]
    assert isinstance(found[0], Step)
    assert [step.kind for step in store.desk.steps(later, later) if step.ticket == new.number] == ["opened"]


def test_the_office_notes_things_of_itself_and_the_last_note_counts(store: Store) -> None:
    for value in ("one", "two"):
        store.desk.apply(Plan(noted=(("calendar", value),)), NOW)
    assert store.desk.noted("calendar") == "two"
    assert store.desk.noted("other") is None


def test_open_tickets_with_a_term_can_be_reckoned_anew(store: Store) -> None:
    timed = replace(ticket(), number=number(1), term=Term(NOW, 2, "days"))
    for uid, one in enumerate((timed, replace(timed, number=number(2), state=State.CLOSED)), start=1):
        store.take([raw(uid)], [opening(raw(uid), one)])
    assert store.desk.timed() == [number(1)]
