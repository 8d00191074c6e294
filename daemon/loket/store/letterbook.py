"""The register of letters in the store: its last numbers, its entries, and a year of it to be read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from loket.core.model import Entry, Plan, Ticket
from loket.store import schema
from loket.store.rows import ticket_of

_S = schema.serial.c
_E = schema.entry.c


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the agenda: the entry, its ticket as it stands, and what the last answer said of it."""

    entry: Entry
    ticket: Ticket
    own_number: str
    answered_at: datetime | None


def serials(connection: Connection, year: int) -> Mapping[str, int]:
    """The last number of every count of a year, by its name."""
    rows = connection.execute(select(_S.name, _S.last).where(_S.name.like(f"%-{year}")))
    return {row.name.removesuffix(f"-{year}"): row.last for row in rows}


ENTRY = "entry-"


def keep_entries(connection: Connection, plans: Sequence[Plan]) -> None:
    """Write the plans' entries; a number that another letter has fails all of it, and it is planned anew."""
    entries = [entry for plan in plans for entry in plan.entries]
    if not entries:
        return
    connection.execute(insert(schema.entry), [asdict(one) for one in entries])
    last: dict[str, int] = {}
    for one in entries:
        name = f"{ENTRY}{one.register}-{one.year}"
        last[name] = max(last.get(name, 0), one.number)
    for name, value in last.items():
        moved = connection.execute(update(schema.serial).where(_S.name == name).values(last=value))
        if moved.rowcount == 0:
            connection.execute(insert(schema.serial).values(name=name, last=value))


def lines(connection: Connection, year: int, queue: str | None = None) -> list[Line]:
    """A year of the registers, in the order of their numbers; of one queue, the letters that are there now."""
    query = select(schema.ticket, _E.register, _E.year, _E.number.label("entry"), _E.text.label("entry_text"))
    query = query.add_columns(_E.at.label("entry_at"))
    query = query.join_from(schema.entry, schema.ticket, _E.ticket == schema.ticket.c.number).where(_E.year == year)
    if queue is not None:
        query = query.where(schema.ticket.c.queue == queue)
    rows = connection.execute(query.order_by(_E.register, _E.number)).all()
    answers = _answers(connection, year)
    found = []
    for row in rows:
        entry = Entry(row.register, row.year, row.entry, row.entry_text, row.number, row.entry_at)
        own, at = answers.get(row.number, ("", None))
        found.append(Line(entry, ticket_of(row), own, at))
    return found


def _answers(connection: Connection, year: int) -> dict[str, tuple[str, datetime | None]]:
    """When each letter of the year was last answered, and the number that the officer gave with it."""
    e = schema.event.c
    query = select(e.ticket, e.kind, e.at, e.detail).where(e.kind.in_(("answered", "called-off", "undelivered")))
    query = query.join(schema.entry, _E.ticket == e.ticket).where(_E.year == year).order_by(e.id)
    found: dict[str, tuple[str, datetime | None]] = {}
    for row in connection.execute(query):
        if row.kind == "answered":
            found[row.ticket] = (str(json.loads(row.detail).get("argument") or ""), row.at)
        else:
            found.pop(row.ticket, None)
    return found
