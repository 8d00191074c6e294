"""What the runners need from the world: the protocols that edges and stores implement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from loket.core.escalation import Watch
from loket.core.figures import Step
from loket.core.known import Hints, Known
from loket.core.model import (
    Chapter,
    Fate,
    Kind,
    MailRef,
    Outbound,
    Phase,
    Plan,
    RawMail,
    Receipt,
    Sent,
    StoredFile,
    Ticket,
)
from loket.core.quota import Allowance
from loket.core.waits import Delay
from loket.sheet import Sheet

S = TypeVar("S")
R = TypeVar("R")


class Clock(Protocol):
    """The time of day, asked once per piece of work and handed on as `now`."""

    def now(self) -> datetime:
        """The current moment, with a zone."""
        ...


class NotLoggedIn(Exception):
    """Nobody has logged in to a mailbox, or the login is over: a person must; `which` names the login that is over."""

    def __init__(self, said: str, which: str) -> None:
        super().__init__(said)
        self.which = which


class Tokens(Protocol):
    """Whoever has access tokens for one user (RFC 6750)."""

    def access(self, refused: str | None = None) -> str:
        """A token, another than the one that was refused; NotLoggedIn, or OSError where none can be had now."""
        ...


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a mailbox's intake stands: the last UID seen under a UIDVALIDITY, and since when the daemon watches."""

    uidvalidity: int
    last_uid: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """A mail on the server that was not fetched yet."""

    uid: int
    size: int
    internaldate: datetime


class Contents(Protocol):
    """Small stored bytes."""

    def small(self, sha256: str) -> bytes | None:
        """The bytes of that hash; None where they are not kept here."""
        ...


class Transaction(Protocol):
    """One durable step: everything in it happens, or nothing."""

    def unseen(self, refs: Sequence[MailRef]) -> set[MailRef]:
        """Those of the refs that have no end yet."""
        ...

    def same_bytes(self, mailbox: str, hashes: Sequence[str]) -> Mapping[str, str | None]:
        """SHA-256 of mails of that mailbox that were taken in before, with their ticket."""
        ...

    def known(self, hints: Hints, now: datetime) -> Known:
        """What the store knows about the hints."""
        ...

    def apply(self, plans: Sequence[Plan], now: datetime) -> None:
        """Carry out plans."""
        ...

    def take(self, raws: Sequence[RawMail], sheet: Sheet, now: datetime) -> None:
        """Keep mails and carry out their plans, which the same kind of store has written down."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """Where intake of a mailbox stands, UIDs the server still has to give, and mails that are kept without an end."""

    cursor: Cursor | None
    pending: Sequence[int]
    kept: Sequence[tuple[MailRef, datetime, StoredFile]]


class Intake(Protocol):
    """The store as intake sees it."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """A transaction, durable when the block ends."""
        ...

    def decide(
        self,
        look: Callable[[Transaction], S],
        think: Callable[[S], Generator[R]],
        write: Callable[[Transaction, R], None],
        told: Callable[[R], None],
        *,
        still: bool,
    ) -> None:
        """Look, think and write what is thought, one thing after the other, as if at one moment.

        `told` hears of each once it is durable, and what went wrong later changes nothing of it. Verdicts on outgoing
        mail may be written meanwhile, except where all is to stand `still`. What was looked at may have to be looked
        at and thought of once more, so that neither may do anything else.
        """
        ...

    def cursor(self, mailbox: str) -> Cursor | None:
        """Where intake of a mailbox stands; None before its first start."""
        ...

    def standing(self, mailbox: str, uidvalidity: int) -> Standing:
        """All that a poll has to know before it asks the server."""
        ...

    def known_uids(self, mailbox: str, uidvalidity: int) -> set[int]:
        """Every UID the ledger has for a mailbox."""
        ...

    def verified(self, mailbox: str, absent: int, now: datetime) -> None:
        """Record the count against the server."""
        ...

    def failed(self, raw: RawMail, error: str, now: datetime) -> int:
        """Keep a mail that raised, pending; returns how often it has been tried now."""
        ...

    def ended(self, refs: Sequence[MailRef], fate: Fate, now: datetime) -> None:
        """Record mails that end without having been read: history, or vanished."""
        ...

    def without_end(self, refs: Sequence[MailRef]) -> set[MailRef]:
        """Those of the refs that have no end yet, asked outside a batch."""
        ...

    def watch(self, mailbox: str, folder: str, cursor: Cursor, history: Sequence[MailRef], now: datetime) -> None:
        """Begin watching a folder under its UIDVALIDITY: what is history and the cursor, in one step."""
        ...

    def advance(self, mailbox: str, folder: str, cursor: Cursor) -> None:
        """Move the cursor."""
        ...

    def to_file(self, mailbox: str, uidvalidity: int) -> list[int]:
        """UIDs that are to be filed on the server and are not yet."""
        ...

    def filed(self, refs: Sequence[MailRef]) -> None:
        """Record mails as filed."""
        ...

    def reached(self, mailbox: str, now: datetime, last_uid: int) -> None:
        """Record that a mailbox was worked up to that UID, in one step with the cursor."""
        ...

    def troubled(self, mailbox: str, now: datetime, error: str) -> None:
        """Record why a mailbox was not reached."""
        ...


@dataclass(frozen=True, slots=True)
class Claimed:
    """An outgoing mail in the hands of a sender; `attempt` counts from 1."""

    id: int
    attempt: int
    mail: Outbound
    created_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """The verdict of an attempt, and when the mail is due again; None where that was the last."""

    claimed: Claimed
    receipt: Receipt
    next_at: datetime | None
    now: datetime
    # Whether a mail that was taken wants a copy in the Sent folder.
    copy: bool = False
    # Whether a mail that is due again has waited so long that it is news.
    delayed: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that is to be made of a sent mail; with a UID its APPEND has begun, and may have happened."""

    number: int
    message_id: str
    sent_at: datetime
    uidvalidity: int | None
    from_uid: int | None


class Copies(Protocol):
    """The store as the filing of copies sees it."""

    def wanted(self, mailbox: str, limit: int) -> list[Copy]:
        """The oldest of a mailbox's copies that are to be made."""
        ...

    def mail(self, number: int) -> Outbound:
        """The mail as it was sent."""
        ...

    def begin_copy(self, number: int, uidvalidity: int, from_uid: int) -> None:
        """Its APPEND is about to begin: if it happens, the copy is in that folder from that UID on."""
        ...

    def copied(self, number: int) -> None:
        """It is there."""
        ...

    def forget(self, mailbox: str, before: datetime) -> None:
        """Give up what was sent before that."""
        ...


# What follows when a mail of ours ends badly, or is due and delayed: the mail, its ticket, how it ended or that it is
# due, the server's words, the cause.
Aftermath = Callable[[Sent, Ticket | None, Phase, str, str], Plan]
# What is told of mails that wait since their account may send no more for now.
Waiting = Callable[[Delay, Sequence[tuple[Sent, Ticket | None]]], Sequence[Plan]]


class Outgoing(Protocol):
    """The store as the outbox sees it."""

    def claim(
        self, now: datetime, limit: int, mailboxes: Sequence[str], allowed: Allowance | None = None
    ) -> list[Claimed]:
        """Due mails, letters first and as many as are allowed, marked as claimed."""
        ...

    def used(self, mailboxes: Sequence[str], since: datetime, now: datetime, twice: Kind | None) -> list[datetime]:
        """When each recipient was accepted or is being tried, ascending; mails of the kind `twice` have two."""
        ...

    def put_off(self, delay: Delay, priority: int, now: datetime, waiting: Waiting | None) -> bool:
        """Due mails of that priority and behind wait until then, and what is told of it; True where that was."""
        ...

    def unclaim(self, mailbox: str) -> None:
        """Give back what a claim may have marked that failed: nobody has it in hand."""
        ...

    def record(
        self, begun: Sequence[int], settled: Sequence[Settlement], aftermath: Aftermath | None = None
    ) -> list[bool]:
        """In one transaction: DATA is about to flow for the `begun` (promise P11), and verdicts with what follows.

        For each verdict whether the aftermath wrote mail.
        """
        ...

    def recover(self, now: datetime, aftermath: Aftermath | None = None) -> int:
        """After a restart: claimed mails are due again, those whose DATA had begun are in doubt; returns how many."""
        ...

    def release(self, ids: Sequence[int]) -> None:
        """Give claimed mails back untried."""
        ...

    def with_due(self, now: datetime) -> list[str]:
        """The mailboxes that have mail due."""
        ...

    def next_due(self, mailbox: str) -> datetime | None:
        """When the mailbox's next mail is due; None with nothing waiting."""
        ...


class Desk(Protocol):
    """The store as timers see it."""

    def noted(self, name: str) -> str | None:
        """What the office noted of itself under that name."""
        ...

    def timed(self) -> list[str]:
        """The open tickets whose due time can be reckoned anew."""
        ...

    def occurred(self, what: str, whom: str, due_at: datetime) -> bool:
        """Whether that occurrence has happened."""
        ...

    def open_tickets(
        self, mailbox: str, queues: Sequence[str], people: Sequence[str] = ()
    ) -> list[tuple[Ticket, list[StoredFile]]]:
        """Open tickets of a mailbox in the queues or taken by these people, each with the mails that belong to it."""
        ...

    def stories(self, tickets: Sequence[Ticket]) -> Mapping[str, Sequence[Chapter]]:
        """The other tickets of each one's story, by its number; only those of its own applicant."""
        ...

    def away(self, now: datetime) -> dict[str, datetime]:
        """The officers who are away, and until when."""
        ...

    def steps(self, since: datetime, until: datetime) -> list[Step]:
        """Every change of the tickets that changed since then or are open now, up to `until`; a ticket's together."""
        ...

    def nearing(self, watches: Sequence[Watch]) -> list[tuple[Ticket, frozenset[str]]]:
        """Open tickets that are due by then and wait for a stage, each with those that have happened."""
        ...

    def waiting(self, untouched_since: datetime) -> list[tuple[Ticket, datetime | None]]:
        """Tickets that wait for their applicant, and when each was reminded since it began to."""
        ...

    def standing(self, now: datetime) -> Known:
        """Every appointment and offer that stands, with their tickets, whoever waits in their order."""
        ...

    def lines(self, now: datetime) -> Known:
        """Every line of those who are called in turn, with the tickets of those who are and of the next ones."""
        ...

    def since(self) -> datetime:
        """When this store was made: nothing was due before."""
        ...

    def apply(self, plan: Plan, now: datetime) -> bool:
        """Carry out a timer's plan; False when its occurrence had happened already."""
        ...


class Seat(Protocol):
    """For somebody who submits mail after mail."""

    async def send(
        self, mail: Outbound, data: bytes, begins: Callable[[], Awaitable[None]], then: Outbound | None = None
    ) -> Receipt:
        """Submit; `begins` is awaited just before DATA (promise P11). `then` is likely to be next, or not at all."""
        ...


class Courier(Protocol):
    """Submission of one mailbox's mail."""

    def seat(self) -> AbstractContextManager[Seat]:
        """To submit from, one mail after the other."""
        ...

    async def eight_bit(self) -> bool:
        """Whether the server takes 8-bit bodies (RFC 6152); False where it cannot be asked."""
        ...
