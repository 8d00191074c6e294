"""The words every room speaks: frozen values that pass between intake, core, store and outbox."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

Buffer = bytes | mmap.mmap


@dataclass(frozen=True, slots=True, order=True)
class MailRef:
    """Identity of one mail on one server (RFC 9051 2.3.1.1); Message-ID is never identity."""

    mailbox: str
    uidvalidity: int
    uid: int

    def __str__(self) -> str:
        return f"{self.mailbox}/{self.uidvalidity}/{self.uid}"

    @classmethod
    def of(cls, text: str) -> MailRef:
        """The identity that `str` wrote."""
        mailbox, uidvalidity, uid = text.rsplit("/", 2)
        return cls(mailbox, int(uidvalidity), int(uid))


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes kept by content: `sha256` in lower-case hex, `size` in octets."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class RawMail:
    """One mail as the server gave it; `data` is a map of the stored file when the mail is large."""

    ref: MailRef
    internaldate: datetime
    data: Buffer
    stored: StoredFile

    @property
    def large(self) -> bool:
        """Whether the bytes already lie in a file rather than in memory."""
        return not isinstance(self.data, bytes)


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of RFC 5322 3.4: `name` decoded for display, `spec` the bare addr-spec, lower case."""

    name: str
    spec: str

    @property
    def local(self) -> str:
        """The local part."""
        return self.spec.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """The domain, without the at sign."""
        return self.spec.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of the MIME tree (RFC 2046): where its still encoded body lies in the mail, and what it says it is."""

    start: int
    end: int
    media_type: str
    charset: str
    encoding: str
    disposition: str
    name: str
    content_id: str
    parent: str
    flowed: bool = False

    @property
    def size(self) -> int:
        """Octets before decoding."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Scan:
    """What an inspection found in an attachment; `fault` is why it cannot be a letter, `active` what it could do."""

    kind: Literal["pdf", "image", "other"]
    pages: int = 0
    fault: Literal["", "unreadable", "encrypted"] = ""
    active: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found out about a mail at the edge, before anything is decided about it.

    `scans` by SHA-256 of the attachment, `signers` the domains whose DKIM signature on the mail holds, `limit` the
    octets that the counter's submission server takes, where it says so.
    """

    scans: Mapping[str, Scan] = field(default_factory=dict)
    signers: frozenset[str] = frozenset()
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class InboundMail:
    """A mail understood as RFC 5322 and MIME, with whatever was wrong with it in `defects`.

    `return_path` is None when the field is missing and "" for the null reverse-path `<>`.
    `authors` are all addresses of all From fields; `author` is set only when there is exactly one.
    """

    raw: RawMail
    headers: tuple[tuple[str, str], ...]
    subject: str
    authors: tuple[Address, ...]
    from_fields: int
    return_path: str | None
    recipients: tuple[Address, ...]
    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    media_type: str
    report_type: str
    parts: tuple[Part, ...]
    defects: tuple[str, ...]
    evidence: Evidence = field(default_factory=Evidence)
    # What has been read of the bodies, so that nothing is decoded twice (`core.parse.once`).
    read: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def author(self) -> Address | None:
        """The one author, or None when nobody or several are named."""
        return self.authors[0] if len(self.authors) == 1 else None

    def header(self, name: str) -> str | None:
        """The first field of that lower-case name, unfolded and undecoded."""
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[str]:
        """Every field of that lower-case name, top to bottom."""
        return [value for key, value in self.headers if key == name]

    @property
    def attachments(self) -> tuple[Part, ...]:
        """The parts a person would call attachments; logos inside the letter and signatures are not."""
        return tuple(part for part in self.parts if is_attachment(part))


SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
REPORT_PARTS = frozenset(
    {"message/delivery-status", "message/disposition-notification", "text/rfc822-headers", "message/global-headers"}
)


def is_body(part: Part) -> bool:
    """A text part that is the letter itself rather than something enclosed."""
    return part.media_type in ("text/plain", "text/html") and part.disposition != "attachment" and not part.name


def is_attachment(part: Part) -> bool:
    """Phones send real photographs as `inline`; only what sits in multipart/related is decoration (RFC 2387)."""
    if is_body(part) or part.size == 0 or part.media_type in SIGNATURES | REPORT_PARTS:
        return False
    decoration = part.parent == "multipart/related" and part.disposition != "attachment"
    return not (decoration and part.media_type.startswith("image/"))


class Refusal(StrEnum):
    """Why no automatic response may go out (RFC 3834 section 2)."""

    DSN = "dsn"
    MDN = "mdn"
    AUTO_SUBMITTED = "auto-submitted"
    OWN_MAIL = "own-mail"
    OWN_ADDRESS = "own-address"
    NULL_PATH = "null-reverse-path"
    LIST = "list"
    BULK = "bulk"
    NO_REPLY = "no-reply"
    NO_AUTHOR = "no-author"
    LOOP = "loop"

    @property
    def machine(self) -> bool:
        """Whether the mail is a machine's own and opens no ticket at all."""
        return self in (Refusal.DSN, Refusal.MDN, Refusal.AUTO_SUBMITTED, Refusal.OWN_MAIL)


Level = Literal["exact", "normalized", "fuzzy"]
VerdictOutcome = Literal["matched", "incomplete", "unmatched", "machine"]

TRIAGE = "triase"
STATUS_RULE = "status"


@dataclass(frozen=True, slots=True)
class Trace:
    """One step of the reasoning: which rule or check, whether it held, and why."""

    rule: str
    held: bool
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a mail asks for, and how that was seen."""

    outcome: VerdictOutcome
    rule: str | None = None
    counter: str | None = None
    queue: str | None = None
    match: Level | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    wrong_mailbox: bool = False
    use_mailbox: tuple[str, ...] = ()
    refusal: Refusal | None = None
    trace: tuple[Trace, ...] = ()

    @property
    def complete(self) -> bool:
        """A rule applies and nothing it needs is missing."""
        return self.outcome == "matched"


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
    # Who asked the applicant something, and the seconds of opening time that were left then.
    asked_by: str | None = None
    due_left: int | None = None
    # The officers' last note on it.
    note: str = ""
    undo: Undo | None = None

    @property
    def about(self) -> str:
        """What the ticket is about, for a table: the product where there is one, else the subject."""
        return self.identity_label or self.subject

    @property
    def identity_label(self) -> str:
        """The last field, which is the applicant's own words (`produk` in this office)."""
        return list(self.fields.values())[-1] if self.identity else ""


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


Encoding = Literal["identity", "base64"]


@dataclass(frozen=True, slots=True)
class FileSegment:
    """A stored file's place in an outgoing mail; base64 is folded at 76 characters (RFC 2045 6.8)."""

    file: StoredFile
    encoding: Encoding


Segment = bytes | FileSegment


class Kind(StrEnum):
    """What an outgoing mail is."""

    ACKNOWLEDGEMENT = "acknowledgement"
    CORRECTION = "correction"
    STATUS = "status"
    REMINDER = "reminder"
    DELIVERY = "delivery"
    QUESTION = "question"
    NOTICE = "notice"
    RECEIPT = "receipt"
    DIGEST = "digest"
    ALERT = "alert"

    @property
    def automatic(self) -> bool:
        """Whether it answers somebody's mail without a person having a hand in it (RFC 3834)."""
        return self in (Kind.ACKNOWLEDGEMENT, Kind.CORRECTION, Kind.STATUS, Kind.REMINDER)

    @property
    def priority(self) -> int:
        """Letters and first answers go before digests; smaller goes first."""
        return {Kind.DELIVERY: 0, Kind.QUESTION: 0, Kind.REMINDER: 2, Kind.ALERT: 2, Kind.DIGEST: 3}.get(self, 1)


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


class HeldState(StrEnum):
    """What became of an answer that was kept back."""

    HELD = "held"
    SENT = "sent"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Held:
    """An officer's answer that is written to the last byte and kept back: `key` is its row in the outbox.

    `mail` is the officer's own mail (its `MailRef` in text), `reason` why it waits.
    """

    key: str
    mail: str
    ticket: str
    officer: str
    outcome: str
    reason: str
    at: datetime
    argument: str = ""
    # Name, size in words and SHA-256 of each scan.
    files: tuple[tuple[str, str, str], ...] = ()
    state: HeldState = HeldState.HELD

    @property
    def sha256(self) -> tuple[str, ...]:
        """The scans by content."""
        return tuple(sha256 for _, _, sha256 in self.files)


class CodeState(StrEnum):
    """What became of a confirmation code; all but the first are ends."""

    OPEN = "open"
    USED = "used"
    SPENT = "spent"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A file of a letter as its officer is shown it; `pages` 0 where nobody counted, `active` what it could do."""

    name: str
    size: str
    sha256: str
    pages: int = 0
    active: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """A letter that waits for its officer's code: `key` is its row in the outbox."""

    key: str
    ticket: str
    about: str
    title: str
    recipient: str
    files: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code that an officer was sent, by its keyed hash alone, and the letters it lets go.

    `id` is the outbox key of the mail that tells it, `wrong` how often another was tried.
    """

    id: str
    officer: str
    digest: str
    letters: tuple[Pending, ...]
    at: datetime
    until: datetime
    wrong: int = 0
    state: CodeState = CodeState.OPEN


@dataclass(frozen=True, slots=True)
class Absence:
    """An officer is away and back at `until`; an absence that is over has an end in the past."""

    officer: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """A mail of ours that has not left takes another way: kept back, it is now due; or it is called off."""

    key: str
    phase: Phase
    not_before: datetime | None = None


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
    marks: tuple[Mark, ...] = ()
    held: tuple[Held, ...] = ()
    moves: tuple[Move, ...] = ()
    absences: tuple[Absence, ...] = ()
    codes: tuple[Code, ...] = ()
    # Other mails than the plan's own that a person must look at now.
    set_aside: tuple[tuple[MailRef, Quarantined], ...] = ()


class ReceiptKind(StrEnum):
    """The verdict of one submission attempt."""

    SENT = "sent"
    REFUSED_NOW = "refused-now"
    REFUSED = "refused"
    IN_DOUBT = "in-doubt"
    NOT_TRIED = "not-tried"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the submission server said: its reply code (0 where none came) and text, for a log and a person."""

    kind: ReceiptKind
    code: int = 0
    text: str = ""
