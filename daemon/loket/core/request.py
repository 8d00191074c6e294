"""A new request: its ticket, and the one automatic response it may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product as combinations
from typing import Any

from loket.core import context, notice, story, turnmail
from loket.core.case import Case, compiled_rule, free_field, promised, reply, timed_anew
from loket.core.classify import Compiled
from loket.core.conditions import Facts
from loket.core.entering import entered
from loket.core.errand import unheld
from loket.core.gate import LOOP_COUNT
from loket.core.headers import clean_text
from loket.core.known import identity
from loket.core.model import (
    TRIAGE,
    Fate,
    Kind,
    Outbound,
    Plan,
    Refusal,
    State,
    Ticket,
    Verdict,
)
from loket.core.office import Office
from loket.core.same import fingerprint
from loket.core.several import names_several
from loket.core.understand import links


def open_ticket(case: Case, verdict: Verdict, linked: Sequence[str], *, answered: bool = False) -> Plan:
    """A new ticket, its history, and the one automatic response it may have.

    `answered`: the same mail came to another mailbox of ours too, and its author has the response to that.
    """
    mail, office, now = case.mail, case.office, case.now
    mailbox = mail.raw.ref.mailbox
    if case.known.said_lately.get((case.author, clean_text(mail.subject)), 0) >= LOOP_COUNT:
        verdict = replace(verdict, refusal=verdict.refusal or Refusal.LOOP)
    queue = verdict.queue or TRIAGE
    fields = {name: clean_text(value) for name, value in verdict.fields.items()}
    same = identity(fields, free_field(office, mailbox, verdict.rule))
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
        links=links(mail) if mail.parts else 0,
        created_at=case.arrived,
        updated_at=now,
        due_at=None,
        respond=verdict.refusal is None,
        language=case.language,
        fingerprint=fingerprint(mail),
        several=names_several(_in_own_words(case, verdict)),
    )
    own = self_answer(case, ticket, verdict) if not answered else None
    ticket = by_itself(case, ticket) if own else ticket
    if ticket.state is State.OPEN:
        ticket = timed_anew(case, ticket)
    # What came by a list or from nobody is no letter of anyone's; should it be one all the same, DAFTAR enters it.
    counts = ticket.state is State.OPEN and ticket.respond
    ticket, entries = entered(ticket, office, case.known, now) if counts else (ticket, ())
    earlier = list(dict.fromkeys([*linked, *_related(case, counter, same)]))
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
        several=ticket.several,
        registered=ticket.registered,
    )
    told = [number for number in earlier if _is_theirs(case, number, same, counter)]
    if earlier:
        case = replace(case, known=case.known.with_links(ticket.number, earlier))
    outbox = (
        []
        if verdict.refusal or answered
        else [response(case, ticket, verdict, told, place=queue_place(case, ticket), own=own)]
    )
    if ticket.state is State.OPEN:
        outbox += notice.notices(case.post, ticket, mail.raw, case.known.away)
    closed = gone_on(case, ticket)
    return Plan(
        mail.raw.ref,
        Fate.TICKET,
        ticket_of_mail=ticket.number,
        opened=ticket,
        changed=closed,
        links=tuple((ticket.number, number) for number in earlier),
        events=(
            opened,
            *([case.event(SELF_ANSWERED, ticket.number, template=own)] if own else []),
            *(case.event("linked", ticket.number, to=number) for number in earlier),
            *(case.event("continued", one.number, to=ticket.number) for one in closed),
        ),
        outbox=tuple(outbox),
        entries=entries,
    )


SELF_ANSWERED = "self-answered"


def self_answer(case: Case, ticket: Ticket, verdict: Verdict) -> str | None:
    """The letter that answers a complete request without an officer, where its rule has one for it."""
    compiled = compiled_rule(case.office, ticket.mailbox, ticket.rule)
    if compiled is None or not compiled.rule.answers or verdict.outcome != "matched" or not ticket.respond:
        return None
    facts = Facts(case.mail, ticket.fields, case.office.zone)
    return next((one.template for one in compiled.rule.answers if one.when.matches(facts)), None)


def by_itself(case: Case, ticket: Ticket) -> Ticket:
    """The ticket once such a letter has answered it; whoever writes on reaches an officer."""
    return replace(ticket, state=State.CLOSED, closed_at=case.now, due_at=None, term=None)


def gone_on(case: Case, ticket: Ticket) -> tuple[Ticket, ...]:
    """Tickets that waited for just this mail, had it been sent as a reply: they end, and nobody is reminded of them."""
    if ticket.state is not State.OPEN or not ticket.identity:
        return ()
    return tuple(
        replace(unheld(one), state=State.CLOSED, closed_at=case.now, updated_at=case.now)
        for one in case.known.tickets.values()
        if one.state is State.WAITING
        and (one.applicant, one.mailbox, one.rule) == (ticket.applicant, ticket.mailbox, ticket.rule)
        and one.identity == ticket.identity
        and one.number != ticket.number
    )


def related_to(case: Case, ticket: Ticket) -> list[str]:
    """Tickets about the same thing that one is not linked with yet: what it is about is known only now."""
    found = _related(case, ticket.counter or "", ticket.identity)
    there = case.known.linked.get(ticket.number, set())
    return [number for number in found if number != ticket.number and number not in there]


def _related(case: Case, counter: str, same: str) -> list[str]:
    """The author's tickets about the same thing here, of the time that the office looks back."""
    return case.known.related(case.author, counter, same, case.now - case.office.related)


def _is_theirs(case: Case, number: str, same: str, counter: str) -> bool:
    """Whether an earlier ticket's number may be said to this author."""
    ticket = case.known.tickets.get(number)
    return number in _related(case, counter, same) or (ticket is not None and ticket.applicant == case.author)


def _in_own_words(case: Case, verdict: Verdict) -> str:
    free = free_field(case.office, case.mail.raw.ref.mailbox, verdict.rule)
    return verdict.fields.get(free, "") if free else ""


def queue_place(case: Case, ticket: Ticket) -> int:
    """The place in its queue of a ticket that is about to join it; 0 while it waits for its applicant."""
    return case.known.open_in_queue.get(ticket.queue, 0) + 1 if ticket.state is State.OPEN else 0


def response(
    case: Case, ticket: Ticket, verdict: Verdict, linked: Sequence[str], *, place: int = 0, own: str | None = None
) -> Outbound:
    """The acknowledgement, the correction, or the way to write; to the author alone, never to Reply-To (P8).

    `own` is the letter by which a rule answers by itself.
    """
    post, mail = case.post.speaking(ticket.language), case.mail
    office = post.office
    said = context.ticket(
        office,
        post.counter,
        ticket,
        case.now,
        place=place,
        linked=linked,
        wrong=[address for address in verdict.use_mailbox if address != ticket.mailbox],
        attachments=context.attachment_names(mail),
        links=ticket.links,
        due=promised(case, ticket, place),
        turn=turnmail.shown(post, case.known, ticket) if ticket.state is State.OPEN else None,
        history=story.told(post, case.known, ticket, new=True),
    )
    kind, template = Kind.ACKNOWLEDGEMENT, own or "umum/terima"
    if verdict.outcome == "incomplete":
        kind, template = Kind.CORRECTION, "umum/koreksi"
        said |= asked_for(
            office,
            ticket.mailbox,
            verdict.rule,
            verdict.fields,
            verdict.missing,
            use=verdict.use_mailbox,
            subject=mail.subject,
        )
    elif verdict.outcome == "unmatched":
        kind, template = Kind.CORRECTION, "umum/petunjuk"
        forms = office.forms(ticket.mailbox)
        said["forms"] = [{"title": form.title, "subject": form.subject, "address": form.address} for form in forms]
    return reply(case, ticket, kind, template, said)


def asked_for(
    office: Office,
    mailbox: str,
    rule: str | None,
    fields: Mapping[str, str],
    missing: Sequence[str],
    *,
    use: Sequence[str] = (),
    subject: str = "",
) -> dict[str, Any]:
    """The variables of a letter that asks for what is missing: its names, and the very subject to send.

    `use` are the mailboxes of another counter's rule; `subject` is what was written, for rules that take any.
    """
    compiled = compiled_rule(office, mailbox, rule)
    if compiled is None:
        raise LookupError(f"a ticket of a rule that is not there: {rule}")
    in_words = [name for name in missing if name != "attachments"]
    return {
        "missing": [_label(office, name, compiled.rule.needs.label) for name in missing],
        "asked": [office.labels.get(name, name) for name in in_words],
        "send": list(_to_send(office, compiled, fields, missing, use or (mailbox,), subject)),
        "needs_attachment": "attachments" in missing,
    }


def _to_send(
    office: Office,
    compiled: Compiled,
    fields: Mapping[str, str],
    missing: Sequence[str],
    addresses: Sequence[str],
    subject: str,
) -> Iterator[dict[str, str]]:
    """Every subject that would be complete, with the address it goes to and the value that tells them apart.

    A missing value of two gives two subjects to choose from: one with a blank left in would be incomplete again.
    """
    asked = [name for name in missing if office.values.get(name)]
    for address in addresses:
        fixed = office.desks[address].fixed
        open_fields = [name for name in asked if name not in fixed]
        for values in combinations(*(office.values[name] for name in open_fields)):
            chosen = dict(zip(open_fields, values, strict=True))
            form = compiled.pattern.form({**fields, **chosen}, office.blanks) if compiled.pattern else subject
            told_apart = chosen or {name: value for name, value in fixed.items() if name in asked}
            yield {"subject": clean_text(form), "address": address, "hint": ", ".join(told_apart.values())}


def _label(office: Office, name: str, enclosure: str) -> str:
    if name == "attachments":
        return office.say(enclosure) if enclosure else _ATTACHMENT.get(office.language, "attachment")
    values = office.values.get(name, ())
    between = " atau " if office.language == "id" else " or "
    label = office.labels.get(name, name)
    return f"{label} ({between.join(values)})" if values else label


_ATTACHMENT = {"id": "lampiran"}
