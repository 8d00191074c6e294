"""What is done with one batch while the next is fetched, in its order; without a backlog, one thing after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

from loket.clerk import Clerk
from loket.core.model import RawMail
from loket.taker import Lot, Taker

# What is fetched is handed over in lots, each looked up in the store once: as many mails as take about so long, since
# whoever else decides waits for them, or so many octets in memory, or so many large mails, each of which keeps a file
# open.
LOT_SECONDS = 0.25
LOT_LEAST, LOT_MOST = 100, 400
LOT_OCTETS = 2_500_000
LOT_LARGE = 12


class Line:
    """One batch after the other, done when it is handed over."""

    def __init__(self, taker: Taker) -> None:
        """Mails go to the taker."""
        self.taker = taker

    def take(self, raws: Sequence[RawMail]) -> None:
        """Take mails in behind those before them; raises what went wrong with those, or with these."""
        self.taker.take(self.taker.sort(raws))

    def then(self, job: Callable[[], None]) -> None:
        """Do something once all before it is done, and not if any of it went wrong; a later one may replace it."""
        job()

    def leave(self) -> None:
        """Take in no more than what is being taken in: the rest comes at the next start."""


class Backlog(Line):
    """Takes in beside whoever fetches, one lot behind, so that no more than two are held."""

    def __init__(self, taker: Taker, clerk: Clerk) -> None:
        """The clerk is this line's until its end."""
        super().__init__(taker)
        self._clerk = clerk
        self._lot = LOT_LEAST
        self._fetched: list[RawMail] = []
        # What is to be done once those are taken in.
        self._then: Callable[[], None] | None = None
        self._going_on: threading.Thread | None = None
        self._wrong: BaseException | None = None

    def take(self, raws: Sequence[RawMail]) -> None:
        """Hand mails over once enough are there, or nothing is being done."""
        self._fetched += raws
        octets = sum(raw.held for raw in self._fetched)
        large = sum(raw.large for raw in self._fetched)
        busy = self._going_on is not None and self._going_on.is_alive()
        if len(self._fetched) >= self._lot or octets >= LOT_OCTETS or large >= LOT_LARGE or not busy:
            self._hand_over()

    def then(self, job: Callable[[], None]) -> None:
        """Do something once all before it is done; of several, the last."""
        self._then = job

    def leave(self) -> None:
        """Forget what was fetched, and what was to follow it."""
        self._fetched, self._then = [], None

    def end(self) -> None:
        """Return when everything is done; raises what went wrong."""
        self._hand_over()
        self.wait()
        self._raise()

    def wait(self) -> None:
        """Return when nothing is being done."""
        if self._going_on is not None:
            self._going_on.join()
            self._going_on = None

    def _hand_over(self) -> None:
        lot, then = self.taker.sort(self._fetched, self._clerk), self._then
        self._fetched, self._then = [], None
        self.wait()
        self._raise()
        # Like the watcher's own, the process need not wait for it at its end.
        self._going_on = threading.Thread(target=self._do, args=(lot, then), name="backlog", daemon=True)
        self._going_on.start()

    def _do(self, lot: Lot, then: Callable[[], None] | None) -> None:
        began = time.monotonic()
        try:
            self.taker.take(lot)
            pace = len(lot.plain) / max(time.monotonic() - began, 0.001)
            self._lot = min(LOT_MOST, max(LOT_LEAST, int(pace * LOT_SECONDS)))
            if then is not None:
                then()
        except BaseException as error:  # noqa: BLE001 - whoever fetches hears of it
            self._wrong = error

    def _raise(self) -> None:
        wrong, self._wrong = self._wrong, None
        if wrong is not None:
            raise wrong


@contextmanager
def line(taker: Taker, mails: int) -> Iterator[Line]:
    """A line for so many mails: with the clerk and a thread beside where they are a backlog; all is done at its end."""
    with taker.clerk.lent(taker.office(), mails) if taker.clerk is not None else nullcontext() as clerk:
        if clerk is None:
            yield Line(taker)
            return
        backlog = Backlog(taker, clerk)
        try:
            yield backlog
            backlog.end()
        finally:
            # The clerk is given back, and the mailbox polled anew, only when nothing is being done any more.
            backlog.wait()
