"""Codes that nobody answered in time: what waited for them is set aside, and the officer told (promise P15)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from loket import maillog
from loket.core.confirm import lapsed
from loket.core.known import Hints
from loket.core.mail import Post
from loket.core.office import Office, Officer
from loket.core.token import Keys
from loket.ports import Clock, Intake


@dataclass(frozen=True, slots=True)
class Lapses:
    """Looks at the clock; `over` names the officers with a code whose time is over."""

    over: Callable[[datetime], list[str]]
    intake: Intake
    office: Callable[[], Office]
    keys: Keys
    clock: Clock
    wrote: Callable[[str], None]

    def tick(self) -> None:
        """End every code that is over; one that fails stays, and harms no other."""
        now = self.clock.now()
        for address in self.over(now):
            try:
                self._end(address, now)
            except Exception as error:  # noqa: BLE001 - it stays due; the others must not wait for it
                maillog.timer_failed(f"codes of {address}", f"{type(error).__name__}: {error}")

    def _end(self, address: str, now: datetime) -> None:
        office = self.office()
        officer = office.officers.get(address)
        hints = Hints(frozenset(), frozenset(), officers=frozenset({address}))
        with self.intake.begin() as transaction:
            known = transaction.known(hints, now)
            numbers = [letter.ticket for code in known.codes.of(address) for letter in code.letters]
            mailbox = next((known.tickets[number].mailbox for number in numbers if number in known.tickets), "")
            counter = office.counters.get(mailbox) or next(iter(office.counters.values()))
            post = Post(office, counter, self.keys, now)
            plan = lapsed(officer or Officer(address, address, ()), post, known)
            if officer is None:
                # Whoever has left the office gets none of its mail.
                plan = replace(plan, outbox=())
            transaction.apply([plan], now)
        maillog.lapsed(address, len(plan.held))
        for mail in plan.outbox:
            self.wrote(mail.mailbox)
