"""A batch of mails thought through: read, and planned one after the other, each with what those before it change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loket.core.anew import anew
from loket.core.decide import decide
from loket.core.known import Known
from loket.core.model import Event, Fate, InboundMail, MailRef, Plan
from loket.core.office import Office
from loket.core.token import Keys
from loket.core.understand import understand


@dataclass(frozen=True, slots=True)
class Found:
    """What the store says of a batch: which mails have no end yet, the tickets of their bytes, and all it knows."""

    fresh: set[MailRef]
    same: dict[str, str | None]
    known: Known


def plans(mails: Sequence[InboundMail], found: Found, office: Office, keys: Keys, now: datetime) -> list[Plan]:
    """The plans for the mails of one mailbox that have no end yet, in their order; `found` changes with them."""
    return [_plan(mail, found, office, keys, now) for mail in mails if mail.raw.ref in found.fresh]


def _plan(mail: InboundMail, found: Found, office: Office, keys: Keys, now: datetime) -> Plan:
    sha256, known = mail.raw.stored.sha256, found.known
    if sha256 in found.same:
        plan = _duplicate(mail, found.same[sha256], office, now)
    else:
        plan = decide(mail, understand(mail, office, keys, known, now), office, keys, known, now)
        found.same[sha256] = plan.ticket_of_mail
    if plan.outbox:
        plan = anew(plan, outbox=known.gate.admit(plan.outbox, now, mail.raw.internaldate))
    known.after(plan)
    return plan


def _duplicate(mail: InboundMail, ticket: str | None, office: Office, now: datetime) -> Plan:
    """The same bytes once more, under a new UID: recorded, never answered (promise P3)."""
    ref = mail.raw.ref
    event = Event(now, "duplicate", ticket, "?", str(ref), office.rules_hash, {"sha256": mail.raw.stored.sha256})
    return Plan(ref, Fate.DUPLICATE, ticket_of_mail=ticket, events=(event,))
