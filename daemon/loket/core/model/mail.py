"""The mail that came in: where it lies, what it says, what is enclosed."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
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

    @property
    def held(self) -> int:
        """The octets that it takes of the memory."""
        return 0 if self.large else self.stored.size


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
        first: dict[str, str] | None = self.read.get("first fields")
        if first is None:
            first = self.read["first fields"] = dict(reversed(self.headers))
        return first.get(name)

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
