"""The mail that leaves: final bytes, where it stands, what the server said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from loket.core.model.mail import StoredFile

Encoding = Literal["identity", "base64"]


@dataclass(frozen=True, slots=True)
class FileSegment:
    """A stored file's place in an outgoing mail; base64 is folded at 76 characters (RFC 2045 6.8)."""

    file: StoredFile
    encoding: Encoding


Segment = bytes | FileSegment

# The priority of what answers a backlog, behind a digest's.
BEHIND = 4


class Kind(StrEnum):
    """What an outgoing mail is."""

    ACKNOWLEDGEMENT = "acknowledgement"
    CORRECTION = "correction"
    STATUS = "status"
    REMINDER = "reminder"
    OFFER = "offer"
    INVITATION = "invitation"
    CALL = "call"
    DELIVERY = "delivery"
    QUESTION = "question"
    NOTICE = "notice"
    RECEIPT = "receipt"
    DIGEST = "digest"
    ALERT = "alert"

    @property
    def automatic(self) -> bool:
        """Whether it answers somebody's mail without a person having a hand in it (RFC 3834)."""
        return self in _AUTOMATIC

    @property
    def to_applicant(self) -> bool:
        """Whether it goes to whoever wrote to the office, and holds nothing that only officers may know."""
        return self.automatic or self in (Kind.DELIVERY, Kind.QUESTION)

    @property
    def priority(self) -> int:
        """Letters and first answers go before digests; smaller goes first."""
        first = dict.fromkeys((Kind.DELIVERY, Kind.QUESTION, Kind.CALL), 0)
        return {**first, Kind.REMINDER: 2, Kind.ALERT: 2, Kind.DIGEST: 3}.get(self, 1)


_AUTOMATIC = frozenset(
    {
        *(Kind.ACKNOWLEDGEMENT, Kind.CORRECTION, Kind.STATUS, Kind.REMINDER),
        *(Kind.OFFER, Kind.INVITATION, Kind.CALL),
    }
)


@dataclass(frozen=True, slots=True)
class Outbound:
    """A mail that will leave exactly as composed: one envelope recipient, fixed bytes (promise P10).

    `key` is unique in the outbox, so that planning the same mail twice writes it once.
    """

    key: str
    kind: Kind
    mailbox: str
    sender: str
    recipient: str
    message_id: str
    segments: tuple[Segment, ...]
    ticket: str | None = None
    eight_bit: bool = False
    not_before: datetime | None = None
    # Written down, and kept back until an officer says so.
    held: bool = False
    # Answers a mail that lay unread for long.
    late: bool = False

    @property
    def priority(self) -> int:
        """Letters and answers to new mail go before digests, and those before what answers a backlog."""
        return BEHIND if self.late else self.kind.priority

    @property
    def size(self) -> int:
        """Octets on the wire, before dot-stuffing."""
        return sum(segment_size(segment) for segment in self.segments)


def segment_size(segment: Segment) -> int:
    """Octets of a segment once rendered."""
    if isinstance(segment, bytes):
        return len(segment)
    if segment.encoding == "identity":
        return segment.file.size
    encoded = (segment.file.size + 2) // 3 * 4
    return encoded + 2 * ((encoded + 75) // 76)


@dataclass(frozen=True, slots=True)
class NewFile:
    """Bytes to keep with the plan that first mentions them, an officer's scan for instance."""

    file: StoredFile
    content: bytes


class Phase(StrEnum):
    """Where an outgoing mail stands; the last four are ends."""

    HELD = "held"
    DUE = "due"
    CLAIMED = "claimed"
    DATA = "data"
    IN_DOUBT = "in-doubt"
    SENT = "sent"
    REFUSED = "refused"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail of ours as the outbox knows it."""

    message_id: str
    kind: Kind
    mailbox: str
    recipient: str
    ticket: str | None
    phase: Phase


@dataclass(frozen=True, slots=True)
class Mark:
    """A later word about a mail that has left: it bounced after all, or it did arrive."""

    message_id: str
    phase: Phase
    reply: str


class ReceiptKind(StrEnum):
    """The verdict of one submission attempt."""

    SENT = "sent"
    REFUSED_NOW = "refused-now"
    REFUSED = "refused"
    IN_DOUBT = "in-doubt"
    # The account has sent what it may for now; like the next, no verdict on the mail.
    OVER_QUOTA = "over-quota"
    NOT_TRIED = "not-tried"

    @property
    def judged(self) -> bool:
        """Whether the mail itself was looked at: only then its attempt counts."""
        return self not in (ReceiptKind.OVER_QUOTA, ReceiptKind.NOT_TRIED)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the submission server said: its reply code (0 where none came) and text, for a log and a person."""

    kind: ReceiptKind
    code: int = 0
    text: str = ""
