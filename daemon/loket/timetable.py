"""The office's calendar as time goes on: due times reckoned anew when it changes, years that are not settled (P17)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from loket import maillog
from loket.core import almanac
from loket.core.known import Hints
from loket.core.mail import Post
from loket.core.office import Office
from loket.rounds import Round

# So many tickets are reckoned anew in one transaction: intake waits for it.
PORTION = 200


@dataclass(slots=True)
class Timetable(Round):
    """Looks at the clock and the calendar, and carries out what follows."""

    # The configuration and day that were looked at last: the same come to the same.
    _looked: tuple[str, date] | None = field(default=None, init=False)

    def tick(self) -> None:
        """Once a day, and after every edit; what fails is due again at the next tick and harms nothing else."""
        office, now = self.office(), self.clock.now()
        looked = office.rules_hash, now.astimezone(office.zone).date()
        if looked == self._looked:
            return
        try:
            self._reckon(office, now)
            self._warn(office, now)
            self._looked = looked
        except Exception as error:  # noqa: BLE001 - it stays due; the others must not wait for it
            maillog.timer_failed("the calendar", f"{type(error).__name__}: {error}")

    def _reckon(self, office: Office, now: datetime) -> None:
        """Every open ticket due by the calendar that the office has now, where it is another than before."""
        found = almanac.fingerprint(office, now.astimezone(office.zone).date())
        if self.desk.noted(almanac.CALENDAR) == found:
            return
        numbers = self.desk.timed()
        moved = sum(self._portion(office, numbers[at : at + PORTION], now) for at in range(0, len(numbers), PORTION))
        self.desk.apply(almanac.in_force(found), now)
        if moved:
            maillog.due_moved(moved)

    def _portion(self, office: Office, numbers: list[str], now: datetime) -> int:
        with self.intake.begin() as transaction:
            tickets = transaction.known(Hints(frozenset(numbers), frozenset()), now).tickets
            # Tickets of a mailbox that has gone from the configuration have no hours.
            there = [tickets[number] for number in numbers if tickets[number].mailbox in office.counters]
            posts = [(Post(office, office.counters[one.mailbox], self.keys, now), one) for one in there]
            plans = [plan for post, one in posts if (plan := almanac.reckoned(post, one)) is not None]
            transaction.apply(plans, now)
        return len(plans)

    def _warn(self, office: Office, now: datetime) -> None:
        post = Post(office, next(iter(office.counters.values())), self.keys, now)
        for plan in almanac.warnings(post):
            due = plan.occurrence
            if due is None or self.desk.occurred(due.what, due.whom, due.due_at):
                continue
            if self.desk.apply(plan, now):
                maillog.days_off_unsettled(due.what)
                self.wrote(post.counter.address)
