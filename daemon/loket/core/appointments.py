"""Appointments of a queue: which moments there are, which of them are free, and when they may be taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from loket.core.calendar import HORIZON_DAYS, Calendar, parse_hours
from loket.core.model import Booking, Offer
from loket.core.strict import Misplaced, Strict, also_written

_LEAD = re.compile(r"\s*(\d{1,3})\s+(working day|hour|minute)s?\s*")
_WEEKS = re.compile(r"\s*(\d{1,3})\s+(week|day)s?\s*")
_LENGTH = re.compile(r"\s*(\d{1,3})\s+(minute|hour)s?\s*")
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(hours=8)
# An officer may book so far ahead, whatever the horizon of applicants is.
FURTHEST = timedelta(days=366)


class Lead(BaseModel):
    """How long before an appointment something is: working days, written `1 working day`, or `2 hours`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: int = 0
    span: timedelta = timedelta()

    @model_validator(mode="before")
    @classmethod
    @also_written(type="string", pattern=_LEAD.pattern)
    def _written(cls, value: Any) -> Any:
        if isinstance(value, (Mapping, cls)):
            return value
        match = _LEAD.fullmatch(value) if isinstance(value, str) else None
        if not match or int(match[1]) == 0:
            raise ValueError("write `1 working day`, `2 hours` or `30 minutes`")
        count = int(match[1])
        return {"days": count} if match[2] == "working day" else {"span": timedelta(**{f"{match[2]}s": count})}

    def before(self, calendar: Calendar, start: datetime) -> datetime | None:
        """That long before `start`: the same time of day on the working day before, or so many minutes earlier."""
        if not self.days:
            return start - self.span
        local = start.astimezone(calendar.zone)
        day = _working_day_before(calendar, local.date(), self.days)
        return None if day is None else datetime.combine(day, local.time(), calendar.zone).astimezone(UTC)

    def closes(self, calendar: Calendar, start: datetime) -> datetime | None:
        """Until when something may be taken that starts then: the counter's closing on the working day before."""
        if not self.days:
            return start - self.span
        day = _working_day_before(calendar, start.astimezone(calendar.zone).date(), self.days)
        if day is None:
            return None
        return calendar.closing(day).astimezone(UTC)


def _working_day_before(calendar: Calendar, day: date, count: int) -> date | None:
    left = count
    for back in range(1, HORIZON_DAYS):
        earlier = day - timedelta(days=back)
        left -= calendar.works(earlier)
        if left == 0:
            return earlier
    return None


def _span(pattern: re.Pattern[str], said: str) -> Callable[[Any], Any]:
    @also_written(type="string", pattern=pattern.pattern)
    def read(value: Any) -> Any:
        if isinstance(value, timedelta):
            return value
        match = pattern.fullmatch(value) if isinstance(value, str) else None
        if not match:
            raise ValueError(f"write {said}")
        return timedelta(**{f"{match[2]}s": int(match[1])})

    return read


Length = Annotated[timedelta, BeforeValidator(_span(_LENGTH, "`30 minutes` or `1 hour`"))]
Ahead = Annotated[timedelta, BeforeValidator(_span(_WEEKS, "`4 weeks` or `10 days`"))]


_hours = lru_cache(maxsize=64)(parse_hours)


class Appointments(Strict):
    """How a queue works by appointment: on which hours, how long each, how many at once, and who is told when."""

    hours: str = Field(description="in which appointments lie: Mon 09:00-12:00, Mon 13:00-15:00")
    length: Length
    capacity: int = Field(default=1, ge=1, le=50)
    ahead: Ahead = timedelta(weeks=4)
    notice: Lead = Lead(days=1)
    offer: int = Field(default=5, ge=1, le=20)
    take: Lead = Lead(days=1)
    place: str = Field(default="", max_length=500)
    remind: list[Lead] = []

    @model_validator(mode="after")
    def _possible(self) -> Self:
        try:
            hours = _hours(self.hours)
        except ValueError as error:
            raise Misplaced(("hours",), str(error)) from None
        if not SHORTEST <= self.length <= LONGEST:
            raise Misplaced(("length",), "an appointment takes from 5 minutes to 8 hours")
        for spans in hours.by_day.values():
            for opens, closes in spans:
                if datetime.combine(date.min, opens) + self.length > datetime.combine(date.min, closes):
                    said = f"{opens:%H:%M}-{closes:%H:%M} has no room for one appointment of this length"
                    raise Misplaced(("hours",), said)
        if not timedelta(days=1) <= self.ahead <= FURTHEST:
            raise Misplaced(("ahead",), "appointments are offered from a day to a year ahead")
        if timedelta(days=self.notice.days) + self.notice.span >= self.ahead:
            raise Misplaced(("notice",), "with a notice as long as `ahead` nothing could ever be taken")
        if len(set(self.remind)) != len(self.remind):
            raise Misplaced(("remind",), "a reminder stands here twice")
        return self


def moments(settings: Appointments, calendar: Calendar, day: date) -> list[datetime]:
    """When appointments start on a day, in UTC; none on a day off. Where the clocks change, by real time."""
    found: list[datetime] = []
    for opens, closes in replace(calendar, hours=_hours(settings.hours)).moments(day):
        at = opens
        while at + settings.length <= closes:
            found.append(at)
            at += settings.length
    return found


@dataclass(frozen=True, slots=True)
class Book:
    """A queue's appointments as they stand: what is taken, what is kept for whom, and who waits."""

    queue: str
    settings: Appointments
    calendar: Calendar
    bookings: tuple[Booking, ...]
    offers: tuple[Offer, ...]

    def upcoming(self, now: datetime, ahead: timedelta) -> Iterator[datetime]:
        """The moments that have not begun, up to so far ahead."""
        today = now.astimezone(self.calendar.zone).date()
        for offset in range(ahead.days + 1):
            for start in moments(self.settings, self.calendar, today + timedelta(days=offset)):
                if start > now:
                    yield start

    def seat(self, start: datetime, ticket: str, now: datetime) -> int | None:
        """The first free seat of a moment for that ticket, counted from 1; None where all are taken or kept.

        An appointment of that ticket itself is not in its way. What overlaps is, also after the length was changed.
        """
        end = start + self.settings.length
        taken = [
            one for one in self.bookings if one.live and one.ticket != ticket and one.start < end and start < one.end
        ]
        kept = sum(1 for one in self.kept(now) if one.ticket != ticket and start in one.starts)
        if len(taken) + kept >= self.settings.capacity:
            return None
        seats = {one.seat for one in taken}
        return next(seat for seat in range(1, self.settings.capacity + 1) if seat not in seats)

    def kept(self, now: datetime) -> list[Offer]:
        """The offers to those who waited, as long as they may be taken."""
        return [one for one in self.offers if not one.over and one.until is not None and one.until > now]

    def waiting(self) -> list[Offer]:
        """Who waits and has nothing kept for them, the longest first."""
        there = [one for one in self.offers if not one.over and one.waiting is not None and one.until is None]
        return sorted(there, key=lambda one: (one.waiting, one.ticket))

    def takeable(self, start: datetime, now: datetime) -> bool:
        """Whether an applicant may still take it, by the notice that the office wants."""
        until = self.settings.notice.closes(self.calendar, start)
        return until is not None and now <= until

    def free(self, now: datetime, ticket: str = "", limit: int | None = None) -> list[datetime]:
        """What an applicant may take now, the next first; the ticket's own appointment is left out."""
        own = {one.start for one in self.bookings if one.live and one.ticket == ticket}
        found: list[datetime] = []
        for start in self.upcoming(now, self.settings.ahead):
            if start not in own and self.takeable(start, now) and self.seat(start, ticket, now) is not None:
                found.append(start)
                if len(found) == limit:
                    break
        return found

    def is_moment(self, start: datetime) -> bool:
        """Whether an appointment can start then at all."""
        day = start.astimezone(self.calendar.zone).date()
        return start in moments(self.settings, self.calendar, day)

    def of(self, ticket: str) -> Booking | None:
        """The ticket's appointment."""
        return next((one for one in self.bookings if one.live and one.ticket == ticket), None)

    def offered(self, ticket: str) -> Offer | None:
        """What the ticket's applicant was offered."""
        return next((one for one in self.offers if not one.over and one.ticket == ticket), None)


def book(
    queue: str, settings: Appointments, calendar: Calendar, bookings: Iterable[Booking], offers: Iterable[Offer]
) -> Book:
    """A queue's own of all appointments and offers there are."""
    return Book(
        queue,
        settings,
        calendar,
        tuple(one for one in bookings if one.queue == queue),
        tuple(one for one in offers if one.queue == queue),
    )
