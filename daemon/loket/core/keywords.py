"""Which of thousands of rules could a subject name? Only those whose keyword's rarest word stands in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from loket.core.subject import Pattern

# Letters and digits in a row. A keyword counts only where what stands before and behind it is something else, so each
# such run of a keyword is a whole run of every subject that names it.
_RUN = re.compile(r"[^\W_]+")
FARTHEST = 2


@dataclass(frozen=True, slots=True)
class _Alike:
    """Keywords of one length, whose they are, and how far from them is near enough."""

    plains: tuple[str, ...]
    places: tuple[int, ...]
    allowed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeywordIndex:
    """The keywords of some patterns, by their rarest word and for finding the nearest; places keep the order."""

    size: int
    by_word: Mapping[str, tuple[int, ...]]
    always: tuple[int, ...]
    by_length: Mapping[int, _Alike]

    @classmethod
    def of(cls, patterns: Sequence[Pattern | None]) -> KeywordIndex:
        """Index patterns; None, a rule that takes any subject, has no keyword."""
        common = Counter(
            word
            for pattern in patterns
            for keyword in (pattern.keywords if pattern else ())
            for word in set(_RUN.findall(keyword.plain))
        )
        by_word: dict[str, dict[int, None]] = {}
        always: dict[int, None] = {}
        spelled: list[tuple[str, int, int]] = []
        for place, pattern in enumerate(patterns):
            for keyword in pattern.keywords if pattern else ():
                rarest = min(_RUN.findall(keyword.plain), key=common.__getitem__, default=None)
                home = by_word.setdefault(rarest, {}) if rarest else always
                home[place] = None
                letters = len(keyword.plain.replace(" ", ""))
                spelled.append((keyword.plain, place, 1 if letters <= 8 else 2))
        return cls(
            size=len(patterns),
            by_word={word: tuple(places) for word, places in by_word.items()},
            always=tuple(always),
            by_length={
                length: _Alike(*zip(*(one for one in spelled if len(one[0]) == length), strict=True))
                for length in {len(plain) for plain, _, _ in spelled}
            },
        )

    def candidates(self, text: str) -> list[int]:
        """The places, ascending, whose keyword may stand in this compared text."""
        found = set(self.always)
        for word in set(_RUN.findall(text)):
            found.update(self.by_word.get(word, ()))
        return sorted(found)

    def nearest(self, written: str) -> Iterator[tuple[int, int]]:
        """Distance (optimal string alignment) and place of each keyword that is near enough to be meant."""
        for length in range(len(written) - FARTHEST, len(written) + FARTHEST + 1):
            alike = self.by_length.get(length)
            if alike is None:
                continue
            found = process.extract_iter(written, alike.plains, scorer=OSA.distance, score_cutoff=FARTHEST)
            for _, distance, index in found:
                if distance <= alike.allowed[index]:
                    yield int(distance), alike.places[index]
