"""The store as the officers' desk needs it: who is away, what is kept back, what has not left yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from loket.core.known import TO_APPLICANT, Hints, Known
from loket.core.model import HeldState, Phase, State
from loket.store import schema
from loket.store.rows import held_of, ticket_of

_A = schema.absence.c
_H = schema.held.c
_O = schema.outbox.c
_T = schema.ticket.c


def away(connection: Connection, now: datetime) -> dict[str, datetime]:
    """The officers who are away, and until when."""
    query = select(_A.officer, _A.until).where(_A.until > now)
    return {row.officer: row.until for row in connection.execute(query)}


def add_desk(connection: Connection, known: Known, hints: Hints, now: datetime) -> None:
    """What an officer's command may be about; for a batch without one, only who is away."""
    known.away.update(away(connection, now))
    if not hints.officers:
        return
    late = select(_T.queue, func.count()).where(_T.state == State.OPEN.value, _T.due_at < now).group_by(_T.queue)
    known.late.update({row.queue: row[1] for row in connection.execute(late)})
    taken = select(schema.ticket).where(_T.claimed_by.in_(hints.officers), _T.state == State.OPEN.value)
    for row in connection.execute(taken):
        if row.number not in known.tickets:
            known.add(ticket_of(row))
    numbers = sorted(known.tickets)
    for at in range(0, max(1, len(numbers)), 500):
        some = numbers[at : at + 500]
        # Kept back is what both tables say so of: a person may have decided otherwise by hand.
        query = select(schema.held, _O.recipient).join(schema.outbox, _O.key == _H.key)
        query = query.where(
            _H.state == HeldState.HELD.value,
            _O.phase == Phase.HELD.value,
            or_(_H.ticket.in_(some), _H.officer.in_(hints.officers)),
        )
        for row in connection.execute(query.order_by(_H.at, _H.key)):
            held = held_of(row)
            if held not in known.held.setdefault(held.ticket, []):
                known.held[held.ticket].append(held)
        unsent = select(_O.ticket, _O.key).where(
            _O.ticket.in_(some), _O.phase == Phase.DUE.value, _O.kind.in_([kind.value for kind in TO_APPLICANT])
        )
        for row in connection.execute(unsent.order_by(_O.id)):
            known.unsent.setdefault(row.ticket, []).append(row.key)
