"""Everything that time brings, in the order in which one thing may bring the next."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from loket.appointments import Appointments
from loket.core.office import Office
from loket.core.token import Keys
from loket.deadlines import Deadlines
from loket.lapses import Lapses
from loket.ports import Clock
from loket.reminders import Reminders
from loket.reports import Reports
from loket.store.codes import officers_with_lapsed
from loket.stores import Stores
from loket.timers import Timers
from loket.timetable import Timetable
from loket.turns import Turns


class Clockwork:
    """The rounds; each harms no other when it fails, and what is due stays due."""

    def __init__(
        self,
        stores: Stores,
        office: Callable[[], Office],
        keys: Keys,
        clock: Clock,
        wrote: Callable[[str], None],
        eight_bit: Callable[[str], bool],
    ) -> None:
        """`eight_bit` tells whether a mailbox's server takes 8BITMIME (RFC 6152)."""
        desk, intake = stores.desk, stores.intake
        self.timetable = Timetable(desk, intake, office, keys, clock, wrote)
        self.timers = Timers(desk, office, keys, clock, stores.contents.form, eight_bit, wrote)
        self._rounds = (
            self.timetable,
            self.timers,
            Deadlines(desk, intake, office, keys, clock, wrote),
            Reports(desk, office, keys, clock, wrote),
            Reminders(desk, intake, office, keys, clock, wrote),
            Appointments(desk, intake, office, keys, clock, wrote),
            Turns(desk, intake, office, keys, clock, wrote),
            Lapses(partial(officers_with_lapsed, stores.database), intake, office, keys, clock, wrote),
        )

    def tick(self) -> None:
        """One look at the clock."""
        for one in self._rounds:
            one.tick()
