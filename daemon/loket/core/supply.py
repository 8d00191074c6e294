"""What an applicant supplies in the letter itself: a missing field as its first line, bare or behind its label."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from loket.core import normal
from loket.core.classify import Compiled
from loket.core.headers import clean_text
from loket.core.normal import QUOTES, SEPARATORS, SPACES
from loket.core.subject import Choice
from loket.core.tongue import COURTESY, SENTENCE

_LINES = 8
_MAX_WORDS = 12
_LABEL_WORDS = 3
_EDGES = SEPARATORS + SPACES + QUOTES + ";!*"
_LABELLED = re.compile(r"\s*[:=]\s*")


def supplied(
    compiled: Compiled, missing: Sequence[str], letter: str, labels: Mapping[str, Collection[str]]
) -> dict[str, str]:
    """Those of the missing fields that the first lines of a letter give; `labels` are what people call a field.

    Values are matched, never guessed, and a line that is a sentence gives none: a person reads it.
    """
    if compiled.pattern is None:
        return {}
    choices = {choice.name: choice for choice in compiled.pattern.choices if choice.name in missing}
    free = compiled.pattern.free if compiled.pattern.free in missing else None
    found: dict[str, str] = {}
    for line in _telling_lines(letter):
        name, text = _label(line, [*choices, *([free] if free else [])], labels)
        left = {key: choice for key, choice in choices.items() if key not in found and name in (None, key)}
        before, mark, behind = _partition(line)
        if name is None and left and mark and len(before.split()) <= _LABEL_WORDS:
            # `Jenis: OT` has a label nobody told us of; it is no product.
            value, rest = _chosen(left, behind)
            found.update(value if value and _courteous(rest) else {})
            continue
        value, rest = _chosen(left, text)
        if value is not None:
            found.update(value)
            text = rest
        if free and free not in found and name in (None, free):
            words = _own_words(text)
            if words:
                found[free] = words
        elif value is not None and not _courteous(text):
            # `SK yang kemarin belum saya terima` is no category.
            return {}
        if set(found) >= {*choices, *([free] if free else [])}:
            break
        if value is None and name is None:
            break
    return found


def _telling_lines(letter: str) -> list[str]:
    """The first lines that are more than a greeting."""
    lines = (normal.visible(line) for line in letter.splitlines())
    return [line for line in lines if line and not _courteous(line)][:_LINES]


def _label(line: str, names: Sequence[str], labels: Mapping[str, Collection[str]]) -> tuple[str | None, str]:
    """A line `Nama Produk: Jamu Kunyit` as the field it names and what it says of it."""
    for name in names:
        for label in (*labels.get(name, ()), name):
            if normal.words(line).startswith(normal.words(label)):
                before, mark, rest = _partition(line)
                if mark and normal.words(before) == normal.words(label):
                    return name, rest
    return None, line


def _partition(line: str) -> tuple[str, str, str]:
    mark = _LABELLED.search(line)
    return (line[: mark.start()], mark[0], line[mark.end() :]) if mark else (line, "", "")


def _chosen(choices: Mapping[str, Choice], text: str) -> tuple[dict[str, str] | None, str]:
    """The first enumerated field whose value begins the text, and what stands behind it."""
    plain = normal.normal(text)
    for name, choice in choices.items():
        if choice.placeholder.match(plain.text):
            continue
        match = choice.value.match(plain.text)
        if match:
            return {name: choice.meaning(match["value"])}, plain.cut(match.end())
    return None, text


def _own_words(text: str) -> str:
    """The line as a product's name, or nothing where it is a sentence."""
    words = normal.words(text).split()
    if not words or len(words) > _MAX_WORDS or "?" in text or SENTENCE.intersection(words):
        return ""
    return clean_text(normal.visible(text).strip(_EDGES))


def _courteous(text: str) -> bool:
    return COURTESY.issuperset(normal.words(text).split())
