"""The whole job: a backlog in a mailbox becomes tickets, and the last acknowledgement is accepted."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.daemon import LOADED, BenchOffice, Daemon, bench_office, moment, running
from tests.bench.limits import Limits, smtp_limit, store_limit
from tests.bench.process import cpu_seconds, family_mb
from tests.bench.sink import counting_sink
from tests.servers import MailServers


@dataclass(frozen=True, slots=True)
class Whole:
    """One drained backlog. Seconds count from the first open mailbox to the last reply accepted."""

    mails: int
    seconds: float
    intake_seconds: float
    cpu_seconds: float
    peak_mb: float
    limits: Limits

    @property
    def per_second(self) -> float:
        """Mails through the whole job."""
        return self.mails / self.seconds

    @property
    def intake_per_second(self) -> float:
        """Mails to their durable end, with sending going on beside."""
        return self.mails / self.intake_seconds

    @property
    def cpu_ms(self) -> float:
        """Processor time a mail, start-up included: the figure that other work on the machine disturbs least."""
        return self.cpu_seconds / self.mails * 1000


def drain(servers: MailServers, mails: int, seconds: float, beside: Callable[[Daemon], None] | None = None) -> Whole:
    """Drain the loaded mailbox, which holds `mails`, into a new store, and check that nothing is missing.

    `beside` is called when the mailbox is open, for a profiler to take hold of the daemon.
    """
    with bench_office() as office, counting_sink() as sink:
        office.set_up(servers.imap_port, sink.port)
        deadline = time.monotonic() + seconds
        with running(office) as daemon:
            while not any(event["mailbox"] == LOADED for event in daemon.events("connected")):
                daemon.check(deadline, "open mailbox")
                time.sleep(0.005)
            if beside is not None:
                beside(daemon)
            while sink.count() < mails:
                daemon.check(deadline, f"reply number {mails}, only {sink.count()}")
                time.sleep(0.005)
            ended = time.time()
            cpu, peak = cpu_seconds(daemon.pid), family_mb(daemon.pid, "VmHWM")
            daemon.wait_for("submitted", mails, 10)
        began = next(moment(event) for event in daemon.events("connected") if event["mailbox"] == LOADED)
        taken = moment(daemon.events("taken-in")[-1])
        # Replies that nobody expects would come late.
        time.sleep(0.1)
        _complete(office, mails, sink.count())
        reply = office.ask("SELECT avg(size) FROM outbox")[0][0]
        limits = Limits(*store_limit(office.folder / "var/loket.db"), *smtp_limit(sink.port, int(reply)))
        shutil.rmtree(office.folder / "var")
    os.sync()
    return Whole(mails, ended - began, taken - began, cpu, peak, limits)


def _complete(office: BenchOffice, mails: int, replies: int) -> None:
    """Every mail has its ticket, its raw bytes, and one reply that was sent to its own applicant."""
    counted = {
        "replies at the sink": replies,
        "tickets": office.ask("SELECT count(DISTINCT applicant) FROM ticket")[0][0],
        "ledger rows that say ticket": office.ask("SELECT count(*) FROM ledger WHERE fate = 'ticket'")[0][0],
        "raw mails": office.ask("SELECT count(*) FROM ledger JOIN content USING (sha256)")[0][0],
        "sent": office.ask(
            "SELECT count(DISTINCT o.recipient) FROM outbox o JOIN ticket t ON t.number = o.ticket"
            " WHERE o.phase = 'sent' AND o.recipient = t.applicant"
        )[0][0],
        "all sent": office.ask("SELECT count(*) FROM outbox")[0][0],
        "events": office.ask("SELECT count(*) FROM event WHERE kind IN ('opened', 'sent')")[0][0] // 2,
    }
    wrong = {name: number for name, number in counted.items() if number != mails}
    if wrong:
        raise RuntimeError(f"{mails} mails, but {wrong}")
