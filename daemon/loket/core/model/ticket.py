"""A ticket, its history, and what became of each mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from loket.core.model.mail import StoredFile
from loket.core.model.term import Term


class State(StrEnum):
    """Where a ticket stands: with the office, with the applicant, or at its end."""

    OPEN = "open"
    WAITING = "waiting"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Undo:
    """How a ticket stood before the answer that `key` delivers, should it be called back."""

    key: str
    state: State
    outcome: str | None
    answered_by: str | None
    answered_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None
    missing: tuple[str, ...]
    term: Term | None = None
    # Who gave the answer, and the one before it that had not left either.
    by: str | None = None
    earlier: Undo | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """An answer: when, which outcome of the queue, by whom; `key` is its letter's."""

    at: datetime
    outcome: str
    by: str
    key: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A ticket as a part of a longer story."""

    number: str
    applicant: str
    queue: str
    created_at: datetime
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticket:
    """One piece of work (the applicant reads "nomor tiket")."""

    number: str
    mailbox: str
    counter: str | None
    rule: str | None
    queue: str
    state: State
    applicant: str
    applicant_name: str
    subject: str
    fields: Mapping[str, str]
    missing: tuple[str, ...]
    identity: str
    original: StoredFile
    message_id: str
    last_message_id: str
    attachments: int
    links: int
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None
    outcome: str | None = None
    answered_by: str | None = None
    closed_at: datetime | None = None
    respond: bool = True
    # The language its applicant writes in, where that is plain and there are letters in it; else empty.
    language: str = ""
    # What its first mail's content comes to (`core.same`), and whether that seems to name several products.
    fingerprint: str = ""
    several: bool = False
    # When it was answered, as long as its applicant has not written since: a second answer is then held.
    answered_at: datetime | None = None
    # Who works on it, and until when nobody else sees it.
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    # Out of the digests until then.
    snoozed_until: datetime | None = None
    # Who asked the applicant something.
    asked_by: str | None = None
    # What `due_at` is reckoned from.
    term: Term | None = None
    # The officers' last note on it.
    note: str = ""
    # How its applicant came where it was not by mail, and how they can be reached there.
    channel: str = ""
    contact: str = ""
    # The number its letter has in the office's register, as the office writes it.
    registered: str = ""
    # Its answers so far, those that were called off left out.
    given: tuple[Given, ...] = ()
    undo: Undo | None = None

    @property
    def chapter(self) -> Chapter:
        """What of it a story tells."""
        return Chapter(self.number, self.applicant, self.queue, self.created_at, self.given)

    @property
    def about(self) -> str:
        """What the ticket is about, for a table: the product where there is one, else the subject."""
        return self.identity_label or self.subject

    @property
    def identity_label(self) -> str:
        """The last field, which is the applicant's own words (`produk` in this office)."""
        return list(self.fields.values())[-1] if self.identity else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A ticket's letter in a register: `number` counts from 1 in each year, `text` is how the office writes it."""

    register: str
    year: int
    number: int
    text: str
    ticket: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One line of history; written in the same transaction as the change it tells of (promise P18)."""

    at: datetime
    kind: str
    ticket: str | None
    actor: str
    mail: str | None
    rules: str
    detail: Mapping[str, object] = field(default_factory=dict)
    # Of an answer: the seconds of working time it took.
    worked: int | None = None


class Fate(StrEnum):
    """What became of a UID (promise P1); PENDING is the only one that is not an end."""

    PENDING = "pending"
    TICKET = "ticket"
    FOLLOW_UP = "follow-up"
    COMMAND = "command"
    STATUS = "status"
    MACHINE = "machine"
    DUPLICATE = "duplicate"
    HISTORY = "history"
    VANISHED = "vanished"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Absence:
    """An officer is away and back at `until`; an absence that is over has an end in the past."""

    officer: str
    until: datetime
