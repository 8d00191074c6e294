"""One story of several tickets: what an applicant's mails to and fro about one thing have come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loket.core import tongue
from loket.core.known import Known
from loket.core.mail import Post
from loket.core.model import Chapter, Ticket
from loket.core.office import Office


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened: a ticket was opened, or had an answer by an officer."""

    at: datetime
    number: str
    what: str
    asked: bool
    by: str = ""


def chapters(known: Known, ticket: Ticket, since: datetime) -> list[Chapter]:
    """The other tickets of the story, oldest first: only those of the same applicant, whoever linked what."""
    if not ticket.applicant:
        return []
    numbers = {
        *known.related(ticket.applicant, ticket.counter, ticket.identity, since),
        *known.together(ticket.number),
    }
    found = [known.chapter(number) for number in numbers - {ticket.number}]
    mine = [one for one in found if one is not None and one.applicant == ticket.applicant]
    return sorted(mine, key=lambda one: (one.created_at, one.number))


def told(post: Post, known: Known, ticket: Ticket, *, new: bool = False) -> list[dict[str, Any]]:
    """What a letter to its applicant says of the story, in the words of the language that `post` speaks."""
    return two_lines(post.office, chapters(known, ticket, post.now - post.office.related), ticket, new=new)


def moments(office: Office, told: Iterable[Chapter]) -> list[Moment]:
    """All that happened in some tickets, in its order."""
    found = []
    for one in told:
        queue = office.queues.get(one.queue)
        found.append(Moment(one.created_at, one.number, queue.title if queue else one.queue, asked=True))
        for given in one.given:
            outcome = queue.outcomes.get(given.outcome) if queue else None
            title = (outcome.title if outcome else "") or given.outcome
            found.append(Moment(given.at, one.number, title, asked=False, by=given.by))
    return sorted(found, key=lambda one: one.at)


def two_lines(office: Office, earlier: Sequence[Chapter], ticket: Ticket, *, new: bool = False) -> list[dict[str, Any]]:
    """How it began and where it stands, for the applicant; `new` is a ticket whose opening the letter itself tells.

    Nothing where there is nothing to look back at: one ticket without an answer.
    """
    own = ticket.chapter
    all_of_it = moments(office, earlier if new else [*earlier, own])
    if not earlier and not own.given:
        return []
    first, last = all_of_it[0], all_of_it[-1]
    times = sum(not one.asked and one.what == last.what for one in all_of_it)
    lines = [_line(office, first, 1)]
    return lines if last is first else [*lines, _line(office, last, times)]


def _line(office: Office, one: Moment, times: int) -> dict[str, Any]:
    day = tongue.short_day(one.at, office.zone, office.language)
    return {"day": day, "what": one.what, "asked": one.asked, "number": one.number, "times": times}


def whole(office: Office, earlier: Sequence[Chapter], ticket: Ticket) -> list[dict[str, str]]:
    """All of it, for an officer; nothing where the ticket stands alone and was never answered."""
    own = ticket.chapter
    if not earlier and not own.given:
        return []
    return [
        {
            "at": tongue.day_and_time(one.at, office.zone, office.language),
            "what": one.what,
            "number": one.number,
            "by": _name(office, one.by),
        }
        for one in moments(office, [*earlier, own])
    ]


def _name(office: Office, address: str) -> str:
    officer = office.officers.get(address)
    return officer.name if officer else address
