"""How much an account may send now: rolling windows counted from what was accepted, with a reserve for letters."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DAY = timedelta(hours=24)
# What each priority may use of a day's quota: letters all of it, answers to applicants and alerts nine tenths, and
# what can wait (digests, reminders, answers to a backlog) eight. So no flood of the one eats up the other.
SHARES = (1.0, 0.9, 0.8)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many recipients within any such time."""

    count: int
    period: timedelta

    def room(self, used: Sequence[datetime], now: datetime, priority: int) -> int:
        """How many more may leave now, of that priority; `used` are the moments of those that did, ascending."""
        return self._cap(priority) - (len(used) - bisect_right(used, now - self.period))

    def frees(self, used: Sequence[datetime], now: datetime, priority: int) -> datetime:
        """When there is room for one again."""
        within = used[bisect_right(used, now - self.period) :]
        return within[len(within) - self._cap(priority)] + self.period

    def _cap(self, priority: int) -> int:
        if self.period < DAY:
            return self.count
        return max(1, int(self.count * SHARES[min(priority, len(SHARES) - 1)]))


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many may leave now by priority (the last stands for all behind it), and until when the rest waits."""

    rooms: tuple[int, ...]
    frees: tuple[datetime | None, ...]

    def takes(self, place: int, priority: int) -> bool:
        """Whether the mail at that place (from 0) among those claimed, the most urgent first, may leave too."""
        return place < self.rooms[min(priority, len(self.rooms) - 1)]


def allowance(limits: Sequence[Limit], used: Sequence[datetime], now: datetime) -> Allowance:
    """What all the limits together allow."""
    rooms = []
    frees: list[datetime | None] = []
    for priority in range(len(SHARES)):
        full = [limit for limit in limits if limit.room(used, now, priority) <= 0]
        frees.append(max((limit.frees(used, now, priority) for limit in full), default=None))
        rooms.append(max(0, min(limit.room(used, now, priority) for limit in limits)))
    return Allowance(tuple(rooms), tuple(frees))
