"""What is odd about a queue that calls in turn: nobody could ever be called, or nobody but the clock ends a turn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from loket.config.snapshot import Snapshot
from loket.config.wording import Loc
from loket.config.yamlfile import Problem
from loket.core.calendar import DAYS


def lines(snapshot: Snapshot) -> Iterator[Problem]:
    """Errors and warnings of queues with `live`, each at its place."""
    for book in snapshot.books.values():
        users = [address for address, mailbox in snapshot.config.mailboxes.items() if book.name in mailbox.rules]
        for name, queue in book.counter.queues.items():
            if queue.live is None:
                continue
            loc: Loc = ("queues", name, "live")
            if not any(outcome.closes for outcome in queue.outcomes.values()):
                said = "no outcome of this queue closes its ticket: every turn goes on until its time is up"
                yield book.document.problem(loc, said, warning=True)
            for address in users:
                yield from (
                    book.document.problem((*loc, "length"), said, warning=some)
                    for said, some in _short(snapshot, address, queue.live.length)
                )


def _short(snapshot: Snapshot, address: str, length: timedelta) -> Iterator[tuple[str, bool]]:
    """Opening hours that hold no whole turn; whether there are others that do."""
    hours = snapshot.office.counters[address].calendar.hours
    spans = [(day, span) for day, spans in sorted(hours.by_day.items()) for span in spans]
    tight = [
        (day, span)
        for day, span in spans
        if datetime.combine(date.min, span[1]) - datetime.combine(date.min, span[0]) < length
    ]
    if tight and len(tight) == len(spans):
        yield f"{address} is never open long enough for one turn ({hours.text})", False
        return
    for day, (opens, closes) in tight:
        yield f"nobody is called at {DAYS[day]} {opens:%H:%M}-{closes:%H:%M}: {address} is open too short", True
