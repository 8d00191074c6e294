"""An officer's command on the table: who says it, about which ticket, and how what was done is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from loket.core import context, tongue
from loket.core.command import Speech
from loket.core.enclosed import Scan
from loket.core.headers import clean_text
from loket.core.known import Known
from loket.core.mail import Post
from loket.core.model import Event, Fate, InboundMail, Plan, Quarantined, State, Ticket
from loket.core.office import Officer

MAX_WORDS = 20_000


@dataclass(frozen=True, slots=True)
class Errand:
    """One command of an officer's mail; `post` writes from the counter of the ticket, where there is one.

    `scans` are those that belong to this command; None where the mail does not say whose they are.
    """

    mail: InboundMail
    post: Post
    officer: Officer
    known: Known
    speech: Speech
    ticket: Ticket | None
    scans: tuple[Scan, ...] | None = ()
    # Which of the mail's commands it is, where there are several.
    mark: str = ""

    @property
    def about(self) -> Ticket:
        """The ticket; asked only of commands that are about one."""
        if self.ticket is None:
            raise ValueError("this command is about no ticket")
        return self.ticket

    @property
    def key(self) -> str:
        """What makes the command unique among all mails."""
        return f"{self.mail.raw.ref}{self.mark}"

    def event(self, kind: str, **detail: object) -> Event:
        """A line of history."""
        post = self.post
        number = self.ticket.number if self.ticket else None
        return Event(
            post.now, kind, number, self.officer.address, str(self.mail.raw.ref), post.office.rules_hash, detail
        )

    def done(self, template: str, event: Event, said: Mapping[str, Any] | None = None, **changes: Any) -> Done:
        """What was done, and how the officer is told of it."""
        number = self.ticket.number if self.ticket else None
        plan = Plan(self.mail.raw.ref, Fate.COMMAND, ticket_of_mail=number, events=(event,), **changes)
        return Done(plan, template, {**self.said(), **(said or {})})

    def refused(self, reason: str, **said: Any) -> Done:
        """The command was understood and cannot be done; the officer is told why, nothing has left."""
        event = self.event("command-refused", command=self.speech.command, reason=reason)
        told = {"reason": reason, "commands": self.commands(), "by": "", "at": "", "contact": "", **said}
        return self.done("petugas/ditolak", event, told)

    def set_aside(self, reason: str) -> Done:
        """Refused, and the mail kept in quarantine for a person."""
        done = self.refused(reason)
        number = self.ticket.number if self.ticket else ""
        kept = Quarantined(f"held: {reason}", f"{self.speech.command} {number}".strip())
        return replace(done, plan=replace(done.plan, fate=Fate.QUARANTINE, quarantine=kept))

    def commands(self) -> Sequence[Mapping[str, str]]:
        """The commands that apply here."""
        return context.commands(self.post.office, self.ticket.queue if self.ticket else None)

    def said(self) -> dict[str, Any]:
        """The variables of every letter to an officer about a command."""
        ticket = self.ticket
        return {
            **context.base(self.post.office, self.post.counter, self.post.now),
            "officer": context.officer(self.officer),
            "ticket": {
                "number": ticket.number if ticket else "",
                "tag": f"[{ticket.number}]" if ticket else "",
                "about": ticket.about if ticket else "",
                "agenda": ticket.registered if ticket else "",
            },
            "command": self.speech.command,
            "inside": False,
        }

    def words(self) -> str:
        """All that stands behind and below the command, cleaned line by line."""
        return clean_lines("\n".join(text for text in (self.speech.argument, self.speech.words) if text))

    def name_of(self, address: str | None) -> str:
        """How a colleague is called."""
        there = self.post.office.officers.get(address or "")
        return there.name if there else address or ""

    def moment(self, at: Any) -> str:
        """A moment in the officer's words; empty for none."""
        office = self.post.office
        return tongue.day_and_time(at, office.zone, office.language) if at else ""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command comes to: the plan, and the letter that tells the officer, still to be written."""

    plan: Plan
    template: str
    said: Mapping[str, Any]


def clean_lines(text: str) -> str:
    """An officer's words as they may stand in a letter."""
    return "\n".join(clean_text(line, 2000) for line in text[:MAX_WORDS].split("\n")).strip()


def holder(errand: Errand, ticket: Ticket) -> str | None:
    """Who has the ticket in hand: whoever took it, their deputy while they are away; nobody once the time is over."""
    mine = errand.officer.address
    if _whose(ticket, errand.post) == mine:
        # Who is away and writes all the same has it still.
        return mine
    return in_hand(ticket, errand.post, errand.known.away)


def in_hand(ticket: Ticket, post: Post, away: Mapping[str, Any]) -> str | None:
    """The same, where no command is on the table."""
    office = post.office
    officer = office.officers.get(_whose(ticket, post) or "")
    if officer is not None and officer.address in away:
        officer = office.officers.get(officer.deputy or "")
        if officer is not None and officer.address in away:
            return None
    return officer.address if officer is not None and officer.active else None


def _whose(ticket: Ticket, post: Post) -> str | None:
    """Who asked its applicant and waits for the answer, or who took it."""
    if ticket.state is State.WAITING and ticket.asked_by:
        return ticket.asked_by
    taken = ticket.claimed_until is not None and ticket.claimed_until > post.now
    return ticket.claimed_by if taken else None


def may_work(errand: Errand, ticket: Ticket) -> bool:
    """Whether the ticket is on this officer's desk."""
    queues = errand.post.office.queues_of(errand.officer, errand.known.away)
    return ticket.queue in queues or holder(errand, ticket) == errand.officer.address


def unheld(ticket: Ticket) -> Ticket:
    """In nobody's hands, and in sight."""
    return replace(ticket, claimed_by=None, claimed_until=None, snoozed_until=None, asked_by=None)
