"""One rule's subject pattern, compiled: does a subject name this rule, how surely, and what are its fields?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from loket.core import normal
from loket.core.model import Level
from loket.core.normal import CLOSING, OPENING, QUOTES, SEPARATORS, SPACES, Normal
from loket.core.rules import CounterFile, FieldSpec, Rule, split_pattern

_SEP_CLASS = "[" + re.escape(SEPARATORS + SPACES) + "]"
_SEP_BUT_UNDERSCORE = "[" + re.escape(SEPARATORS.replace("_", "") + SPACES) + "]"
_OPEN = "[" + re.escape(OPENING) + "]*"
_CLOSE = "[" + re.escape(CLOSING) + "]*"
_TRIM = SEPARATORS + SPACES + QUOTES

# Reply and forward marks of mail clients in the languages that reach this desk.
_PREFIX = re.compile(
    r"(?:re|aw|antw|sv|vs|tr|rv|wg|fw|fwd|vl|enc|rif|odp|bls|balas|balasan|trs|teruskan|diteruskan)"
    r"\s*(?:[\[(]\s*\d{1,3}\s*[\])]|\^\d{1,3})?\s*:\s*"
)
_TAG = re.compile(r"\[[^\[\]]{1,60}\]\s*")
_LEAD = re.compile("[" + re.escape(QUOTES + SPACES) + "]+")


@dataclass(frozen=True, slots=True)
class Found:
    """A rule recognised in a subject: how, the fields that were given, those that were not, and how strongly."""

    level: Level
    fields: Mapping[str, str]
    missing: tuple[str, ...]
    start: int
    spaced: bool
    strong: bool


@dataclass(frozen=True, slots=True)
class Start:
    """Where a subject's own words may begin, and whether marks had to be passed to get there."""

    at: int
    plain: bool


def starts(subject: Normal) -> list[Start]:
    """The beginning, then the place behind each reply mark, [tag] and opening quote in a run of them."""
    found = [Start(0, plain=True)]
    at = 0
    while True:
        match = _PREFIX.match(subject.text, at) or _TAG.match(subject.text, at) or _LEAD.match(subject.text, at)
        if not match:
            return found
        at = match.end()
        found.append(Start(at, plain=False))


def phrase(text: str) -> str:
    """A regular expression for words with any run of separators between them."""
    return (_SEP_CLASS + "+").join(re.escape(word) for word in _tokens(text))


def _tokens(text: str) -> list[str]:
    return [token for token in re.split(_SEP_CLASS + "+", normal.normal(text).text) if token]


@dataclass(frozen=True, slots=True)
class Choice:
    """An enumerated field: its values with their synonyms, longest first, and what stands for `fill me in`."""

    name: str
    value: re.Pattern[str]
    trailing: re.Pattern[str]
    canonical: Mapping[str, str]
    placeholder: re.Pattern[str]
    trailing_placeholder: re.Pattern[str]

    @classmethod
    def of(cls, name: str, spec: FieldSpec) -> Choice:
        """Compile the values of a field."""
        spelled = {
            " ".join(_tokens(word)): value for value, synonyms in spec.values.items() for word in [value, *synonyms]
        }
        any_value = "|".join(phrase(word) for word in sorted(spelled, key=len, reverse=True))
        alternatives = "|".join(phrase(word) for word in spec.placeholders)
        # `OT/SK`, `SK atau OT`, `OT | SK`: two values with an "or" between them are the notice's own blank form.
        between = r"(?:\s*[/|\\]\s*|\s+(?:atau|or|dan|and|/)\s+)"
        blank = rf"(?:{any_value})(?:{between}(?:{any_value}))+"
        blanks = f"{blank}|{alternatives}" if alternatives else blank
        end = rf"(?={_SEP_CLASS}|$)"
        # A whole run of separators with an underscore in it, tried once where it begins: a subject of 16 KB of
        # separators would keep a backtracking match for hours. Only classes are repeated possessively: a group so
        # repeated is matched wrongly before Python 3.11.5 (gh-106052).
        before = rf"(?<!{_SEP_CLASS})(?={_SEP_BUT_UNDERSCORE}*+_){_SEP_CLASS}++"
        return cls(
            name=name,
            value=re.compile(rf"{_OPEN}(?P<value>{any_value}){_CLOSE}{end}"),
            trailing=re.compile(rf"{before}{_OPEN}(?P<value>{any_value}){_CLOSE}{_SEP_CLASS}*$"),
            canonical=spelled,
            placeholder=re.compile(rf"{_OPEN}(?:{blanks}){_CLOSE}\*?{_CLOSE}{end}"),
            trailing_placeholder=re.compile(rf"{before}{_OPEN}(?:{blanks}){_CLOSE}\*?{_CLOSE}{_SEP_CLASS}*$"),
        )

    def meaning(self, written: str) -> str:
        """The canonical value of a spelling that `value` matched."""
        return self.canonical[" ".join(_tokens(written))]


@dataclass(frozen=True, slots=True)
class Keyword:
    """One spelling of a rule's keyword."""

    text: str
    plain: str
    at_start: re.Pattern[str]
    inside: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> Keyword:
        """Compile a spelling; inside a subject it must stand after a non-letter."""
        own = f"{phrase(text)}{_CLOSE}"
        behind = rf"(?P<sep>{_SEP_CLASS}+)"
        return cls(
            text=text,
            plain=" ".join(_tokens(text)),
            at_start=re.compile(rf"{_OPEN}{own}(?:{behind}|$)"),
            inside=re.compile(rf"(?<![^\W_]){own}{behind}"),
        )


@dataclass(frozen=True, slots=True)
class Pattern:
    """A rule's subject `text`, compiled once."""

    text: str
    keywords: tuple[Keyword, ...]
    choices: tuple[Choice, ...]
    free: str | None
    free_placeholder: re.Pattern[str] | None
    fields: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, rule: Rule, counter: CounterFile) -> Pattern | None:
        """The compiled pattern of a rule; None for a rule that takes any subject."""
        if rule.subject is None:
            return None
        names = rule.pattern_fields
        free = next((name for name in names if counter.field(name).free), None)
        placeholder = None
        if free is not None:
            blanks = "|".join(phrase(word) for word in counter.field(free).placeholders or [f"Nama {free}"])
            placeholder = re.compile(rf"{_OPEN}(?:{blanks}){_CLOSE}\*?{_CLOSE}(?P<sep>{_SEP_CLASS}+|$)")
        return cls(
            text=rule.subject,
            keywords=tuple(Keyword.of(word) for word in rule.keywords),
            choices=tuple(Choice.of(name, counter.field(name)) for name in names if not counter.field(name).free),
            free=free,
            free_placeholder=placeholder,
            fields=tuple(names),
        )

    @property
    def keyword(self) -> str:
        """The keyword as the notice prescribes it; all others are aliases."""
        return split_pattern(self.text)[0]

    def at_start(self, subject: Normal, begins: list[Start]) -> Found | None:
        """The rule named at the beginning, replies marks and the like aside; fields may be missing."""
        for begin in begins:
            for keyword in self.keywords:
                match = keyword.at_start.match(subject.text, begin.at)
                if match:
                    written = subject.cut(0, match.end()).casefold()
                    exact = begin.plain and subject.at[0] == 0 and keyword.text == self.keyword
                    exact = exact and written == keyword.text.casefold() + ("_" if match["sep"] else "")
                    return self.read(subject, match.end(), match["sep"] or "", begin.at, exact=exact)
        return None

    def inside(self, subject: Normal) -> Found | None:
        """The rule named in mid-subject: spelled right, complete, and set off by more than spaces."""
        best: Found | None = None
        for keyword in self.keywords:
            for match in keyword.inside.finditer(subject.text):
                found = self.read(subject, match.end(), match["sep"], match.start(), exact=False)
                if not found.missing and not found.spaced and (best is None or found.start < best.start):
                    best = found
        return best

    def read(
        self, subject: Normal, at: int, separator: str, start: int, *, exact: bool, level: Level | None = None
    ) -> Found:
        """The fields behind a keyword that ends at `at`; values are matched, never guessed."""
        fields: dict[str, str] = {}
        runs = [separator]
        end = len(subject.text)
        for choice in self.choices:
            blank = choice.placeholder.match(subject.text, at)
            given = None if blank else choice.value.match(subject.text, at)
            match = blank or given
            if match:
                if given:
                    fields[choice.name] = choice.meaning(given["value"])
                    exact = exact and subject.cut(at, match.end()).casefold() == fields[choice.name].casefold()
                run = _run(subject, match.end())
                runs.append(run)
                at = match.end() + len(run)
                continue
            late_blank = choice.trailing_placeholder.search(subject.text, at)
            late = None if late_blank else choice.trailing.search(subject.text, at)
            found = late_blank or late
            if found:
                exact = False
                end = found.start()
                if late:
                    fields[choice.name] = choice.meaning(late["value"])
        if self.free is not None:
            words, untouched = self._free_words(subject, at, end)
            exact = exact and untouched
            if words:
                fields[self.free] = words
        exact = exact and all(run == "_" for run in runs if run)
        missing = tuple(name for name in self.fields if name not in fields)
        runs_used = [run for run in runs if run]
        return Found(
            level=level or ("exact" if exact else "normalized"),
            fields={name: fields[name] for name in self.fields if name in fields},
            missing=missing,
            start=start,
            spaced=any(not run.strip(SPACES) for run in runs_used),
            strong="_" in separator or any(choice.name in fields for choice in self.choices),
        )

    def _free_words(self, subject: Normal, at: int, end: int) -> tuple[str, bool]:
        """The writer's own words from `at`, as really written, and whether nothing had to be taken off them."""
        blank = self.free_placeholder.match(subject.text, at, end) if self.free_placeholder else None
        written = subject.cut(blank.end() if blank else at, end)
        words = normal.visible(written).strip(_TRIM)
        return words, words == written and not (blank and words)

    def form(self, known: Mapping[str, str], labels: Mapping[str, str]) -> str:
        """The very subject to send, with what is known filled in and the rest named as on the notice."""
        text = self.text
        for name in self.fields:
            text = text.replace(f"{{{name}}}", known.get(name) or labels[name])
        return text


def _run(subject: Normal, at: int) -> str:
    match = re.compile(_SEP_CLASS + "*").match(subject.text, at)
    return match[0] if match else ""
