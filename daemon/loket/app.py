"""The composition root: the only place that names concrete classes; tasks, signals, shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from loket import maillog
from loket.clerk import Clerk
from loket.clockwork import Clockwork
from loket.config.load import Snapshot
from loket.config.secrets import SecretError, keys, resolve
from loket.config.servers import Server
from loket.copies import SentCopies
from loket.core import report
from loket.core.mail import Post
from loket.core.model import Phase, Plan, Sent, Ticket
from loket.core.office import Office
from loket.core.token import Keys
from loket.core.undelivered import undelivered
from loket.core.waits import Delay, delayed, waits
from loket.doors import account, bounds, imap_door, sent_door, smtp_door, tokens
from loket.examine import Examiner
from loket.follow import Follower, Refused, needs_restart, secrets
from loket.guard import Guard
from loket.intake import Habits, MailboxIntake
from loket.outbox import OutboxRunner, look_out
from loket.pen import Pen
from loket.places import Places
from loket.ports import Clock, Tokens
from loket.signatures import Lookup, Signatures, ask_dns
from loket.smtp import SmtpCourier, Ways
from loket.store.copies import CopyStore
from loket.store.database import is_unavailable
from loket.stores import open_stores
from loket.taker import Taker
from loket.watch import Watcher

# How often the clock is looked at; a step of more than `STEP_SECONDS` between two looks means that it was set.
TICK_SECONDS = 30.0
STEP_SECONDS = 5.0
# All that is in hand together gets so long to end; what is not done then is given back, or in doubt.
STOP_SECONDS = 10.0
FOLLOW_SECONDS = 3.0
SWITCH_SECONDS = 0.0005
LIMIT_SECONDS = 5.0
COPIES_SECONDS = 30

T = TypeVar("T")


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """The current moment."""
        return datetime.now(UTC)


async def _poke(watcher: Watcher) -> None:
    """A coroutine, which the scheduler runs where it is: anything else it would hand to a thread."""
    watcher.poke()


class App:
    """The daemon on one configuration and store."""

    def __init__(
        self,
        snapshot: Snapshot,
        clock: Clock | None = None,
        lookup: Lookup = ask_dns,
        clerk: Clerk | None = None,
    ) -> None:
        """Resolve secrets, open and claim the store, put the parts together; nothing is connected yet."""
        self.snapshot = snapshot
        self.clock: Clock = clock or SystemClock()
        self.keys: Keys = keys(snapshot.config, snapshot.root)
        # Every password must be there before anything is opened: half a daemon is worse than none.
        for reference in secrets(snapshot.config):
            resolve(reference, snapshot.root)
        found = {address: tokens(snapshot, address) for address in snapshot.config.mailboxes}
        # One for all connections of a mailbox; tokens that are missing keep only their own mailbox waiting.
        self._bearers = {address: one for address, one in found.items() if one is not None}
        self._logins = {address: one.login() for address, one in self._bearers.items()}
        self.stores = open_stores(snapshot, self.clock.now(), claim=True)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._limits: dict[str, int | None] = {}
        self._pen = Pen(self.stores.outgoing, is_unavailable, self._aftermath)
        self._couriers = {address: self._courier(address) for address in snapshot.config.mailboxes}
        self._runners = {address: self._runner(address) for address in snapshot.config.mailboxes}
        self.guard = Guard(self.stores.files)
        self.taker = Taker(
            self.stores.intake,
            self.office,
            self.keys,
            self.clock,
            is_unavailable,
            self._wrote,
            self.stores.contents.load,
            self.guard,
            self.stores.intake.write_down,
            Examiner(self.keys, self._limit, signatures=Signatures(lookup)),
            clerk=clerk,
        )
        self._places = {name: Places(server.sessions) for name, server in snapshot.config.servers.items()}
        self.watchers = [self._watcher(address) for address in snapshot.config.mailboxes]
        self.clockwork = Clockwork(self.stores, self.office, self.keys, self.clock, self._wrote, self._eight_bit)
        self._copies = [self._filer(address) for address in self._runners if account(snapshot, address).copies]
        self._stop = asyncio.Event()
        self._asked = asyncio.Event()
        self._follower = Follower(snapshot)
        # The configuration that this one gives way to, where an edit reaches what holds connections or the store.
        self.successor: Snapshot | None = None

    def office(self) -> Office:
        """The office as the running configuration says."""
        return self.snapshot.office

    def _sends_by(self, address: str) -> Server:
        return self.snapshot.config.servers[self.snapshot.config.sending(address)[0]]

    def _courier(self, address: str) -> SmtpCourier:
        mailbox = self.snapshot.config.mailboxes[address]
        server = self._sends_by(address)
        archive = mailbox.archive if (server.recipients or 2) > 1 else None
        ways = Ways(server.per_connection, tuple(entry.reply for entry in server.replies))
        return SmtpCourier(lambda: self._open(smtp_door, address), server.connections, archive, ways)

    def _open(self, door: Callable[[Snapshot, str, Tokens | None], T], address: str) -> T:
        try:
            return door(self.snapshot, address, self._bearers.get(address))
        except SecretError as error:
            # It was there at the start: while it is being exchanged, the server just cannot be reached.
            raise ConnectionError(str(error)) from error

    def _runner(self, address: str) -> OutboxRunner:
        server = self._sends_by(address)
        return OutboxRunner(
            address,
            self.stores.outgoing,
            self._couriers[address],
            self.stores.contents.render,
            self.clock,
            server.connections,
            is_unavailable,
            self._pen,
            account(self.snapshot, address),
            self._waiting,
        )

    def _waiting(self, delay: Delay, letters: Sequence[tuple[Sent, Ticket | None]]) -> Sequence[Plan]:
        return waits(self._post_around(delay.mailbox), delay, letters)

    def _aftermath(self, sent: Sent, ticket: Ticket | None, phase: Phase, said: str, cause: str) -> Plan:
        """What follows when a mail of ours ends badly or is delayed."""
        if phase is Phase.DUE:
            return delayed(self._post_around(sent.mailbox), sent, ticket, said)
        post = Post(self.office(), self.office().counters[sent.mailbox], self.keys, self.clock.now())
        return undelivered(post, sent, ticket, phase, said, cause)

    def _post_around(self, mailbox: str) -> Post:
        """Another account where there is one: from that mailbox's nothing leaves now."""
        office, own = self.office(), account(self.snapshot, mailbox).mailboxes
        through = next((address for address in office.counters if address not in own), mailbox)
        self._wrote(through)
        return Post(office, office.counters[through], self.keys, self.clock.now())

    def _watcher(self, address: str) -> Watcher:
        mailbox = self.snapshot.config.mailboxes[address]
        return Watcher(
            MailboxIntake(Habits(address, mailbox.folder, mailbox.history, mailbox.file_to), self.taker),
            lambda: self._open(imap_door, address),
            bounds(self.snapshot),
            self.stores.files,
            self.snapshot.config.servers[mailbox.server].idle_renewal,
            is_unavailable,
            partial(self._logged_out, address),
            self._places[mailbox.server],
        )

    def _filer(self, address: str) -> SentCopies:
        return SentCopies(
            address,
            CopyStore(self.stores.database),
            lambda: self._open(sent_door, address),
            bounds(self.snapshot),
            self.stores.files,
            self.stores.contents.render,
            self.clock,
        )

    def _logged_out(self, mailbox: str, which: str, why: str) -> None:
        """The admin hears of each login that is over once, from a mailbox that can send where there is one."""
        now = self.clock.now()
        ill = {view.mailbox for view in self.stores.desk.mailboxes() if view.error is not None}
        plan = report.logged_out(mailbox, which, why, ill, self.office(), self.keys, now)
        if self.stores.desk.apply(plan, now):
            for mail in plan.outbox:
                self._wrote(mail.mailbox)

    def _new_logins(self) -> list[str]:
        """The mailboxes that somebody has logged in to since the last look."""
        found = {address: bearer.login() for address, bearer in self._bearers.items()}
        new = [address for address, login in found.items() if login and login != self._logins[address]]
        self._logins.update({address: found[address] for address in new})
        return new

    async def _go_on(self) -> None:
        """Whoever waits for somebody to log in goes on at once when somebody has."""
        for address in await asyncio.to_thread(self._new_logins) if self._bearers else ():
            next(one for one in self.watchers if one.mailbox == address).again()
            self._runners[address].again()

    def _wrote(self, mailbox: str) -> None:
        """Mail was written: wake its sender, from whichever thread."""
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._runners[mailbox].ring)

    def _eight_bit(self, mailbox: str) -> bool:
        """Asked from a timer's thread; the answer comes from the loop."""
        if self.loop is None:
            return False
        return asyncio.run_coroutine_threadsafe(self._couriers[mailbox].eight_bit(), self.loop).result()

    def _limit(self, mailbox: str) -> int | None:
        """The octets that a mailbox's server takes; asked from an intake thread, and once an answer came, no more."""
        if self.loop is not None and self._limits.get(mailbox) is None:
            asked = asyncio.run_coroutine_threadsafe(self._couriers[mailbox].limit(), self.loop)
            try:
                self._limits[mailbox] = asked.result(LIMIT_SECONDS)
            except TimeoutError:
                asked.cancel()
        return self._limits.get(mailbox)

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT, then finish what is in hand within `STOP_SECONDS`."""
        self.loop = asyncio.get_running_loop()
        # Intake threads compute for long stretches; the loop, which waits for servers, must not wait for them too.
        sys.setswitchinterval(SWITCH_SECONDS)
        for name in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(name, self._signalled, name.name)
        self.loop.add_signal_handler(signal.SIGHUP, self._asked.set)
        self._recover()
        # By default a job that the loop gets to over a second late is left out: a poll missed for a busy moment.
        late = {"misfire_grace_time": None, "coalesce": True}
        scheduler = AsyncIOScheduler(timezone=self.office().zone, job_defaults=late)
        senders = [asyncio.create_task(runner.run(), name=f"outbox {at}") for at, runner in self._runners.items()]
        began = datetime.now(UTC)
        for number, watcher in enumerate(self.watchers, start=1):
            watcher.start()
            seconds = self.snapshot.config.mailboxes[watcher.mailbox].poll
            # Each at a moment of its own: hundreds that look in the same second are in each other's way.
            first = began + timedelta(seconds=seconds * number / len(self.watchers))
            poll = IntervalTrigger(seconds=seconds, start_date=first, jitter=max(1, seconds // 10))
            scheduler.add_job(_poke, poll, [watcher], max_instances=1)
        for copies in self._copies:
            scheduler.add_job(copies.tick, "interval", seconds=COPIES_SECONDS, max_instances=1)
        scheduler.start()
        looking = look_out(self.stores.outgoing, self.clock, self._runners, is_unavailable)
        lookout = asyncio.create_task(looking, name="outbox look-out")
        beat = asyncio.create_task(self._beat(scheduler), name="clock")
        follow = asyncio.create_task(self._follow(), name="configuration")
        now = self.clock.now()
        await asyncio.to_thread(self.stores.desk.apply, report.configured(self.office(), now), now)
        maillog.started(len(self.watchers), self.office().rules_hash)
        stopped = asyncio.create_task(self._stop.wait())
        # None of these ends by itself: if one does, something is wrong that a restart shows and a wait hides.
        await asyncio.wait([stopped, beat, follow, lookout, *senders], return_when=asyncio.FIRST_COMPLETED)
        scheduler.shutdown(wait=False)
        follow.cancel()
        lookout.cancel()
        await self._close(senders, beat)

    def _signalled(self, name: str) -> None:
        self.successor = None
        self.stop(name)

    def stop(self, why: str = "asked") -> None:
        """Begin to stop."""
        maillog.stopping(why)
        self._stop.set()

    def _recover(self) -> None:
        doubtful = self.stores.outgoing.recover(self.clock.now(), self._aftermath)
        if doubtful:
            maillog.in_doubt(doubtful)

    async def _beat(self, scheduler: AsyncIOScheduler) -> None:
        """What is due, looked at by the monotonic clock; and every poll anew once the other clock was set.

        The scheduler counts its intervals by the time of day: when that is set back an hour, it waits this hour.
        """
        before = time.time() - time.monotonic()
        while True:
            await self._tick()
            if self.taker.clerk is not None:
                self.taker.clerk.ended()
            offset = time.time() - time.monotonic()
            if abs(offset - before) > STEP_SECONDS:
                maillog.clock_set(offset - before)
                for job in scheduler.get_jobs():
                    job.modify(next_run_time=datetime.now(UTC))
            before = offset
            await asyncio.sleep(TICK_SECONDS)

    async def _follow(self) -> None:
        """The files of the configuration, looked at now and then, and at once on SIGHUP."""
        while True:
            asked = False
            with contextlib.suppress(TimeoutError):
                asked = await asyncio.wait_for(self._asked.wait(), FOLLOW_SECONDS)
            self._asked.clear()
            await self._go_on()
            try:
                found = await asyncio.to_thread(self._follower.look, asked=asked)
                if found is not None:
                    await asyncio.to_thread(self._take, found)
            except Exception as error:  # noqa: BLE001 - what runs goes on; the next edit is looked at again
                maillog.timer_failed("configuration", f"{type(error).__name__}: {error}")

    def _take(self, found: Snapshot | Refused) -> None:
        now = self.clock.now()
        if isinstance(found, Refused):
            maillog.configuration_refused(found.problems)
            plan = report.refused_edit(found.problems, found.edit, self.office(), self.keys, now)
            self.stores.desk.apply(plan, now)
            for mail in plan.outbox:
                self._wrote(mail.mailbox)
            return
        restart = needs_restart(self.snapshot, found)
        maillog.configured(found.office.rules_hash, restart)
        if restart:
            if self.loop is not None:
                self.loop.call_soon_threadsafe(self._give_way, found)
            return
        self.snapshot = found
        self.clockwork.timetable.tick()
        self.stores.desk.apply(report.configured(found.office, now), now)

    def _give_way(self, successor: Snapshot) -> None:
        if not self._stop.is_set():
            self.successor = successor
            self.stop("another configuration")

    async def _tick(self) -> None:
        try:
            await asyncio.to_thread(self.clockwork.tick)
        except Exception as error:  # noqa: BLE001 - what is due stays due; the next tick tries again
            maillog.timer_failed("digests", f"{type(error).__name__}: {error}")

    async def _close(self, senders: Sequence[asyncio.Task[None]], beat: asyncio.Task[None]) -> None:
        until = time.monotonic() + STOP_SECONDS
        beat.cancel()
        for copies in self._copies:
            copies.stopping = True
        for watcher in self.watchers:
            watcher.stop()
        for runner in self._runners.values():
            runner.stop()
        done, late = await asyncio.wait(senders, timeout=STOP_SECONDS)
        for task in late:
            task.cancel()
        goodbyes = [asyncio.create_task(courier.close()) for courier in self._couriers.values()]
        await asyncio.wait(goodbyes, timeout=max(1.0, until - time.monotonic()))
        for watcher in self.watchers:
            await asyncio.to_thread(watcher.join, max(0.1, until - time.monotonic()))
        self._let_go()
        for task in done:
            task.result()

    async def once(self) -> dict[str, str]:
        """Take in what is there, send what is due, and end; returns what could not be reached, by mailbox."""
        self.loop = asyncio.get_running_loop()
        self._recover()
        trouble: dict[str, str] = {}
        for watcher in self.watchers:
            error = await asyncio.to_thread(watcher.once)
            if error is not None:
                trouble[watcher.mailbox] = error
        await asyncio.to_thread(self.clockwork.tick)
        for runner in self._runners.values():
            while await runner.drain():
                continue
        for copies in self._copies:
            await asyncio.to_thread(copies.tick)
        for courier in self._couriers.values():
            with contextlib.suppress(OSError):
                await courier.close()
        self._let_go()
        return trouble

    def _let_go(self) -> None:
        self.guard.close()
        if self.taker.clerk is not None:
            self.taker.clerk.close()
        self._pen.close()
        self.stores.database.close()
