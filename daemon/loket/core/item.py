"""One item as an officer reads of it, and the answers that are ready for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from loket.core import contact, context, orders, story, tongue
from loket.core.errand import in_hand
from loket.core.mail import Post
from loket.core.model import Chapter, State, Ticket
from loket.core.office import Officer

# Beside the queue's own outcomes, small and in this order; LEPAS stands for AMBIL where the item is taken.
_BESIDE = (orders.ASK, orders.CLAIM, orders.SNOOZE, orders.NOTE, orders.MOVE)
_STATE_TEXT = {"id": {"open": "menunggu petugas", "waiting": "menunggu pemohon", "closed": "selesai"}}


def ready_answer(counter: str, command: str, token: str) -> str:
    """A `mailto:` link (RFC 6068) that opens an answer with the command and the item's token in its subject.

    Below `CATAT` stands the form to fill in.
    """
    subject = quote(f"{command} [{token}]", safe="")
    lines = [f"{line}: " for line in contact.LINES] if command == orders.REGISTER else []
    body = quote("\r\n".join([command, *lines, "", ""]), safe="")
    return f"mailto:{quote(counter, safe='@')}?subject={subject}&body={body}"


def state_text(language: str, state: State) -> str:
    """A ticket's state in an officer's words."""
    return _STATE_TEXT.get(language, {}).get(state.value, state.value)


def item(
    post: Post, ticket: Ticket, officer: Officer, original: str, earlier: Sequence[Chapter] = ()
) -> dict[str, Any]:
    """One item as the templates see it; `earlier` are the other tickets of its story."""
    office, now = post.office, post.now
    token = post.keys.officer(ticket.number, officer.address, now)
    taken = ticket.claimed_by == officer.address and ticket.claimed_until is not None and ticket.claimed_until > now

    def link(command: str, title: str) -> dict[str, str]:
        return {
            "command": command,
            "label": f"{command} – {title}",
            "title": title,
            "href": ready_answer(post.counter.address, command, token),
        }

    beside = [orders.RELEASE if word == orders.CLAIM and taken else word for word in _BESIDE]
    return {
        "number": ticket.number,
        "about": ticket.about,
        "agenda": ticket.registered,
        "applicant": ticket.applicant or ", ".join(part for part in (ticket.contact, ticket.channel) if part),
        "applicant_name": ticket.applicant_name,
        "age": tongue.age(now - ticket.created_at, office.language),
        "due": tongue.day_and_time(ticket.due_at, office.zone, office.language) if ticket.due_at else "",
        "late": is_late(ticket, now),
        "today": is_due_today(post, ticket),
        "returned": is_returned(ticket, officer),
        "taken": tongue.day_and_time(ticket.claimed_until, office.zone, office.language)
        if taken and ticket.claimed_until
        else "",
        "note": ticket.note,
        "story": story.whole(office, earlier, ticket),
        "state": ticket.state.value,
        "state_text": state_text(office.language, ticket.state),
        "several": ticket.several,
        "attachments": ticket.attachments,
        "file_links": ticket.links,
        "original": original,
        "links": [link(one["command"], one["title"]) for one in context.outcomes(office, ticket.queue)],
        "beside": [link(word, orders.meaning(word, office.language)) for word in beside],
    }


def is_late(ticket: Ticket, now: datetime) -> bool:
    """Whether the office should have answered by now."""
    return ticket.state is State.OPEN and ticket.due_at is not None and ticket.due_at < now


def is_due_today(post: Post, ticket: Ticket) -> bool:
    """Whether it is due on this day and not late yet."""
    if ticket.due_at is None or is_late(ticket, post.now):
        return False
    return ticket.due_at.astimezone(post.office.zone).date() == post.now.astimezone(post.office.zone).date()


def is_returned(ticket: Ticket, officer: Officer) -> bool:
    """Whether its applicant wrote again after this officer's answer or question."""
    if ticket.state is not State.OPEN or ticket.answered_at is not None:
        return False
    return (ticket.asked_by or ticket.answered_by) == officer.address


def on_desk(post: Post, ticket: Ticket, officer: Officer, away: Mapping[str, datetime]) -> bool:
    """Whether an open ticket is in this officer's sight: not put off, and in no colleague's hands."""
    snoozed = ticket.snoozed_until is not None and ticket.snoozed_until > post.now
    return not snoozed and in_hand(ticket, post, away) in (None, officer.address)
