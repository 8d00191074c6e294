"""An applicant's place in the calendar of a queue that works by appointment, and the offer that led to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class BookingState(StrEnum):
    """What became of an appointment; only the first has a place in the calendar."""

    BOOKED = "booked"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    DISPLACED = "displaced"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Booking:
    """One appointment of a ticket: half-open from `start` to `end`, in `seat` of those that its moment has.

    `uid` and `sequence` are the iCalendar event's (RFC 5545 3.8.4.7, 3.8.7.4), `attendance` the applicant's PARTSTAT
    in small letters, `stamp` the DTSTAMP of the reply that said so. `officers` have the invitation in their calendars.
    """

    uid: str
    ticket: str
    queue: str
    applicant: str
    start: datetime
    end: datetime
    seat: int
    at: datetime
    sequence: int = 0
    state: BookingState = BookingState.BOOKED
    place: str = ""
    attendance: str = "needs-action"
    stamp: datetime | None = None
    officers: tuple[str, ...] = ()

    @property
    def live(self) -> bool:
        """Whether it has its place still."""
        return self.state is BookingState.BOOKED


@dataclass(frozen=True, slots=True)
class Offer:
    """The moments that a ticket's applicant was last offered, in their numbered order; they reserve nothing.

    `waiting` is since when the applicant is on the waiting list. Whoever is and has `until` was offered a moment that
    became free, which is kept for them until then. `over` takes the offer away.
    """

    ticket: str
    queue: str
    applicant: str
    starts: tuple[datetime, ...]
    at: datetime
    waiting: datetime | None = None
    until: datetime | None = None
    over: bool = False
