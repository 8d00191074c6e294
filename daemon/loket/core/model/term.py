"""How long the office has for a ticket, so that its due time can be reckoned anew at any time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Term:
    """From when, how much working time, when it stood still, and until which day the ticket was put off.

    The last pause has no end while the office waits for the applicant.
    """

    start: datetime
    amount: int
    unit: Literal["days", "hours"]
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()
    put_off: date | None = None

    @property
    def stands_still(self) -> bool:
        """Whether the applicant is asked something."""
        return bool(self.pauses) and self.pauses[-1][1] is None
