"""Tickets that wait for their applicant: reminded once, then closed; whoever writes after all opens them again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from loket.core import context, tongue
from loket.core.case import compiled_rule
from loket.core.mail import Post
from loket.core.model import Event, Kind, Occurrence, Outbound, Plan, State, Ticket
from loket.core.office import Patience
from loket.core.request import asked_for

LAPSED = "lapsed"


def overdue(post: Post, ticket: Ticket, reminded_at: datetime | None) -> Plan | None:
    """What is due for a ticket, if anything: the reminder first, the end never sooner after it than was announced.

    `reminded_at` is when it was reminded since it began to wait. The reminder leaves `updated_at` alone, from which
    both count.
    """
    if ticket.state is not State.WAITING:
        return None
    post, patience = post.speaking(ticket.language), post.office.patience
    calendar = post.counter.calendar
    remind = calendar.due(ticket.updated_at, patience.remind.high) if patience.remind else None
    close = calendar.due(ticket.updated_at, patience.close.high) if patience.close else None
    if remind is not None and reminded_at is None:
        return _reminded(post, ticket, remind, patience) if remind <= post.now else None
    if close is not None and reminded_at is not None and patience.remind and patience.close:
        # A daemon that was down reminds late; the applicant has as long as any other to answer.
        late = calendar.due(reminded_at, max(1, patience.close.high - patience.remind.high))
        close = max(close, late or close)
    return _closed(post, ticket, close) if close is not None and close <= post.now else None


def _reminded(post: Post, ticket: Ticket, due: datetime, patience: Patience) -> Plan:
    end = None
    if patience.close and patience.remind:
        end = post.counter.calendar.due(post.now, max(1, patience.close.high - patience.remind.high))
    said = {
        **_said(post, ticket),
        "until": tongue.day(end, post.office.zone, post.office.language) if end else "",
    }
    return Plan(
        occurrence=Occurrence("remind", ticket.number, due),
        events=(Event(post.now, "reminded", ticket.number, "loket", None, post.office.rules_hash, {}),),
        outbox=_letter(post, ticket, "umum/pengingat", f"remind:{ticket.number}:{due.isoformat()}", said),
    )


def _closed(post: Post, ticket: Ticket, due: datetime) -> Plan:
    closed = replace(ticket, state=State.CLOSED, closed_at=post.now, updated_at=post.now, outcome=LAPSED)
    return Plan(
        changed=(closed,),
        occurrence=Occurrence("lapse", ticket.number, due),
        events=(Event(post.now, LAPSED, ticket.number, "loket", None, post.office.rules_hash, {}),),
        outbox=_letter(post, ticket, "umum/ditutup", f"lapse:{ticket.number}:{due.isoformat()}", _said(post, ticket)),
    )


def _said(post: Post, ticket: Ticket) -> dict[str, Any]:
    office = post.office
    said: dict[str, Any] = {
        **context.ticket(office, post.counter, ticket, post.now),
        **{"missing": [], "asked": [], "send": [], "needs_attachment": False},
    }
    # The rule may have gone from the files meanwhile.
    if ticket.missing and compiled_rule(office, ticket.mailbox, ticket.rule) is not None:
        own = any(one.rule.name == ticket.rule for one in office.desks[ticket.mailbox].own)
        takers = [] if own else _takers(post, ticket)
        said |= asked_for(
            office, ticket.mailbox, ticket.rule, ticket.fields, ticket.missing, use=takers, subject=ticket.subject
        )
    return said


def _takers(post: Post, ticket: Ticket) -> list[str]:
    """The mailboxes of another counter's rule."""
    for other in post.office.desks[ticket.mailbox].elsewhere:
        if other.compiled.rule.name == ticket.rule:
            return [address for address, _ in other.mailboxes]
    return []


def _letter(post: Post, ticket: Ticket, template: str, key: str, said: dict[str, Any]) -> tuple[Outbound, ...]:
    """To the applicant, in the thread; to nobody where none may be written to."""
    if not ticket.respond or not ticket.applicant:
        return ()
    return (
        post.write(
            Kind.REMINDER,
            key,
            post.office.letters.render(template, said),
            ticket.applicant,
            to_name=ticket.applicant_name,
            root=post.keys.ticket(ticket.number),
            reply_to=ticket.last_message_id,
            ticket=ticket.number,
        ),
    )
