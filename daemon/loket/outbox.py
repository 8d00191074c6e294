"""Hop 8: claim what is due, submit it, write the verdict back; one loop a mailbox, so a slow server delays itself."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar

from loket import maillog
from loket.core import retry
from loket.core.model import Outbound, Receipt, ReceiptKind
from loket.ports import Aftermath, Claimed, Clock, Courier, Outgoing

# The longest wait between looks at the outbox when nobody rings: a row may have been released by hand.
LOOK_AGAIN_SECONDS = 30.0
STORE_SECONDS = 5.0
NOT_REACHED_FIRST = timedelta(seconds=5)
NOT_REACHED_LONGEST = timedelta(minutes=10)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class OutboxRunner:
    """Sends one mailbox's mail."""

    mailbox: str
    store: Outgoing
    courier: Courier
    render: Callable[[Outbound], bytes]
    clock: Clock
    connections: int
    unavailable: Callable[[BaseException], bool]
    aftermath: Aftermath | None = None
    _ring: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    # Whether a claim failed, and what it may have marked was not given back yet.
    _unclaimed: bool = False
    # How many rounds in a row the server was not reached, what it said in this one, and how long it is left alone.
    _unreached: int = 0
    _shut: Receipt | None = None
    _shut_for: timedelta = timedelta()
    _shut_until: float = 0.0

    def ring(self) -> None:
        """There is mail to send."""
        self._ring.set()

    def stop(self) -> None:
        """End after the mails in hand."""
        self._stopping = True
        self._ring.set()

    async def run(self) -> None:
        """Send until stopped; trouble with the store is waited out."""
        while not self._stopping:
            self._ring.clear()
            try:
                sent = await self.drain()
                wait = 0.0 if sent else await self._idle_seconds()
            except Exception as error:
                if not self.unavailable(error):
                    raise
                maillog.store_unavailable(str(error))
                wait = STORE_SECONDS
            if wait and not self._stopping:
                await self._wait(wait)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._ring.wait(), seconds)
        except TimeoutError:
            return

    async def _idle_seconds(self) -> float:
        shut = self._shut_until - time.monotonic()
        if shut > 0:
            return min(LOOK_AGAIN_SECONDS, shut)
        due = await asyncio.to_thread(self.store.next_due, self.mailbox)
        if due is None:
            return LOOK_AGAIN_SECONDS
        return min(LOOK_AGAIN_SECONDS, max(0.05, (due - self.clock.now()).total_seconds()))

    async def drain(self) -> int:
        """Send what is due now, as many at once as there are connections; returns how many were claimed."""
        if time.monotonic() < self._shut_until:
            return 0
        self._shut = None
        now = self.clock.now()
        if self._unclaimed:
            await asyncio.to_thread(self.store.unclaim, self.mailbox)
        # A claim that fails may have happened: the connection to the store broke off at its COMMIT.
        self._unclaimed = True
        claimed = await asyncio.to_thread(self.store.claim, now, self.connections * 5, [self.mailbox])
        self._unclaimed = False
        queue = list(reversed(claimed))

        async def work() -> None:
            while queue:
                await self._one(queue.pop())

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.connections, len(queue))):
                group.create_task(work())
        return len(claimed)

    async def _one(self, claimed: Claimed) -> None:
        if self._stopping:
            await self._write(self.store.release, [claimed.id])
            return
        try:
            # Where nobody is let in, one knock a round is enough: many failed logins lock an account.
            receipt = self._shut or await self._submit(claimed)
        except Exception as error:
            if not self.unavailable(error):
                raise
            # The store failed before DATA, so nothing has left.
            maillog.store_unavailable(str(error))
            await asyncio.sleep(STORE_SECONDS)
            await self._write(self.store.release, [claimed.id])
            return
        now = self.clock.now()
        next_at = self._next(claimed, receipt, now)
        if await self._write(self.store.settle, claimed, receipt, next_at, now, self.aftermath):
            self.ring()
        maillog.submitted(claimed.mail, receipt, claimed.attempt)

    async def _submit(self, claimed: Claimed) -> Receipt:
        async def begins() -> None:
            await asyncio.to_thread(self.store.data_begins, [claimed.id])

        try:
            data = await asyncio.to_thread(self.render, claimed.mail)
        except OSError as error:
            return Receipt(ReceiptKind.REFUSED_NOW, 0, f"a stored file cannot be read: {error}")
        return await self.courier.send(claimed.mail, data, begins)

    async def _write(self, call: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Write what has already happened: while the store is in trouble the verdict is kept in hand."""
        while True:
            try:
                return await asyncio.to_thread(call, *args, **named)
            except Exception as error:
                if not self.unavailable(error):
                    raise
                maillog.store_unavailable(str(error))
                await asyncio.sleep(STORE_SECONDS)

    def _next(self, claimed: Claimed, receipt: Receipt, now: datetime) -> datetime | None:
        """When the mail is due again; None where the verdict is final. What is in doubt is never sent again (P11)."""
        chance = random.random()  # noqa: S311 - jitter
        if receipt.kind is ReceiptKind.NOT_TRIED:
            if self._shut is None:
                self._unreached += 1
                self._shut = receipt
                self._shut_for = retry.wait(self._unreached, chance, NOT_REACHED_FIRST, NOT_REACHED_LONGEST)
                self._shut_until = time.monotonic() + self._shut_for.total_seconds()
            return now + self._shut_for
        self._unreached = 0
        if receipt.kind is ReceiptKind.REFUSED_NOW:
            return retry.next_attempt(claimed.created_at, claimed.attempt, now, chance)
        return None
