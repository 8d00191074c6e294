"""`python -m tests.bench [--quick]`: measure, print a table, and end with one line of JSON."""

import argparse
import platform
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.bench import corpus, fairness, large, latency, peer, report, rest, scale, whole
from tests.bench.daemon import LOADED
from tests.bench.limits import imap_drain
from tests.bench.mailbox import fill
from tests.bench.picture import picture
from tests.bench.report import Backlog
from tests.servers import MailServers, ServersUnavailable

SEED = 20261124


def main() -> None:
    """All measurements in order, each bounded in time."""
    arguments = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="smaller backlogs, once: under a minute")
    arguments.add_argument("--runs", type=int, default=0, help="whole jobs each; the median counts")
    arguments.add_argument("--small", type=int, default=0, metavar="MAILS", help="size of the small backlog")
    arguments.add_argument("--mixed", type=int, default=0, metavar="MAILS", help="size of the mixed backlog")
    arguments.add_argument("--picture", type=Path, metavar="FILE", help="where to draw it, as SVG")
    chosen = arguments.parse_args()
    quick = chosen.quick
    # So that `finally` runs, and all servers end, when somebody loses patience.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        servers = MailServers.start()
    except ServersUnavailable as error:
        sys.exit(f"bench: {error}")
    try:
        _measure(
            servers,
            quick,
            chosen.runs or (1 if quick else 3),
            chosen.small or (500 if quick else 3000),
            chosen.mixed or (300 if quick else 2000),
            chosen.picture,
        )
    finally:
        servers.stop()


def _measure(
    servers: MailServers, quick: bool, runs: int, small_mails: int, mixed_mails: int, drawn: Path | None
) -> None:
    began = time.monotonic()
    print(f"Python {platform.python_version()}, {report.machine()}; medians of {runs}\n", flush=True)

    def say(what: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {what}", file=sys.stderr, flush=True)

    say("start and rest")
    resting = rest.measure(servers, 1 if quick else 3, 1 if quick else 10)
    say("latency")
    own_delay = latency.notify_delay(servers, 2 if quick else 5)
    rates = [(1, 5), (10, 60)] if quick else [(1, 30), (10, 300), (50, 500)]
    latencies = latency.measure(servers, rates, own_delay)
    say("fairness")
    beside = fairness.measure(servers, 1500 if quick else 5000, 2 if quick else 5, own_delay)
    own = None if quick else large.measure(servers)
    backlogs, others = [], []
    letters: Callable[[], Iterable[corpus.Letter]]
    for name, mails, letters in (
        ("small", small_mails, lambda: corpus.small(small_mails, SEED, LOADED)),
        ("mixed", mixed_mails, lambda: corpus.mixed(mixed_mails, SEED + 1, LOADED)),
    ):
        wholes, drains, octets = [], [], 0
        for run in range(runs):
            if name == "small" or not run:
                _, octets = fill(servers, LOADED, letters())
            drains.append(imap_drain(servers, LOADED, mails))
            wholes.append(whole.drain(servers, mails, 20 + mails / 20))
            say(f"whole job, {name}, run {run + 1}: {wholes[-1].per_second:,.0f}/s")
            if name == "small":
                # In turn, since the machine's pace changes from minute to minute.
                others.append(peer.measure(servers, corpus.small(200 if quick else 500, SEED, LOADED)))
                say(f"django-helpdesk, where it is installed, run {run + 1}: {others[-1] or 0:,.0f}/s")
        backlogs.append(Backlog(name, octets, wholes, drains))
    small, mixed = backlogs
    there = [one for one in others if one is not None]
    other = statistics.median(there) if there else None
    say("rules, tickets, mailboxes")
    grown = scale.measure(servers, quick=quick)
    say(f"done; {report.machine()}")
    print(f"\n{report.table(small, mixed, resting, own_delay, latencies, beside, own, grown, other)}\n")
    if drawn is not None:
        drawn.write_text(picture(small, mixed, latencies, other, f"{platform.python_version()}, {report.machine()}"))
    print(report.line(small, mixed, resting, latencies, grown, other), flush=True)


main()
