"""Letters as plain lines: HTML reduced to its words, quotations marked, softly broken paragraphs joined."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

# A tag ends at its `>` or before the next `<`: a megabyte of `<` would else be read again from each of them.
_GONE = re.compile(
    r"<(script|style|title)\b.*?(</\1\s*>|\Z)|<head\b.*?(</head\s*>|(?=<body\b)|\Z)|<!--.*?(-->|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_QUOTE = re.compile(
    r"<(?P<open>blockquote)\b|(?P<close></blockquote\b[^<>]*>)|<div\b[^<>]*\bclass=[\"']?(?P<gmail>gmail_quote)",
    re.IGNORECASE,
)
_BREAK = re.compile(
    r"<(br|hr|/?(?:p|div|blockquote|li|tr|h[1-6]|pre|section|article|header|footer|center|address|dl|dt|dd|ul|ol|table"
    r"|fieldset|form|main|aside))\b[^<>]*>",
    re.IGNORECASE,
)
# Where the line ends of the source are the letter's own.
_PRE = re.compile(r"<pre\b[^<>]*>.*?(?:</pre\b|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
# No character has a number of so many digits, and Python refuses to read thousands of them.
_NO_CHARACTER = re.compile(r"&#[0-9]{20,};?")


def html_to_text(markup: str) -> str:
    """The words of an HTML letter, line by line; quoted mail is marked with `> `, whatever stands between is not."""
    pieces = [
        "\n".join("> " + line for line in _words(some).splitlines()) if quoted else _words(some)
        for some, quoted in _stretches(markup)
    ]
    return "\n".join(piece for piece in pieces if piece)


def _stretches(markup: str) -> Iterator[tuple[str, bool]]:
    """The letter cut where quotations begin and end; one that does not end goes on to the last word.

    What Gmail writes about a quotation, from its own mark to the first <blockquote>, belongs to the quotation.
    """
    at = depth = 0
    introduced = False
    for mark in _QUOTE.finditer(markup):
        if mark["close"] and depth == 0:
            continue
        if mark["close"]:
            depth -= 1
            if depth == 0 and not introduced:
                yield markup[at : mark.end()], True
                at = mark.end()
            continue
        if depth == 0 and not introduced:
            yield markup[at : mark.start()], False
            at = mark.start()
        if mark["open"]:
            depth += 1
            introduced = False
        else:
            introduced = depth == 0
    yield markup[at:], depth > 0 or introduced


def _words(markup: str) -> str:
    kept = _PRE.sub(lambda found: re.sub(r"\r\n|\n|\r", "<br>", found[0]), _GONE.sub(" ", markup))
    flat = " ".join(kept.split())
    broken = _BREAK.sub("\n", flat)
    lines = (" ".join(line.split()) for line in _unescape(_TAG.sub("", broken)).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _unescape(text: str) -> str:
    return html.unescape(_NO_CHARACTER.sub("\ufffd", text))


def unflowed(text: str) -> str:
    """Paragraphs in one line again, where a client broke them softly: a space before the line's end (RFC 3676 4)."""
    pieces: list[str] = []
    depth = -1
    for line in text.split("\n"):
        words = line.lstrip(">")
        quotes = len(line) - len(words)
        words = words.removeprefix(" ")
        soft = words.endswith(" ") and words != "-- "
        if quotes == depth and words != "-- ":
            pieces.append(words)
        else:
            pieces += ["\n", ">" * quotes, " " if quotes else "", words]
        depth = quotes if soft else -1
    return "".join(pieces[1:])
