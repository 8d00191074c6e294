"""Turns in the store: one number of a queue is one ticket's, one seat serves one at a time, nobody stands twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from loket.core.known import Known
from loket.core.model import End, Plan, Turn
from loket.core.pace import LAST
from loket.core.turns import Line
from loket.store import schema
from loket.store.rows import ticket_of

_N = schema.turn.c
_S = schema.serial.c
# Each queue's last number, beside that of the year's tickets.
COUNT = "turn:"
# So many who wait are known with their tickets: no batch ends more turns than it has mails.
AHEAD = 100


def _row(of: Turn) -> dict[str, Any]:
    return {
        "queue": of.queue,
        "serial": of.serial,
        "ticket": of.ticket,
        "since": of.since,
        "called_at": of.called_at,
        "ends_at": of.ends_at,
        "ended_at": of.ended_at,
        "ended_by": of.end.value if of.end else None,
        "seat": of.seat,
    }


def _turn_of(row: Row[Any]) -> Turn:
    return Turn(
        queue=row.queue,
        serial=row.serial,
        ticket=row.ticket,
        since=row.since,
        called_at=row.called_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        end=End(row.ended_by) if row.ended_by else None,
        seat=row.seat,
    )


def keep_turns(connection: Connection, plans: Sequence[Plan]) -> None:
    """Turns in the order of their plans, so that the seat of one that ends is the next one's.

    Two for one seat, or for one number, fail by the table's own constraints, and the whole transaction with them.
    """
    last: dict[str, int] = {}
    for turn in (turn for plan in plans for turn in plan.turns):
        row = _row(turn)
        changed = update(schema.turn).where(_N.queue == turn.queue, _N.serial == turn.serial).values(row)
        if connection.execute(changed).rowcount == 0:
            connection.execute(insert(schema.turn).values(row))
            last[turn.queue] = turn.serial
    for queue, serial in last.items():
        named = _S.name == f"{COUNT}{queue}"
        if connection.execute(update(schema.serial).where(named).values(last=serial)).rowcount == 0:
            connection.execute(insert(schema.serial).values(name=f"{COUNT}{queue}", last=serial))


def add_lines(connection: Connection, known: Known) -> None:
    """Every queue's line, with the tickets of those who are served and of the first who wait."""
    counts = select(_S.name, _S.last).where(_S.name.startswith(COUNT, autoescape=True))
    last = {row.name.removeprefix(COUNT): row.last for row in connection.execute(counts)}
    if not last:
        return
    standing: dict[str, list[Turn]] = {queue: [] for queue in last}
    for row in connection.execute(select(schema.turn).where(_N.ended_at.is_(None)).order_by(_N.queue, _N.serial)):
        standing[row.queue].append(_turn_of(row))
    for queue, turns in standing.items():
        known.lines[queue] = Line(queue, tuple(turns), last[queue], _taken(connection, queue))
    first = (one.ticket for line in known.lines.values() for one in (*line.served, *line.waiting[:AHEAD]))
    wanted = sorted(set(first) - set(known.tickets))
    for at in range(0, len(wanted), 500):
        rows = connection.execute(select(schema.ticket).where(schema.ticket.c.number.in_(wanted[at : at + 500])))
        for row in rows:
            known.add(ticket_of(row))


def _taken(connection: Connection, queue: str) -> tuple[timedelta, ...]:
    """How long those took who were served of late; who stayed away or overstayed says nothing of it."""
    lately = select(_N.called_at, _N.ended_at).where(_N.queue == queue, _N.ended_by == End.ANSWERED.value)
    lately = lately.where(_N.called_at.is_not(None)).order_by(_N.serial.desc()).limit(LAST)
    return tuple(max(timedelta(), row.ended_at - row.called_at) for row in connection.execute(lately))
