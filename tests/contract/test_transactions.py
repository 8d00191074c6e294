"""One durable step: everything in it happens or nothing, and UNIQUE keys keep anything from happening twice."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from loket.core.known import Hints
from loket.core.model import Fate, NewFile, Occurrence, Plan, Quarantined
from loket.files import FolderFiles
from loket.sheet import Sheet
from loket.store import schema
from loket.store.sheets import dialect_of, write_down
from tests.contract.conftest import Store
from tests.contract.values import (
    ELSEWHERE,
    HERE,
    NOW,
    event,
    minutes,
    number,
    opening,
    outbound,
    raw,
    ref,
    stored,
    ticket,
)

EVERYTHING = Plan(
    ref(1),
    Fate.TICKET,
    ticket_of_mail=number(1),
    opened=ticket(1),
    links=((number(1), number(9)),),
    events=(event("opened", number(1)),),
    outbox=(outbound("ack"),),
    files=(NewFile(stored(b"scan"), b"scan"),),
    quarantine=Quarantined("raised", "why"),
    occurrence=Occurrence("digest", "ani@office.test", NOW),
)


# What every mail may come to.
NO_MORE = ("ref", "fate", "ticket_of_mail", "opened", "links", "events", "outbox")


class Trouble(Exception):
    """What goes wrong in the middle."""


def unwrapped(sheet: Sheet) -> Sheet:
    """Octets as they are, where an open store's driver wraps them."""

    def plainly(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plainly(one) for name, one in value.items()}
        return bytes(value) if isinstance(value, memoryview) else getattr(value, "obj", value)

    values = {table: replace(one, given=[*map(plainly, one.given)]) for table, one in sheet.values.items()}
    return replace(sheet, values=values)


def test_plans_are_written_down_the_same_where_no_store_is_open(store: Store) -> None:
    """By another process, which knows only which kind of store it is, and sends them on."""
    plain = opening(raw(2), ticket(2), outbound("ack-2"))
    odd = Plan(
        ref(3), Fate.MACHINE, events=(replace(event("machine-mail"), detail={"said": "\0 \ud800 ñ", "at": NOW}),)
    )
    url = store.database.url.render_as_string(hide_password=False)
    elsewhere = write_down(dialect_of(url), [EVERYTHING, plain, odd], NOW)
    assert unwrapped(pickle.loads(pickle.dumps(elsewhere))) == unwrapped(
        store.intake.write_down([EVERYTHING, plain, odd], NOW)
    )
    # Only what is more than rows that every mail may come to travels as it is.
    assert elsewhere.rest == [EVERYTHING]
    with store.intake.begin() as batch:
        batch.take([raw(1), raw(2), raw(3)], elsewhere, NOW)
    assert store.fates() == {1: Fate.TICKET, 2: Fate.TICKET, 3: Fate.MACHINE}
    assert store.sizes() | {"content": 0} == {
        "ledger": 3,
        "content": 0,
        "ticket": 2,
        "ticket_link": 1,
        "event": 3,
        "outbox": 2,
        "quarantine": 1,
        "occurrence": 1,
        "serial": 1,
    }


@pytest.mark.parametrize("name", [one.name for one in fields(Plan) if one.name not in NO_MORE])
def test_whatever_else_a_plan_does_goes_with_it(store: Store, name: str) -> None:
    plan = Plan(**{name: ("something",)})
    assert store.intake.write_down([Plan(), plan], NOW).rest == [plan]


def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    """Not a row of any table, though the plan touches every one of them."""

    def fail() -> None:
        with store.intake.begin() as batch:
            batch.keep([raw(1)], NOW)
            batch.apply([EVERYTHING], NOW)
            raise Trouble

    with pytest.raises(Trouble):
        fail()
    assert store.sizes() == {}


def test_a_transaction_that_ends_is_there_for_everybody(store: Store) -> None:
    store.take([raw(1)], [EVERYTHING])
    with store.another() as other:
        assert other.sizes() == {
            "content": 2,
            "event": 1,
            "ledger": 1,
            "occurrence": 1,
            "outbox": 1,
            "quarantine": 1,
            "serial": 1,
            "ticket": 1,
            "ticket_link": 1,
        }


def test_nobody_sees_a_transaction_before_its_end(store: Store) -> None:
    with store.another() as other, store.intake.begin() as batch:
        batch.keep([raw(1)], NOW)
        batch.apply([EVERYTHING], NOW)
        assert other.sizes() == {}


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(lambda: opening(raw(2), ticket(1)), id="ticket number"),
        pytest.param(lambda: opening(raw(2), ticket(2), outbound("ack")), id="outbox key"),
        pytest.param(
            lambda: Plan(ref(2), Fate.COMMAND, occurrence=EVERYTHING.occurrence, events=(event("again"),)),
            id="occurrence",
        ),
    ],
)
def test_what_is_unique_happens_once_and_takes_its_event_with_it(store: Store, again: Callable[[], Plan]) -> None:
    """The second plan fails as a whole: neither its event nor its mail nor its fate is written."""
    store.take([raw(1)], [EVERYTHING])
    before = store.sizes()
    with pytest.raises(IntegrityError):
        store.take([raw(2)], [again()])
    assert store.sizes() == before
    assert store.fates() == {1: Fate.TICKET}


def test_a_uid_has_one_row(store: Store) -> None:
    row = {"mailbox": HERE, "uidvalidity": 7, "uid": 1, "fate": "pending", "seen_at": NOW}
    store.add(schema.ledger, **row)
    with pytest.raises(IntegrityError):
        store.add(schema.ledger, **row)
    store.add(schema.ledger, **{**row, "uidvalidity": 8})
    store.add(schema.ledger, **{**row, "mailbox": ELSEWHERE})


def test_numbers_follow_each_other_through_batches_and_restarts(store: Store) -> None:
    """The known of a batch counts on by itself; the next batch goes on where that one ended."""
    with store.intake.begin() as batch:
        known = batch.known(Hints(frozenset(), frozenset()), NOW)
        assert known.next_number("LKT") == number(1)
        for serial in (1, 2, 3):
            assert known.next_number("LKT") == number(serial)
            known.after(Plan(opened=ticket(serial)))
        batch.apply([Plan(opened=ticket(serial)) for serial in (1, 2, 3)], NOW)
    with store.another() as other, other.intake.begin() as batch:
        assert batch.known(Hints(frozenset(), frozenset()), NOW).next_number("LKT") == number(4)


def test_a_batch_that_fails_uses_up_no_number(store: Store) -> None:
    store.take([], [Plan(opened=ticket(1))])
    with pytest.raises(IntegrityError):
        store.take([], [Plan(opened=ticket(2)), Plan(opened=ticket(1))])
    with store.intake.begin() as batch:
        assert batch.known(Hints(frozenset(), frozenset()), NOW).next_number("LKT") == number(2)


def test_each_year_counts_from_one(store: Store) -> None:
    """The year is the one of the moment that is asked with, in its zone."""
    store.take([], [Plan(opened=ticket(1))])
    new_year = NOW.replace(year=2027, month=1, day=1, hour=0, minute=5)
    none = Hints(frozenset(), frozenset())
    with store.intake.begin() as batch:
        assert batch.known(none, new_year).next_number("LKT") == number(1, 2027)
        assert batch.known(none, new_year - minutes(10)).next_number("LKT") == number(2)


def test_bytes_are_kept_once_however_often_they_come(store: Store, files: FolderFiles) -> None:
    same = b"Subject: twice\r\n\r\n"
    store.take([raw(1, same), raw(2, same)], [])
    store.take([raw(3, same)], [Plan(files=(NewFile(stored(same), same),))])
    assert store.sizes()["content"] == 1
    with store.reader(files).open(stored(same)) as data:
        assert data == same
