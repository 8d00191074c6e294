"""What time brings to items that the office has not answered: reminders to officers, then to supervisors (P17)."""

from __future__ import annotations

from collections.abc import Mapping

from loket import maillog
from loket.core.escalation import escalate, watches
from loket.core.known import Hints
from loket.core.mail import Post
from loket.core.model import Ticket
from loket.rounds import Round


class Deadlines(Round):
    """Looks at the clock and carries out what is due."""

    __slots__ = ()

    def tick(self) -> None:
        """What came up at every counter that is open; one that fails keeps what is due and harms no other."""
        office, now = self.office(), self.clock.now()
        opened = {at: counter for at, counter in office.counters.items() if counter.calendar.is_open(now)}
        asked = watches(office, [counter.calendar for counter in opened.values()], now) if opened else []
        seen: dict[str, dict[str, tuple[Ticket, frozenset[str]]]] = {}
        for ticket, done in self.desk.nearing(asked):
            if ticket.mailbox in opened:
                seen.setdefault(ticket.mailbox, {})[ticket.number] = ticket, done
        for address, tickets in seen.items():
            try:
                self._counter(Post(office, opened[address], self.keys, now), tickets)
            except Exception as error:  # noqa: BLE001 - it stays due; the others must not wait for it
                maillog.timer_failed(f"due times at {address}", f"{type(error).__name__}: {error}")

    def _counter(self, post: Post, seen: Mapping[str, tuple[Ticket, frozenset[str]]]) -> None:
        # Decided anew in the transaction that writes it: an officer may have answered this very moment.
        with self.intake.begin() as transaction:
            known = transaction.known(Hints(frozenset(seen), frozenset()), post.now)
            found = [
                (known.tickets[number], done)
                for number, (ticket, done) in seen.items()
                if known.tickets[number].due_at == ticket.due_at
            ]
            plan = escalate(post, found, known.away)
            if plan is None:
                return
            transaction.apply([plan], post.now)
        address = post.counter.address
        maillog.escalated(address, len({one.whom for one in plan.occurrences}), len(plan.outbox))
        if plan.outbox:
            self.wrote(address)
