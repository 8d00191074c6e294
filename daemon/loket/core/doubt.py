"""Is a mail built so oddly that it is first read in a process of its own? Cheap counts, and what that reading is."""

from __future__ import annotations

from loket.core import parse
from loket.core.bounce import read_bounce
from loket.core.classify import Desk, classify
from loket.core.command import listen
from loket.core.known import hints
from loket.core.model import Buffer, RawMail
from loket.core.refuse import refusal
from loket.core.understand import links

# Far above what people and their programs write, far below what would keep us busy.
MAX_OCTETS = 100_000_000
MAX_HEADER = 64 * 1024
MAX_FIELDS = 300
MAX_WORDS = 300
MAX_ADDRESSES = 1000
MAX_MARKS = 5000
MAX_DELIMITERS = 500
MAX_MULTIPARTS = 20
MAX_LINE = 128 * 1024
MAX_TAGS = 20_000

# What begins at the end of one window is whole in it.
_OVERLAP = len(b"multipart/") - 1


def doubt(data: Buffer) -> str | None:
    """What is odd about a mail, or None; takes a fraction of a millisecond, and some of them where it is large."""
    if len(data) > MAX_OCTETS:
        return f"{len(data)} octets"
    return _odd_header(data) or _odd_body(data)


def _odd_header(data: Buffer) -> str | None:
    head = data[: MAX_HEADER + 1]
    ends = [at for at in (head.find(b"\n\n"), head.find(b"\n\r\n")) if at != -1]
    if not ends and len(head) > MAX_HEADER:
        return f"a header of more than {MAX_HEADER} octets"
    head = head[: min(ends)] if ends else head
    for count, limit, what in (
        (head.count(b"\n"), MAX_FIELDS + head.count(b"\n ") + head.count(b"\n\t"), "fields"),
        (head.count(b"=?"), MAX_WORDS, "encoded words"),
        (head.count(b"@"), MAX_ADDRESSES, "addresses"),
        (sum(head.count(mark) for mark in (b"(", b'"', b"\\", b";", b",", b"<")), MAX_MARKS, "marks in the header"),
    ):
        if count > limit:
            return f"{count} {what}"
    return None


def _odd_body(data: Buffer) -> str | None:
    delimiters = multiparts = tags = 0
    for at in range(0, len(data), MAX_LINE):
        some = data[at : at + MAX_LINE + _OVERLAP]
        # A scan in base64 has neither octet, and looking for one octet is thirty times as fast as counting.
        if b"-" in some:
            delimiters += some.count(b"\n--")
            multiparts += some.count(b"multipart/")
        if b"<" in some:
            tags += some.count(b"<")
        if delimiters > MAX_DELIMITERS:
            return f"more than {MAX_DELIMITERS} lines like delimiters"
        if multiparts > MAX_MULTIPARTS:
            return f"more than {MAX_MULTIPARTS} multiparts"
        if tags > MAX_TAGS:
            return f"more than {MAX_TAGS} tags"
        # Of a line twice as long at least one whole window holds no end of line.
        if len(some) >= MAX_LINE and some.find(b"\n", 0, MAX_LINE) == -1:
            return f"a line of more than {MAX_LINE} octets"
    return None


def trial(raw: RawMail, desk: Desk) -> None:
    """All the reading that a mail can ask for, with nothing decided: what this survives, the daemon may do."""
    mail = parse.parse(raw)
    parse.strict_author(mail)
    hints([mail])
    read_bounce(mail)
    classify(mail, desk, refusal=refusal(mail, frozenset({desk.address})), enclosed=links(mail))
    listen(mail)
