"""Rules that get in each other's way, each shown with a subject that really names both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations as pairs
from itertools import product as combinations
from typing import Literal

from loket.core import normal
from loket.core.classify import Compiled, Desk, classify
from loket.core.conditions import (
    AllOf,
    AnyOf,
    Condition,
    Facts,
    FieldIs,
    Mailbox,
    Not,
    Subject,
    SubjectWords,
)
from loket.core.parse import subject_only
from loket.core.subject import Pattern, starts

_SAMPLE = "Contoh"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Of two rules of one mailbox the `first` takes the witness, which names the `second` too.

    `shadowed`: the second never gets a mail. `overlap`: it gets others.
    """

    kind: Literal["shadowed", "overlap"]
    first: Compiled
    second: Compiled
    witness: str


def conflicts(desk: Desk) -> Iterator[Conflict]:
    """Every pair of a mailbox's own rules that some subject names both of, in file order."""
    for earlier, later in _likely_pairs(desk):
        first, second = desk.own[earlier], desk.own[later]
        witness = next((one for one in _candidates(first, second) if _names_both(one, first, second, desk)), None)
        if witness is not None:
            shadowed = all(_taken_by_another(one, second, desk) for one in _forms(second))
            yield Conflict("shadowed" if shadowed else "overlap", first, second, witness)


def _likely_pairs(desk: Desk) -> list[tuple[int, int]]:
    """Rules of which one's keyword begins with the other's, word by word, and rules that take any subject."""
    spelled: dict[str, dict[int, None]] = {}
    for place, compiled in enumerate(desk.own):
        for keyword in compiled.pattern.keywords if compiled.pattern else ():
            spelled.setdefault(keyword.plain, {})[place] = None
    found = set(pairs([place for place, one in enumerate(desk.own) if one.pattern is None], 2))
    for plain, places in spelled.items():
        words = plain.split(" ")
        for count in range(1, len(words) + 1):
            shorter = spelled.get(" ".join(words[:count]), {})
            found |= {(min(one, other), max(one, other)) for one in shorter for other in places if one != other}
    return sorted(found)


def _candidates(first: Compiled, second: Compiled) -> Iterator[str]:
    """Subjects that might name both: each rule's own forms, and for conditions on words one word of each."""
    if first.pattern is None or second.pattern is None:
        for one, other in combinations(_wanted(first.rule.when), _wanted(second.rule.when)):
            yield f"{one} {other}".strip() or _SAMPLE
        return
    yield from _forms(second)
    yield from _forms(first)


def _forms(compiled: Compiled) -> Iterator[str]:
    """A complete subject for every spelling of the keyword and every value."""
    pattern = compiled.pattern
    if pattern is None:
        yield from (word or _SAMPLE for word in _wanted(compiled.rule.when))
        return
    for keyword in pattern.keywords:
        for values in combinations(*(_values(pattern, name) for name in pattern.fields)):
            yield "_".join([keyword.text, *values])


def _values(pattern: Pattern, name: str) -> list[str]:
    choice = next((one for one in pattern.choices if one.name == name), None)
    return list(dict.fromkeys(choice.canonical.values())) if choice else [_SAMPLE]


def _wanted(when: Condition | None) -> list[str]:
    """Words that a condition on the subject asks for; an empty one where it asks for none."""
    match when:
        case SubjectWords(words=words) | Subject(words=words) if words:
            return [word.replace("*", "") for word in words]
        case Subject(text=text) if text:
            return list(text)
        case _:
            return [""]


def _names_both(subject: str, first: Compiled, second: Compiled, desk: Desk) -> bool:
    return (
        _names(subject, first, desk)
        and _names(subject, second, desk)
        # What is narrower stands before what is wider: that is what the order is for.
        and not (first.rule.when is not None and second.rule.when is None)
    )


def _names(subject: str, compiled: Compiled, desk: Desk) -> bool:
    fields: Mapping[str, str] = {}
    if compiled.pattern is not None:
        text = normal.normal(subject)
        found = compiled.pattern.at_start(text, starts(text))
        if found is None:
            return False
        fields = found.fields
    when = compiled.rule.when
    if when is None or not _shows_in_subject(when):
        return True
    return when.matches(Facts(subject_only(subject, desk.address), {**desk.fixed, **fields}, desk.zone))


def _shows_in_subject(when: Condition) -> bool:
    """Whether a subject alone tells if it holds; of anything else some mail with that subject has it."""
    match when:
        case AllOf(of=inner) | AnyOf(of=inner):
            return all(_shows_in_subject(one) for one in inner)
        case Not(of=one):
            return _shows_in_subject(one)
        case _:
            return isinstance(when, SubjectWords | Subject | FieldIs | Mailbox)


def _taken_by_another(subject: str, compiled: Compiled, desk: Desk) -> bool:
    verdict = classify(subject_only(subject, desk.address), desk)
    return verdict.rule not in (None, compiled.rule.name)
