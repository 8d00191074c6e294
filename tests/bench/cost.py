"""What one mail costs in calls: the same on every machine and beside any load, so that a test can hold it."""

import asyncio
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import StringIO
from types import FrameType
from typing import Any

from loket import maillog
from loket.app import App
from loket.config.load import load
from loket.core.model import MailRef, RawMail, StoredFile
from tests.bench import corpus
from tests.bench.daemon import LOADED, bench_office
from tests.bench.sink import Loop, TimingSink

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
MAILS = 100


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls of Python and C functions a mail: from raw bytes to the commit, and from there to the server's verdict."""

    taking_in: int
    sending: int


def measure(mixed: bool) -> Cost:
    """Take in and answer a hundred mails, after a hundred others that compile statements and templates."""
    # With the log as a daemon writes it: it is part of the work.
    maillog.set_up(as_json=True, stream=StringIO())
    make = corpus.mixed if mixed else corpus.small
    loop, sink = Loop(), TimingSink()
    try:
        with bench_office() as office:
            office.set_up(1, loop.listen(sink.serve))
            app = App(load(office.folder / "config.yaml"))
            # With several it is chance how many share a commit.
            app._runners[LOADED].connections = 1
            try:
                letters = list(make(2 * MAILS, 7, LOADED))
                _work(app, _raws(letters[:MAILS], 1))
                with _counting() as taken_in:
                    app.taker.take(app.taker.sort(_raws(letters[MAILS:], MAILS + 1)))
                # Its thread began before the count, which sees only those that begin in it.
                app._pen._thread = ThreadPoolExecutor(1)
                with _counting() as sent:
                    asyncio.run(_send(app))
            finally:
                app.stores.database.close()
            if len(sink.accepted) != len({letter.sender for letter in letters}):
                raise RuntimeError(f"{len(sink.accepted)} applicants answered of {len(letters)}")
            return Cost(taken_in.calls // MAILS, sent.calls // MAILS)
    finally:
        loop.close()


def _work(app: App, raws: Sequence[RawMail]) -> None:
    app.taker.take(app.taker.sort(raws))
    asyncio.run(_send(app))


async def _send(app: App) -> None:
    while await app._runners[LOADED].drain():
        continue
    await app._couriers[LOADED].close()


def _raws(letters: Sequence[corpus.Letter], first_uid: int) -> list[RawMail]:
    raws = []
    for uid, letter in enumerate(letters, start=first_uid):
        data = letter.raw.replace(b"\n", b"\r\n")
        raws.append(RawMail(MailRef(LOADED, 1, uid), NOW, data, StoredFile(sha256(data).hexdigest(), len(data))))
    return raws


class _Count:
    calls = 0

    def __call__(self, _frame: FrameType, event: str, _argument: Any) -> None:
        if event in ("call", "c_call"):
            self.calls += 1


@contextmanager
def _counting() -> Iterator[_Count]:
    """In this thread, and in those that begin meanwhile."""
    count = _Count()
    threading.setprofile(count)
    sys.setprofile(count)
    try:
        yield count
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type] # as the documentation says to
