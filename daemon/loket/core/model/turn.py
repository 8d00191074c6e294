"""A place in the line of a queue of live contacts, from the moment somebody stands in it until it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class End(StrEnum):
    """How a turn ended: by an answer, by the clock, by its applicant, or because its ticket or queue is another."""

    ANSWERED = "answered"
    TIME = "time"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    MOVED = "moved"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Turn:
    """A ticket's place in a line: `serial` counts up within its queue, whoever has the smaller one is called first.

    Called, it has a `seat` of those that the queue serves at once, from `called_at` until `ends_at` at the latest.
    """

    queue: str
    serial: int
    ticket: str
    since: datetime
    called_at: datetime | None = None
    ends_at: datetime | None = None
    ended_at: datetime | None = None
    end: End | None = None
    seat: int | None = None

    @property
    def over(self) -> bool:
        """Whether it is in nobody's way any more."""
        return self.ended_at is not None

    @property
    def served(self) -> bool:
        """Whether it was called and is not over."""
        return self.called_at is not None and not self.over

    @property
    def waiting(self) -> bool:
        """Whether it has still to be called."""
        return self.called_at is None and not self.over
