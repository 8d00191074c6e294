"""A mail about a ticket there is: it completes it, reopens it, is noted on it, or is a request of its own after all."""

from __future__ import annotations

from dataclasses import replace

from loket.core import notice
from loket.core.case import Case, due, free_field, in_order
from loket.core.headers import clean_text
from loket.core.known import identity
from loket.core.model import (
    Fate,
    Plan,
    State,
    Ticket,
    Verdict,
)
from loket.core.request import response
from loket.core.understand import links


def differs(verdict: Verdict, ticket: Ticket) -> bool:
    """A complete subject of another kind or about something else is a new request (the way from D1 to D2)."""
    if not verdict.complete or verdict.match is None:
        return False
    if ticket.missing and verdict.rule == ticket.rule:
        return False
    return verdict.rule != ticket.rule or {k: v.casefold() for k, v in verdict.fields.items()} != {
        k: v.casefold() for k, v in ticket.fields.items()
    }


def join(case: Case, ticket: Ticket, verdict: Verdict, *, own: bool) -> Plan:
    """A mail that belongs to a ticket: it completes it, reopens it, or is noted; a stranger's discloses nothing."""
    mail = case.mail
    base = Plan(mail.raw.ref, Fate.FOLLOW_UP, ticket_of_mail=ticket.number)
    if not own:
        return replace(base, events=(case.event("note", ticket.number, subject=clean_text(mail.subject)),))
    touched = replace(ticket, updated_at=case.now, last_message_id=mail.message_id or ticket.last_message_id)
    completed = _completed(case, touched, verdict) if ticket.missing else None
    if completed is not None:
        events = (case.event("completed", ticket.number, queue=completed.queue, fields=dict(completed.fields)),)
        full = replace(verdict, outcome="matched", missing=(), use_mailbox=())
        outbox = [] if verdict.refusal else [response(case, completed, full, ())]
        outbox += notice.notices(case.post, completed, mail.raw)
        return replace(base, changed=(completed,), events=events, outbox=tuple(outbox))
    # Also where something is still missing: who answers in own words wants a person to read them.
    reopened = replace(touched, state=State.OPEN, closed_at=None)
    kind = "reopened" if ticket.state is not State.OPEN else "follow-up"
    if kind == "reopened":
        reopened = replace(reopened, due_at=due(case, ticket.queue))
    event = case.event(kind, ticket.number, subject=clean_text(mail.subject), attachments=len(mail.attachments))
    told = notice.notices(case.post, reopened, mail.raw)
    return replace(base, changed=(reopened,), events=(event,), outbox=tuple(told))


def _completed(case: Case, ticket: Ticket, verdict: Verdict) -> Ticket | None:
    """The ticket with what was missing, when this mail supplies all of it."""
    fields = dict(ticket.fields)
    if verdict.rule == ticket.rule:
        fields |= {name: clean_text(value) for name, value in verdict.fields.items()}
    missing = [name for name in ticket.missing if name not in fields]
    if "attachments" in missing and (case.mail.attachments or links(case.mail)):
        missing.remove("attachments")
    if missing:
        return None
    fields = in_order(case.office, ticket.mailbox, ticket.rule, fields)
    queue = verdict.queue if verdict.rule == ticket.rule and verdict.queue else ticket.queue
    return replace(
        ticket,
        fields=fields,
        missing=(),
        identity=identity(fields, free_field(case.office, ticket.mailbox, ticket.rule)),
        queue=queue,
        state=State.OPEN,
        attachments=ticket.attachments + len(case.mail.attachments),
        links=ticket.links + links(case.mail),
        due_at=due(case, queue),
    )
