"""Held up is not lost, but it is news: the officer of a letter that waits is told once; the admin, once a day, of a
quota that is used up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from loket.core import context, tongue
from loket.core.headers import clean_text
from loket.core.known import TO_APPLICANT
from loket.core.mail import Post
from loket.core.model import Event, Kind, Occurrence, Outbound, Plan, ReceiptKind, Sent, Ticket
from loket.core.retry import EXPIRY

# Longer than greylisting or a restart takes; the time after which mail servers warn of a delay too.
DELAYED = timedelta(hours=4)
# So many attempts lie further apart, seven minutes, than the usual greylisting keeps a mail.
GREYLISTED = 5


@dataclass(frozen=True, slots=True)
class Delay:
    """The account of a mailbox may send no more for now: why, in its server's words or ours, and until when."""

    mailbox: str
    said: str
    until: datetime


def waits(post: Post, delay: Delay, waiting: Sequence[tuple[Sent, Ticket | None]]) -> list[Plan]:
    """What is told of mails that wait for that; each plan has an occurrence, so that it happens once.

    `post` writes from another account where there is one, for from this one nothing leaves.
    """
    plans = [_letter(post, delay, sent, ticket) for sent, ticket in waiting if sent.kind in TO_APPLICANT]
    return [*plans, _admin(post, delay, len(waiting))]


def is_delayed(created_at: datetime, attempt: int, verdict: ReceiptKind, now: datetime) -> bool:
    """Whether it is news that a mail is due again; `attempt` counts from 1. A used-up quota is told by `waits`."""
    # One that waited for its officer's code is old at its first attempt: greylisting of it is no news yet.
    tried = attempt >= GREYLISTED or verdict is ReceiptKind.NOT_TRIED
    return tried and verdict is not ReceiptKind.OVER_QUOTA and now - created_at >= DELAYED


def delayed(post: Post, sent: Sent, ticket: Ticket | None, reply: str) -> Plan:
    """What is told of a mail that is refused for now, or for which no server is reached, for longer than usual."""
    if sent.kind not in TO_APPLICANT:
        return Plan()
    said = {**_base(post, sent.mailbox, reply), "why": "delayed", "until": "", "total": EXPIRY.days}
    return _told(post, sent, ticket, said, {"reply": clean_text(reply, 300)})


def _admin(post: Post, delay: Delay, mails: int) -> Plan:
    """Once a day of the office, however often it happens."""
    local = post.now.astimezone(post.office.zone)
    day = datetime.combine(local, time(), post.office.zone)
    event = _event(post, "over-quota", delay.mailbox, None, mails=mails, **_detail(delay))
    outbox: tuple[Outbound, ...] = ()
    if post.office.admin is not None:
        said = {**_said(post, delay), "officer": {"name": "", "address": post.office.admin}, "total": mails}
        letter = post.office.letters.render("petugas/menunggu", said)
        key = f"over-quota:{delay.mailbox}:{local.date().isoformat()}"
        outbox = (post.write(Kind.ALERT, key, letter, post.office.admin),)
    return Plan(events=(event,), outbox=outbox, occurrence=Occurrence("over-quota", delay.mailbox, day))


def _letter(post: Post, delay: Delay, sent: Sent, ticket: Ticket | None) -> Plan:
    return _told(post, sent, ticket, _said(post, delay), _detail(delay))


def _told(
    post: Post, sent: Sent, ticket: Ticket | None, said: Mapping[str, object], detail: Mapping[str, object]
) -> Plan:
    """The officer who wrote it hears of it once, whatever it waits for, and however often."""
    event = _event(post, "waits", sent.mailbox, sent.ticket, kind=sent.kind.value, recipient=sent.recipient, **detail)
    outbox: tuple[Outbound, ...] = ()
    if ticket is not None:
        wrote = ticket.asked_by if sent.kind is Kind.QUESTION else ticket.answered_by
        officer = post.office.officers.get(wrote or "")
        if officer is not None and officer.active:
            about = {
                "officer": context.officer(officer),
                "ticket": {"number": ticket.number, "about": ticket.about, "agenda": ticket.registered},
                "recipient": sent.recipient,
            }
            letter = post.office.letters.render("petugas/menunggu", {**said, **about})
            root = post.keys.officer(ticket.number, officer.address, post.now)
            key = f"waits:{sent.message_id}:{officer.address}"
            outbox = (
                post.write(
                    Kind.ALERT, key, letter, officer.address, to_name=officer.name, root=root, ticket=ticket.number
                ),
            )
    # A mail has one such moment: what waits again tomorrow waits still.
    ever = datetime.fromtimestamp(0, post.office.zone)
    return Plan(events=(event,), outbox=outbox, occurrence=Occurrence("waits", sent.message_id, ever))


def _said(post: Post, delay: Delay) -> dict[str, object]:
    until = tongue.day_and_time(delay.until, post.office.zone, post.office.language)
    return {**_base(post, delay.mailbox, delay.said), "until": until}


def _base(post: Post, mailbox: str, reply: str) -> dict[str, object]:
    return {
        **context.base(post.office, post.counter, post.now),
        "ticket": {"number": "", "about": "", "agenda": ""},
        "recipient": "",
        "argument": mailbox,
        "reply": clean_text(reply, 300),
        "why": "quota",
        "total": 1,
    }


def _detail(delay: Delay) -> dict[str, object]:
    return {"reply": clean_text(delay.said, 300), "until": delay.until.isoformat()}


def _event(post: Post, what: str, mailbox: str, ticket: str | None, **detail: object) -> Event:
    return Event(post.now, what, ticket, mailbox, None, post.office.rules_hash, detail)
