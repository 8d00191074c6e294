"""Hop 8: claim what is due, submit it, write the verdict back; one loop a mailbox, so a slow server delays itself."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar

from loket import maillog
from loket.core import retry
from loket.core.model import Kind, Outbound, Receipt, ReceiptKind
from loket.core.quota import DAY, Allowance, Limit, allowance
from loket.core.waits import Delay, is_delayed
from loket.pen import Pen
from loket.ports import Claimed, Clock, Courier, Outgoing, Seat, Settlement, Waiting

# How often the outbox is looked at when nobody rings: a row may have been released by hand, or the clock been set.
LOOK_AGAIN_SECONDS = 30.0
STORE_SECONDS = 5.0
MOST_CLAIMED = 200
# So long a sender keeps the mail that it is to send next.
KEPT_SECONDS = 1.0
NOT_REACHED_FIRST = timedelta(seconds=5)
NOT_REACHED_LONGEST = timedelta(minutes=10)

# A provider that says that its day's quota is used up is asked again so much later, with one mail.
OVER_QUOTA = timedelta(hours=1)
# What waits for its turn is not looked at more often than this.
OURS = "{} recipients in 24 hours are used up, by our own count (per_day)"
LEAST_WAIT = timedelta(minutes=1)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """A login at a submission server: whose mailboxes share it, what it may send, which mails have two recipients."""

    mailboxes: tuple[str, ...]
    limits: tuple[Limit, ...] = ()
    twice: Kind | None = None
    # Whether a copy of each mail is to be filed in the mailbox's Sent folder.
    copies: bool = False


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
    pen: Pen
    account: Account | None = None
    waiting: Waiting | None = None
    _ring: asyncio.Event = field(default_factory=asyncio.Event)
    # How often, since there may be more than was looked for.
    _rung: int = 0
    _going: _Round | None = None
    _stopping: bool = False
    # Whether a claim failed, and what it may have marked was not given back yet.
    _unclaimed: bool = False
    # How many the last claim brought, when it began, and how many mails a second left since; a guess at first.
    _claimed: int = 0
    _claimed_at: float = 0.0
    _pace: float = 40.0
    # How many rounds in a row the server was not reached, what it said in this one, and how long it is left alone.
    _unreached: int = 0
    _shut: Receipt | None = None
    _shut_for: timedelta = timedelta()
    _shut_until: float = 0.0
    # Until when everything waits by the provider's word, and until when some does by our own count.
    _over: Delay | None = None
    _room_at: datetime | None = None

    def ring(self) -> None:
        """There is mail to send."""
        self._rung += 1
        self._ring.set()
        if self._going is not None:
            self._going.news.set()

    def again(self) -> None:
        """Somebody has logged in anew: a server that let nobody in is tried at once."""
        self._shut_until = 0.0
        self.ring()

    def stop(self) -> None:
        """End after the mails in hand."""
        self._stopping = True
        self.ring()

    async def run(self) -> None:
        """Send until stopped; trouble with the store is waited out."""
        while not self._stopping:
            self._ring.clear()
            try:
                sent = await self.drain()
                wait: float | None = 0.0 if sent else await self._idle_seconds()
            except Exception as error:
                if not self.unavailable(error):
                    raise
                maillog.store_unavailable(str(error))
                wait = STORE_SECONDS
            if wait != 0.0 and not self._stopping:
                await self._wait(wait)

    async def _wait(self, seconds: float | None) -> None:
        try:
            await asyncio.wait_for(self._ring.wait(), seconds)
        except TimeoutError:
            return

    async def _idle_seconds(self) -> float | None:
        """Until the next mail is due; None with nothing waiting: `look_out` rings for what comes by another door."""
        shut = self._shut_until - time.monotonic()
        if shut > 0:
            return shut
        due = await asyncio.to_thread(self.store.next_due, self.mailbox)
        if due is None:
            return None
        # With no room under a rate, what is due is not looked at again before there is.
        due = max(due, self._room_at or due)
        return max(0.05, (due - self.clock.now()).total_seconds())

    async def drain(self) -> int:
        """Send what is due, as many at once as there are connections; returns how many were claimed."""
        if time.monotonic() < self._shut_until:
            return 0
        self._shut = None
        rung = self._rung
        claimed = await self._claim()
        self._going = going = _Round(self)
        try:
            async with asyncio.TaskGroup() as going.group:
                going.bring(claimed, rung)
                if self._rung != rung:
                    # While it was being claimed there was no round to tell.
                    going.news.set()
                # One mail may be long in hand: what comes meanwhile need not wait for its end.
                while going.working and not self._stopping:
                    await going.news.wait()
                    going.news.clear()
                    if 0 < going.working < self.connections:
                        await going.refill()
        finally:
            self._going = None
            if going.queue:
                await self._write(self.store.release, [one.id for one in going.queue])
        if going.trouble is not None:
            raise going.trouble
        return going.total

    async def _claim(self) -> list[Claimed]:
        """What can be sent in about a second: a letter that comes meanwhile waits no longer than that."""
        if self._unclaimed:
            await asyncio.to_thread(self.store.unclaim, self.mailbox)
        began = time.monotonic()
        if self._claimed_at:
            self._pace = self._claimed / max(began - self._claimed_at, 0.01)
        limit = int(min(MOST_CLAIMED, max(self.connections, self._pace)))
        # A claim that fails may have happened: the connection to the store broke off at its COMMIT.
        now = self.clock.now()
        allowed = await self._allowed(now)
        if allowed is not None and not any(allowed.rooms):
            return []
        self._unclaimed = True
        claimed = await asyncio.to_thread(self.store.claim, now, limit, [self.mailbox], allowed)
        self._unclaimed = False
        self._claimed, self._claimed_at = len(claimed), began if claimed else 0.0
        return claimed

    async def _allowed(self, now: datetime) -> Allowance | None:
        """How much may leave now; what may not is put off until it may. None where nobody counts."""
        if self._over is not None and now < self._over.until:
            await self._put_off(self._over, 0, now)
            return Allowance((0,), (self._over.until,))
        self._over = self._room_at = None
        if self.account is None or not self.account.limits:
            return None
        since = now - max(limit.period for limit in self.account.limits)
        used = await asyncio.to_thread(self.store.used, self.account.mailboxes, since, now, self.account.twice)
        allowed = allowance(self.account.limits, used, now)
        day = [limit for limit in self.account.limits if limit.period >= DAY]
        daily = allowance(day, used, now) if day else Allowance((), ())
        # What waits longest first: of that which may wait, then of answers, then of letters.
        for priority, frees in reversed(list(enumerate(daily.frees))):
            if frees is not None:
                delay = Delay(self.mailbox, OURS.format(day[0].count), max(frees, now + LEAST_WAIT))
                await self._put_off(delay, priority, now)
        self._room_at = allowed.frees[0]
        return allowed

    async def _put_off(self, delay: Delay, priority: int, now: datetime) -> None:
        if await asyncio.to_thread(self.store.put_off, delay, priority, now, self.waiting):
            maillog.over_quota(self.mailbox, delay.said, delay.until)
            self.ring()

    async def _one(self, claimed: Claimed, seat: Seat, then: Claimed | None) -> Settlement | None:
        """Hand one mail over; None where the store failed before anything left."""
        try:
            # Where nobody is let in, one knock a round is enough: many failed logins lock an account.
            receipt = self._shut or await self._submit(claimed, seat, then)
        except Exception as error:
            if not self.unavailable(error):
                raise
            # The store failed before DATA, so nothing has left.
            maillog.store_unavailable(str(error))
            await asyncio.sleep(STORE_SECONDS)
            await self._write(self.store.release, [claimed.id])
            return None
        now = self.clock.now()
        # What officers get holds their tokens and codes: of that no copy lies about.
        copy = self.account is not None and self.account.copies and claimed.mail.kind.to_applicant
        again = self._next(claimed, receipt, now)
        delayed = again is not None and is_delayed(claimed.created_at, claimed.attempt, receipt.kind, now)
        return Settlement(claimed, receipt, again, now, copy, delayed)

    async def _settle(self, settlement: Settlement) -> None:
        """Write what has already happened: while the store is in trouble the verdict is kept in hand."""
        while True:
            try:
                follows = await self.pen.settle(settlement)
            except Exception as error:
                if not self.unavailable(error):
                    raise
                maillog.store_unavailable(str(error))
                await asyncio.sleep(STORE_SECONDS)
                continue
            if follows:
                self.ring()
            maillog.submitted(settlement.claimed.mail, settlement.receipt, settlement.claimed.attempt)
            return

    async def _submit(self, claimed: Claimed, seat: Seat, then: Claimed | None) -> Receipt:
        mail = claimed.mail
        if all(isinstance(segment, bytes) for segment in mail.segments):
            data = self.render(mail)
        else:
            try:
                data = await asyncio.to_thread(self.render, mail)
            except OSError as error:
                return Receipt(ReceiptKind.REFUSED_NOW, 0, f"a stored file cannot be read: {error}")
        return await seat.send(mail, data, lambda: self.pen.begins(claimed.id), then.mail if then else None)

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
        if receipt.kind is ReceiptKind.OVER_QUOTA:
            # Due at once, to be put off with all that wait beside it.
            self._shut = receipt
            self._over = Delay(self.mailbox, f"{receipt.code or ''} {receipt.text}".strip(), now + OVER_QUOTA)
            return now
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


@dataclass(slots=True)
class _Round:
    """A round of sending, from the first claim until nothing more is found: what is claimed, and who is at work."""

    runner: OutboxRunner
    group: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    queue: deque[Claimed] = field(default_factory=deque)
    total: int = 0
    working: int = 0
    # Somebody has rung, or the last one at work has nothing more to do.
    news: asyncio.Event = field(default_factory=asyncio.Event)
    trouble: Exception | None = None
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    # How often somebody had rung when nothing more was found: without another ring there is nothing to look for.
    _found_nothing: int | None = None

    def bring(self, claimed: Sequence[Claimed], rung: int) -> None:
        """Into the queue, with as many at work as there are connections, or mails."""
        self.queue.extend(claimed)
        self.total += len(claimed)
        self._found_nothing = None if claimed else rung
        self._put_to_work()

    def _put_to_work(self) -> None:
        for _ in range(min(self.runner.connections - self.working, len(self.queue))):
            self.working += 1
            self.group.create_task(self._work())

    async def refill(self) -> None:
        """Look for more, unless there is some, or nobody has rung since nothing was found."""
        runner = self.runner
        async with self._looking:
            rung = runner._rung
            if self.queue or self.trouble is not None or rung == self._found_nothing:
                return
            if runner._shut is not None:
                if time.monotonic() < runner._shut_until:
                    return
                # Nobody was let in, and that was a while ago: a mail that hangs must not keep the round shut.
                runner._shut = None
            try:
                self.bring(await runner._claim(), rung)
            except Exception as error:
                if not runner.unavailable(error):
                    raise
                # The others finish what they have in hand first.
                self.trouble = error

    async def _work(self) -> None:
        runner = self.runner
        # A verdict is on its way to the store while the next mail's envelope is; at most one of each connection.
        settling: asyncio.Task[None] | None = None
        # The mail that is likely to be this one's next.
        kept: list[Claimed] = []
        try:
            with runner.courier.seat() as seat, runner.pen.sender():
                while not runner._stopping:
                    if not (kept or self.queue):
                        await self.refill()
                        if not self.queue:
                            break
                    one = kept.pop() if kept else self.queue.popleft()
                    # While there are more than somebody is free for, it would wait anyway.
                    if len(self.queue) >= self.working:
                        kept.append(self.queue.popleft())
                    settlement = await self._hand_over(one, seat, kept)
                    if settling is not None:
                        await settling
                    settling = self.group.create_task(runner._settle(settlement)) if settlement else None
        finally:
            self.queue.extendleft(kept)
        self.working -= 1
        if not self.working:
            self.news.set()

    async def _hand_over(self, one: Claimed, seat: Seat, kept: list[Claimed]) -> Settlement | None:
        """One mail; the one that is kept behind it is given back where this takes long."""
        late = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._give_back, kept)
        try:
            return await self.runner._one(one, seat, kept[0] if kept else None)
        finally:
            late.cancel()

    def _give_back(self, kept: list[Claimed]) -> None:
        """A mail that hangs must not keep another from those who are free."""
        if kept:
            self.queue.appendleft(kept.pop())
            self._put_to_work()


async def look_out(
    store: Outgoing, clock: Clock, runners: Mapping[str, OutboxRunner], unavailable: Callable[[BaseException], bool]
) -> None:
    """Ring for each mailbox with mail due, now and then: one look for all, since hundreds may have nothing to send."""
    while True:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        try:
            due = await asyncio.to_thread(store.with_due, clock.now())
        except Exception as error:
            if not unavailable(error):
                raise
            maillog.store_unavailable(str(error))
            continue
        for mailbox in due:
            if mailbox in runners:
                runners[mailbox].ring()
