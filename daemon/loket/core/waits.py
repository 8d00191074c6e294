"""Held up is not lost, but it is news: the officer of a letter that waits is told once, the admin once a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from loket.core import context, tongue
from loket.core.headers import clean_text
from loket.core.known import TO_APPLICANT
from loket.core.mail import Post
from loket.core.model import Event, Kind, Occurrence, Outbound, Plan, Sent, Ticket


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


def _admin(post: Post, delay: Delay, mails: int) -> Plan:
    """Once a day of the office, however often it happens."""
    local = post.now.astimezone(post.office.zone)
    day = datetime.combine(local, time(), post.office.zone)
    event = _event(post, delay, "over-quota", None, mails=mails)
    outbox: tuple[Outbound, ...] = ()
    if post.office.admin is not None:
        said = {**_said(post, delay), "officer": {"name": "", "address": post.office.admin}, "total": mails}
        letter = post.office.letters.render("petugas/menunggu", said)
        key = f"over-quota:{delay.mailbox}:{local.date().isoformat()}"
        outbox = (post.write(Kind.ALERT, key, letter, post.office.admin),)
    return Plan(events=(event,), outbox=outbox, occurrence=Occurrence("over-quota", delay.mailbox, day))


def _letter(post: Post, delay: Delay, sent: Sent, ticket: Ticket | None) -> Plan:
    event = _event(post, delay, "waits", sent.ticket, kind=sent.kind.value, recipient=sent.recipient)
    outbox: tuple[Outbound, ...] = ()
    if ticket is not None:
        wrote = ticket.asked_by if sent.kind is Kind.QUESTION else ticket.answered_by
        officer = post.office.officers.get(wrote or "")
        if officer is not None and officer.active:
            said = {
                **_said(post, delay),
                "officer": context.officer(officer),
                "ticket": {"number": ticket.number, "about": ticket.about, "agenda": ticket.registered},
                "recipient": sent.recipient,
            }
            letter = post.office.letters.render("petugas/menunggu", said)
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
    office = post.office
    return {
        **context.base(office, post.counter, post.now),
        "ticket": {"number": "", "about": "", "agenda": ""},
        "recipient": "",
        "argument": delay.mailbox,
        "until": tongue.day_and_time(delay.until, office.zone, office.language),
        "reply": clean_text(delay.said, 300),
        "total": 1,
    }


def _event(post: Post, delay: Delay, what: str, ticket: str | None, **detail: object) -> Event:
    detail |= {"reply": clean_text(delay.said, 300), "until": delay.until.isoformat()}
    return Event(post.now, what, ticket, delay.mailbox, None, post.office.rules_hash, detail)
