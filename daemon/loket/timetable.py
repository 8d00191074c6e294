"""The office's calendar as time goes on: years whose days off are not settled are told to the admin (promise P17)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loket import maillog
from loket.core import almanac
from loket.core.mail import Post
from loket.core.office import Office
from loket.core.token import Keys
from loket.ports import Clock, Desk


@dataclass(frozen=True, slots=True)
class Timetable:
    """Looks at the clock and the calendar, and carries out what follows."""

    desk: Desk
    office: Callable[[], Office]
    keys: Keys
    clock: Clock
    wrote: Callable[[str], None]

    def tick(self) -> None:
        """What there is to say of the days off to come; it stays due where that fails."""
        try:
            self._warn()
        except Exception as error:  # noqa: BLE001 - it stays due; the others must not wait for it
            maillog.timer_failed("the days off to come", f"{type(error).__name__}: {error}")

    def _warn(self) -> None:
        office, now = self.office(), self.clock.now()
        post = Post(office, next(iter(office.counters.values())), self.keys, now)
        for plan in almanac.warnings(post):
            due = plan.occurrence
            if due is None or self.desk.occurred(due.what, due.whom, due.due_at):
                continue
            if self.desk.apply(plan, now):
                maillog.days_off_unsettled(due.what)
                self.wrote(post.counter.address)
