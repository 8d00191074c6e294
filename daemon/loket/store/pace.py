"""How fast each queue was answered of late: a row a queue, so that no mail costs more as tickets grow."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from loket.core.model import Plan
from loket.core.pace import LAST, Answered
from loket.store import schema
from loket.store.rows import dump

_P = schema.pace.c


def add_answers(connection: Connection, plans: Sequence[Plan]) -> None:
    """Remember what the plans' answers took, the last of each queue."""
    found: dict[str, list[Answered]] = {}
    for plan in plans:
        queues = {ticket.number: ticket.queue for ticket in plan.changed}
        for event in plan.events:
            if event.worked is not None and event.ticket in queues:
                found.setdefault(queues[event.ticket], []).append((int(event.at.timestamp()), event.worked))
    for queue, answers in found.items():
        text = connection.execute(select(_P.answers).where(_P.queue == queue)).scalar()
        kept = [*(json.loads(text) if text else []), *answers][-LAST:]
        connection.execute(delete(schema.pace).where(_P.queue == queue))
        connection.execute(insert(schema.pace).values(queue=queue, answers=dump(kept)))


def paces(connection: Connection) -> dict[str, list[Answered]]:
    """The last answers of each queue, oldest first."""
    rows = connection.execute(select(_P.queue, _P.answers)).all()
    return {row.queue: [(at, worked) for at, worked in json.loads(row.answers)] for row in rows}
