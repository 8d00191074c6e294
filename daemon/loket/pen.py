"""Writes the outbox's progress for all senders together: while one commit is on its way, the next fills up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from loket.ports import Aftermath, Outgoing, Settlement

# While commit follows commit, the next waits for company, at the most so long: each costs as much of the processor as
# what is written in it.
GATHER_SECONDS = 0.002
BUSY_SECONDS = 0.01
# When so many of those who hand mails over wait to begin with the next, it is company enough: the slowest of them
# would keep the others.
ENOUGH = 0.75


@dataclass(slots=True)
class _Begun:
    number: int
    done: asyncio.Future[bool]


@dataclass(slots=True)
class _Settled:
    settlement: Settlement
    done: asyncio.Future[bool]


_Entry = _Begun | _Settled


@dataclass(slots=True)
class Pen:
    """One writer for the loop; what `begins` and `settle` return for is durable.

    A sender's next DATA waits for the same commit that keeps its last verdict, so that the more connections there
    are, the fewer commits a mail costs.
    """

    store: Outgoing
    unavailable: Callable[[BaseException], bool]
    aftermath: Aftermath | None = None
    # Always the same one: what it needs is still in the processor's reach.
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "outbox pen"), repr=False)
    _waiting: list[_Entry] = field(default_factory=list)
    _beginning: int = 0
    # How many hand mails over, one after the other.
    _senders: int = 0
    # While company is waited for.
    _enough: asyncio.Future[None] | None = None
    _writer: asyncio.Task[None] | None = None
    # When the last commit was over, as the loop counts.
    _wrote: float = -BUSY_SECONDS

    @contextlib.contextmanager
    def sender(self) -> Iterator[None]:
        """For as long as somebody hands mail over."""
        self._senders += 1
        try:
            yield
        finally:
            self._senders -= 1

    async def begins(self, number: int) -> None:
        """Say durably that DATA is about to flow (promise P11)."""
        self._beginning += 1
        await self._enter(_Begun(number, asyncio.get_running_loop().create_future()))

    async def settle(self, settlement: Settlement) -> bool:
        """Write a verdict back; True where something follows from it that wants to be sent."""
        return await self._enter(_Settled(settlement, asyncio.get_running_loop().create_future()))

    def close(self) -> None:
        """Let the thread end; nobody writes any more."""
        self._thread.shutdown(wait=False)

    def _enter(self, entry: _Entry) -> asyncio.Future[bool]:
        self._waiting.append(entry)
        if self._enough is not None and self._is_enough():
            _reached(self._enough)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="outbox pen")
        return entry.done

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            if not self._is_enough() and loop.time() - self._wrote < BUSY_SECONDS:
                await self._company()
            entries, self._waiting, self._beginning = self._waiting, [], 0
            try:
                follows = await self._in_thread(entries)
            except Exception as error:  # noqa: BLE001 - told to everyone who waits for it
                if len(entries) == 1 or self.unavailable(error):
                    _fail(entries, error)
                else:
                    await self._one_by_one(entries)
                continue
            finally:
                self._wrote = loop.time()
            for entry, follow in zip(entries, follows, strict=True):
                if not entry.done.done():
                    entry.done.set_result(follow)

    def _is_enough(self) -> bool:
        return self._beginning >= ENOUGH * self._senders

    async def _company(self) -> None:
        loop = asyncio.get_running_loop()
        self._enough = loop.create_future()
        late = loop.call_later(GATHER_SECONDS, _reached, self._enough)
        try:
            await self._enough
        finally:
            late.cancel()
            self._enough = None

    async def _one_by_one(self, entries: Sequence[_Entry]) -> None:
        """One that cannot be written harms no other."""
        for entry in entries:
            try:
                [follow] = await self._in_thread([entry])
            except Exception as error:  # noqa: BLE001 - told to whoever waits for it
                _fail([entry], error)
                continue
            if not entry.done.done():
                entry.done.set_result(follow)

    def _in_thread(self, entries: Sequence[_Entry]) -> asyncio.Future[list[bool]]:
        return asyncio.get_running_loop().run_in_executor(self._thread, self._record, entries)

    def _record(self, entries: Sequence[_Entry]) -> list[bool]:
        begun = [entry.number for entry in entries if isinstance(entry, _Begun)]
        settled = [entry.settlement for entry in entries if isinstance(entry, _Settled)]
        follows = iter(self.store.record(begun, settled, self.aftermath))
        return [next(follows) if isinstance(entry, _Settled) else False for entry in entries]


def _reached(enough: asyncio.Future[None]) -> None:
    if not enough.done():
        enough.set_result(None)


def _fail(entries: Sequence[_Entry], error: Exception) -> None:
    for entry in entries:
        if not entry.done.done():
            entry.done.set_exception(error)
