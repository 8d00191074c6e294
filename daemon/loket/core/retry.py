"""When to try again: exponential waits with jitter, bounded; the chance comes in as an argument."""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST = timedelta(seconds=30)
LONGEST = timedelta(hours=2)
EXPIRY = timedelta(days=5)


def wait(attempt: int, chance: float, first: timedelta = FIRST, longest: timedelta = LONGEST) -> timedelta:
    """The wait after the `attempt`-th failure (from 1): doubling, at most `longest`, up to a fifth earlier.

    `chance` is a number in [0, 1); it spreads many waits so that they do not end at once.
    """
    doubled: timedelta = first * 2 ** min(attempt - 1, 20)
    return min(doubled, longest) * (1 - chance / 5)


def next_attempt(created_at: datetime, attempt: int, now: datetime, chance: float) -> datetime | None:
    """When a mail refused for now is due again; None once it is older than `EXPIRY` (RFC 5321 4.5.4.1)."""
    if now - created_at >= EXPIRY:
        return None
    return now + wait(attempt, chance)
