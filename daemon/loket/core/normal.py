"""Text as it is compared: compatibility forms, invisible marks and letter case out of the way, positions kept."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Between keyword and fields, and inside a keyword, any run of these separates.
SEPARATORS = "_-‐‑‒–—―−:/|~.,"
SPACES = " \t\u00a0\u3000"
QUOTES = "\"'`´“”„‟‘’‚‛«»‹›"
OPENING = "([{<" + QUOTES
CLOSING = ")]}>" + QUOTES
# The ASCII controls that are no white space.
_UNSEEN = re.compile("[\0-\x08\x0e-\x1b\x7f]")


@dataclass(frozen=True, slots=True)
class Normal:
    """`text` compared, `at[i]` where its i-th character stands in `source`."""

    source: str
    text: str
    at: tuple[int, ...]

    def cut(self, start: int, end: int | None = None) -> str:
        """The stretch of the source under `text[start:end]`."""
        stop = len(self.text) if end is None else end
        if start >= stop:
            return ""
        last = self.at[stop] if stop < len(self.at) else len(self.source)
        return self.source[self.at[start] : last]


@lru_cache(maxsize=4096)
def _char(char: str) -> str:
    """One character compared; empty for marks that no reader sees (format characters, variation selectors)."""
    if unicodedata.category(char) in ("Cf", "Cc") or "\ufe00" <= char <= "\ufe0f":
        return " " if char in "\t\r\n" else ""
    shown = unicodedata.normalize("NFKD", char).casefold()
    return " " if not shown.strip() else shown


def normal(source: str) -> Normal:
    """The text for comparing, with positions, so that fields can be cut from what was really written."""
    if source.isascii() and source.isprintable():
        return Normal(source, source.lower(), tuple(range(len(source))))
    text: list[str] = []
    at: list[int] = []
    for index, char in enumerate(source):
        for shown in _char(char):
            text.append(shown)
            at.append(index)
    return Normal(source, "".join(text), tuple(at))


def words(source: str, keep: str = "") -> str:
    """Letters and digits of the text, everything else one space: for comparing keywords and looking for words."""
    return " ".join(_other_than(keep).sub(" ", normal(source).text).split())


@lru_cache(maxsize=16)
def _other_than(keep: str) -> re.Pattern[str]:
    """Everything but letters, digits and what is to be kept; an underscore is none of them."""
    kept = re.escape(keep)
    return re.compile(rf"[^\w{kept}]" if "_" in keep else rf"[^\w{kept}]|_")


def visible(source: str) -> str:
    """What a reader sees: invisible marks out, white space folded, nothing else changed."""
    if source.isascii():
        return " ".join(_UNSEEN.sub("", source).split())
    kept = (
        " " if char.isspace() else char
        for char in source
        if char.isspace() or (unicodedata.category(char) not in ("Cf", "Cc"))
    )
    return " ".join("".join(kept).split())
