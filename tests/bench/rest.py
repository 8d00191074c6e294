"""Start-up to the first IDLE, and memory with nothing to do."""

import statistics
import time
from dataclasses import dataclass

from tests.bench.daemon import LOADED, bench_office, running
from tests.bench.mailbox import empty
from tests.bench.process import children, cpu_seconds, family_mb
from tests.bench.relay import Relay
from tests.bench.sink import Loop, TimingSink
from tests.servers import MailServers

MAILBOXES = 10


@dataclass(frozen=True, slots=True)
class Rest:
    """Seconds to the first IDLE with a new store and with one that was there; what an idle daemon takes.

    `first_mb` is what it takes while the process that helps with backlogs still waits for one.
    """

    first_start: float
    start: float
    first_mb: float
    rss_mb: float
    idle_cpu_percent: float


def measure(servers: MailServers, starts: int, idle: float) -> Rest:
    """Start `starts` + 1 times with ten empty mailboxes, then look at the last for `idle` seconds."""
    empty(servers, LOADED)
    loop, sink, seconds = Loop(), TimingSink(), []
    relay = Relay(servers.imap_port, LOADED)
    try:
        with bench_office() as office:
            office.set_up(loop.listen(relay.serve), loop.listen(sink.serve), MAILBOXES)
            for number in range(starts + 1):
                relay.first_idle = None
                with running(office) as daemon:
                    deadline = time.monotonic() + 30
                    while relay.first_idle is None:
                        daemon.check(deadline, "first IDLE")
                        time.sleep(0.005)
                    seconds.append(relay.first_idle - daemon.started_at)
                    daemon.wait_for("connected", MAILBOXES, 30)
                    if number == starts:
                        time.sleep(2)
                        first = family_mb(daemon.pid, "VmRSS")
                        deadline = time.monotonic() + 30
                        while children(daemon.pid):
                            daemon.check(deadline, "end of the second process")
                            time.sleep(0.1)
                        before = cpu_seconds(daemon.pid)
                        time.sleep(idle)
                        cpu = (cpu_seconds(daemon.pid) - before) / idle * 100
                        rss = family_mb(daemon.pid, "VmRSS")
        return Rest(seconds[0], statistics.median(seconds[1:]), first, rss, cpu)
    finally:
        loop.close()
