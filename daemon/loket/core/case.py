"""One mail on the table, and what every kind of decision about it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
from loket.core.token import Keys


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


def free_field(office: Office, mailbox: str, rule: str | None) -> str | None:
    desk = office.desks[mailbox]
    for compiled in (*desk.own, *(other.compiled for other in desk.elsewhere)):
        if compiled.rule.name == rule and compiled.pattern is not None:
            return compiled.pattern.free
    return None


def due(case: Case, queue: str) -> datetime | None:
    found = case.office.queues.get(queue)
    if found is None or found.due is None:
        return None
    return case.post.counter.calendar.due(case.now, found.due.high)


def reply(case: Case, ticket: Ticket, kind: Kind, template: str, said: dict[str, Any]) -> Outbound:
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
