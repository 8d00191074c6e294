"""`python -m tests.soak [--minutes 120]`: a daemon whose connections break all the time must stay as it was.

A real Dovecot and Postfix, three mailboxes, IDLE renewed every 5 s and a poll each second, so that an hour has more
sessions than a month of an office. In front of both servers everything is cut at random: sessions break off, hang,
and find nobody there. Sampled every 5 s: resident memory, threads, file handles, sockets. At the end every mail must
have its ticket and each applicant one acknowledgement at the most, and the last third must look like the second.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.process import memory_mb
from tests.faults.daemon import HOST, Office
from tests.intake.proxy import Proxy
from tests.servers import MailServers, ServersUnavailable

SEED = 20261126
SAMPLE_SECONDS = 5.0
MAIL_SECONDS = 2.0
FAULT_SECONDS = 4.0
# A little more than the last third may differ by chance: a session more or less at the moment of the sample.
MORE_HANDLES, MORE_THREADS, MORE_MEMORY = 3.0, 1.0, 1.05
HURRY = """
from datetime import timedelta
from loket import imap, watch
imap.READ_SECONDS = 5
watch.LONGEST_WAIT = timedelta(seconds=3)
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the kernel knows of the daemon at a moment, in MB of 2^20 octets and counts."""

    at: float
    rss_mb: float
    threads: int
    handles: int
    sockets: int


def sample(pid: int, at: float) -> Sample:
    """Look once."""
    opened = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        # One may be closed between the listing and the look.
        with contextlib.suppress(FileNotFoundError):
            opened.append(str(path.readlink()))
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    return Sample(at, memory_mb(pid, "VmRSS"), threads, len(opened), sum(one.startswith("socket:") for one in opened))


def disturb(chance: random.Random, imap: Proxy, smtp: Proxy) -> Callable[[], None]:
    """One fault; returns how it ends."""
    where = imap if chance.random() < 0.75 else smtp
    kind = chance.choices(("cut", "stall", "down"), (6, 1, 2))[0]
    {"cut": where.cut, "stall": where.stall, "down": where.down}[kind]()
    return where.up if kind == "down" else lambda: None


@dataclass(slots=True)
class Traffic:
    """Mails from applicants who each write once."""

    servers: MailServers
    mailboxes: Sequence[str]
    domain: str
    sent: int = 0

    def one(self, chance: random.Random) -> None:
        """A mail to one of the mailboxes."""
        self.sent += 1
        head = (
            f"From: Pemohon {self.sent} <{self.applicant(self.sent)}>",
            f"Message-ID: <{self.sent}@{self.domain}>",
            f"Subject: Revisi Desain_OT_Jamu {self.sent}",
        )
        body = "Terlampir.\r\n" * chance.randrange(1, 4000)
        self.servers.lmtp(("\r\n".join(head) + "\r\n\r\n" + body).encode(), chance.choice(self.mailboxes))

    def applicant(self, number: int) -> str:
        """Somebody of the tests' domain."""
        return f"pemohon{number}@{self.domain}"


def soak(office: Office, imap: Proxy, smtp: Proxy, seconds: float, chance: random.Random) -> tuple[int, list[Sample]]:
    """Disturb and write for so long, then be still until all is done; how many mails were written, and the samples."""
    traffic = Traffic(office.servers, list(office.mailboxes), office.domain)
    samples = []
    with office.running() as daemon:
        began = time.monotonic()
        next_mail = next_fault = next_sample = began
        calm: Callable[[], None] = lambda: None  # noqa: E731 - nothing to end yet
        while (now := time.monotonic()) - began < seconds:
            if now >= next_mail:
                traffic.one(chance)
                next_mail = now + chance.expovariate(1 / MAIL_SECONDS)
            if now >= next_fault:
                calm()
                calm = disturb(chance, imap, smtp)
                next_fault = now + chance.expovariate(1 / FAULT_SECONDS)
            if now >= next_sample:
                samples.append(sample(daemon.pid, now - began))
                next_sample = now + SAMPLE_SECONDS
            if daemon.poll() is not None:
                sys.exit(f"soak: the daemon ended: {(office.log_folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        calm()
        wait_until(lambda: len(office.ask("SELECT number FROM ticket")) == traffic.sent, "every mail has its ticket")
        undone = "SELECT id FROM outbox WHERE kind = 'acknowledgement' AND phase NOT IN ('sent', 'in-doubt')"
        wait_until(lambda: not office.ask(undone), "every acknowledgement has left")
        samples.append(sample(daemon.pid, time.monotonic() - began))
    return traffic.sent, samples


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """For two minutes at the most."""
    deadline = time.monotonic() + 120
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"soak: not true in two minutes: {what}")
        time.sleep(0.5)


def judged(office: Office, mails: int, samples: Sequence[Sample]) -> list[str]:
    """What is not as it must be."""
    wrong = []
    fates = office.fates()
    if fates != ["ticket"] * mails:
        wrong.append(f"{mails} mails, and of {len(fates)} in the ledger {fates.count('ticket')} became tickets")
    rows = office.ask("SELECT recipient, phase FROM outbox WHERE kind = 'acknowledgement'")
    for recipient, phase in rows:
        copies = len(office.arrived(str(recipient)))
        if copies != 1 and not (phase == "in-doubt" and copies == 0):
            wrong.append(f"{recipient} has {copies} acknowledgements, and the outbox says {phase}")
    third = len(samples) // 3
    second, last = samples[third : 2 * third], samples[2 * third :]
    for what, more in (("handles", MORE_HANDLES), ("sockets", MORE_HANDLES), ("threads", MORE_THREADS)):
        before, after = (statistics.median(getattr(one, what) for one in part) for part in (second, last))
        if after > before + more:
            wrong.append(f"{what} grow: median {before} in the second third, {after} in the last")
    before, after = (statistics.median(one.rss_mb for one in part) for part in (second, last))
    if after > before * MORE_MEMORY:
        wrong.append(f"memory grows: median {before:.1f} MB in the second third, {after:.1f} MB in the last")
    return wrong


def show(samples: Sequence[Sample]) -> None:
    """The samples by tenths of the time."""
    print(f"{'minutes':>9} {'MB':>7} {'threads':>8} {'handles':>8} {'sockets':>8}   (medians; the most in brackets)")
    size = max(1, len(samples) // 10)
    for start in range(0, len(samples) - size + 1, size):
        part = samples[start : start + size]
        columns = []
        for what in ("rss_mb", "threads", "handles", "sockets"):
            values = [getattr(one, what) for one in part]
            columns.append(f"{statistics.median(values):.0f} ({max(values):.0f})")
        print(f"{part[-1].at / 60:9.1f} " + " ".join(f"{column:>8}" for column in columns))


def main() -> None:
    """Exit 1 when anything is not as it must be."""
    arguments = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    arguments.add_argument("--minutes", type=float, default=120)
    arguments.add_argument("--seed", type=int, default=SEED)
    chosen = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        servers = MailServers.start()
    except ServersUnavailable as error:
        sys.exit(f"soak: {error}")
    try:
        with (
            tempfile.TemporaryDirectory(prefix="loket-soak-") as folder,
            Proxy(HOST, servers.imap_port) as imap,
            Proxy(HOST, servers.smtp_port) as smtp,
        ):
            domain = servers.unique("x").partition("@")[2]
            doors = {"imap": f"imap://{HOST}:{imap.port}", "smtp": f"smtp://{HOST}:{smtp.port}", "idle_renewal": 5}
            names = {f"loket{number}@{domain}": {"poll": 1} for number in (1, 2, 3)}
            lifted = {"responses": {"per_address": None, "total": None}}
            office = Office(servers, Path(folder) / "office", names, server=doors, more=lifted, hurry=HURRY)
            mails, samples = soak(office, imap, smtp, chosen.minutes * 60, random.Random(chosen.seed))
            show(samples)
            wrong = judged(office, mails, samples)
            sessions = len(office.logged("connected"))
            found = {"mails": mails, "sessions": sessions, "wrong": wrong, "last": asdict(samples[-1])}
            print(json.dumps(found))
    finally:
        servers.stop()
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
