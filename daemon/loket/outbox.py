"""Hop 8: claim what is due, submit it, write the verdict back; one loop a mailbox, so a slow server delays itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loket import maillog
from loket.core import retry
from loket.core.model import Outbound, Receipt, ReceiptKind
from loket.ports import Claimed, Clock, Courier, Outgoing

# The longest wait between looks at the outbox when nobody rings: a row may have been released by hand.
LOOK_AGAIN_SECONDS = 30.0
NOT_REACHED_FIRST = timedelta(seconds=5)
NOT_REACHED_LONGEST = timedelta(minutes=10)


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
    _ring: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _unreached: int = 0

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
                wait = 5.0
            if wait and not self._stopping:
                await self._wait(wait)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._ring.wait(), seconds)
        except TimeoutError:
            return

    async def _idle_seconds(self) -> float:
        due = await asyncio.to_thread(self.store.next_due, self.mailbox)
        if due is None:
            return LOOK_AGAIN_SECONDS
        return min(LOOK_AGAIN_SECONDS, max(0.05, (due - self.clock.now()).total_seconds()))

    async def drain(self) -> int:
        """Send what is due now, as many at once as there are connections; returns how many were tried."""
        now = self.clock.now()
        claimed = await asyncio.to_thread(self.store.claim, now, self.connections * 5, [self.mailbox])
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
            await asyncio.to_thread(self.store.release, [claimed.id])
            return

        async def begins() -> None:
            await asyncio.to_thread(self.store.data_begins, [claimed.id])

        try:
            data = await asyncio.to_thread(self.render, claimed.mail)
        except FileNotFoundError as error:
            receipt = Receipt(ReceiptKind.REFUSED_NOW, 0, f"a stored file is missing: {error}")
        else:
            receipt = await self.courier.send(claimed.mail, data, begins)
        now = self.clock.now()
        next_at = self._next(claimed, receipt, now)
        await asyncio.to_thread(self.store.settle, claimed, receipt, next_at, now)
        maillog.submitted(claimed.mail, receipt, claimed.attempt)

    def _next(self, claimed: Claimed, receipt: Receipt, now: datetime) -> datetime | None:
        """When the mail is due again; None where the verdict is final. What is in doubt is never sent again (P11)."""
        chance = random.random()  # noqa: S311 - jitter
        if receipt.kind is ReceiptKind.NOT_TRIED:
            self._unreached += 1
            return now + retry.wait(self._unreached, chance, NOT_REACHED_FIRST, NOT_REACHED_LONGEST)
        self._unreached = 0
        if receipt.kind is ReceiptKind.REFUSED_NOW:
            return retry.next_attempt(claimed.created_at, claimed.attempt, now, chance)
        return None
