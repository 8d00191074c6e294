"""Turns of a queue of live contacts: whom to call, whose time is up, and how long whoever waits may have to wait."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from loket.core.appointments import LONGEST, Length
from loket.core.calendar import HORIZON_DAYS, Calendar
from loket.core.contact import CHANNELS
from loket.core.model import End, Turn
from loket.core.pace import FEW, quantile
from loket.core.strict import Misplaced, Strict, also_written

SHORTEST = timedelta(minutes=1)
# Nobody this far back is told how long it may take.
FARTHEST = 500


@also_written(type="string")
def _where(value: Any) -> Any:
    """One text is good for every channel."""
    return {"": value} if isinstance(value, str) else value


class Live(Strict):
    """A queue of live contacts: how many are served at once, how long each at the most, and where they go."""

    at_once: int = Field(ge=1, le=50, description="how many are served at once")
    length: Length = Field(description="how long each is served at the most: 15 minutes")
    where: Annotated[dict[str, str], BeforeValidator(_where)] = Field(
        default={}, description="what the call says: a text, or one for each channel, the first for all others"
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not SHORTEST <= self.length <= LONGEST:
            raise Misplaced(("length",), "a turn takes from 1 minute to 8 hours")
        for channel in self.where:
            if channel and channel not in CHANNELS:
                raise Misplaced(("where", channel), f"write one of the channels {', '.join(CHANNELS)}")
        return self

    def place(self, channel: str) -> str:
        """Where whoever came by that channel goes, or by mail where it is empty."""
        return self.where.get(channel) or next(iter(self.where.values()), "")


@dataclass(frozen=True, slots=True)
class Line:
    """A queue's turns that are not over in their order, the last number given, and what served ones took of late."""

    queue: str
    turns: tuple[Turn, ...] = ()
    last: int = 0
    taken: tuple[timedelta, ...] = ()

    @property
    def served(self) -> list[Turn]:
        """Those who were called."""
        return [one for one in self.turns if one.served]

    @property
    def waiting(self) -> list[Turn]:
        """Those who were not, the next first."""
        return [one for one in self.turns if one.waiting]

    def of(self, ticket: str) -> Turn | None:
        """A ticket's turn."""
        return next((one for one in self.turns if one.ticket == ticket), None)

    def place(self, ticket: str) -> int:
        """Its place among those who wait, from 1; the one behind them all for whoever is not in the line."""
        waiting = [one.ticket for one in self.waiting]
        return waiting.index(ticket) + 1 if ticket in waiting else len(waiting) + 1

    def joined(self, ticket: str, now: datetime) -> Turn:
        """The turn of somebody who steps into the line now."""
        return Turn(self.queue, self.last + 1, ticket, now)

    def after(self, changed: Iterable[Turn]) -> Line:
        """The line once these turns are as they are now."""
        turns = {one.serial: one for one in self.turns}
        last = self.last
        for one in changed:
            turns[one.serial] = one
            last = max(last, one.serial)
        kept = sorted((one for one in turns.values() if not one.over), key=lambda one: one.serial)
        return replace(self, turns=tuple(kept), last=last)


def lines_after(lines: Mapping[str, Line], changed: Sequence[Turn]) -> dict[str, Line]:
    """Every queue's line once these turns are as they are now."""
    found = dict(lines)
    for queue in {one.queue for one in changed}:
        theirs = [one for one in changed if one.queue == queue]
        found[queue] = found.get(queue, Line(queue)).after(theirs)
    return found


def begins(calendar: Calendar, length: timedelta, at: datetime) -> datetime | None:
    """The first moment from then on at which a whole turn fits before the counter closes or pauses.

    Nobody is called for less: who comes too late for today is the first of the next opening.
    """
    at = at.astimezone(UTC)
    day = at.astimezone(calendar.zone).date()
    for _ in range(HORIZON_DAYS):
        for opens, closes in calendar.moments(day):
            start = max(opens, at)
            if start + length <= closes:
                return start
        day += timedelta(days=1)
    return None


def advance(line: Line, live: Live, calendar: Calendar, now: datetime, *, attended: bool = True) -> tuple[Turn, ...]:
    """The turns that change now: those whose time is up, then those who are called, in the order of the line.

    `attended`: somebody of the office is there to serve them.
    """
    ended = [over(one, End.TIME, now) for one in line.served if one.ends_at is not None and one.ends_at <= now]
    left = line.after(ended)
    if not attended or not left.waiting or begins(calendar, live.length, now) != now:
        return tuple(ended)
    busy = {one.seat for one in left.served}
    seats = [seat for seat in range(1, live.at_once + len(busy) + 1) if seat not in busy]
    free = max(0, live.at_once - len(busy))
    called = [
        replace(one, called_at=now, ends_at=now + live.length, seat=seat)
        for one, seat in zip(left.waiting[:free], seats, strict=False)
    ]
    return (*ended, *called)


def over(turn: Turn, end: End, now: datetime) -> Turn:
    """The turn at its end; its seat is free."""
    return replace(turn, ended_at=now, end=end, seat=None)


@dataclass(frozen=True, slots=True)
class Wait:
    """When somebody in the line is called: not before the one moment, nor after the other while the office works."""

    low: datetime
    high: datetime


def wait(line: Line, live: Live, calendar: Calendar, now: datetime, ticket: str) -> Wait | None:
    """How long that ticket waits, in the line or about to step into it; None where nobody can say.

    At the earliest as fast as one in four were served of late, at the latest with everybody's whole time.
    """
    place = line.place(ticket)
    if place > FARTHEST:
        return None
    taken = sorted(line.taken)
    quick = quantile(taken, 0.25) if len(taken) >= FEW else live.length / 3
    low = _called(line, live, calendar, now, place, min(max(quick, SHORTEST), live.length))
    high = _called(line, live, calendar, now, place, live.length)
    return Wait(low, high) if low is not None and high is not None else None


def _called(line: Line, live: Live, calendar: Calendar, now: datetime, place: int, each: timedelta) -> datetime | None:
    """When the one at that place is called, where each takes so long."""
    now = now.astimezone(UTC)
    ends = [
        max(now, min(one.called_at + each, one.ends_at)).astimezone(UTC)
        for one in line.served
        if one.called_at is not None and one.ends_at is not None
    ]
    seats = [*ends, *[now] * (live.at_once - len(ends))]
    heapq.heapify(seats)
    # Where fewer are served at once than before, the first to end make no room.
    for _ in range(len(seats) - live.at_once):
        heapq.heappop(seats)
    start: datetime | None = None
    for _ in range(place):
        start = begins(calendar, live.length, heapq.heappop(seats))
        if start is None:
            return None
        heapq.heappush(seats, start + each)
    return start
