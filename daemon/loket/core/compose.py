"""Outgoing mail as final bytes (RFC 5322, 2045, 2047, 2231): header fields by hand, enclosures as segments.

The standard library's generator costs more than all the rest of a reply; a test reads every form written
here back with the standard parser.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import quote

from loket.core.headers import clean_text
from loket.core.model import Encoding, FileSegment, Segment, StoredFile

CRLF = b"\r\n"
# Octets of UTF-8: file systems end at 255, and percent-encoded it must fit a line of 998 (RFC 2231, RFC 5322 2.1.1).
MAX_NAME = 200
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~ -]*")
_UNSAFE_NAME = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')


class HeaderInjection(ValueError):
    """A header value with CR, LF or NUL in it reached composition: a mistake of ours, never sent (promise P13)."""


@dataclass(frozen=True, slots=True)
class ByteForm:
    """What decides how an original may be enclosed (promise P6)."""

    eight_bit: bool
    unsafe: bool


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A stored file to enclose. An original mail travels as message/rfc822 where its bytes allow."""

    file: StoredFile
    name: str
    media_type: str = "application/octet-stream"
    form: ByteForm | None = None
    # The HTML shows it at its place (`cid:`, RFC 2392).
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An iCalendar object that travels with a letter (RFC 6047): its method, and its octets as RFC 5545 folds them."""

    method: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Composed:
    """The segments of a mail, and whether any of them needs 8BITMIME (RFC 6152) on the way."""

    segments: tuple[Segment, ...]
    eight_bit: bool


def byte_form(data: bytes) -> ByteForm:
    """Look at an original's bytes: NUL, bare CR or LF and lines over 998 octets may not travel as they are."""
    line_ends = data.count(b"\r\n")
    bare = data.count(b"\n") != line_ends or data.count(b"\r") != line_ends
    unsafe = bare or b"\0" in data or max(map(len, data.split(b"\r\n")), default=0) > 998
    return ByteForm(eight_bit=not data.isascii(), unsafe=unsafe)


_BREAK = re.compile(r"[\r\n\0]")


def header(name: str, value: str) -> bytes:
    """One structured field, folded only where it already has spaces."""
    if _BREAK.search(value):
        raise HeaderInjection(f"{name} holds a line break or NUL")
    line = f"{name}: {value}"
    if len(line) <= 78:
        return line.encode() + CRLF
    rows, row = [], name + ":"
    for word in value.split(" "):
        if len(row) + 1 + len(word) > 78 and row != name + ":":
            rows.append(row)
            row = ""
        row += " " + word
    return "\r\n".join([*rows, row]).encode() + CRLF


def unstructured(name: str, text: str) -> bytes:
    """A field of words: plain ASCII as it is, anything else wholly in encoded words.

    Wholly, because Yahoo's reader drops plain words between encoded ones.
    """
    if text.isascii() and "=?" not in text:
        return header(name, text)
    if _BREAK.search(text):
        raise HeaderInjection(f"{name} holds a line break or NUL")
    encoded = Header(text, "utf-8", header_name=name, maxlinelen=76).encode(linesep="\r\n")
    return f"{name}: {encoded}".encode() + CRLF


@lru_cache(maxsize=1024)
def mailbox(name: str, address: str) -> str:
    """`"Loket D" <desain@example.org>`, the display name encoded where it is not ASCII."""
    shown = clean_text(name, 100)
    if not shown:
        return address
    if not shown.isascii() or "=?" in shown:
        return f"{Header(shown, 'utf-8', maxlinelen=75).encode(linesep='')} <{address}>"
    escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>'


def file_name(name: str, fallback: str) -> str:
    """A name that no file system and no reader trips over: no paths, controls or direction marks."""
    cleaned = _UNSAFE_NAME.sub("_", clean_text(name, 1000)).strip(" ._")
    if not cleaned:
        return fallback
    stem, dot, ending = cleaned.rpartition(".")
    if dot and len(ending.encode()) <= 10 and len(cleaned.encode()) > MAX_NAME:
        return _first_octets(stem, MAX_NAME - len(ending.encode()) - 1) + "." + ending
    return _first_octets(cleaned, MAX_NAME)


def _first_octets(text: str, count: int) -> str:
    return text.encode()[:count].decode(errors="ignore").rstrip()


def _name_params(name: str) -> str:
    """`filename*` for readers of RFC 2231, and behind it `filename` for those who do not know it.

    In this order, because readers that know both forms but not which to prefer take the first.
    """
    plain = name if _TOKEN.fullmatch(name) else re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return ("" if plain == name else f"filename*=UTF-8''{quote(name, safe='')}; ") + f'filename="{plain}"'


def text_part(text: str, subtype: str) -> bytes:
    """A text part with its own fields; quoted-printable as soon as it is more than short ASCII lines."""
    plain = text.isascii() and all(len(line) <= 900 for line in text.split("\n"))
    fields = header("Content-Type", f"text/{subtype}; charset={'us-ascii' if plain else 'utf-8'}")
    if plain:
        return fields + header("Content-Transfer-Encoding", "7bit") + CRLF + text.replace("\n", "\r\n").encode()
    encoded = binascii.b2a_qp(text.encode(), istext=True, quotetabs=False).replace(b"\n", CRLF)
    return fields + header("Content-Transfer-Encoding", "quoted-printable") + CRLF + encoded


def compose(
    fields: Sequence[bytes],
    text: str,
    *,
    markup: str | None = None,
    enclosures: Sequence[Enclosure] = (),
    seed: str,
    eight_bit_way: bool = False,
    invitation: Invitation | None = None,
) -> Composed:
    """A whole mail: text, its HTML alternative, an invitation that calendars read, and enclosures.

    `seed` makes the boundaries: unguessable to whoever writes an enclosed original, the same at every attempt.
    `eight_bit_way` says that the submission server offers 8BITMIME.
    """
    mark = hashlib.sha256(seed.encode()).hexdigest()[:32]
    letter = text_part(text, "plain")
    forms = [letter, *([text_part(markup, "html")] if markup is not None else [])]
    if invitation is not None:
        forms.append(_calendar_part(invitation))
    if len(forms) > 1:
        letter = _alternative(forms, f"=_a_{mark}")
    head = b"".join(fields) + header("MIME-Version", "1.0")
    if not enclosures and invitation is None:
        return Composed((head + letter,), eight_bit=False)
    boundary = f"=_m_{mark}"
    heads = [_enclosure_head(enclosure, eight_bit_way) for enclosure in enclosures]
    eight_bit = any(raw for _, _, raw in heads)
    # Pictures that the HTML shows belong to it (RFC 2387); anything else stands beside the letter.
    together = markup is not None and all(enclosure.content_id for enclosure in enclosures)
    kind = 'related; type="multipart/alternative"' if together else "mixed"
    literal = head + header("Content-Type", f'multipart/{kind}; boundary="{boundary}"')
    # A multipart says of itself what the widest of its parts needs (RFC 2045 6.4).
    literal += (header("Content-Transfer-Encoding", "8bit") if eight_bit else b"") + CRLF
    literal += _delimiter(boundary) + letter
    if invitation is not None:
        # Once more as a file: clients that do not know invitations show none, and offer this to the calendar.
        literal += CRLF + _delimiter(boundary) + _calendar_file(invitation)
    segments: list[Segment] = []
    for enclosure, (part, encoding, _) in zip(enclosures, heads, strict=True):
        literal += CRLF + _delimiter(boundary) + part
        segments += [literal, FileSegment(enclosure.file, encoding)]
        literal = b""
    segments.append(literal + CRLF + _delimiter(boundary, closing=True))
    return Composed(tuple(segments), eight_bit)


def _delimiter(boundary: str, *, closing: bool = False) -> bytes:
    return f"--{boundary}{'--' if closing else ''}".encode() + CRLF


def _alternative(forms: Sequence[bytes], boundary: str) -> bytes:
    head = header("Content-Type", f'multipart/alternative; boundary="{boundary}"') + CRLF
    opening = _delimiter(boundary)
    return head + b"".join(opening + form + CRLF for form in forms) + _delimiter(boundary, closing=True)


def _calendar_part(invitation: Invitation) -> bytes:
    """The form that calendars act upon: its method stands in the field and in the object (RFC 6047 2.4)."""
    kind = f"text/calendar; charset=utf-8; method={invitation.method}"
    fields = header("Content-Type", kind) + header("Content-Transfer-Encoding", "base64")
    return fields + CRLF + encode_base64(invitation.content)


def _calendar_file(invitation: Invitation) -> bytes:
    fields = header("Content-Type", 'application/ics; name="jadwal.ics"')
    fields += header("Content-Transfer-Encoding", "base64")
    fields += header("Content-Disposition", 'attachment; filename="jadwal.ics"')
    return fields + CRLF + encode_base64(invitation.content)


def _enclosure_head(enclosure: Enclosure, eight_bit_way: bool) -> tuple[bytes, Encoding, bool]:
    """The fields before an enclosure's bytes; how the bytes are rendered; whether they are raw 8-bit."""
    form = enclosure.form
    shown = "inline" if enclosure.content_id else "attachment"
    disposition = header("Content-Disposition", f"{shown}; {_name_params(enclosure.name)}")
    if enclosure.content_id:
        disposition = header("Content-ID", f"<{enclosure.content_id}>") + disposition
    if form is not None and not form.unsafe and (eight_bit_way or not form.eight_bit):
        encoding = "8bit" if form.eight_bit else "7bit"
        fields = header("Content-Type", "message/rfc822") + header("Content-Transfer-Encoding", encoding)
        return fields + disposition + CRLF, "identity", form.eight_bit
    # Base64 is forbidden for message/* and multipart/* (RFC 2046 5.2.1): readers would take it for the mail itself.
    composite = form is not None or enclosure.media_type.startswith(("message/", "multipart/"))
    media_type = "application/octet-stream" if composite else enclosure.media_type
    fields = header("Content-Type", media_type) + header("Content-Transfer-Encoding", "base64")
    return fields + disposition + CRLF, "base64", False


def date_field(now: datetime) -> bytes:
    """The Date field (RFC 5322 3.6.1), with the zone of `now`."""
    return _date_field(now, now.utcoffset())


@lru_cache(maxsize=16)
def _date_field(now: datetime, _offset: timedelta | None) -> bytes:
    """All that is decided on at one moment bears one date; moments are equal in whatever zone."""
    return header("Date", format_datetime(now))


def encode_base64(data: bytes) -> bytes:
    """Base64 in lines of 76, each ended by CRLF (RFC 2045 6.8)."""
    packed = binascii.b2a_base64(data, newline=False)
    return b"".join(packed[at : at + 76] + CRLF for at in range(0, len(packed), 76))
