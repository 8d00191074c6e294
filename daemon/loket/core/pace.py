"""What may be promised: a range of working time that the queue has kept of late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TypeVar

from loket.core.calendar import Calendar
from loket.core.worktime import WorkingTime

# One answer: when, in seconds since 1970, and the seconds of working time it took.
Answered = tuple[int, int]
T = TypeVar("T")
# So many answers of a queue are looked at, none older than this.
LAST = 50
RECENT = timedelta(days=90)
# With fewer the range is never below the rules', with very few it is theirs.
ENOUGH = 20
FEW = 5
HOUR = timedelta(hours=1)


def promise(
    due: WorkingTime, answers: Sequence[Answered], calendar: Calendar, now: datetime, *, place: int = 0
) -> WorkingTime:
    """The range for a ticket that is at that place in its queue.

    From what three in four answers took at least to what nine in ten took at the most, so that single slow ones do not
    count; longer where so many wait that as many a day as on a good day do not reach this one.
    """
    recent = [answer for answer in answers if answer[0] >= (now - RECENT).timestamp()]
    day = calendar.day_length()
    if len(recent) < FEW or not day:
        return due
    taken = sorted(timedelta(seconds=seconds) for _, seconds in recent)
    low, high = quantile(taken, 0.25), quantile(taken, 0.9)
    found = _in_hours(low, high) if due.unit == "hours" and high <= day else _in_days(low, high, day)
    if len(recent) < ENOUGH:
        return _no_less(found, due, day)
    per_day = Counter(datetime.fromtimestamp(at, UTC).astimezone(calendar.zone).date() for at, _ in recent)
    turn = ceil(place / quantile(sorted(per_day.values()), 0.75))
    return _in_days(low, max(high, turn * day), day) if turn > 1 else found


def quantile(ordered: Sequence[T], part: float) -> T:
    """The smallest value that is not below that part of them (nearest rank)."""
    return ordered[max(0, ceil(part * len(ordered)) - 1)]


def _in_hours(low: timedelta, high: timedelta) -> WorkingTime:
    return WorkingTime(low=max(1, ceil(low / HOUR)), high=max(1, ceil(high / HOUR)), unit="hours")


def _in_days(low: timedelta, high: timedelta, day: timedelta) -> WorkingTime:
    return WorkingTime(low=max(1, ceil(low / day)), high=max(1, ceil(high / day)))


def _no_less(found: WorkingTime, due: WorkingTime, day: timedelta) -> WorkingTime:
    """The wider of the two; few answers prove no haste."""
    if found.unit != due.unit:
        due = _in_days(due.low * HOUR, due.high * HOUR, day)
    return WorkingTime(low=max(found.low, due.low), high=max(found.high, due.high), unit=found.unit)
