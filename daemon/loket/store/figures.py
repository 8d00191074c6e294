"""The history that figures are made of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, or_, select

from loket.core.figures import Step
from loket.core.model import State
from loket.store import schema

_E = schema.event.c
_T = schema.ticket.c


def steps(connection: Connection, since: datetime, until: datetime) -> list[Step]:
    """Every change of the tickets that changed since then or are open now, up to `until`; a ticket's stand together."""
    touched = select(_E.ticket).where(_E.at >= since, _E.state.is_not(None))
    still = select(_T.number).where(_T.state != State.CLOSED.value)
    query = select(_E.ticket, _E.at, _E.kind, _E.actor, _E.queue, _E.state, _E.due_at, _E.holder, _E.worked).where(
        _E.state.is_not(None), _E.at < until, or_(_E.ticket.in_(touched), _E.ticket.in_(still))
    )
    rows = connection.execute(query.order_by(_E.ticket, _E.id)).all()
    return [
        Step(row.ticket, row.at, row.kind, row.actor, row.queue, State(row.state), row.due_at, row.holder, row.worked)
        for row in rows
    ]
