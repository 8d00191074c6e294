"""The office's figures of a week, counted from the history of its tickets and from nothing else.

A figure of a week depends on what happened before its end alone: asked again later, it is the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from loket.core.model import State

ANSWERED, ASKED = "answered", "asked"
# An appointment is the answer to its request, whoever made it; what an officer writes once it is over ends it only.
BOOKED, OVER = "appointment-booked", "appointment-over"
# A rule may answer by itself too.
BY_ITSELF = frozenset({BOOKED, "self-answered"})
# What takes an answer back: it was called off before it left, or never arrived.
NO_ANSWER = frozenset({"called-off", "undelivered"})
_WEEK = re.compile(r"(\d{4})-?W(\d{2})")


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """A week of ISO 8601, from Monday to Sunday."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02}"

    @classmethod
    def of(cls, day: date) -> Week:
        """The week of a day."""
        found = day.isocalendar()
        return cls(found.year, found.week)

    @classmethod
    def read(cls, text: str) -> Week:
        """`2026-W47`; ValueError says how a week is written."""
        match = _WEEK.fullmatch(text.strip().upper())
        try:
            week = cls(int(match[1]), int(match[2])) if match else None
            return cls.of(week.monday) if week else _refuse(text)
        except ValueError:
            return _refuse(text)

    @property
    def monday(self) -> date:
        """Its first day."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)

    def before(self, weeks: int = 1) -> Week:
        """The week so many earlier."""
        return Week.of(self.monday - timedelta(weeks=weeks))

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """From its first moment to that of the next one, which is not in it."""
        after = self.monday + timedelta(days=7)
        return datetime.combine(self.monday, time(), zone), datetime.combine(after, time(), zone)


def _refuse(text: str) -> Week:
    raise ValueError(f"{text} is no week; write it as 2026-W47")


@dataclass(frozen=True, slots=True)
class Step:
    """An event that changed a ticket, and how it stood then; `worked` are seconds of working time, of an answer."""

    ticket: str
    at: datetime
    kind: str
    actor: str
    queue: str
    state: State
    due_at: datetime | None = None
    holder: str | None = None
    worked: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one queue or officer.

    `arrivals` are new tickets, for an officer those that came to hand; `returned` came back from their applicant after
    an answer, or from another queue. `waiting` and `late` are as the week ends. Of the answers that had a due time,
    `of_due`, `kept` were in time; `pace` is the median of the seconds of working time they took.
    """

    name: str
    arrivals: int = 0
    returned: int = 0
    answered: int = 0
    waiting: int = 0
    late: int = 0
    pace: int | None = None
    kept: int = 0
    of_due: int = 0

    @property
    def due_keeping(self) -> float | None:
        """The part of the answers that were in time; None without any that had a due time."""
        return self.kept / self.of_due if self.of_due else None


@dataclass(frozen=True, slots=True)
class Figures:
    """A week's figures; rows in the order of the alphabet, those of nothing at all left out."""

    week: Week
    queues: tuple[Row, ...]
    officers: tuple[Row, ...]
    total: Row


@dataclass(frozen=True, slots=True)
class Chart:
    """What the picture shows, in its reader's words: some weeks, and what waits in each queue, of it what is late."""

    title: str
    came: str
    answered: str
    waiting: str
    late: str
    weeks: tuple[tuple[str, int, int], ...]
    queues: tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class _Answer:
    queue: str
    officer: str
    worked: int | None
    in_time: bool | None
    # Whether it answers a request of its queue; else it is an officer's work alone.
    counts: bool = True


@dataclass(slots=True)
class _Tally:
    """What is counted while the tickets' histories go by."""

    arrivals: dict[str, int] = field(default_factory=dict)
    returned: dict[str, int] = field(default_factory=dict)
    taken: dict[str, set[str]] = field(default_factory=dict)
    waiting: list[Step] = field(default_factory=list)
    answers: list[_Answer] = field(default_factory=list)


def figures(
    steps: Iterable[Step], week: Week, zone: ZoneInfo, now: datetime, officers: Collection[str] = ()
) -> Figures:
    """The week's figures; the steps of each ticket stand together, in the order in which they happened.

    An appointment that is none of the `officers`' doing was made by its applicant's own choice.

    In a week that is not over, late is what is late now.
    """
    start, end = week.bounds(zone)
    tally = _Tally()
    for _, history in groupby(steps, key=lambda step: step.ticket):
        _count(tally, [step for step in history if step.at < end], start, officers)
    judged = now if start < now < end else end
    late = {step.ticket for step in tally.waiting if step.due_at is not None and step.due_at < judged}
    answers = [one for one in tally.answers if one.counts]
    queues = sorted({*tally.arrivals, *tally.returned, *(one.queue for one in answers), *_queues(tally.waiting)})
    people = sorted({*tally.taken, *(one.officer for one in tally.answers), *_holders(tally.waiting)} - {""})
    by_queue = tuple(
        _row(
            queue,
            tally.arrivals.get(queue, 0),
            tally.returned.get(queue, 0),
            [one for one in answers if one.queue == queue],
            [step for step in tally.waiting if step.queue == queue],
            late,
        )
        for queue in queues
    )
    by_officer = tuple(
        _row(
            officer,
            len(tally.taken.get(officer, ())),
            0,
            [one for one in tally.answers if one.officer == officer],
            [step for step in tally.waiting if step.holder == officer],
            late,
        )
        for officer in people
    )
    arrivals, returned = sum(tally.arrivals.values()), sum(tally.returned.values())
    return Figures(week, by_queue, by_officer, _row("", arrivals, returned, answers, tally.waiting, late))


def _queues(steps: Iterable[Step]) -> set[str]:
    return {step.queue for step in steps}


def _holders(steps: Iterable[Step]) -> set[str]:
    return {step.holder for step in steps if step.holder}


def _row(
    name: str, arrivals: int, returned: int, answers: Sequence[_Answer], waiting: Sequence[Step], late: set[str]
) -> Row:
    judged = [one.in_time for one in answers if one.in_time is not None]
    return Row(
        name=name,
        arrivals=arrivals,
        returned=returned,
        answered=len(answers),
        waiting=len(waiting),
        late=sum(step.ticket in late for step in waiting),
        pace=median([one.worked for one in answers if one.worked is not None]),
        kept=sum(judged),
        of_due=len(judged),
    )


def median(values: Sequence[int]) -> int | None:
    """The middle one, or the mean of the two in the middle; None of nothing."""
    ordered, half = sorted(values), len(values) // 2
    if not ordered:
        return None
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) // 2


def _count(tally: _Tally, history: Sequence[Step], start: datetime, officers: Collection[str]) -> None:
    """One ticket's history up to the end of the week; only what is not before `start` counts."""
    before: Step | None = None
    # Whether an answer is the last word, so that writing brings the ticket back; what left last, an answer or question.
    settled, left = False, ""
    # Whether it has an appointment, and whether that is over and waits for an officer to say so.
    booked, over = False, False
    mine: list[_Answer] = []
    for step in history:
        inside = step.at >= start
        if before is None:
            _add(tally.arrivals, step.queue, inside)
        elif step.queue != before.queue or _comes_back(step, before, settled=settled):
            _add(tally.returned, step.queue, inside and step.kind not in (*NO_ANSWER, OVER))
            booked = booked and before.state is not State.CLOSED
        over = (over or step.kind == OVER) and step.kind != BOOKED
        answer = _given(step, before, officers, booked=booked, over=over)
        if answer is not None and before is not None:
            mine.append(answer)
            if inside:
                tally.answers.append(answer)
            if inside and answer.officer and before.holder != step.actor:
                tally.taken.setdefault(step.actor, set()).add(step.ticket)
            settled, left = True, ANSWERED
            booked, over = booked or step.kind in BY_ITSELF, over and step.kind != ANSWERED
        elif inside and step.holder and (before is None or step.holder != before.holder):
            tally.taken.setdefault(step.holder, set()).add(step.ticket)
        left = step.kind if step.kind in (ANSWERED, ASKED) else left
        if step.kind in NO_ANSWER and mine and settled and left == ANSWERED:
            gone = mine.pop()
            tally.answers[:] = [one for one in tally.answers if one is not gone]
        if step.state is State.OPEN and step.kind not in (ANSWERED, BOOKED):
            settled = False
        before = step
    if before is not None and before.state is State.OPEN:
        tally.waiting.append(before)


def _comes_back(step: Step, before: Step, *, settled: bool) -> bool:
    """Whether its applicant wrote again after an answer, or after its end; not what completes or answers a question."""
    if step.state is not State.OPEN or before.state is State.OPEN:
        return False
    return settled or before.state is State.CLOSED


def _add(counts: dict[str, int], name: str, counts_now: bool) -> None:
    if counts_now:
        counts[name] = counts.get(name, 0) + 1


def _given(step: Step, before: Step | None, officers: Collection[str], *, booked: bool, over: bool) -> _Answer | None:
    """The answer that a step is. An appointment made by its applicant's own choice is nobody's work, and never late;
    once it is over, what an officer writes is no second answer."""
    in_time = step.at <= before.due_at if before is not None and before.due_at is not None else None
    if before is None:
        return None
    if step.kind in BY_ITSELF and not booked:
        made = step.actor in officers
        return _Answer(before.queue, step.actor if made else "", step.worked, in_time if made else None)
    if step.kind == ANSWERED and before.state is not State.CLOSED:
        if over:
            return _Answer(before.queue, step.actor, None, None, counts=False)
        return _Answer(before.queue, step.actor, step.worked, in_time)
    return None
