"""What our own border says of a mail's author: Authentication-Results (RFC 8601), read strictly or not at all.

Anybody can write such a field. One counts only when all of this holds:

1. Its authserv-id is on the mailbox's list, letter for letter, as the first word of the field.
2. It stands at the border. The border is the topmost Received that says `by` one of its names; above it there may be
   only hops of our own. Nobody outside can write anything above it. Where the border takes fields in its own name out
   of incoming mail (RFC 8601 section 5), `strips`, the fields between it and the next Received count too.
3. It is the topmost Authentication-Results of the mail, and there, the only one in a trusted name.
4. It is written as RFC 8601 2.2 says, to the last octet.

A message/rfc822 inside the mail is never looked into: fields are those of the mail itself. Alignment is strict: the
domain that DMARC or DKIM passed for is the very domain of From; where a border judges DMARC, it has already been as
lenient as the domain's owner wishes, with a public suffix list that is its own to keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

FIELD = "authentication-results"
# A parsed mail keeps 4096 octets of a field (`parse.py`): one nearly as long may not be whole, and is not read at all.
MAX_FIELD = 3500
MAX_DEPTH = 10


class Standing(StrEnum):
    """What is known of the author: certainly the domain's, certainly not, or nothing."""

    PASS = "pass"  # noqa: S105 - a result of RFC 8601, not a secret
    FAIL = "fail"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose word counts at a mailbox: names as `mx.example.org`, or `*.mail.example.org` for whatever lies below."""

    authserv: tuple[str, ...] = ()
    border: tuple[str, ...] = ()
    hops: tuple[str, ...] = ()
    strips: bool = False
    # Whether Loket verifies DKIM signatures itself where no border speaks.
    dkim: bool = False

    @property
    def anybody(self) -> bool:
        """Whether a mail can be authenticated here at all."""
        return bool(self.authserv) or self.dkim


@dataclass(frozen=True, slots=True)
class Result:
    """One method's result, as in `dkim=pass header.d=example.org`; names in lower case."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...]

    def said(self, name: str) -> str:
        """A property's value in lower case; empty where it is not there, or there twice."""
        found = [value.lower() for key, value in self.properties if key == name]
        return found[0] if len(found) == 1 else ""


@dataclass(frozen=True, slots=True)
class Said:
    """A field that is written as it should be."""

    authserv: str
    results: tuple[Result, ...]


_HEAD = re.compile(r" *(?P<authserv>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?)(?: +1)? *(?=;|$)")
_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
_VALUE = r'(?:"[^"\\]{0,500}"|[^\s"();\\=]{1,500}=*)'
_RESULT = re.compile(
    rf" *(?P<method>{_WORD})(?: */ *\d+)? *= *(?P<result>{_WORD})(?: +reason *= *{_VALUE})?"
    rf"(?P<rest>(?: +{_WORD} *\. *{_WORD} *= *{_VALUE})*) *"
)
_PROPERTY = re.compile(rf" +(?P<ptype>{_WORD}) *\. *(?P<name>{_WORD}) *= *(?P<value>{_VALUE})")


def read(value: str) -> Said | None:
    """The field's results; None for whatever is not exactly RFC 8601's form."""
    if len(value) >= MAX_FIELD or not value.isascii() or not value.isprintable():
        return None
    head = _HEAD.match(value)
    pieces = _pieces(value[head.end() :]) if head else None
    if head is None or not pieces or pieces[0].strip():
        return None
    stated = pieces[1:]
    if len(stated) > 1 and not stated[-1].strip():
        stated = stated[:-1]  # many borders end the last result with a semicolon too
    if [piece.strip().lower() for piece in stated] in ([], ["none"]):
        return Said(head["authserv"], ())
    results = []
    for piece in stated:
        match = _RESULT.fullmatch(piece)
        if match is None:
            return None
        properties = tuple(
            (f"{one['ptype']}.{one['name']}".lower(), one["value"].strip('"'))
            for one in _PROPERTY.finditer(match["rest"])
        )
        results.append(Result(match["method"].lower(), match["result"].lower(), properties))
    return Said(head["authserv"], tuple(results))


def _pieces(text: str) -> list[str] | None:
    """The text between semicolons, each comment a space; None where a comment or a quotation has no end."""
    pieces = [""]
    depth, quoted, at = 0, False, 0
    while at < len(text):
        char = text[at]
        if char == "\\" and (depth or quoted):
            at += 1
            pieces[-1] += "" if depth else text[at - 1 : at + 1]
        elif quoted or (char == '"' and not depth):
            quoted = not quoted if char == '"' else quoted
            pieces[-1] += char
        elif char == "(":
            depth += 1
            pieces[-1] += " "
            if depth > MAX_DEPTH:
                return None
        elif char == ")":
            depth -= 1
            if depth < 0:
                return None
        elif char == ";" and not depth:
            pieces.append("")
        elif not depth:
            pieces[-1] += char
        at += 1
    return None if depth or quoted else pieces


def _named(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def written_by(received: str) -> str:
    """The host that wrote a Received field (RFC 5321 4.4): the word behind `by`."""
    pieces = _pieces(received)
    words = " ".join(pieces).split() if pieces is not None else []
    lower = [word.lower() for word in words]
    at = lower.index("by") + 1 if "by" in lower else len(words)
    return words[at] if at < len(words) else ""


def at_border(fields: Sequence[tuple[str, str]], trust: Trust) -> Iterator[str]:
    """The Authentication-Results fields that our own border can have written, the topmost first."""
    names = trust.border or trust.authserv
    received = [index for index, (name, _) in enumerate(fields) if name == "received"]
    for place, index in enumerate(received):
        host = written_by(fields[index][1])
        if _named(host, names):
            below = received[place + 1] if place + 1 < len(received) else len(fields)
            end = below if trust.strips else index
            yield from (value for name, value in fields[:end] if name == FIELD)
            return
        if not _named(host, trust.hops):
            return


def judge(fields: Sequence[tuple[str, str]], domain: str, trust: Trust) -> Standing:
    """What the border says of a mail whose From is at `domain`."""
    found = [read(value) for value in at_border(fields, trust)]
    ours = [one for one in found if one is not None and _named(one.authserv, trust.authserv)]
    if not found or found[0] is None or len(ours) != 1 or ours[0] is not found[0]:
        return Standing.NONE
    return _of(ours[0].results, domain)


def _of(results: Sequence[Result], domain: str) -> Standing:
    dmarc = [one for one in results if one.method == "dmarc"]
    for one in dmarc:
        judged = one.said("header.from")
        # It judged another author than the one we read: somebody made two programs see two.
        if one.result == "fail" or (judged and judged != domain):
            return Standing.FAIL
    if len(dmarc) == 1 and dmarc[0].result == "pass":
        return Standing.PASS if dmarc[0].said("header.from") == domain else Standing.NONE
    if len(dmarc) > 1:
        return Standing.NONE
    signed = any(one.method == "dkim" and one.result == "pass" and _signer(one) == domain for one in results)
    return Standing.PASS if signed else Standing.NONE


def _signer(result: Result) -> str:
    """The domain a signature is of: `header.d`, or where a border names only the identity, that of `header.i`."""
    return result.said("header.d") or result.said("header.i").rpartition("@")[2]
