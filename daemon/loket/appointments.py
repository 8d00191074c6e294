"""What time brings to appointments: the clock looked at, each step decided anew in the transaction that writes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from loket import maillog
from loket.core import slottime
from loket.core.known import Hints, Known
from loket.core.mail import Post
from loket.core.model import Plan, Ticket
from loket.core.office import Office
from loket.core.table import Table, table
from loket.rounds import Round

# So many steps at one look at the clock; whatever there is beyond waits for the next.
MOST_STEPS = 1000


class Appointments(Round):
    """Looks at the clock and carries out what is due."""

    __slots__ = ()

    def tick(self) -> None:
        """Everything that is due for any appointment or offer; one that fails stays due and harms no other."""
        office, now = self.office(), self.clock.now()
        failed: set[str] = set()
        for _ in range(MOST_STEPS):
            number = self._next(office, now, failed)
            if number is None:
                break
            try:
                self._step(office, number, now)
            except Exception as error:  # noqa: BLE001 - it stays due; the others must not wait for it
                failed.add(number)
                maillog.timer_failed(f"appointment of {number}", f"{type(error).__name__}: {error}")
        self._remind(office, now, failed)

    def _table(self, office: Office, known: Known, ticket: Ticket, now: datetime) -> Table | None:
        counter = office.counters.get(ticket.mailbox)
        if counter is None:
            return None
        post = Post(office, counter, self.keys, now)
        # An appointment was made by its applicant or an officer: its letters go whatever the first mail was like.
        personal = any(one.live and one.ticket == ticket.number for one in known.bookings.values())
        return table(post, known, ticket, f"clock:{ticket.number}", personal=personal)

    def _due(self, office: Office, known: Known, ticket: Ticket, now: datetime) -> Plan | None:
        """What is due for a ticket; one of a mailbox that has gone from the configuration waits for a person."""
        at = self._table(office, known, ticket, now)
        if at is not None:
            return slottime.due(at)
        counter = office.counters.get(ticket.mailbox)
        return slottime.orphaned(Post(office, counter, self.keys, now), known, ticket) if counter is not None else None

    def _next(self, office: Office, now: datetime, failed: set[str]) -> str | None:
        """A ticket for which something is due."""
        known = self.desk.standing(now)
        for number, ticket in known.tickets.items():
            if number not in failed and self._due(office, known, ticket, now) is not None:
                return number
        return None

    def _step(self, office: Office, number: str, now: datetime) -> None:
        """One step for one ticket; its applicant may have written this very moment."""
        hints = Hints(frozenset({number}), frozenset())
        with self.intake.begin() as transaction:
            known = transaction.known(hints, now)
            plan = self._due(office, known, known.tickets[number], now)
            if plan is None:
                return
            plan = replace(plan, outbox=known.gate.admit(plan.outbox, now))
            transaction.apply([plan], now)
        self._tell(number, plan)

    def _remind(self, office: Office, now: datetime, failed: set[str]) -> None:
        known = self.desk.standing(now)
        for number, ticket in known.tickets.items():
            at = self._table(office, known, ticket, now) if number not in failed else None
            if at is None:
                continue
            try:
                for occurrence, plan in slottime.reminders(at):
                    happened = self.desk.occurred(occurrence.what, occurrence.whom, occurrence.due_at)
                    if not happened and self._still(office, at, plan, now):
                        self._tell(number, plan)
            except Exception as error:  # noqa: BLE001 - the same
                maillog.timer_failed(f"reminder of {number}", f"{type(error).__name__}: {error}")

    def _still(self, office: Office, seen: Table, plan: Plan, now: datetime) -> bool:
        """Written, unless the appointment is another by now; its occurrence makes it happen once."""
        hints = Hints(frozenset({seen.ticket.number}), frozenset())
        with self.intake.begin() as transaction:
            known = transaction.known(hints, now)
            at = self._table(office, known, known.tickets[seen.ticket.number], now)
            if at is None or at.own != seen.own:
                return False
            transaction.apply([replace(plan, outbox=known.gate.admit(plan.outbox, now))], now)
        return True

    def _tell(self, number: str, plan: Plan) -> None:
        for event in plan.events:
            maillog.waited(number, event.kind)
        for mail in plan.outbox:
            self.wrote(mail.mailbox)
