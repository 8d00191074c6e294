"""The office as core sees it: one immutable snapshot of configuration, rules and templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from loket.core.calendar import Calendar, Times
from loket.core.classify import Desk
from loket.core.letters import Letters
from loket.core.rules import Channel, Outcome, Queue


@dataclass(frozen=True, slots=True)
class Officer:
    """Someone who answers by mail."""

    address: str
    name: str
    queues: tuple[str, ...]
    active: bool = True


@dataclass(frozen=True, slots=True)
class Counter:
    """One mailbox as the public sees it."""

    address: str
    name: str
    channels: tuple[Channel, ...]
    notes: tuple[str, ...]
    calendar: Calendar
    hours_printed: bool
    max_size: int = 25_000_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a queue's own counter tells its applicants: a mailbox may serve several counters."""

    channels: tuple[Channel, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """A subject as the notice prescribes it, and where to send it."""

    title: str
    subject: str
    address: str


@dataclass(frozen=True, slots=True)
class DigestTime:
    """When digests are due, and to whom; no addresses means every officer."""

    name: str
    to: tuple[str, ...]
    times: Times


@dataclass(frozen=True, slots=True)
class Office:
    """Everything a decision needs to know beside the mail and the store."""

    name: str
    zone: ZoneInfo
    language: str
    prefix: str
    admin: str | None
    desks: Mapping[str, Desk]
    counters: Mapping[str, Counter]
    queues: Mapping[str, Queue]
    sheets: Mapping[str, Sheet]
    officers: Mapping[str, Officer]
    digests: tuple[DigestTime, ...]
    labels: Mapping[str, str]
    blanks: Mapping[str, str]
    values: Mapping[str, tuple[str, ...]]
    letters: Letters
    rules_hash: str

    @property
    def own_addresses(self) -> frozenset[str]:
        """Our mailboxes: nothing automatic is ever sent to them."""
        return frozenset(self.desks)

    def serving(self, queue: str) -> list[Officer]:
        """The active officers of a queue, in the configuration's order."""
        return [officer for officer in self.officers.values() if officer.active and queue in officer.queues]

    def outcome(self, queue: str, command: str) -> tuple[str, Outcome] | None:
        """The outcome that a command stands for in a queue."""
        found = self.queues.get(queue)
        for name, outcome in found.outcomes.items() if found else ():
            if command in (outcome.command, *outcome.aliases):
                return name, outcome
        return None

    def forms(self, mailbox: str) -> list[Form]:
        """The subjects that may be written to a mailbox."""
        desk = self.desks[mailbox]
        found = []
        for compiled in desk.own:
            if compiled.pattern is not None:
                title = compiled.rule.title or compiled.rule.name
                found.append(Form(title, compiled.pattern.form(desk.fixed, self.blanks), mailbox))
        return found
