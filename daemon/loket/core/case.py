"""One mail on the table, and what every kind of decision about it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from loket.core import parse
from loket.core.classify import Compiled
from loket.core.known import Known
from loket.core.mail import Post
from loket.core.model import (
    Event,
    InboundMail,
    Kind,
    Outbound,
    Ticket,
)
from loket.core.office import Office
from loket.core.pace import promise
from loket.core.term import begin, timed
from loket.core.token import Keys
from loket.core.tongue import language_of
from loket.core.worktime import WorkingTime

_SENSIBLE = datetime(2000, 1, 1, tzinfo=UTC)


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

    @property
    def language(self) -> str:
        """The language of the letter, where it is plain and the office writes in it."""
        tongues = self.office.tongues
        if not tongues:
            return ""
        found = language_of(f"{self.mail.subject}\n{parse.opening(self.mail)}", {*tongues, self.office.language})
        return found or ""

    @property
    def arrived(self) -> datetime:
        """When the mail came, as the server says; now, where it says nothing sensible."""
        at = self.mail.raw.internaldate
        return at if _SENSIBLE < at < self.now else self.now

    def event(self, kind: str, ticket: str | None, **detail: object) -> Event:
        """A line of history that this mail causes."""
        return Event(self.now, kind, ticket, self.author or "?", str(self.mail.raw.ref), self.office.rules_hash, detail)


def in_order(office: Office, mailbox: str, rule: str | None, fields: Mapping[str, str]) -> dict[str, str]:
    """Fields as the rule's subject has them, the writer's own words last, whenever each of them came."""
    compiled = compiled_rule(office, mailbox, rule)
    names = compiled.pattern.fields if compiled and compiled.pattern else ()
    return {name: fields[name] for name in (*(key for key in fields if key not in names), *names) if name in fields}


def compiled_rule(office: Office, mailbox: str, rule: str | None) -> Compiled | None:
    """A rule by its name, the mailbox's own or another counter's."""
    return office.desks[mailbox].by_name.get(rule) if rule else None


def free_field(office: Office, mailbox: str, rule: str | None) -> str | None:
    """The field of a rule that holds the writer's own words."""
    compiled = compiled_rule(office, mailbox, rule)
    return compiled.pattern.free if compiled and compiled.pattern else None


def promised(case: Case, ticket: Ticket, place: int) -> WorkingTime | None:
    """The range of time that its queue has kept of late."""
    queue = case.office.queues.get(ticket.queue)
    if queue is None or queue.due is None:
        return None
    answers = case.known.pace.get(ticket.queue, [])
    return promise(queue.due, answers, case.post.counter.calendar, case.now, place=place)


def timed_anew(case: Case, ticket: Ticket) -> Ticket:
    """The ticket with all of its queue's time before it."""
    found = case.office.queues.get(ticket.queue)
    return timed(ticket, begin(found.due if found else None, case.now), case.post.counter.calendar)


def reply(case: Case, ticket: Ticket, kind: Kind, template: str, said: dict[str, Any]) -> Outbound:
    mail, post = case.mail, case.post.speaking(ticket.language)
    return post.write(
        kind,
        f"{kind.value}:{mail.raw.ref}",
        post.office.letters.render(template, said),
        case.author,
        to_name=ticket.applicant_name,
        root=case.keys.ticket(ticket.number),
        reply_to=mail.message_id,
        references=mail.references[-10:],
        ticket=ticket.number,
    )
