"""What does a mail ask for? The mailbox's own rules, then other counters', each in file order; the first that holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import cached_property

from loket.core import normal
from loket.core.conditions import Facts, explained
from loket.core.keywords import KeywordIndex
from loket.core.model import STATUS_RULE, TRIAGE, InboundMail, Level, Refusal, Trace, Verdict
from loket.core.normal import SEPARATORS, SPACES, Normal
from loket.core.rules import CounterFile, Rule, render_queue
from loket.core.subject import Found, Pattern, Start, starts

# Nobody writes more; a keyword repeated over the 16 KB that a header may hold would take seconds to read.
MAX_SUBJECT = 2000


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule ready for use, with the counter it belongs to."""

    rule: Rule
    counter: CounterFile
    pattern: Pattern | None

    @classmethod
    def of(cls, rule: Rule, counter: CounterFile) -> Compiled:
        """Compile one rule."""
        return cls(rule, counter, Pattern.of(rule, counter))

    @property
    def needed(self) -> set[str]:
        """The fields the queue's name is rendered from."""
        return set(re.findall(r"\{([a-z0-9_]+)\}", self.rule.queue))


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another counter's rule and the mailboxes that take it, with the fields each of them answers."""

    compiled: Compiled
    mailboxes: tuple[tuple[str, Mapping[str, str]], ...]


@dataclass(frozen=True)
class Desk:
    """All that understanding a mail of one mailbox takes."""

    address: str
    own: tuple[Compiled, ...]
    fixed: Mapping[str, str] = field(default_factory=dict)
    elsewhere: tuple[Elsewhere, ...] = ()
    number_prefix: str = "LKT"
    zone: tzinfo = UTC

    @cached_property
    def prescribes(self) -> bool:
        """Whether this mailbox asks for a certain subject at all."""
        return not any(compiled.pattern is None and compiled.rule.when is None for compiled in self.own)

    @cached_property
    def own_index(self) -> KeywordIndex:
        """The mailbox's own rules by their keywords."""
        return KeywordIndex.of([one.pattern for one in self.own])

    @cached_property
    def elsewhere_index(self) -> KeywordIndex:
        """Other counters' rules by their keywords."""
        return KeywordIndex.of([one.compiled.pattern for one in self.elsewhere])

    @cached_property
    def by_name(self) -> Mapping[str, Compiled]:
        """Every rule that a mail here may be judged by; the mailbox's own come first."""
        every = (*self.own, *(other.compiled for other in self.elsewhere))
        return {one.rule.name: one for one in reversed(every)}

    @cached_property
    def counts_attachments(self) -> bool:
        """Whether some rule wants to know how many there are."""
        return bool(self.elsewhere) or any(one.rule.needs.attachments for one in self.own)

    @cached_property
    def any_subject(self) -> tuple[Compiled, ...]:
        """The mailbox's own rules that take any subject."""
        return tuple(one for one in self.own if one.pattern is None)


def classify(
    mail: InboundMail,
    desk: Desk,
    *,
    refusal: Refusal | None = None,
    enclosed: int | None = None,
    thorough: bool = False,
) -> Verdict:
    """The verdict on a mail that is nobody's follow-up.

    `enclosed` is the number of attachments, links to file stores included; None leaves them unjudged.
    `refusal` rides along: a machine's mail is not classified, a list's is, and gets no answer.
    `thorough` tries every rule, also those whose keyword cannot be in the subject, so that the trace names each.
    """
    if refusal is not None and refusal.machine:
        return Verdict("machine", refusal=refusal, trace=(Trace("machine", True, refusal.value),))
    subject = normal.normal(mail.subject[:MAX_SUBJECT])
    reading = _Reading(Facts(mail, zone=desk.zone), desk, subject, starts(subject), enclosed, thorough, [])
    for attempt in (
        reading.status,
        reading.own_subject,
        reading.elsewhere_at_start,
        reading.own_fuzzy,
        reading.elsewhere_inside,
        reading.own_any_subject,
    ):
        verdict = attempt()
        if verdict is not None:
            return replace(verdict, refusal=refusal, trace=tuple(reading.trace))
    reading.say(TRIAGE, True, "no rule holds")
    return Verdict("unmatched", queue=TRIAGE, refusal=refusal, trace=tuple(reading.trace))


_RUN = re.compile("[" + re.escape(SEPARATORS + SPACES) + "]+")
# Words that people put before the number: "Status tiket no. LKT-…".
_FILLER = rf"(?:(?:dari|untuk|tiket|ticket|nomor|number|no|berkas|permohonan|pengajuan){_RUN.pattern}){{0,3}}"
_STATUS = re.compile(rf"status{_RUN.pattern}{_FILLER}\[?(?P<number>[a-z]{{2,8}}[ -]?\d{{4}}[0-9 -]*\d)\]?")
_MAX_HEAD_WORDS = 6


@dataclass(frozen=True, slots=True)
class _Reading:
    """One subject on the table; each attempt gives a verdict or None, and says in the trace what it saw."""

    facts: Facts
    desk: Desk
    subject: Normal
    begins: list[Start]
    enclosed: int | None
    thorough: bool
    trace: list[Trace]

    def say(self, rule: str, held: bool, why: str) -> None:
        self.trace.append(Trace(rule, held, why))

    def status(self) -> Verdict | None:
        """`Status LKT-…` asks where a ticket stands."""
        for begin in self.begins:
            match = _STATUS.match(self.subject.text, begin.at)
            if match and match["number"].startswith(self.desk.number_prefix.lower()):
                number = match["number"].upper().replace(" ", "-")
                exact = begin.plain and self.subject.source.casefold() == f"status {number}".casefold()
                self.say(STATUS_RULE, True, f"asks where {number} stands")
                level: Level = "exact" if exact else "normalized"
                return Verdict("matched", STATUS_RULE, match=level, fields={"nomor": number})
        return None

    def _likely(self, index: KeywordIndex) -> Iterable[int]:
        return range(index.size) if self.thorough else index.candidates(self.subject.text)

    def _allows(self, compiled: Compiled, fields: Mapping[str, str]) -> bool:
        """Whether the rule's `when` holds, with the fields that its subject gave and those the mailbox answers."""
        when = compiled.rule.when
        if when is None:
            return True
        facts = self.facts.about({**self.desk.fixed, **fields})
        if not self.thorough:
            return when.matches(facts)
        for said, holds in explained(when, facts):
            self.say(compiled.rule.name, holds, f"condition {said}: {'holds' if holds else 'does not hold'}")
        return when.matches(facts)

    def own_subject(self) -> Verdict | None:
        """The mailbox's own rules: at the start, complete or not; then in mid-subject, the leftmost."""
        inside: list[tuple[int, Compiled, Found]] = []
        for place in self._likely(self.desk.own_index):
            compiled = self.desk.own[place]
            if compiled.pattern is None:
                continue
            found = compiled.pattern.at_start(self.subject, self.begins)
            if found and self._allows(compiled, found.fields):
                self.say(compiled.rule.name, True, f"{found.level}: keyword at the start")
                return _verdict(compiled, found, self.desk.fixed, self.enclosed)
            middle = compiled.pattern.inside(self.subject) if not found else None
            if middle and self._allows(compiled, middle.fields):
                inside.append((middle.start, compiled, middle))
            elif not found and not middle:
                self.say(compiled.rule.name, False, "keyword not in the subject, or not set off and complete")
        if not inside:
            return None
        _, compiled, found = min(inside, key=lambda item: item[0])
        self.say(compiled.rule.name, True, "normalized: keyword in mid-subject, complete")
        return _verdict(compiled, found, self.desk.fixed, self.enclosed)

    def elsewhere_at_start(self) -> Verdict | None:
        """Another counter's subject in this mailbox."""
        return self._elsewhere(lambda pattern: pattern.at_start(self.subject, self.begins))

    def elsewhere_inside(self) -> Verdict | None:
        """Another counter's subject behind other words."""
        return self._elsewhere(lambda pattern: pattern.inside(self.subject))

    def _elsewhere(self, look: Callable[[Pattern], Found | None]) -> Verdict | None:
        for place in self._likely(self.desk.elsewhere_index):
            other = self.desk.elsewhere[place]
            found = look(other.compiled.pattern) if other.compiled.pattern else None
            verdict = self._misdirected(other, found) if found else None
            if verdict:
                return verdict
        return None

    def _misdirected(self, other: Elsewhere, found: Found) -> Verdict | None:
        """Another counter's rule counts only complete and set off by more than spaces.

        In a mailbox that takes any subject it must also be unmistakable: `Berkas: gagal unggah` there is a question.
        """
        name = other.compiled.rule.name
        if found.missing or found.spaced or not (self.desk.prescribes or found.strong):
            self.say(name, False, "another counter's, but not complete and unmistakable")
            return None
        if not self._allows(other.compiled, found.fields):
            return None
        addresses = tuple(address for address, _ in other.mailboxes)
        self.say(name, True, f"{found.level}: another counter's subject, for {' or '.join(addresses)}")
        verdict = _verdict(other.compiled, found, _agreed(other.mailboxes), self.enclosed)
        undecided = {key for _, own in other.mailboxes for key in own} & other.compiled.needed - set(verdict.fields)
        if undecided:
            verdict = replace(verdict, outcome="incomplete", missing=tuple(sorted(undecided)), queue=TRIAGE)
        return replace(verdict, wrong_mailbox=True, use_mailbox=addresses)

    def own_fuzzy(self) -> Verdict | None:
        """The unique nearest keyword within its distance, only before a separator that is more than spaces."""
        begin = self.begins[-1].at
        near = [
            (distance, self.desk.own[place], end, run)
            for written, end, run in self._heads(begin)
            for distance, place in self.desk.own_index.nearest(written)
        ]
        if not near:
            return None
        best = min(distance for distance, *_ in near)
        rules = {compiled.rule.name for distance, compiled, *_ in near if distance == best}
        if len(rules) > 1:
            self.say("fuzzy", False, f"as near to {' as to '.join(sorted(rules))}")
            return None
        _, compiled, end, run = next(item for item in near if item[0] == best)
        if compiled.pattern is None:
            return None
        found = compiled.pattern.read(self.subject, end, run, begin, exact=False, level="fuzzy")
        if not self._allows(compiled, found.fields):
            return None
        self.say(compiled.rule.name, True, f"fuzzy: {best} from the keyword")
        return _verdict(compiled, found, self.desk.fixed, self.enclosed)

    def _heads(self, at: int) -> list[tuple[str, int, str]]:
        """Beginnings that could be a misspelled keyword: the words, where the rest begins, the separator."""
        found: list[tuple[str, int, str]] = []
        written: list[str] = []
        for run in _RUN.finditer(self.subject.text, at):
            written.append(self.subject.text[at : run.start()])
            at = run.end()
            if run[0].strip(SPACES):
                found.append((" ".join(word for word in written if word), run.end(), run[0]))
            if len(written) >= _MAX_HEAD_WORDS:
                break
        return found

    def own_any_subject(self) -> Verdict | None:
        """Rules of mailboxes without a prescribed subject."""
        for compiled in self.desk.any_subject:
            if self._allows(compiled, {}):
                self.say(compiled.rule.name, True, "takes any subject")
                return _verdict(compiled, None, self.desk.fixed, self.enclosed)
            self.say(compiled.rule.name, False, "its condition does not hold")
        return None


def _agreed(mailboxes: tuple[tuple[str, Mapping[str, str]], ...]) -> dict[str, str]:
    """The fields that all of the mailboxes answer alike."""
    first = dict(mailboxes[0][1])
    return {key: value for key, value in first.items() if all(own.get(key) == value for _, own in mailboxes)}


def _verdict(compiled: Compiled, found: Found | None, fixed: Mapping[str, str], enclosed: int | None) -> Verdict:
    """Fields the mailbox answers join those of the subject; what is missing makes it incomplete."""
    fields = {**fixed, **(found.fields if found else {})}
    missing = [name for name in (found.missing if found else ()) if name not in fields]
    if enclosed is not None and enclosed < compiled.rule.needs.attachments:
        missing.append("attachments")
    return Verdict(
        outcome="incomplete" if missing else "matched",
        rule=compiled.rule.name,
        counter=compiled.counter.counter,
        queue=render_queue(compiled.rule.queue, fields) or TRIAGE,
        match=found.level if found else None,
        fields=fields,
        missing=tuple(missing),
    )
