"""The office as core sees it: one immutable snapshot of configuration, rules and templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from loket.core.authres import Trust
from loket.core.calendar import Calendar, Times, Unsettled
from loket.core.classify import Desk
from loket.core.letters import Letters
from loket.core.rules import Channel, Escalation, Outcome, Queue
from loket.core.worktime import WorkingDays

MOST_FORMS = 20


@dataclass(frozen=True, slots=True)
class Officer:
    """Someone who answers by mail."""

    address: str
    name: str
    queues: tuple[str, ...]
    active: bool = True
    deputy: str | None = None


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
    trust: Trust = field(default_factory=Trust)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a queue's own counter tells its applicants: a mailbox may serve several counters."""

    channels: tuple[Channel, ...]
    notes: tuple[str, ...]
    counter: str = ""


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
class Patience:
    """How long a ticket waits for its applicant, in the counter's working days; None for ever."""

    remind: WorkingDays | None = None
    close: WorkingDays | None = None


@dataclass(frozen=True, slots=True)
class Confirm:
    """How codes work: how long the mail with one waits for more letters, how long it is good, how many tries it has."""

    window: timedelta = timedelta(minutes=2)
    life: timedelta = timedelta(hours=24)
    tries: int = 5


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
    patience: Patience = Patience()
    # How far back an earlier ticket of the same applicant about the same thing is linked.
    related: timedelta = timedelta(days=365)
    # How many hours of opening time an item that an officer took is theirs alone.
    claim: timedelta = timedelta(hours=8)
    confirm: Confirm = Confirm()
    # When the figures of a week go out, and to whom.
    reports: tuple[DigestTime, ...] = ()
    escalation: Escalation = field(default_factory=Escalation)
    # What is not known yet of a year's days off.
    unsettled: Callable[[int], Unsettled] = Unsettled
    # The office's own texts in the language it speaks here.
    words: Mapping[str, str] = field(default_factory=dict)
    # The same office in the other languages that letters are written in: their letters, and its words translated.
    tongues: Mapping[str, Office] = field(default_factory=dict)

    def say(self, text: str) -> str:
        """A text of the rules in the language the office speaks here; as it stands where nobody translated it."""
        return self.words.get(" ".join(text.split()), text)

    def speaking(self, language: str) -> Office:
        """The office as it speaks to somebody of that language, its own where it has no letters in it."""
        return self.tongues.get(language, self)

    @property
    def own_addresses(self) -> frozenset[str]:
        """Our mailboxes: nothing automatic is ever sent to them."""
        return frozenset(self.desks)

    def serving(self, queue: str) -> list[Officer]:
        """The active officers of a queue, in the configuration's order."""
        return [officer for officer in self.officers.values() if officer.active and queue in officer.queues]

    def standing_in(self, officer: Officer, away: Mapping[str, datetime]) -> list[Officer]:
        """The absent officers whose deputy this one is."""
        return [
            one
            for one in self.officers.values()
            if one.active and one.address in away and one.deputy == officer.address
        ]

    def queues_of(self, officer: Officer, away: Mapping[str, datetime]) -> tuple[str, ...]:
        """The queues an officer answers in, those of absent colleagues included."""
        theirs = (queue for one in self.standing_in(officer, away) for queue in one.queues)
        return tuple(dict.fromkeys((*officer.queues, *theirs)))

    def at_work(self, queue: str, away: Mapping[str, datetime]) -> list[Officer]:
        """Who is told of something in a queue: those who serve it and are here, deputies included."""
        return [
            one
            for one in self.officers.values()
            if one.active and one.address not in away and queue in self.queues_of(one, away)
        ]

    def escalation_of(self, queue: str) -> Escalation:
        """Who hears of late items of a queue: as it says itself, else as the office does."""
        found = self.queues.get(queue)
        return (found.escalation if found else None) or self.escalation

    def outcome(self, queue: str, command: str) -> tuple[str, Outcome] | None:
        """The outcome that a command stands for in a queue."""
        found = self.queues.get(queue)
        for name, outcome in found.outcomes.items() if found else ():
            if command in (outcome.command, *outcome.aliases):
                return name, outcome
        return None

    def forms(self, mailbox: str) -> list[Form]:
        """The subjects that may be written to a mailbox, the first of them where there are more than anybody reads."""
        desk = self.desks[mailbox]
        found: list[Form] = []
        for compiled in desk.own:
            if len(found) == MOST_FORMS:
                break
            if compiled.pattern is not None:
                title = self.say(compiled.rule.title or compiled.rule.name)
                found.append(Form(title, compiled.pattern.form(desk.fixed, self.blanks), mailbox))
        return found
