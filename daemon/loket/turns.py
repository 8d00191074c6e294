"""What time brings to those who stand in line: the end of each turn and the next call, in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from loket import maillog
from loket.core import lineup
from loket.core.known import Hints, Known
from loket.core.mail import Post
from loket.core.model import Plan
from loket.core.office import Office
from loket.rounds import Round

# So many steps for one line at one look at the clock; whatever there is beyond waits for the next.
MOST_STEPS = 100


class Turns(Round):
    """Looks at the clock and carries out what is due."""

    __slots__ = ()

    def tick(self) -> None:
        """Every line's turns that end and calls that are due; a line that fails stays due and harms no other."""
        office, now = self.office(), self.clock.now()
        known = self.desk.lines(now)
        for queue in sorted(known.lines):
            try:
                for _ in range(MOST_STEPS):
                    if self._due(office, known, queue, now) is None:
                        break
                    self._step(office, queue, now)
                    known = self.desk.lines(now)
            except Exception as error:  # noqa: BLE001 - it stays due; the others must not wait for it
                maillog.timer_failed(f"turns of {queue}", f"{type(error).__name__}: {error}")

    def _due(self, office: Office, known: Known, queue: str, now: datetime) -> Plan | None:
        # Each letter leaves from its own ticket's counter; this one is only where to begin.
        counter = next(iter(office.counters.values()))
        return lineup.due(Post(office, counter, self.keys, now), known, queue)

    def _step(self, office: Office, queue: str, now: datetime) -> None:
        """Decided anew in the transaction that writes it: an officer may have ended a turn this very moment."""
        with self.intake.begin() as transaction:
            known = transaction.known(Hints(frozenset(), frozenset()), now)
            plan = self._due(office, known, queue, now)
            if plan is None:
                return
            plan = replace(plan, outbox=known.gate.admit(plan.outbox, now))
            transaction.apply([plan], now)
        for event in plan.events:
            maillog.waited(event.ticket or "", event.kind)
        for mailbox in {mail.mailbox for mail in plan.outbox}:
            self.wrote(mailbox)
