"""Bytes to InboundMail: never raises, lists defects, and reads bodies only when somebody asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from loket.core import headers, mime
from loket.core.model import Address, InboundMail, MailRef, Part, RawMail, StoredFile, is_body

_FROM = "from"
_ANGLE = re.compile(r"<\s*([^<>]*?)\s*>")


def parse(raw: RawMail) -> InboundMail:
    """The mail as RFC 5322 and MIME see it; whatever is wrong is listed, not raised."""
    tree = mime.read_tree(raw.data)
    defects = list(tree.defects)
    authors: list[Address] = []
    from_fields = 0
    recipients: list[Address] = []
    for name, value in tree.fields:
        if name == _FROM:
            from_fields += 1
            found, sound = headers.addresses(value)
            authors.extend(found)
            if not sound or not found:
                defects.append("From is not sound")
        elif name in ("to", "cc"):
            recipients.extend(headers.addresses(value)[0])
    fields = tuple((name, headers.flat(value[:4096])) for name, value in tree.fields)
    # Of a repeated field the first is the one a client shows.
    first: dict[str, str] = {}
    for name, value in tree.fields:
        if name in ("message-id", "in-reply-to", "references") and name not in first:
            first[name] = headers.flat(value)
    subject = next((value for name, value in tree.fields if name == "subject"), b"")
    own_id = headers.message_ids(first.get("message-id", ""))
    return InboundMail(
        raw=raw,
        headers=fields,
        subject=headers.decode_words(subject),
        authors=tuple(dict.fromkeys(authors)),
        from_fields=from_fields,
        return_path=_return_path(fields),
        recipients=tuple(recipients),
        message_id=own_id[0] if own_id else "",
        in_reply_to=headers.message_ids(first.get("in-reply-to", "")),
        references=headers.message_ids(first.get("references", "")),
        media_type=tree.media_type,
        report_type=tree.report_type,
        parts=tree.parts,
        defects=tuple(dict.fromkeys(defects)),
    )


def subject_only(subject: str, mailbox: str) -> InboundMail:
    """A mail of which nothing is known but its subject, already decoded, for trying rules."""
    raw = RawMail(MailRef(mailbox, 0, 0), datetime.fromtimestamp(0, UTC), b"", StoredFile("", 0))
    return replace(parse(raw), subject=subject.strip(), authors=(Address("", ""),), from_fields=1, defects=())


def _return_path(fields: tuple[tuple[str, str], ...]) -> str | None:
    """The reverse-path that final delivery wrote (RFC 5321 4.4): topmost wins; None where the server writes none."""
    value = next((value for name, value in fields if name == "return-path"), None)
    if value is None:
        return None
    angle = _ANGLE.search(value)
    return (angle[1] if angle else value.strip()).lower()


def strict_author(mail: InboundMail) -> str | None:
    """The author where no doubt is possible: one From field, one address, strictly written."""
    if mail.from_fields != 1:
        return None
    raw = next((value for name, value in mime.read_header(mail.raw.data) if name == _FROM), b"")
    return headers.strict_address(raw)


T = TypeVar("T")


def once(mail: InboundMail, what: str, make: Callable[[InboundMail], T]) -> T:
    """The result of a costly reading, remembered with the mail."""
    if what not in mail.read:
        mail.read[what] = make(mail)
    found: T = mail.read[what]
    return found


def body_text(mail: InboundMail) -> str:
    """The letter's own words: the plain text where there is some, else what the HTML says."""
    return once(mail, "body", _body_text)


def _body_text(mail: InboundMail) -> str:
    plain = "\n".join(mime.text(mail.raw.data, part) for part in _bodies(mail, "text/plain"))
    return plain if plain.strip() else "\n".join(mime.text(mail.raw.data, part) for part in _bodies(mail, "text/html"))


def opening(mail: InboundMail, octets: int = 3000) -> str:
    """About that much of the letter's beginning: enough to tell its language."""
    for media_type in ("text/plain", "text/html"):
        for part in _bodies(mail, media_type)[:1]:
            return mime.text(mail.raw.data, mime.head(part, octets))
    return ""


def html_source(mail: InboundMail) -> str:
    """The HTML bodies as written, for links that the words do not show."""
    return "\n".join(
        headers.decode_charset(mime.content(mail.raw.data, part), part.charset) for part in _bodies(mail, "text/html")
    )


def attachment_bytes(mail: InboundMail, part: Part) -> bytes:
    """The decoded bytes of one attachment."""
    return mime.content(mail.raw.data, part)


def _bodies(mail: InboundMail, media_type: str) -> list[Part]:
    """The parts that hold the letter, 1 MiB of them in all: a thousand parts of a megabyte are no letter."""
    found: list[Part] = []
    left = mime.MAX_TEXT
    for part in mail.parts:
        if left > 0 and part.media_type == media_type and is_body(part):
            found.append(mime.head(part, left))
            left -= found[-1].end - found[-1].start
    return found
