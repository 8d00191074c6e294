"""What time brings: digests. Each occurrence is a row, so it happens once, whatever the clock does (promise P17)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from loket import maillog
from loket.core import notice
from loket.core.calendar import latest_due
from loket.core.compose import ByteForm
from loket.core.mail import Post
from loket.core.model import Occurrence, StoredFile
from loket.core.notice import DigestItem
from loket.core.office import DigestTime, Office, Officer
from loket.core.token import Keys
from loket.ports import Clock, Desk


@dataclass(frozen=True, slots=True)
class Timers:
    """Looks at the clock and carries out what is due."""

    store: Desk
    office: Callable[[], Office]
    keys: Keys
    clock: Clock
    form: Callable[[StoredFile], ByteForm]
    eight_bit: Callable[[str], bool]
    wrote: Callable[[str], None]

    def tick(self) -> None:
        """Every digest that is due and has not happened; one that fails keeps its due time and harms no other."""
        office, now = self.office(), self.clock.now()
        since = self.store.since()
        for digest in office.digests:
            due = latest_due(digest.times, office.zone, now)
            if due is None or due < since:
                continue
            for officer in _to(office, digest):
                for mailbox in office.desks:
                    try:
                        self._digest(office, officer, mailbox, digest, due, now)
                    except Exception as error:  # noqa: BLE001 - it stays due; the others must not wait for it
                        what = f"digest {digest.name} of {mailbox} for {officer.address}"
                        maillog.timer_failed(what, f"{type(error).__name__}: {error}")

    def _digest(
        self, office: Office, officer: Officer, mailbox: str, digest: DigestTime, due: datetime, now: datetime
    ) -> None:
        counter = office.counters[mailbox]
        occurrence = Occurrence(f"digest:{digest.name}:{mailbox}", officer.address, due)
        works = counter.calendar.works(due.astimezone(office.zone).date())
        if not works or self.store.occurred(occurrence.what, occurrence.whom, occurrence.due_at):
            return
        items = self.items(mailbox, officer)
        plan = notice.digest(
            Post(office, counter, self.keys, now),
            officer,
            items,
            occurrence,
            eight_bit_way=bool(items) and self.eight_bit(mailbox),
        )
        if self.store.apply(plan, now) and plan.outbox:
            maillog.digest_due(officer.address, mailbox, len(items))
            self.wrote(mailbox)

    def items(self, mailbox: str, officer: Officer) -> list[DigestItem]:
        """The open tickets of a mailbox in the officer's queues, with the originals' bytes looked at."""
        return [
            DigestItem(ticket, tuple((file, self.form(file)) for file in files))
            for ticket, files in self.store.open_tickets(mailbox, officer.queues)
        ]


def _to(office: Office, digest: DigestTime) -> Sequence[Officer]:
    everyone = [officer for officer in office.officers.values() if officer.active]
    return everyone if not digest.to else [officer for officer in everyone if officer.address in digest.to]
