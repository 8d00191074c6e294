"""The MIME tree of a mail as offsets (RFC 2045, 2046): nothing is copied or decoded until somebody asks.

The whole-mail parsers cost more than the rest of the work together, raise on odd input and hold several
copies of a large mail; the daemon mostly needs the header block and a list of parts.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import Message
from functools import lru_cache

from loket.core import headers
from loket.core.markup import html_to_text, unflowed
from loket.core.model import Buffer, Part

MAX_DEPTH = 30
MAX_PARTS = 1000
MAX_HEADER_BLOCK = 256 * 1024
MAX_PART_HEADER = 8 * 1024
# Behind so many octets of parts' headers, as no mail of people has, a part's is read no further than its first fields.
MAX_PART_HEADERS = 1024 * 1024
FIRST_FIELDS = 1024
MAX_TEXT = 1024 * 1024
# The standard library counts the quotes again before each semicolon of a field.
MAX_PARAMS = 64
# Lines that begin like a delimiter and are none; a mail with more is made of them.
MAX_FALSE_DELIMITERS = 20_000

# Begun with a line feed, of which there are few: with an optional CR before it, each octet would be tried.
_BLANK_LINE = re.compile(rb"\n\r?\n")
_BLANK_FIRST = re.compile(rb"\r?\n(?:\r?\n)?")
# RFC 6838 4.2, with its bound on length: the type is written again when an attachment leaves.
_TOKEN = re.compile(r"[\w.+!#$&^-]{1,127}/[\w.+!#$&^-]{1,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tree:
    """Leaves in reading order, the top media type, and what was wrong."""

    fields: list[tuple[str, bytes]]
    media_type: str
    report_type: str
    parts: tuple[Part, ...]
    defects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entity:
    start: int
    end: int
    parent: str
    depth: int


def read_tree(data: Buffer) -> Tree:
    """Header fields of the mail and its leaves; never raises on any bytes.

    A message/rfc822 stays one leaf, so that what was forwarded can never be mistaken for what was sent.
    """
    defects: list[str] = []
    parts: list[Part] = []
    fields, body = _header(data, 0, len(data), defects)
    kind = _kind(fields, "text/plain")
    read = 0
    waiting = [_Entity(0, len(data), "", 0)]
    while waiting:
        entity = waiting.pop()
        own, starts = fields, body
        if entity.depth:
            limit = MAX_PART_HEADER if read < MAX_PART_HEADERS else FIRST_FIELDS
            own, starts = _header(data, entity.start, entity.end, defects, limit)
            read += starts - entity.start
        children = _read_entity(data, entity, own, starts, parts, defects)
        room = MAX_PARTS - len(parts) - len(waiting)
        if len(children) > room:
            defects.append(f"more than {MAX_PARTS} parts")
        waiting.extend(reversed(children[: max(room, 0)]))
    return Tree(fields, kind.media_type, kind.report_type, tuple(parts), tuple(dict.fromkeys(defects)))


def _header(
    data: Buffer, start: int, end: int, defects: list[str], limit: int = MAX_HEADER_BLOCK
) -> tuple[list[tuple[str, bytes]], int]:
    window = data[start : min(end, start + limit)]
    blank = _BLANK_FIRST.match(window) or _BLANK_LINE.search(window)
    if blank:
        stop, body = blank.start(), start + blank.end()
        stop -= window[:stop].endswith(b"\r")
    else:
        stop, body = len(window), start + len(window)
        if end - start > limit:
            defects.append(f"header block over {limit} octets")
    block = headers.split_header(window[:stop])
    defects.extend(block.defects)
    return block.fields, body if block.length == stop else start + block.length


def _field(fields: list[tuple[str, bytes]], name: str) -> str:
    for key, value in fields:
        if key == name:
            return headers.flat(value)
    return ""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What Content-Type and Content-Disposition say of a part; parameters decoded."""

    media_type: str
    boundary: str
    charset: str
    name: str
    report_type: str
    flowed: bool


def _kind(fields: list[tuple[str, bytes]], default: str) -> _Kind:
    return _read_kind(_params(_field(fields, "content-type")), _params(_field(fields, "content-disposition")), default)


@lru_cache(maxsize=1024)
def _read_kind(value: str, disposition: str, default: str) -> _Kind:
    """The standard library knows RFC 2231; a bare Message carries just the two fields that need it.

    Most mails say one of a few things here.
    """
    params = Message()
    if value:
        params["Content-Type"] = value
    if disposition:
        params["Content-Disposition"] = disposition
    token = value.partition(";")[0].strip().lower()
    return _Kind(
        media_type=token if _TOKEN.fullmatch(token) else default,
        boundary=_param(params, "boundary").rstrip(),
        charset=_param(params, "charset"),
        name=headers.clean_text(_param(params, "filename", "content-disposition") or _param(params, "name")),
        report_type=_param(params, "report-type").lower(),
        flowed=_param(params, "format").lower() == "flowed",
    )


def _params(value: str) -> str:
    """As much of a field as anybody needs who does not want to keep us busy."""
    if len(value) <= 4096 and value.count(";") <= MAX_PARAMS:
        return value
    return ";".join(value[:4096].split(";", MAX_PARAMS + 1)[: MAX_PARAMS + 1])


def _param(params: Message, name: str, header: str = "content-type") -> str:
    """A parameter's value; the extended form wins over the plain one beside it (RFC 2231, as RFC 6266 4.3 says)."""
    try:
        given = [value for key, value in params.get_params([], header) if key.lower() == name]
    except (ValueError, LookupError, AttributeError, TypeError):
        return ""
    value = next((one for one in given if isinstance(one, tuple)), given[0] if given else "")
    if isinstance(value, tuple):
        charset, _, text = value
        return headers.decode_charset(text.encode("latin-1", "replace"), charset or "utf-8")
    return headers.decode_words(str(value).encode("utf-8", "surrogateescape"))


def _read_entity(
    data: Buffer,
    entity: _Entity,
    fields: list[tuple[str, bytes]],
    body: int,
    parts: list[Part],
    defects: list[str],
) -> list[_Entity]:
    body = min(body, entity.end)
    default = "message/rfc822" if entity.parent == "multipart/digest" else "text/plain"
    kind = _kind(fields, default)
    media_type, boundary = kind.media_type, kind.boundary
    if media_type.startswith("multipart/") and boundary and entity.depth < MAX_DEPTH:
        children = _split(data, body, entity.end, boundary.encode("utf-8", "surrogateescape"), defects)
        if children:
            return [_Entity(start, end, media_type, entity.depth + 1) for start, end in children]
        defects.append("multipart without its boundary")
    elif media_type.startswith("multipart/"):
        defects.append("multipart without a boundary" if not boundary else f"parts nested deeper than {MAX_DEPTH}")
    parts.append(
        Part(
            start=body,
            end=entity.end,
            media_type="text/plain" if media_type.startswith("multipart/") else media_type,
            charset=kind.charset,
            encoding=_field(fields, "content-transfer-encoding").lower(),
            disposition=_field(fields, "content-disposition").partition(";")[0].strip().lower(),
            name=kind.name,
            content_id=_field(fields, "content-id").strip("<> "),
            parent=entity.parent,
            flowed=kind.flowed,
        )
    )
    return []


def _split(data: Buffer, start: int, end: int, boundary: bytes, defects: list[str]) -> list[tuple[int, int]]:
    """Where the parts of a multipart lie; a missing close delimiter ends the last part with the whole."""
    delimiter = b"--" + boundary
    found: list[tuple[int, int]] = []
    opened: int | None = None
    false = 0
    for at in _line_starts(data, start, end, delimiter):
        after = at + len(delimiter)
        closing = data[after : after + 2] == b"--"
        rest = data[after + 2 * closing : min(end, after + 200)]
        line = rest.partition(b"\n")[0]
        if not line.strip():
            if opened is not None:
                stop = at - 2 if data[at - 2 : at] == b"\r\n" else at - 1
                found.append((opened, max(opened, stop)))
            opened = None if closing else min(end, after + len(line) + 1)
            if closing or len(found) > MAX_PARTS:
                break
            continue
        false += 1
        if false > MAX_FALSE_DELIMITERS:
            defects.append("lines that only look like delimiters")
            break
    if opened is not None:
        defects.append("multipart without its end")
        found.append((opened, end))
    return found


def _line_starts(data: Buffer, start: int, end: int, delimiter: bytes) -> Iterator[int]:
    """Where lines begin with the delimiter."""
    if data[start : min(end, start + len(delimiter))] == delimiter:
        yield start
    at = data.find(b"\n" + delimiter, start, end)
    while at != -1:
        yield at + 1
        at = data.find(b"\n" + delimiter, at + 1 + len(delimiter), end)


def content(data: Buffer, part: Part) -> bytes:
    """The decoded bytes of a part; damaged base64 gives what can be read of it."""
    body = data[part.start : part.end]
    if part.encoding == "base64":
        try:
            return binascii.a2b_base64(body)
        except binascii.Error:
            return headers.lenient_base64(body)
    if part.encoding == "quoted-printable":
        return quopri.decodestring(body)
    return body


def head(part: Part, octets: int) -> Part:
    """The part's first octets, as they stand in the mail."""
    if part.size <= octets:
        return part
    return replace(part, end=min(part.end, part.start + octets))


def text(data: Buffer, part: Part) -> str:
    """A text part as lines, HTML reduced to its words; at most 1 MiB of it is read."""
    short = head(part, MAX_TEXT)
    decoded = headers.decode_charset(content(data, short), part.charset or "utf-8").replace("\r\n", "\n")
    if part.media_type == "text/html":
        return html_to_text(decoded)
    return unflowed(decoded) if part.flowed else decoded


def read_header(data: Buffer) -> list[tuple[str, bytes]]:
    """The fields of the top header block, raw."""
    return _header(data, 0, len(data), [])[0]
