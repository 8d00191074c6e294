"""Questions about a text that conditions ask: its words, its plain parts, a regular expression, a list file."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Self

import re2
from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from loket.core import normal
from loket.core.strict import Strict, also_written

MAX_EXPRESSION = 500
# What a condition looks at; RE2 takes time in proportion to it, and nobody's request stands behind so much.
MAX_TEXT = 200_000
_MAX_PROGRAM = 8 << 20


@lru_cache(maxsize=4096)
def expression(pattern: str) -> re2._Regexp:
    """A compiled RE2 expression, letter case aside; ValueError says what RE2 does not take."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MAX_PROGRAM
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if error.args else "?"
        raise ValueError(f"not an RE2 expression: {said}") from None


@lru_cache(maxsize=65536)
def folded(text: str) -> str:
    """For comparing whole texts: compatibility forms, letter case, invisible marks and runs of spaces aside."""
    return " ".join(normal.normal(text).text.split())


@dataclass(frozen=True, slots=True)
class Listing:
    """A list file, read with the rules: one entry a line, `#` begins a comment."""

    name: str
    entries: frozenset[str]

    @classmethod
    def of(cls, name: str, text: str) -> Listing:
        """The entries of a file's text."""
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        return cls(name, frozenset(folded(line) for line in lines if line))


ReadList = Callable[[str], str]


@also_written(type="string")
def _read_listing(value: object, info: ValidationInfo) -> object:
    """The file's name becomes its entries; whoever loads the rules says in the context how files are read."""
    if not isinstance(value, str):
        return value
    read: ReadList | None = (info.context or {}).get("read_list")
    if read is None:
        raise ValueError("lists can be read only where rules are loaded from a folder")
    return Listing.of(value, read(value))


class Wording(Strict):
    """Exactly one question to a text.

    `words`: some word is one of these, a star for any letters, a phrase for words in a row. `text`: one of these
    stands in it. `regex`: an RE2 expression matches somewhere. `list`: the whole text is a line of that file.
    Letter case, width and invisible marks never count.
    """

    words: list[str] = Field(default=[], max_length=1000)
    text: list[str] = Field(default=[], max_length=1000)
    regex: str | None = Field(default=None, max_length=MAX_EXPRESSION)
    listing: Annotated[Listing | None, BeforeValidator(_read_listing)] = Field(default=None, alias="list")

    @field_validator("text", "words", mode="before")
    @classmethod
    @also_written(type="string")
    def _one_is_a_list(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            expression(value)
        return value

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if sum(map(bool, (self.words, self.text, self.regex, self.listing))) != 1:
            raise ValueError("give exactly one of `words`, `text`, `regex` and `list`")
        if any(not folded(one) for one in (*self.words, *self.text)):
            raise ValueError("an empty word would always hold")
        return self

    def holds(self, text: str) -> bool:
        """Whether the answer is yes."""
        text = text[:MAX_TEXT]
        if self.listing is not None:
            return folded(text) in self.listing.entries
        if self.regex is not None:
            return expression(self.regex).search(text) is not None
        if self.text:
            plain = folded(text)
            return any(folded(one) in plain for one in self.text)
        return has_words(text, self.words)

    def holds_any(self, texts: Iterable[str]) -> bool:
        """Whether it is yes for some of the texts."""
        return any(self.holds(text) for text in texts)


def has_words(text: str, wanted: Iterable[str]) -> bool:
    """Whether a word of the text is wanted, or a phrase stands in it."""
    plain = normal.words(text)
    tokens = set(plain.split())
    for one in wanted:
        phrase = normal.words(one, keep="*")
        if " " in phrase:
            if f" {phrase} " in f" {plain} ":
                return True
        elif "*" in phrase:
            if any(fnmatch.fnmatchcase(token, phrase) for token in tokens):
                return True
        elif phrase in tokens:
            return True
    return False
