"""From delivery to the acknowledgement accepted by the submission server, under IDLE, at a steady rate."""

import random
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench import corpus
from tests.bench.daemon import LOADED, Daemon, bench_office, running
from tests.bench.mailbox import Delivery, PlainImap, empty
from tests.bench.relay import Relay
from tests.bench.sink import Loop, TimingSink
from tests.servers import PASSWORD, MailServers


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds at one rate. `beyond` leaves out what the server itself waits before it announces a mail."""

    rate: int
    mails: int
    total: Sequence[float]
    beyond: Sequence[float]


def notify_delay(servers: MailServers, times: int) -> float:
    """Seconds from delivery until Dovecot tells a client that does nothing but IDLE; the median."""
    address = "idle@bench.test"
    empty(servers, address)
    imap, delivery, delays = PlainImap(servers.imap_port, address, PASSWORD), Delivery(servers), []
    try:
        for letter in corpus.small(times, 11, address):
            imap.idle()
            time.sleep(0.2)
            delivery.deliver(letter, address)
            began = time.perf_counter()
            while b"EXISTS" not in imap.socket.recv(1000):
                continue
            delays.append(time.perf_counter() - began)
            imap.socket.sendall(b"DONE\r\n")
            time.sleep(0.1)
            imap.socket.recv(1000)
    finally:
        delivery.close()
        imap.close()
    return statistics.median(delays)


def measure(servers: MailServers, rates: Sequence[tuple[int, int]], own_delay: float) -> list[Latency]:
    """At each rate (mails a second, how many) deliver and wait for every acknowledgement."""
    empty(servers, LOADED)
    sink, relay, loop = TimingSink(), Relay(servers.imap_port, LOADED), Loop()
    try:
        with bench_office() as office:
            office.set_up(loop.listen(relay.serve), loop.listen(sink.serve))
            with running(office) as daemon:
                daemon.wait_for("connected", 7, 20)
                time.sleep(1)
                found, before = [], 0
                for rate, count in rates:
                    found.append(_at_rate(servers, daemon, sink, relay, rate, count, before, own_delay))
                    before += count
                return found
    finally:
        loop.close()


def _at_rate(
    servers: MailServers,
    daemon: Daemon,
    sink: TimingSink,
    relay: Relay,
    rate: int,
    count: int,
    before: int,
    own_delay: float,
) -> Latency:
    letters = list(corpus.small(count, 1000 + rate, LOADED))
    delivered = _deliver(servers, letters, rate)
    deadline = time.monotonic() + 20
    while any(letter.sender not in sink.accepted for letter in letters):
        missing = sum(letter.sender not in sink.accepted for letter in letters)
        daemon.check(deadline, f"acknowledgement of {missing} of {count} mails at {rate}/s")
        time.sleep(0.05)
    total, beyond = [], []
    for number, (letter, at) in enumerate(zip(letters, delivered, strict=True), start=before + 1):
        accepted = sink.accepted[letter.sender]
        # A server may take its own delay, not more: what is announced later, we were not there to hear.
        known = min(relay.announced_at(number), at + own_delay)
        total.append((accepted - at) * 1000)
        beyond.append((accepted - known) * 1000)
    return Latency(rate, count, total, beyond)


def _deliver(servers: MailServers, letters: Sequence[corpus.Letter], rate: int) -> list[float]:
    """Hand the mails over, each at a moment within its own slot of 1/rate seconds; returns when each was there."""
    chance, delivered = random.Random(rate), []
    began, delivery = time.monotonic(), Delivery(servers)
    pause = threading.Event()
    try:
        for slot, letter in enumerate(letters):
            pause.wait(max(0, began + (slot + chance.random()) / rate - time.monotonic()))
            delivery.deliver(letter, LOADED)
            delivered.append(time.time())
    finally:
        delivery.close()
    return delivered


def percentile(values: Sequence[float], share: int) -> float:
    """The value that `share` percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, -(-len(ordered) * share // 100) - 1)]
