"""Decide on one mail: the whole plan, every change and every outgoing mail, before anything happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product as combinations
from typing import Any, assert_never

from loket.core import answer, context, notice, tongue
from loket.core.classify import Compiled
from loket.core.command import Doubtful, Proven
from loket.core.headers import clean_text
from loket.core.known import Known, identity
from loket.core.mail import Post
from loket.core.model import (
    STATUS_RULE,
    TRIAGE,
    Event,
    Fate,
    InboundMail,
    Kind,
    Outbound,
    Plan,
    Quarantined,
    RawMail,
    State,
    Ticket,
    Verdict,
)
from loket.core.office import Office
from loket.core.token import Keys
from loket.core.understand import FollowUp, Machine, Request, Understood, links


@dataclass(frozen=True, slots=True)
class Case:
    """One mail on the table, with all that a decision may look at."""

    mail: InboundMail
    office: Office
    keys: Keys
    known: Known
    now: datetime

    @property
    def post(self) -> Post:
        """Writing from the mailbox the mail came to."""
        address = self.mail.raw.ref.mailbox
        return Post(self.office, self.office.counters[address], self.keys, self.now)

    @property
    def author(self) -> str:
        """The one author's address; empty where there is none."""
        return self.mail.author.spec if self.mail.author else ""

    def event(self, kind: str, ticket: str | None, **detail: object) -> Event:
        """A line of history that this mail causes."""
        return Event(self.now, kind, ticket, self.author or "?", str(self.mail.raw.ref), self.office.rules_hash, detail)


def decide(mail: InboundMail, understood: Understood, office: Office, keys: Keys, known: Known, now: datetime) -> Plan:
    """The plan for one mail; nothing has happened yet."""
    case = Case(mail, office, keys, known, now)
    match understood:
        case Machine(refusal):
            event = case.event("machine-mail", None, refusal=refusal.value, subject=clean_text(mail.subject))
            return Plan(mail.raw.ref, Fate.MACHINE, events=(event,))
        case Proven():
            return answer.decide_answer(mail, understood, case.post, known)
        case Doubtful():
            return answer.decide_doubt(mail, understood, case.post)
        case FollowUp(thread, verdict):
            if thread.own and _differs(verdict, thread.ticket):
                return _open(case, verdict, linked=(thread.ticket.number,))
            return _join(case, thread.ticket, verdict, own=thread.own)
        case Request(verdict, mention):
            if verdict.rule == STATUS_RULE:
                return _status(case, verdict)
            return _open(case, verdict, linked=(mention,) if mention else ())
        case _:
            assert_never(understood)


def give_up(raw: RawMail, error: str, office: Office, keys: Keys, now: datetime) -> Plan:
    """A mail that raised at every attempt: set aside with its bytes, and the triage officers and the admin told."""
    counter = office.counters[raw.ref.mailbox]
    post = Post(office, counter, keys, now)
    to = [(officer.address, officer.name) for officer in office.serving(TRIAGE)]
    if office.admin and office.admin not in dict(to):
        to.append((office.admin, ""))
    event = Event(now, "quarantined", None, "?", str(raw.ref), office.rules_hash, {"error": error})
    outbox = []
    for address, name in to:
        said = {
            **context.base(office, counter, now),
            "officer": {"name": name, "address": address},
            "reason": clean_text(error),
            "mail_ref": str(raw.ref),
            "subject": "",
        }
        letter = office.letters.render("petugas/mesin", said)
        outbox.append(post.write(Kind.ALERT, f"quarantine:{raw.ref}:{address}", letter, address, to_name=name))
    return Plan(
        raw.ref,
        Fate.QUARANTINE,
        events=(event,),
        outbox=tuple(outbox),
        quarantine=Quarantined("raised", error),
    )


def _differs(verdict: Verdict, ticket: Ticket) -> bool:
    """A complete subject of another kind or about something else is a new request (the way from D1 to D2)."""
    if not verdict.complete or verdict.match is None:
        return False
    if ticket.missing and verdict.rule == ticket.rule:
        return False
    return verdict.rule != ticket.rule or {k: v.casefold() for k, v in verdict.fields.items()} != {
        k: v.casefold() for k, v in ticket.fields.items()
    }


def _free_field(office: Office, mailbox: str, rule: str | None) -> str | None:
    desk = office.desks[mailbox]
    for compiled in (*desk.own, *(other.compiled for other in desk.elsewhere)):
        if compiled.rule.name == rule and compiled.pattern is not None:
            return compiled.pattern.free
    return None


def _open(case: Case, verdict: Verdict, linked: Sequence[str]) -> Plan:
    """A new ticket, its history, and the one automatic response it may have."""
    mail, office, now = case.mail, case.office, case.now
    mailbox = mail.raw.ref.mailbox
    queue = verdict.queue or TRIAGE
    fields = {name: clean_text(value) for name, value in verdict.fields.items()}
    same = identity(fields, _free_field(office, mailbox, verdict.rule))
    counter = verdict.counter or office.counters[mailbox].name
    ticket = Ticket(
        number=case.known.next_number(office.prefix),
        mailbox=mailbox,
        counter=counter,
        rule=verdict.rule,
        queue=queue,
        state=State.WAITING if verdict.outcome == "incomplete" and verdict.refusal is None else State.OPEN,
        applicant=case.author,
        applicant_name=clean_text(mail.author.name, 80) if mail.author else "",
        subject=clean_text(mail.subject),
        fields=fields,
        missing=verdict.missing,
        identity=same,
        original=mail.raw.stored,
        message_id=mail.message_id,
        last_message_id=mail.message_id,
        attachments=len(mail.attachments),
        created_at=now,
        updated_at=now,
        due_at=_due(case, queue),
        respond=verdict.refusal is None,
    )
    if ticket.state is State.WAITING:
        ticket = replace(ticket, due_at=None)
    earlier = list(dict.fromkeys([*linked, *case.known.related(case.author, counter, same)]))
    opened = case.event(
        "opened",
        ticket.number,
        outcome=verdict.outcome,
        rule=verdict.rule,
        queue=queue,
        match=verdict.match,
        missing=list(verdict.missing),
        refusal=verdict.refusal.value if verdict.refusal else None,
        defects=list(mail.defects),
    )
    told = [number for number in earlier if _is_theirs(case, number, same, counter)]
    outbox = [] if verdict.refusal else [_response(case, ticket, verdict, told)]
    if ticket.state is State.OPEN:
        outbox += notice.notices(case.post, ticket, mail.raw)
    return Plan(
        mail.raw.ref,
        Fate.TICKET,
        ticket_of_mail=ticket.number,
        opened=ticket,
        links=tuple((ticket.number, number) for number in earlier),
        events=(opened, *(case.event("linked", ticket.number, to=number) for number in earlier)),
        outbox=tuple(outbox),
    )


def _is_theirs(case: Case, number: str, same: str, counter: str) -> bool:
    """Whether an earlier ticket's number may be said to this author."""
    ticket = case.known.tickets.get(number)
    return number in case.known.related(case.author, counter, same) or (
        ticket is not None and ticket.applicant == case.author
    )


def _due(case: Case, queue: str) -> datetime | None:
    found = case.office.queues.get(queue)
    if found is None or found.due is None:
        return None
    return case.post.counter.calendar.due(case.now, found.due.high)


def _response(case: Case, ticket: Ticket, verdict: Verdict, linked: Sequence[str]) -> Outbound:
    """The acknowledgement, the correction, or the way to write; to the author alone, never to Reply-To (P8)."""
    office, mail = case.office, case.mail
    place = 0
    if ticket.state is State.OPEN:
        place = case.known.open_in_queue.get(ticket.queue, 0) + 1
    said = context.ticket(
        office,
        case.post.counter,
        ticket,
        case.now,
        place=place,
        linked=linked,
        wrong=[address for address in verdict.use_mailbox if address != ticket.mailbox],
        attachments=context.attachment_names(mail),
        links=links(mail) if mail.parts else 0,
    )
    kind, template = Kind.ACKNOWLEDGEMENT, "umum/terima"
    if verdict.outcome == "incomplete":
        kind, template = Kind.CORRECTION, "umum/koreksi"
        said.update(_correction(case, verdict))
    elif verdict.outcome == "unmatched":
        kind, template = Kind.CORRECTION, "umum/petunjuk"
        forms = office.forms(ticket.mailbox)
        said["forms"] = [{"title": form.title, "subject": form.subject, "address": form.address} for form in forms]
    return _reply(case, ticket, kind, template, said)


def _correction(case: Case, verdict: Verdict) -> dict[str, Any]:
    """What was missing and the very subject to send."""
    office = case.office
    desk = office.desks[case.mail.raw.ref.mailbox]
    compiled = next(
        compiled
        for compiled in (*desk.own, *(other.compiled for other in desk.elsewhere))
        if compiled.rule.name == verdict.rule
    )
    asked = [name for name in verdict.missing if office.values.get(name)]
    return {
        "missing": [_label(office, name) for name in verdict.missing],
        "send": list(_to_send(case, compiled, verdict, asked)),
        "needs_attachment": "attachments" in verdict.missing,
    }


def _to_send(case: Case, compiled: Compiled, verdict: Verdict, asked: Sequence[str]) -> Iterator[dict[str, str]]:
    """Every subject that would be complete, with the address it goes to and the value that tells them apart.

    A missing value of two gives two subjects to choose from: one with a blank left in would be incomplete again.
    """
    office, mailbox = case.office, case.mail.raw.ref.mailbox
    for address in verdict.use_mailbox or (mailbox,):
        fixed = office.desks[address].fixed
        open_fields = [name for name in asked if name not in fixed]
        for values in combinations(*(office.values[name] for name in open_fields)):
            chosen = dict(zip(open_fields, values, strict=True))
            known = {**verdict.fields, **chosen}
            form = compiled.pattern.form(known, office.blanks) if compiled.pattern else case.mail.subject
            told_apart = chosen or {name: value for name, value in fixed.items() if name in asked}
            yield {"subject": clean_text(form), "address": address, "hint": ", ".join(told_apart.values())}


def _label(office: Office, name: str) -> str:
    if name == "attachments":
        return _ATTACHMENT.get(office.language, "attachment")
    values = office.values.get(name, ())
    between = " atau " if office.language == "id" else " or "
    label = office.labels.get(name, name)
    return f"{label} ({between.join(values)})" if values else label


_ATTACHMENT = {"id": "lampiran"}


def _reply(case: Case, ticket: Ticket, kind: Kind, template: str, said: dict[str, Any]) -> Outbound:
    mail = case.mail
    return case.post.write(
        kind,
        f"{kind.value}:{mail.raw.ref}",
        case.office.letters.render(template, said),
        case.author,
        to_name=ticket.applicant_name,
        root=case.keys.ticket(ticket.number),
        reply_to=mail.message_id,
        references=mail.references[-10:],
        ticket=ticket.number,
    )


def _join(case: Case, ticket: Ticket, verdict: Verdict, *, own: bool) -> Plan:
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
        outbox = [] if verdict.refusal else [_response(case, completed, full, ())]
        outbox += notice.notices(case.post, completed, mail.raw)
        return replace(base, changed=(completed,), events=events, outbox=tuple(outbox))
    reopened = replace(touched, state=State.OPEN, closed_at=None) if not ticket.missing else touched
    kind = "reopened" if ticket.state is not State.OPEN and reopened.state is State.OPEN else "follow-up"
    if kind == "reopened":
        reopened = replace(reopened, due_at=_due(case, ticket.queue))
    event = case.event(kind, ticket.number, subject=clean_text(mail.subject), attachments=len(mail.attachments))
    outbox = notice.notices(case.post, reopened, mail.raw) if reopened.state is State.OPEN else []
    return replace(base, changed=(reopened,), events=(event,), outbox=tuple(outbox))


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
    queue = verdict.queue if verdict.rule == ticket.rule and verdict.queue else ticket.queue
    return replace(
        ticket,
        fields=fields,
        missing=(),
        identity=identity(fields, _free_field(case.office, ticket.mailbox, ticket.rule)),
        queue=queue,
        state=State.OPEN,
        attachments=ticket.attachments + len(case.mail.attachments),
        due_at=_due(case, queue),
    )


def _status(case: Case, verdict: Verdict) -> Plan:
    """Where a ticket stands, told to its own applicant alone; anyone else learns nothing."""
    mail, office = case.mail, case.office
    asked = verdict.fields["nomor"]
    ticket = case.known.tickets.get(asked)
    mine = ticket is not None and ticket.applicant == case.author
    event = case.event("status-asked", ticket.number if ticket and mine else None, asked=asked, told=mine)
    plan = Plan(mail.raw.ref, Fate.STATUS, ticket_of_mail=ticket.number if ticket and mine else None, events=(event,))
    if verdict.refusal is not None:
        return plan
    counter = case.post.counter
    if ticket is not None and mine:
        outcome = (
            office.queues[ticket.queue].outcomes.get(ticket.outcome or "") if ticket.queue in office.queues else None
        )
        said = {
            **context.ticket(office, counter, ticket, case.now),
            "state": ticket.state.value,
            "outcome_title": outcome.title if outcome else "",
            "since": tongue.day_and_time(ticket.created_at, office.zone, office.language),
            "updated": tongue.day_and_time(ticket.updated_at, office.zone, office.language),
        }
        return replace(plan, outbox=(_reply(case, ticket, Kind.STATUS, "umum/status", said),))
    said = {**context.base(office, counter, case.now, mail.author.name if mail.author else ""), "asked": asked}
    letter = office.letters.render("umum/status-tidak-ada", said)
    reply = case.post.write(
        Kind.STATUS,
        f"status:{mail.raw.ref}",
        letter,
        case.author,
        reply_to=mail.message_id,
        references=mail.references[-10:],
    )
    return replace(plan, outbox=(reply,))
