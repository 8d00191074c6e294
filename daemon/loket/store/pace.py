"""How fast each queue was answered of late: a row a queue, so that no mail costs more as tickets grow."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from loket.core.figures import NO_ANSWER
from loket.core.model import Event, Plan
from loket.core.pace import LAST, Answered
from loket.store import schema
from loket.store.rows import dump

_P = schema.pace.c


def add_answers(connection: Connection, plans: Sequence[Plan]) -> None:
    """Remember what the plans' answers took, the last of each queue, and forget those that were taken back."""
    changes: dict[str, list[Event]] = {}
    for plan in plans:
        queues = {ticket.number: ticket.queue for ticket in plan.changed}
        for event in plan.events:
            if event.ticket in queues and (event.worked is not None or event.kind in NO_ANSWER):
                changes.setdefault(queues[event.ticket], []).append(event)
    for queue, events in changes.items():
        text = connection.execute(select(_P.answers).where(_P.queue == queue)).scalar()
        kept: list[list[object]] = json.loads(text) if text else []
        for event in events:
            if event.worked is not None:
                kept.append([int(event.at.timestamp()), event.worked, event.ticket])
            else:
                gone = next((one for one in reversed(kept) if one[2] == event.ticket), None)
                kept = [one for one in kept if one is not gone]
        connection.execute(delete(schema.pace).where(_P.queue == queue))
        connection.execute(insert(schema.pace).values(queue=queue, answers=dump(kept[-LAST:])))


def paces(connection: Connection) -> dict[str, list[Answered]]:
    """The last answers of each queue, oldest first."""
    rows = connection.execute(select(_P.queue, _P.answers)).all()
    return {row.queue: [(at, worked) for at, worked, _ in json.loads(row.answers)] for row in rows}
