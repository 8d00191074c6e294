"""The figures of each week, mailed to whom the configuration names; each occurrence once (promise P17)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from loket import maillog
from loket.charts import picture
from loket.core import weekly
from loket.core.calendar import latest_due
from loket.core.figures import Week
from loket.core.mail import Post
from loket.core.model import NewFile, Occurrence, StoredFile
from loket.core.office import DigestTime, Office
from loket.core.token import Keys
from loket.ports import Clock, Desk

# So many weeks' reports are made up for that were due while nothing ran.
MADE_UP = 4


@dataclass(frozen=True, slots=True)
class Reports:
    """Looks at the clock and writes the reports that are due."""

    desk: Desk
    office: Callable[[], Office]
    keys: Keys
    clock: Clock
    wrote: Callable[[str], None]

    def tick(self) -> None:
        """Every report that is due and has not happened; one that fails keeps its due time and harms no other."""
        office, now = self.office(), self.clock.now()
        for entry in office.reports:
            for reader in entry.to:
                try:
                    for due in self._due(office, entry, reader, now):
                        self._write(office, entry, reader, due, now)
                except Exception as error:  # noqa: BLE001 - it stays due; the others must not wait for it
                    maillog.timer_failed(f"report for {reader}", f"{type(error).__name__}: {error}")

    def _due(self, office: Office, entry: DigestTime, reader: str, now: datetime) -> Iterator[datetime]:
        """The moments since the last report that was written, oldest first; without a last one only the latest."""
        since, found = self.desk.since(), list[datetime]()
        at = latest_due(entry.times, office.zone, now)
        while at is not None and at >= since:
            if self.desk.occurred(_what(entry), reader, at):
                yield from found[::-1]
                return
            if len(found) == MADE_UP:
                break
            found.append(at)
            at = latest_due(entry.times, office.zone, at - timedelta(microseconds=1))
        yield from found[:1]

    def _write(self, office: Office, entry: DigestTime, reader: str, due: datetime, now: datetime) -> None:
        week = weekly.last_whole_week(office, due)
        report = made(self.desk, office, week, now)
        post = Post(office, next(iter(office.counters.values())), self.keys, now)
        content = picture(weekly.chart(report, office))
        kept = NewFile(StoredFile(hashlib.sha256(content).hexdigest(), len(content)), content)
        plan = weekly.letter(post, report, reader, Occurrence(_what(entry), reader, due), kept)
        if self.desk.apply(plan, now):
            maillog.reported(reader, str(week))
            self.wrote(post.counter.address)


def _what(entry: DigestTime) -> str:
    return f"report:{entry.name}"


def made(desk: Desk, office: Office, week: Week, now: datetime) -> weekly.Report:
    """The report of a week from the store's history."""
    since, _ = weekly.first_week(week).bounds(office.zone)
    _, until = week.bounds(office.zone)
    return weekly.report(desk.steps(since, until), week, office, now)
