"""Writes plans down as rows, anywhere: it needs to know of the store only which kind it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Dialect, make_url

from loket.core.model import Ending, Plan, Ticket
from loket.sheet import Sheet, Values
from loket.store import schema
from loket.store.bulk import reckon
from loket.store.rows import event_row, outbox_row, ticket_row

_AS_ROWS = ("opened", "links", "events", "outbox")
_MORE = attrgetter(*(one.name for one in fields(Plan) if one.name not in ("ref", "fate", "ticket_of_mail", *_AS_ROWS)))


def dialect_of(url: str) -> Dialect:
    """The dialect of a store that need not be open."""
    return make_url(url).get_dialect()()


def write_down(dialect: Dialect, plans: Sequence[Plan], now: datetime) -> Sheet:
    """The plans as they are written `now`."""
    opened = [plan.opened for plan in plans if plan.opened]
    rows = {
        schema.ticket: [ticket_row(ticket) for ticket in opened],
        schema.ticket_link: [_link(pair) for plan in plans for pair in plan.links],
        schema.event: [row for plan in plans if plan.events for row in _events(plan)],
        schema.outbox: [outbox_row(mail, now) for plan in plans for mail in plan.outbox],
    }
    values: dict[str, Values] = {table.name: reckon(dialect, table, some) for table, some in rows.items() if some}
    return Sheet(_endings(plans), values, _serials(opened), [plan for plan in plans if any(_MORE(plan))])


def _endings(plans: Sequence[Plan]) -> list[Ending]:
    """How the mails end whose plans these are."""
    return [
        Ending(plan.ref, plan.fate, plan.ticket_of_mail, plan.opened.queue if plan.opened else None, len(plan.outbox))
        for plan in plans
        if plan.ref is not None
    ]


def _serials(opened: Sequence[Ticket]) -> dict[str, int]:
    last: dict[str, int] = {}
    for ticket in opened:
        _, year, digits, _ = ticket.number.rsplit("-", 3)
        last[f"ticket-{year}"] = max(last.get(f"ticket-{year}", 0), int(digits))
    return last


def _events(plan: Plan) -> list[dict[str, Any]]:
    """Each with how its ticket stands after it."""
    after = {ticket.number: ticket for ticket in (*([plan.opened] if plan.opened else []), *plan.changed)}
    return [event_row(event, after.get(event.ticket or "")) for event in plan.events]


def _link(pair: tuple[str, str]) -> dict[str, Any]:
    return {"ticket": pair[0], "other": pair[1]}
