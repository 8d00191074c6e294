"""Numbers of the register: consecutive whoever writes at once and whoever is killed meanwhile, on every database."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from loket.core.model import Entry, Fate, Plan
from loket.store import schema
from tests.contract.conftest import Store
from tests.contract.values import NOW, event, number, opening, raw, ref, ticket

# One process: letters one after the other, each number read and written in one transaction as intake does; every
# third transaction breaks off before its end, and with `kill` the last one takes the process with it.
WRITER = """
import os, sys
from dataclasses import replace
from loket.core.entering import entered
from loket.core.known import Hints
from loket.core.model import Plan
from tests.contract.conftest import Store
from tests.contract.values import NOW, event
from tests.contract.values import ticket as made
from tests.core.desk import office

url, many, kill = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "kill"
store = Store(url)
for step in range(many):
    try:
        with store.intake.begin() as batch:
            known = batch.known(Hints(frozenset(), frozenset()), NOW)
            new = replace(made(1), number=known.next_number("LKT"), queue="persuratan", registered="")
            new, entries = entered(new, office(), known, NOW)
            batch.apply([Plan(opened=new, events=(event("opened", new.number),), entries=entries)], NOW)
            if kill and step == many - 1:
                os._exit(9)
            if step % 3 == 2:
                raise KeyError
    except KeyError:
        pass
"""


def test_two_processes_and_one_that_is_killed_leave_no_gap_and_no_double(store: Store) -> None:
    """Every number from 1 to the last, each of one letter; what broke off took none."""
    many, how = 15, ("end", "end", "kill")
    running = [subprocess.Popen([sys.executable, "-c", WRITER, store.url, str(many), one]) for one in how]
    assert [one.wait(120) for one in running] == [0, 0, 9]
    rows = store.rows(schema.entry)
    assert [row.number for row in rows] == list(range(1, 31))
    assert len({row.ticket for row in rows}) == 30
    assert {row.text for row in rows} == {f"{at}/2026" for at in range(1, 31)}


def entry(of: int, ticket_number: str) -> Entry:
    """A number of the register of 2026."""
    return Entry("agenda", 2026, of, f"{of}/2026", ticket_number, NOW)


@pytest.mark.parametrize("second", [entry(1, number(2)), entry(2, number(1))])
def test_a_number_is_one_letters_and_a_letter_has_one(store: Store, second: Entry) -> None:
    """By the table's own keys, whatever the program believes; nothing else of such a plan happens either."""
    store.take([raw(1)], [Plan(ref(1), Fate.TICKET, opened=ticket(1), entries=(entry(1, number(1)),))])
    before = store.sizes()
    with pytest.raises(IntegrityError):
        store.take([raw(2)], [Plan(ref(2), Fate.TICKET, opened=ticket(2), entries=(second,))])
    assert store.sizes() == before


def test_a_year_is_read_in_the_order_of_its_numbers_with_what_became_of_each(store: Store) -> None:
    answered = replace(event("answered", number(1)), detail={"argument": "1234/XI/2026"})
    with store.intake.begin() as batch:
        batch.apply([opening(raw(1), ticket(1)), opening(raw(2), ticket(2))], NOW)
        batch.apply([Plan(entries=(entry(2, number(2)), entry(1, number(1))), events=(answered,))], NOW)
    found = store.desk.agenda(2026)
    assert [(line.entry.number, line.ticket.number, line.own_number) for line in found] == [
        (1, number(1), "1234/XI/2026"),
        (2, number(2), ""),
    ]
    assert (found[0].answered_at, found[1].answered_at) == (NOW, None)
    assert store.desk.agenda(2027) == []
    assert store.desk.agenda(2026, "elsewhere") == []
