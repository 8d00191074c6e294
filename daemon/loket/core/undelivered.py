"""Undelivered is not done: a letter that was refused, bounced or may be lost comes back to the officer (P12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from loket.core import context
from loket.core.errand import unheld
from loket.core.headers import clean_text
from loket.core.known import TO_APPLICANT
from loket.core.mail import Post
from loket.core.model import Event, Kind, Outbound, Phase, Plan, Sent, State, Ticket
from loket.core.term import go_on, timed

# An appointment that its applicant does not know of is as good as a letter that did not arrive.
_MATTERS = frozenset({*TO_APPLICANT, Kind.INVITATION})
# Who was called and does not know it can still be reached otherwise; their ticket is where it was.
_NEWS = frozenset({*_MATTERS, Kind.CALL})
# Mail about mail that failed ends here: an alert that cannot be delivered raises no other.
_TOLD = frozenset({*_NEWS, Kind.DIGEST, Kind.NOTICE, Kind.RECEIPT})


def undelivered(post: Post, sent: Sent, ticket: Ticket | None, phase: Phase, said: str, cause: str) -> Plan:
    """What follows when a mail of ours ends as refused, bounced or in doubt.

    A letter for good refused or bounced reopens its ticket; one in doubt does not, since it may have arrived.
    `cause` is unique to what told us (a mail, an attempt), so that the same news is told once.
    """
    event = Event(
        post.now,
        "undelivered" if phase is not Phase.IN_DOUBT else "maybe-undelivered",
        sent.ticket,
        sent.mailbox,
        cause,
        post.office.rules_hash,
        {"kind": sent.kind.value, "recipient": sent.recipient, "phase": phase.value, "reply": clean_text(said, 300)},
    )
    changed: tuple[Ticket, ...] = ()
    if ticket is not None and sent.kind in _MATTERS and phase is not Phase.IN_DOUBT:
        reopened = replace(unheld(ticket), state=State.OPEN, closed_at=None, answered_at=None, updated_at=post.now)
        if ticket.term is not None and ticket.term.stands_still:
            reopened = timed(reopened, go_on(ticket.term, post.now), post.counter.calendar)
        if sent.kind is Kind.DELIVERY:
            # An answer that did not arrive is no part of the ticket's story.
            reopened = replace(reopened, given=reopened.given[:-1])
        changed = (reopened,)
    outbox = tuple(_alerts(post, sent, ticket, phase, said, cause)) if sent.kind in _TOLD else ()
    return Plan(events=(event,), changed=changed, outbox=outbox)


def _alerts(post: Post, sent: Sent, ticket: Ticket | None, phase: Phase, said: str, cause: str) -> Sequence[Outbound]:
    """To the officer who answered and the admin; for mail to an officer, to the admin alone."""
    office = post.office
    to: dict[str, str] = {}
    if sent.kind in _NEWS and ticket is not None:
        wrote = ticket.asked_by if sent.kind is Kind.QUESTION else ticket.answered_by
        answered = office.officers.get(wrote or "")
        told = [answered] if answered and answered.active else office.serving(ticket.queue)
        to.update({officer.address: officer.name for officer in told})
    if office.admin is not None and (phase is Phase.IN_DOUBT or not to):
        to.setdefault(office.admin, "")
    to.pop(sent.recipient, None)
    letters = []
    for address, name in to.items():
        context_said = {
            **context.base(office, post.counter, post.now),
            "officer": {"name": name, "address": address},
            "ticket": {
                "number": ticket.number if ticket else "",
                "about": ticket.about if ticket else "",
                "agenda": ticket.registered if ticket else "",
            },
            "phase": phase.value,
            "kind": sent.kind.value,
            "recipient": sent.recipient,
            "reply": clean_text(said, 300),
        }
        letter = office.letters.render("petugas/tidak-terkirim", context_said)
        key = f"undelivered:{sent.message_id}:{phase.value}:{cause}:{address}"
        root = post.keys.officer(ticket.number, address, post.now) if ticket and name else None
        number = ticket.number if ticket else None
        letters.append(post.write(Kind.ALERT, key, letter, address, to_name=name, root=root, ticket=number))
    return letters
