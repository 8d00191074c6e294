"""A mail about a ticket there is: it completes it, reopens it, is noted on it, or is a request of its own after all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from loket.core import notice
from loket.core.case import Case, compiled_rule, free_field, in_order, timed_anew
from loket.core.command import own_words
from loket.core.entering import entered
from loket.core.errand import unheld
from loket.core.headers import clean_text
from loket.core.known import identity
from loket.core.model import (
    Fate,
    Plan,
    State,
    Ticket,
    Verdict,
    VerdictOutcome,
)
from loket.core.office import Officer
from loket.core.parse import body_text
from loket.core.request import (
    SELF_ANSWERED,
    by_itself,
    gone_on,
    queue_place,
    related_to,
    response,
    self_answer,
)
from loket.core.rules import render_queue
from loket.core.supply import supplied
from loket.core.term import go_on, timed
from loket.core.understand import links

# Whoever sends the same words again so soon is impatient, or a machine.
SOON = timedelta(hours=1)


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
    filled = _filled(case, touched, verdict) if ticket.missing else None
    if filled is not None:
        filled, entries = (filled, ()) if filled.missing else entered(filled, case.office, case.known, case.now)
        kind = "supplied" if filled.missing else "completed"
        facts = {"queue": filled.queue, "fields": dict(filled.fields), "missing": list(filled.missing)}
        earlier = [] if filled.missing else related_to(case, filled)
        case = replace(case, known=case.known.with_links(filled.number, earlier))
        outcome: VerdictOutcome = "incomplete" if filled.missing else "matched"
        said = Verdict(outcome, filled.rule, filled.counter, filled.queue, verdict.match, filled.fields, filled.missing)
        ready = self_answer(case, filled, said) if verdict.refusal is None else None
        filled = by_itself(case, filled) if ready else filled
        place = queue_place(case, filled)
        outbox = [] if verdict.refusal else [response(case, filled, said, (), place=place, own=ready)]
        outbox += [] if filled.state is not State.OPEN else notice.notices(case.post, filled, mail.raw, case.known.away)
        event = case.event(kind, ticket.number, **facts)
        closed = () if filled.missing else gone_on(case, filled)
        events = (
            event,
            *([case.event(SELF_ANSWERED, filled.number, template=ready)] if ready else []),
            *(case.event("linked", filled.number, to=number) for number in earlier),
            *(case.event("continued", one.number, to=filled.number) for one in closed),
        )
        links_ = tuple((filled.number, number) for number in earlier)
        return replace(
            base, changed=(filled, *closed), links=links_, events=events, outbox=tuple(outbox), entries=entries
        )
    # Also where something is still missing: who answers in own words wants a person to read them.
    kind = "reopened" if ticket.state is not State.OPEN else "follow-up"
    reopened = replace(unheld(touched), state=State.OPEN, closed_at=None, answered_at=None)
    first = None
    if kind == "follow-up":
        # Who took it has it still; what was put off is in sight again.
        reopened = replace(reopened, claimed_by=ticket.claimed_by, claimed_until=ticket.claimed_until)
    else:
        first = _whose(case, ticket)
        claimed_until = case.post.counter.calendar.after_open(case.now, case.office.claim) if first else None
        reopened = replace(
            _timed_again(case, reopened),
            asked_by=ticket.asked_by,
            claimed_by=first.address if first else None,
            claimed_until=claimed_until,
        )
    event = case.event(kind, ticket.number, subject=clean_text(mail.subject), attachments=len(mail.attachments))
    told = notice.notices(case.post, reopened, mail.raw, case.known.away, first=first)
    return replace(base, changed=(reopened,), events=(event,), outbox=tuple(told))


def _whose(case: Case, ticket: Ticket) -> Officer | None:
    """The officer whose question or answer this mail is about: they see it first, or who stands in for them."""
    office, away = case.office, case.known.away
    officer = office.officers.get(ticket.asked_by or ticket.answered_by or "")
    if officer is not None and officer.address in away:
        officer = office.officers.get(officer.deputy or "")
    if officer is None or not officer.active or officer.address in away:
        return None
    return officer


def _timed_again(case: Case, ticket: Ticket) -> Ticket:
    """What was left when the officer asked; after an answer, all of it anew."""
    if ticket.term is None or not ticket.term.stands_still:
        return timed_anew(case, ticket)
    return timed(ticket, go_on(ticket.term, case.now), case.post.counter.calendar)


def again(case: Case, ticket: Ticket, verdict: Verdict) -> Plan:
    """The mail that opened a ticket, once more: noted there, and answered again where that is not a machine's doing."""
    mail = case.mail
    if ticket.state is State.CLOSED:
        return join(case, ticket, verdict, own=True)
    touched = replace(ticket, updated_at=case.now, last_message_id=mail.message_id or ticket.last_message_id)
    silent = verdict.refusal is not None or case.now - ticket.updated_at < SOON
    return Plan(
        mail.raw.ref,
        Fate.FOLLOW_UP,
        ticket_of_mail=ticket.number,
        changed=(touched,),
        events=(case.event("resent", ticket.number, subject=clean_text(mail.subject)),),
        outbox=() if silent else (response(case, touched, verdict, ()),),
    )


def _filled(case: Case, ticket: Ticket, verdict: Verdict) -> Ticket | None:
    """The ticket with what this mail supplies of what was missing, in a new subject or in the letter; None: nothing."""
    given = {name: clean_text(value) for name, value in verdict.fields.items()} if verdict.rule == ticket.rule else {}
    compiled = compiled_rule(case.office, ticket.mailbox, ticket.rule)
    wanted = [name for name in ticket.missing if name not in given and name != "attachments"]
    if compiled is not None and wanted:
        spoken = case.office.speaking(ticket.language).labels
        labels = {name: {case.office.labels.get(name, name), spoken.get(name, name)} for name in wanted}
        given |= supplied(compiled, wanted, own_words(body_text(case.mail)), labels)
    fields = {**ticket.fields, **given}
    missing = [name for name in ticket.missing if name not in fields]
    if "attachments" in missing and (case.mail.attachments or links(case.mail)):
        missing.remove("attachments")
    if len(missing) == len(ticket.missing):
        return None
    fields = in_order(case.office, ticket.mailbox, ticket.rule, fields)
    queue = (render_queue(compiled.rule.queue, fields) if compiled else None) or ticket.queue
    filled = replace(
        ticket,
        fields=fields,
        missing=tuple(missing),
        identity=identity(fields, free_field(case.office, ticket.mailbox, ticket.rule)),
        queue=queue,
        state=State.WAITING if missing else State.OPEN,
        attachments=ticket.attachments + len(case.mail.attachments),
        links=ticket.links + links(case.mail),
        due_at=None,
        term=None,
        closed_at=None,
        answered_at=None,
    )
    return filled if missing else timed_anew(case, filled)
