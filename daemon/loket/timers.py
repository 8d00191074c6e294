"""What time brings: digests. Each occurrence is a row, so it happens once, whatever the clock does (promise P17)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from loket import maillog
from loket.core import agenda, notice
from loket.core.calendar import latest_due
from loket.core.compose import ByteForm
from loket.core.errand import in_hand
from loket.core.item import on_desk
from loket.core.mail import Post
from loket.core.model import Event, Occurrence, Plan, StoredFile, Ticket
from loket.core.notice import DigestItem
from loket.core.office import Counter, DigestTime, Office, Officer
from loket.core.token import Keys
from loket.ports import Clock, Desk

# How far back digests are looked for that were missed.
LOOK_BACK = timedelta(days=8)


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
        away = self.store.away(now)
        if officer.address in away:
            # Their items are their deputy's, or stay with the queue's others; the moment has passed all the same.
            self.store.apply(Plan(occurrence=occurrence), now)
            return
        items, others = self.desk(mailbox, officer, away)
        post = Post(office, counter, self.keys, now)
        plan = notice.digest(
            post,
            officer,
            items,
            occurrence,
            eight_bit_way=bool(items) and self.eight_bit(mailbox),
            others=others,
            appointments=agenda.today(post, officer, self.store.standing(now)),
        )
        missed = self._missed(office, counter, digest, occurrence)
        if missed:
            detail = {"digest": digest.name, "officer": officer.address, "due": missed}
            plan = replace(plan, events=(Event(now, "digests-missed", None, mailbox, None, office.rules_hash, detail),))
        if not self.store.apply(plan, now):
            return
        if missed:
            maillog.digests_missed(officer.address, mailbox, missed)
        if plan.outbox:
            maillog.digest_due(officer.address, mailbox, len(items))
            self.wrote(mailbox)

    def _missed(self, office: Office, counter: Counter, digest: DigestTime, now_due: Occurrence) -> list[str]:
        """Moments since the last digest at which one was due and none was written: nothing is skipped in silence.

        Without a last one, in the week that is looked at, there is nothing to have missed: a new officer, say.
        """
        found: list[str] = []
        at = now_due.due_at
        while True:
            earlier = latest_due(digest.times, office.zone, at - timedelta(microseconds=1))
            if earlier is None or now_due.due_at - earlier > LOOK_BACK:
                return []
            if self.store.occurred(now_due.what, now_due.whom, earlier):
                return found[::-1]
            if counter.calendar.works(earlier.astimezone(office.zone).date()):
                found.append(earlier.isoformat(timespec="minutes"))
            at = earlier

    def desk(
        self, mailbox: str, officer: Officer, away: Mapping[str, datetime]
    ) -> tuple[list[DigestItem], list[tuple[Ticket, str]]]:
        """What waits for an officer at a mailbox, with the originals' bytes looked at, and what colleagues have."""
        office = self.office()
        post = Post(office, office.counters[mailbox], self.keys, self.clock.now())
        people = [officer, *office.standing_in(officer, away)]
        found = self.store.open_tickets(mailbox, office.queues_of(officer, away), tuple(one.address for one in people))
        stories = self.store.stories([ticket for ticket, _ in found])
        items: list[DigestItem] = []
        others: list[tuple[Ticket, str]] = []
        for ticket, files in found:
            if on_desk(post, ticket, officer, away):
                items.append(
                    DigestItem(
                        ticket, tuple((file, self.form(file)) for file in files), tuple(stories.get(ticket.number, ()))
                    )
                )
                continue
            whose = office.officers.get(in_hand(ticket, post, away) or "")
            if whose is not None and whose != officer:
                others.append((ticket, whose.name))
        return items, others


def _to(office: Office, digest: DigestTime) -> Sequence[Officer]:
    everyone = [officer for officer in office.officers.values() if officer.active]
    return everyone if not digest.to else [officer for officer in everyone if officer.address in digest.to]
