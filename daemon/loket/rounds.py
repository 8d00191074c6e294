"""What every round through the store needs: a look at what is due, and the transaction that decides it anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loket.core.office import Office
from loket.core.token import Keys
from loket.ports import Clock, Desk, Intake


@dataclass(slots=True)
class Round:
    """`desk` looks, `intake` writes, `wrote` hears of the mailbox that has mail to send."""

    desk: Desk
    intake: Intake
    office: Callable[[], Office]
    keys: Keys
    clock: Clock
    wrote: Callable[[str], None]
