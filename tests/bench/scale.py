"""What grows: cost against rules and against tickets in the store, and what five hundred idle mailboxes take."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from loket import maillog
from loket.app import App
from loket.config.load import load
from loket.core.classify import Compiled
from loket.core.model import MailRef, RawMail, StoredFile
from loket.core.rules import CounterFile
from tests.bench import corpus
from tests.bench.daemon import LOADED, BenchOffice, bench_office, running
from tests.bench.process import cpu_seconds, family_mb
from tests.bench.sink import Loop, TimingSink
from tests.servers import MailServers

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
BATCH = 100


@dataclass(frozen=True, slots=True)
class Scale:
    """Ratios, and what many idle mailboxes take; None where a quick run left it out."""

    rules: float
    tickets: float | None
    idle_cpu_percent: float | None
    idle_mb: float | None


def measure(servers: MailServers, *, quick: bool) -> Scale:
    """All of them; a quick run makes no million tickets and connects no five hundred mailboxes."""
    # The daemon's parts run in this process here, and their log is nobody's.
    maillog.set_up(as_json=True, level="ERROR")
    rules = _ratio(_with_rules, 10, 1000, 3 if quick else 9)
    if quick:
        return Scale(rules, None, None, None)
    tickets = _ratio(_with_tickets, 1000, 1_000_000, 9)
    return Scale(rules, tickets, *_idle(servers, 500))


def _ratio(prepare: Callable[[App, int], None], few: int, many: int, rounds: int) -> float:
    """How many times longer a batch takes with many than with few, rounds taken in turn; medians."""
    with bench_office() as one, bench_office() as other:
        apps = [_app(office) for office in (one, other)]
        try:
            for app, count in zip(apps, (few, many), strict=True):
                prepare(app, count)
            seconds: list[list[float]] = [[], []]
            for round_ in range(rounds + 1):
                batch = _batch(round_)
                for app, spent in zip(apps, seconds, strict=True):
                    began = time.process_time()
                    app.taker.take(app.taker.sort(batch))
                    app.clockwork.timers.desk(LOADED, app.office().officers["ani@pom.go.id"], {})
                    spent.append(time.process_time() - began)
        finally:
            for app in apps:
                app.stores.database.close()
    # The first round compiles statements and templates.
    return statistics.median(seconds[1][1:]) / statistics.median(seconds[0][1:])


def _app(office: BenchOffice) -> App:
    office.set_up(1, 1)
    return App(load(office.folder / "config.yaml"))


def _batch(round_: int) -> Sequence[RawMail]:
    raws = []
    for number, letter in enumerate(corpus.small(BATCH, 100 + round_, LOADED)):
        data = letter.raw.replace(b"\n", b"\r\n")
        ref = MailRef(LOADED, 1, round_ * BATCH + number + 1)
        raws.append(RawMail(ref, NOW, data, StoredFile(sha256(data).hexdigest(), len(data))))
    return raws


def _with_rules(app: App, count: int) -> None:
    """Put so many more rules before the office's own, half of them with a condition."""
    rules = [
        {
            "name": f"lain-{number}",
            "subject": f"Layanan Nomor{number}_{{produk}}",
            "aliases": [f"Permohonan {number}"],
            "queue": "triase",
            **({"when": {"kind": "from", "text": ["@lain.example"]}} if number % 2 else {}),
        }
        for number in range(count)
    ]
    counter = CounterFile.model_validate({"counter": "Lain", "rules": rules})
    desk = app.snapshot.office.desks[LOADED]
    more = tuple(Compiled.of(rule, counter) for rule in counter.rules)
    desks = {**app.snapshot.office.desks, LOADED: replace(desk, own=(*more, *desk.own))}
    app.snapshot = replace(app.snapshot, office=replace(app.snapshot.office, desks=desks))


def _with_tickets(app: App, count: int) -> None:
    """So many closed tickets, each with its ledger row, two events and a sent answer; the same few are open."""
    path = Path(str(app.stores.database.url.database))
    app.taker.take(app.taker.sort(_batch(99)))
    number, whom, long_ago = "'LKT-2025-' || n || '-0'", "'p' || n || '@x.example'", "'2025-01-01 00:00:00.000000'"
    times = {"created_at": long_ago, "next_at": long_ago}
    own = {"number": number, "applicant": whom, "identity": "'jamu ' || n", "fingerprint": "'f' || n"}
    rows: dict[str, dict[str, str]] = {
        "ticket": {**own, "state": "'closed'", **times},
        "ledger": {"uidvalidity": "2", "uid": "n", "sha256": "'s' || n", "ticket": number},
        "event": {"id": "1000 + n", "ticket": number},
        "outbox": {"id": "1000 + n", "key": "n", "message_id": "n", "recipient": whom, "phase": "'sent'", **times},
    }
    with sqlite3.connect(path) as store:
        for table, changed in rows.items():
            columns = [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(changed.get(name, f"t.{name}") for name in columns)
            store.execute(
                f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count})"
                f" INSERT INTO {table} SELECT {values} FROM c, (SELECT * FROM {table} LIMIT 1) t"
            )
        store.execute("ANALYZE")


def _idle(servers: MailServers, mailboxes: int) -> tuple[float, float]:
    """Processor in percent of a core, and resident megabytes, of a daemon that watches so many empty mailboxes."""
    loop, sink = Loop(), TimingSink()
    try:
        with bench_office() as office:
            office.set_up(servers.imap_port, loop.listen(sink.serve), mailboxes)
            with running(office) as daemon:
                daemon.wait_for("connected", mailboxes, 240)
                time.sleep(70)
                before = cpu_seconds(daemon.pid)
                time.sleep(60)
                return (cpu_seconds(daemon.pid) - before) / 60 * 100, family_mb(daemon.pid, "VmRSS")
    finally:
        loop.close()
