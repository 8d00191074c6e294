"""Working time of an office: opening hours, working days, due times. Half-open intervals throughout."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from loket.core.worktime import WorkingTime

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS = re.compile(r"([A-Z][a-z]{2})(?:-([A-Z][a-z]{2}))?\s+(\d{2}:\d{2})-(\d{2}:\d{2})")
_TIMES = re.compile(r"(?:([A-Z][a-z]{2})(?:-([A-Z][a-z]{2}))?\s+)?((?:\d{2}:\d{2}\s*,\s*)*\d{2}:\d{2})")

IsHoliday = Callable[[date], bool]
# The search for the next open day gives up after two years: a calendar without any is a mistake, not a wait.
HORIZON_DAYS = 730
MOST_KNOWN = 1000


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours by weekday (0 is Monday): intervals that include their start and not their end."""

    text: str
    by_day: Mapping[int, tuple[tuple[time, time], ...]]


def _days(first: str, last: str | None) -> list[int]:
    if first not in DAYS or (last is not None and last not in DAYS):
        raise ValueError(f"weekdays are written {', '.join(DAYS)}")
    start = DAYS.index(first)
    end = DAYS.index(last) if last else start
    return list(range(start, end + 1)) if start <= end else [*range(start, 7), *range(0, end + 1)]


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is no time of day; write 08:30") from None


def parse_hours(text: str) -> Hours:
    """`Mon-Thu 08:30-12:00, Mon-Thu 13:00-16:00, Fri 08:30-15:00` as Hours; ValueError says what was expected."""
    by_day: dict[int, list[tuple[time, time]]] = {}
    for item in text.split(","):
        match = _HOURS.fullmatch(item.strip())
        if not match:
            raise ValueError("write opening hours as `Mon-Fri 08:30-16:00`, several set off by commas")
        opens, closes = _time(match[3]), _time(match[4])
        if opens >= closes:
            raise ValueError("opening hours end after they begin, on the same day")
        for day in _days(match[1], match[2]):
            by_day.setdefault(day, []).append((opens, closes))
    found = {day: tuple(sorted(spans)) for day, spans in by_day.items()}
    if any(before[1] > after[0] for spans in found.values() for before, after in pairwise(spans)):
        raise ValueError("opening hours of one day overlap")
    return Hours(text, found)


@dataclass(frozen=True, slots=True)
class Times:
    """Moments of the week, for a digest."""

    text: str
    by_day: Mapping[int, tuple[time, ...]]


def parse_times(text: str) -> Times:
    """`Mon-Fri 08:30, 13:00` as Times; days left out mean every day."""
    by_day: dict[int, set[time]] = {}
    for item in text.split(";"):
        match = _TIMES.fullmatch(item.strip())
        if not match:
            raise ValueError("write times as `Mon-Fri 08:30, 13:00`, several weeks' patterns set off by semicolons")
        days = _days(match[1], match[2]) if match[1] else list(range(7))
        for day in days:
            by_day.setdefault(day, set()).update(_time(part.strip()) for part in match[3].split(","))
    return Times(text, {day: tuple(sorted(moments)) for day, moments in by_day.items()})


# Joint leave of a year is decreed in the autumn before it; from this month on, the next year matters.
NEXT_YEAR_MONTH = 10


def years_ahead(today: date) -> tuple[int, ...]:
    """The years whose days off must be known on that day."""
    return (today.year, today.year + 1) if today.month >= NEXT_YEAR_MONTH else (today.year,)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What is not known yet of a year's days off: its joint leave, and dates that are estimates."""

    year: int
    no_joint_leave: bool = False
    estimates: tuple[tuple[date, str], ...] = ()

    def __bool__(self) -> bool:
        return self.no_joint_leave or bool(self.estimates)

    def from_day(self, today: date) -> Unsettled:
        """What still lies ahead."""
        return replace(self, estimates=tuple((day, name) for day, name in self.estimates if day >= today))


@dataclass(frozen=True, slots=True)
class Calendar:
    """One counter's working time: its zone, its hours and its days off."""

    zone: ZoneInfo
    hours: Hours
    is_holiday: IsHoliday
    # What was reckoned before, by day: every mail of a morning asks for the same few.
    _moments: dict[date, tuple[tuple[datetime, datetime], ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def spans(self, day: date) -> tuple[tuple[time, time], ...]:
        """The open intervals of a day by the hands of the clock; none on a day off."""
        return () if self.is_holiday(day) else self.hours.by_day.get(day.weekday(), ())

    def moments(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """The open intervals of a day as moments in UTC: Python reckons the hands of the clock within one zone.

        What the clocks skip takes no time, be it an hour or a whole day; what they repeat counts the first time.
        """
        known = self._moments.get(day)
        if known is None:
            found = [(self._moment(day, opens), self._moment(day, closes)) for opens, closes in self.spans(day)]
            known = tuple((opens, closes) for opens, closes in found if opens < closes)
            if len(self._moments) >= MOST_KNOWN:
                self._moments.clear()
            self._moments[day] = known
        return known

    def _moment(self, day: date, at: time) -> datetime:
        """The first moment at which the clocks show that time or, where they skip it, a later one."""
        shown = datetime.combine(day, at, self.zone)
        moment = shown.astimezone(UTC)
        if moment.astimezone(self.zone).replace(tzinfo=None) == shown.replace(tzinfo=None):
            return moment
        before, after = shown.replace(fold=1).astimezone(UTC), moment
        skipped = before.astimezone(self.zone).utcoffset()
        while after - before > timedelta(microseconds=1):
            middle = before + (after - before) / 2
            if middle.astimezone(self.zone).utcoffset() == skipped:
                before = middle
            else:
                after = middle
        return after

    def day_length(self) -> timedelta:
        """How long the counter is open on an ordinary day, the mean of its days of the week."""
        whole = timedelta()
        for spans in self.hours.by_day.values():
            for opens, closes in spans:
                whole += datetime.combine(date.min, closes) - datetime.combine(date.min, opens)
        return whole / len(self.hours.by_day)

    def length(self, span: WorkingTime) -> timedelta:
        """An amount of working time as time that the counter is open."""
        return span.high * (self.day_length() if span.unit == "days" else timedelta(hours=1))

    def works(self, day: date) -> bool:
        """Whether the counter opens on that day at all."""
        return bool(self.moments(day))

    def closing(self, day: date) -> datetime:
        """When the counter closes for the day; ValueError on a day without hours."""
        moments = self.moments(day)
        if not moments:
            raise ValueError(f"the counter does not open on {day}")
        return moments[-1][1].astimezone(self.zone)

    def is_open(self, now: datetime) -> bool:
        """Whether the counter is open at that moment."""
        return any(opens <= now < closes for opens, closes in self.moments(now.astimezone(self.zone).date()))

    def next_open(self, now: datetime) -> datetime | None:
        """The next moment the counter opens, `now` itself when it is open; None within no sensible time."""
        day = now.astimezone(self.zone).date()
        for _ in range(HORIZON_DAYS):
            for opens, closes in self.moments(day):
                if now < closes:
                    return max(opens, now).astimezone(self.zone)
            day += timedelta(days=1)
        return None

    def due(self, now: datetime, days: int) -> datetime | None:
        """The end of the `days`-th working day; a mail that comes after hours counts from the next opening."""
        start = self.next_open(now)
        if start is None:
            return None
        left, day = days, start.date()
        for _ in range(HORIZON_DAYS):
            day += timedelta(days=1)
            left -= self.works(day)
            if left == 0:
                return self.closing(day)
        return None

    def by(self, now: datetime, span: WorkingTime) -> datetime | None:
        """The moment by which that much working time, at the most, is over."""
        if span.unit == "days":
            return self.due(now, span.high)
        return self.after_open(now, timedelta(hours=span.high))

    def open_between(self, start: datetime, end: datetime) -> timedelta:
        """How long the counter is open between two moments."""
        total, day = timedelta(), start.astimezone(self.zone).date()
        last = end.astimezone(self.zone).date()
        for _ in range(HORIZON_DAYS):
            if day > last:
                break
            for opens, closes in self.moments(day):
                total += max(timedelta(), min(closes, end) - max(opens, start))
            day += timedelta(days=1)
        return total

    def after_open(self, now: datetime, span: timedelta) -> datetime | None:
        """The moment by which the counter will have been open that long."""
        left, day = span, now.astimezone(self.zone).date()
        for _ in range(HORIZON_DAYS):
            for opens, closes in self.moments(day):
                begins = max(opens, now)
                if closes <= begins:
                    continue
                if left <= closes - begins:
                    return (begins + left).astimezone(self.zone)
                left -= closes - begins
            day += timedelta(days=1)
        return None


def latest_due(times: Times, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The most recent of the times at or before `now`, within eight days; None where none is.

    A moment the clocks skip happens when they have been set forward; one they repeat happens once.
    """
    today = now.astimezone(zone).date()
    for back in range(9):
        day = today - timedelta(days=back)
        moments = (datetime.combine(day, moment, zone) for moment in times.by_day.get(day.weekday(), ()))
        # Compared as instants: in one zone Python compares the hands of the clock, which DST moves. A skipped 02:30
        # comes after 03:00.
        past = [moment for moment in moments if moment.astimezone(UTC) <= now.astimezone(UTC)]
        if past:
            return max(past, key=lambda moment: moment.astimezone(UTC))
    return None
