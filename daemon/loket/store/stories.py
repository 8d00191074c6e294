"""Stories in the store: tickets linked with others, and what is told of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Connection, select

from loket.core.known import Known
from loket.core.model import Chapter, Ticket
from loket.store import schema
from loket.store.rows import chapter_of

_T = schema.ticket.c
_K = schema.ticket_link.c
COLUMNS = (_T.number, _T.applicant, _T.counter, _T.identity, _T.queue, _T.created_at, _T.given)
# No story is longer; whoever links more is a machine.
MOST = 200


def _portions(items: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(items)
    for at in range(0, len(ordered), 500):
        yield ordered[at : at + 500]


def _linked(connection: Connection, numbers: Collection[str]) -> list[tuple[str, str]]:
    """Every link of the tickets, from each side."""
    found: list[tuple[str, str]] = []
    for some in _portions(numbers):
        out = connection.execute(select(_K.ticket, _K.other).where(_K.ticket.in_(some)))
        found += [(row.ticket, row.other) for row in out]
        back = connection.execute(select(_K.ticket, _K.other).where(_K.other.in_(some)))
        found += [(row.other, row.ticket) for row in back]
    return found


def _chapters(connection: Connection, numbers: Collection[str]) -> dict[str, Chapter]:
    return {
        row.number: chapter_of(row)
        for some in _portions(numbers)
        for row in connection.execute(select(*COLUMNS).where(_T.number.in_(some)))
    }


def add_stories(connection: Connection, known: Known) -> None:
    """The links of the tickets that are known, two steps far, and what is told of those they lead to."""
    near: Collection[str] = set(known.tickets)
    for _ in range(2):
        pairs = _linked(connection, near) if near else []
        fresh = {other for _, other in pairs} - known.tickets.keys() - known.chapters.keys()
        known.chapters.update(_chapters(connection, sorted(fresh)[:MOST]))
        for number, other in pairs:
            known.linked.setdefault(number, set()).add(other)
        near = fresh


def stories(connection: Connection, tickets: Sequence[Ticket]) -> dict[str, list[Chapter]]:
    """The other tickets of each one's story, oldest first; only those of its own applicant."""
    known = Known(0, 0)
    known.tickets.update({ticket.number: ticket for ticket in tickets})
    add_stories(connection, known)
    found: dict[str, list[Chapter]] = {}
    for ticket in tickets:
        told = [known.chapter(number) for number in known.together(ticket.number)]
        mine = [one for one in told if one is not None and one.applicant == ticket.applicant and one.applicant]
        if mine:
            found[ticket.number] = sorted(mine, key=lambda one: (one.created_at, one.number))
    return found
