"""Reports: bounces of our mail, copies of it that came back, and mail that nothing could be done with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from loket.core import context
from loket.core.bounce import Bounce
from loket.core.case import Case
from loket.core.headers import clean_text
from loket.core.mail import Post
from loket.core.model import (
    TRIAGE,
    Event,
    Fate,
    Kind,
    Mark,
    Occurrence,
    Phase,
    Plan,
    Quarantined,
    RawMail,
    Sent,
)
from loket.core.office import Office
from loket.core.token import Keys
from loket.core.undelivered import undelivered


def bounced(case: Case, bounce: Bounce, sent: Sent) -> Plan:
    """A report about our mail: a delay is noted, a failure makes the mail undelivered, once."""
    said = f"{bounce.status} {bounce.said}".strip()
    event = case.event("bounce", sent.ticket, hard=bounce.hard, recipient=sent.recipient, reply=said)
    plan = Plan(case.mail.raw.ref, Fate.MACHINE, ticket_of_mail=sent.ticket, events=(event,))
    if not bounce.hard or sent.phase not in (Phase.SENT, Phase.IN_DOUBT):
        return plan
    ticket = case.known.tickets.get(sent.ticket or "")
    after = undelivered(case.post, sent, ticket, Phase.BOUNCED, said, str(case.mail.raw.ref))
    return replace(
        plan,
        changed=after.changed,
        events=(event, *after.events),
        outbox=after.outbox,
        marks=(Mark(sent.message_id, Phase.BOUNCED, said),),
    )


def returned(case: Case, sent: Sent) -> Plan:
    """The copy to our own address arrived, so the server had taken the mail: no longer in doubt."""
    event = case.event("own-mail", sent.ticket, phase=sent.phase.value)
    marks = (Mark(sent.message_id, Phase.SENT, "the copy to our own address arrived"),)
    return Plan(
        case.mail.raw.ref,
        Fate.MACHINE,
        ticket_of_mail=sent.ticket,
        events=(event,),
        marks=marks if sent.phase is Phase.IN_DOUBT else (),
    )


def refused_edit(
    problems: Sequence[str], edit: str, office: Office, keys: Keys, now: datetime, *, limit: int = 20
) -> Plan:
    """An edit of the configuration that was not taken: the admin is told, once an edit; the old one goes on."""
    shown = [clean_text(problem, 300) for problem in problems[:limit]]
    event = Event(now, "configuration-refused", None, "loket", None, office.rules_hash, {"problems": shown})
    if office.admin is None:
        return Plan(events=(event,))
    counter = next(iter(office.counters.values()))
    said = {
        **context.base(office, counter, now),
        "officer": {"name": "", "address": office.admin},
        "problems": shown,
        "more": len(problems) - len(shown),
    }
    letter = office.letters.render("petugas/aturan-ditolak", said)
    mail = Post(office, counter, keys, now).write(Kind.ALERT, f"configuration:{edit}", letter, office.admin)
    return Plan(events=(event,), outbox=(mail,))


def logged_out(
    mailbox: str, which: str, why: str, ill: Collection[str], office: Office, keys: Keys, now: datetime
) -> Plan:
    """Nobody is logged in to a mailbox any more: the admin is told, once a login, by a mailbox that is not `ill`."""
    event = Event(now, "logged-out", None, "loket", None, office.rules_hash, {"mailbox": mailbox, "why": why})
    # The login itself is what happened once, whenever that is found.
    once = Occurrence(f"logged-out:{which}", mailbox, datetime.fromtimestamp(0, UTC))
    if office.admin is None:
        return Plan(events=(event,), occurrence=once)
    others = [counter for address, counter in office.counters.items() if address != mailbox]
    well = [counter for counter in others if counter.address not in ill]
    counter = (*well, *others, office.counters[mailbox])[0]
    said = {
        **context.base(office, counter, now),
        "officer": {"name": "", "address": office.admin},
        "mailbox": mailbox,
        "why": clean_text(why, 300),
    }
    letter = office.letters.render("petugas/masuk-ulang", said)
    mail = Post(office, counter, keys, now).write(Kind.ALERT, f"logged-out:{mailbox}:{which}", letter, office.admin)
    return Plan(events=(event,), outbox=(mail,), occurrence=once)


def configured(office: Office, now: datetime) -> Plan:
    """The rules that decide from now on."""
    return Plan(events=(Event(now, "configured", None, "loket", None, office.rules_hash, {}),))


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
