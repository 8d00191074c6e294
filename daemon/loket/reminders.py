"""What time brings to tickets that wait for their applicant: one reminder, then the end (promise P17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from loket import maillog
from loket.core.known import Hints
from loket.core.lineup import lined
from loket.core.mail import Post
from loket.core.model import Plan, Ticket
from loket.core.office import Office
from loket.core.settled import settled
from loket.core.waiting import overdue
from loket.rounds import Round

# Nothing is due for a ticket that was touched since; a working day is never shorter.
QUIET = timedelta(hours=12)


class Reminders(Round):
    """Looks at the clock and carries out what is due."""

    __slots__ = ()

    def tick(self) -> None:
        """Every reminder and end that is due; one that fails stays due and harms no other."""
        office, now = self.office(), self.clock.now()
        if office.patience.remind is None and office.patience.close is None:
            return
        for ticket, reminded_at in self.desk.waiting(now - QUIET):
            # Tickets of a mailbox that has gone from the configuration wait for a person.
            if ticket.mailbox not in office.counters:
                continue
            try:
                if self._plan(office, ticket, reminded_at, now) is not None:
                    self._carry_out(office, ticket, reminded_at, now)
            except Exception as error:  # noqa: BLE001 - it stays due; the others must not wait for it
                maillog.timer_failed(f"reminder of {ticket.number}", f"{type(error).__name__}: {error}")

    def _plan(self, office: Office, ticket: Ticket, reminded_at: datetime | None, now: datetime) -> Plan | None:
        return overdue(Post(office, office.counters[ticket.mailbox], self.keys, now), ticket, reminded_at)

    def _carry_out(self, office: Office, seen: Ticket, reminded_at: datetime | None, now: datetime) -> None:
        """Decided anew in the transaction that writes it: the applicant may have written this very moment."""
        hints = Hints(frozenset({seen.number}), frozenset({seen.applicant} - {""}))
        with self.intake.begin() as transaction:
            known = transaction.known(hints, now)
            ticket = known.tickets[seen.number]
            if ticket.updated_at != seen.updated_at:
                return
            plan = self._plan(office, ticket, reminded_at, now)
            if plan is None:
                return
            post = Post(office, office.counters[ticket.mailbox], self.keys, now)
            cause = f"waited:{ticket.number}"
            plan = lined(settled(plan, post, known, cause), post, known, cause)
            plan = replace(plan, outbox=known.gate.admit(plan.outbox, now))
            transaction.apply([plan], now)
        maillog.waited(seen.number, plan.events[0].kind)
        if plan.outbox:
            self.wrote(seen.mailbox)
