"""Everything one mail or one timer causes, before any of it happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from loket.core.model.held import Code, Held, Move
from loket.core.model.letter import Mark, NewFile, Outbound
from loket.core.model.mail import MailRef
from loket.core.model.slot import Booking, Offer
from loket.core.model.ticket import Absence, Entry, Event, Fate, Ticket
from loket.core.model.turn import Turn


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A mail set aside for a person, with the reason a person can read."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that was due at a moment: what, for whom, when. Its UNIQUE row makes it happen once (P17)."""

    what: str
    whom: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """What a mail has come to: its fate, the ticket it belongs to, the queue where it opened one, how many replies."""

    ref: MailRef
    fate: Fate | None
    ticket: str | None
    queue: str | None = None
    replies: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change one mail or one timer causes, composed before any of it is performed."""

    ref: MailRef | None = None
    fate: Fate | None = None
    ticket_of_mail: str | None = None
    opened: Ticket | None = None
    changed: tuple[Ticket, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    events: tuple[Event, ...] = ()
    outbox: tuple[Outbound, ...] = ()
    files: tuple[NewFile, ...] = ()
    quarantine: Quarantined | None = None
    occurrence: Occurrence | None = None
    # Others that happen with it: one mail may tell of several.
    occurrences: tuple[Occurrence, ...] = ()
    marks: tuple[Mark, ...] = ()
    held: tuple[Held, ...] = ()
    moves: tuple[Move, ...] = ()
    absences: tuple[Absence, ...] = ()
    codes: tuple[Code, ...] = ()
    # What the office notes of itself, by name; a later note takes the place of an earlier.
    noted: tuple[tuple[str, str], ...] = ()
    entries: tuple[Entry, ...] = ()
    bookings: tuple[Booking, ...] = ()
    offers: tuple[Offer, ...] = ()
    turns: tuple[Turn, ...] = ()
    # Other mails than the plan's own that a person must look at now.
    set_aside: tuple[tuple[MailRef, Quarantined], ...] = ()
