"""A day of live consultations on a daemon that is killed again and again: everyone once, in order, three at a time."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen

from loket.demo.officer import reply
from tests.faults.daemon import Office, until
from tests.intake.bureau import mail
from tests.servers import MailServers

PEOPLE = 200
AT_ONCE = 3
# 08.00 to 16.00 WIB; the counter opens at 08.30.
BEGINS, OPENS, CLOSES = (datetime(2026, 11, 24, hour, minute, tzinfo=UTC) for hour, minute in ((1, 0), (1, 30), (9, 0)))
STEP = timedelta(minutes=6)
LENGTH = timedelta(minutes=15)
QUEUE = "konsultasi-chat"
KILLS = 6
# The daemon's clock is a file that the day writes: it stands still between the steps. The mailbox is looked into with
# each look at it, since Dovecot keeps an IDLE waiting for half a second.
HURRY = """
from datetime import datetime
from pathlib import Path
from loket import app
app.TICK_SECONDS = 0.2
app.SystemClock.now = lambda self: datetime.fromisoformat(Path({clock!r}).read_text())
async def tick(self, tick=app.App._tick):
    for watcher in self.watchers:
        watcher.poke()
    await tick(self)
app.App._tick = tick
"""


@dataclass
class Day:
    """The office's day: who came in which order, what the officer said, and the daemon that works it."""

    office: Office
    clock: Path
    address: str
    chance: random.Random
    now: datetime = BEGINS
    came: list[str] = field(default_factory=list)
    delivered: int = 0
    kills: int = 0
    daemon: Popen[bytes] | None = None

    def set(self, now: datetime) -> None:
        """Say what time it is, in one step."""
        self.now = now
        beside = self.clock.with_suffix(".new")
        beside.write_text(now.isoformat())
        beside.replace(self.clock)

    def start(self) -> None:
        """The daemon, from its first session on."""
        before = len(self.office.logged("connected"))
        self.daemon = self.office.start()
        until(lambda: len(self.office.logged("connected")) > before, 30)

    def kill(self) -> None:
        """Without warning, and again from the start."""
        assert self.daemon is not None
        self.daemon.kill()
        assert self.daemon.wait() == -signal.SIGKILL
        self.kills += 1
        self.start()

    def deliver(self, raw: bytes, sender: str) -> None:
        """One mail to the counter."""
        self.office.servers.lmtp(raw, self.address, sender)
        self.delivered += 1

    def ask(self) -> None:
        """Somebody asks by mail."""
        name = f"p{len(self.came)}"
        sender = f"{name}@{self.office.domain}"
        self.came.append(sender)
        self.deliver(mail("Konsultasi live chat", sender), sender)

    def register(self, called: bytes) -> None:
        """The officer registers somebody: every other one leaves an address."""
        number = len(self.came)
        address = f"p{number}@{self.office.domain}" if number % 2 else ""
        contact = f"0812-0000-{number:04}"
        self.came.append(address or contact)
        form = f"CATAT\nSaluran: Telepon\nNama: P {number}\nKontak: {contact}\nEmail: {address}\nAntrean: {QUEUE}\n"
        self.deliver(reply(called, form, now=self.now), self.office.officer)

    def call(self, serial: int) -> bytes:
        """What the officer was told of a turn, as it stands in the outbox: in doubt, it may not have come."""
        [(literal,)] = self.office.ask(
            f"SELECT literal FROM outbox WHERE key = 'turn-call:{QUEUE}:{serial}:{self.office.officer}'"
        )
        return bytes(literal)

    def served(self) -> list[tuple[int, datetime]]:
        """The turns that are served now, and since when."""
        rows = self.office.ask("SELECT serial, called_at FROM turn WHERE called_at IS NOT NULL AND ended_at IS NULL")
        return [(int(serial), datetime.fromisoformat(at).replace(tzinfo=UTC)) for serial, at in rows]

    def settled(self) -> bool:
        """All mail has its end, no turn is over its time, and no seat is free while somebody waits."""
        if len(self.office.fates()) < self.delivered or "pending" in self.office.fates():
            return False
        served = self.served()
        [(waiting,)] = self.office.ask("SELECT count(*) FROM turn WHERE called_at IS NULL")
        late = any(self.now - since >= LENGTH for _, since in served)
        calls = OPENS <= self.now <= CLOSES - LENGTH
        return not late and (not calls or not waiting or len(served) == AT_ONCE)

    def step(self, *, killed: bool) -> None:
        """Six minutes later: some have been served, some come, and the daemon may die over it."""
        self.set(self.now + STEP)
        calls = []
        for serial, since in self.served():
            # Every fortieth stays for all of their time, and nobody says a word.
            if serial % 40 and since < self.now:
                calls.append(self.call(serial))
                word = "LEWAT" if serial % 10 == 3 else "SELESAI"
                self.deliver(reply(calls[-1], word, now=self.now), self.office.officer)
        for _ in range(self.chance.choice((2, 3, 4))):
            if len(self.came) < PEOPLE:
                self.register(calls[0]) if calls and len(self.came) % 5 == 0 else self.ask()
        if killed:
            time.sleep(self.chance.uniform(0.0, 0.4))
            self.kill()
        until(self.settled, 30)


def test_two_hundred_are_served_once_in_order_and_three_at_a_time(servers: MailServers, tmp_path: Path) -> None:
    """By mail and by telephone, ended by the officer and by the clock, through kills between and amid the steps."""
    address = servers.unique("chat")
    office = Office(
        servers,
        tmp_path / "office",
        {address: {"rules": ["loket-b"], "poll": 600}},
        server={"connections": 2},
        more={"office": {"hours": "Mon-Fri 08:30-16:00"}},
        hurry=HURRY.format(clock=str(tmp_path / "clock")),
    )
    config = (office.folder / "config.yaml").read_text()
    (office.folder / "config.yaml").write_text(config.replace("revisi-desain-ot", QUEUE))
    day = Day(office, tmp_path / "clock", address, random.Random(7))
    day.set(BEGINS)
    steps = int((CLOSES - BEGINS) / STEP)
    killed = set(day.chance.sample(range(2, steps), KILLS))
    day.start()
    try:
        for number in range(steps):
            day.step(killed=number in killed)
        [(left,)] = office.ask("SELECT count(*) FROM turn WHERE ended_at IS NULL")
        assert (len(day.came), left, day.kills) == (PEOPLE, 0, KILLS)
        until(lambda: set(office.phases()) <= {"sent", "in-doubt"}, 30)
    finally:
        if day.daemon is not None:
            day.daemon.kill()
            day.daemon.wait()

    rows = office.ask(
        "SELECT serial, applicant, contact, called_at, ended_at FROM turn"
        " JOIN ticket ON ticket = number ORDER BY serial"
    )
    # Who came first is told by the UID: of mails that come within a moment the server numbers whichever it likes first.
    uids = office.ask(
        "SELECT min(uid) FROM turn JOIN ledger ON ledger.ticket = turn.ticket GROUP BY serial ORDER BY serial"
    )
    assert [serial for serial, *_ in rows] == list(range(1, PEOPLE + 1)), "everyone has one turn"
    assert sorted(applicant or contact for _, applicant, contact, *_ in rows) == sorted(day.came)
    assert uids == sorted(uids), "in the order in which they came"
    called = [(str(at), str(end)) for *_, at, end in rows]
    assert [at for at, _ in called] == sorted(at for at, _ in called), "called in their order"
    for at, _ in called:
        assert sum(begins <= at < ends for begins, ends in called) <= AT_ONCE, "three at a time"
        assert "2026-11-24 01:30" <= at <= "2026-11-24 08:45", "in opening hours, each with a whole turn before closing"
    outgoing = office.ask("SELECT kind, recipient, phase FROM outbox")
    by_mail = {person for person in day.came if "@" in person}
    for kind in ("call", "acknowledgement"):
        assert Counter(to for what, to, _ in outgoing if what == kind) == Counter(by_mail), f"one {kind} each"
    told = office.ask("SELECT count(*) FROM outbox WHERE kind = 'notice' AND key LIKE 'turn-call:%'")
    assert told == [(PEOPLE,)], "and the officer of each"
    doubtful = [to for _, to, phase in outgoing if phase == "in-doubt"]
    assert len(doubtful) <= 2 * KILLS
    for person in by_mail - set(doubtful):
        until(lambda person=person: len(calls_in(office, person)) == 1)  # type: ignore[misc] # bound as it is now
    for person in by_mail:
        assert len(calls_in(office, person)) <= 1, "nobody is called twice"


def calls_in(office: Office, person: str) -> list[bytes]:
    """The calls that arrived in a mailbox."""
    return [raw for raw in office.arrived(person) if b"Auto-Submitted: auto-generated" in raw]
