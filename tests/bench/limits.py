"""What the same machine could do at most, measured beside the whole job: each server and the store by itself."""

import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.mailbox import PlainImap
from tests.servers import PASSWORD, MailServers

_TABLES = ("content", "ledger", "ticket", "event", "outbox")
_MAILS_SENT = 10_000
_ALONE = 300

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Mails a second."""

    store: float
    store_alone: float
    smtp: float
    smtp_single: float


def imap_drain(servers: MailServers, address: str, mails: int) -> float:
    """Mails a second over one connection when nothing is done with them."""
    imap = PlainImap(servers.imap_port, address, PASSWORD)
    try:
        began = time.perf_counter()
        imap.command("UID FETCH 1:* (BODY.PEEK[])")
        return mails / (time.perf_counter() - began)
    finally:
        imap.close()


def smtp_limit(port: int, size: int) -> tuple[float, float]:
    """What smtp-source gets into the sink, mails of that size: over 10 connections, and over one."""
    return _smtp_source(port, size, 10), _smtp_source(port, size, 1)


def _smtp_source(port: int, size: int, sessions: int) -> float:
    command = ["smtp-source", "-d", "-s", str(sessions), "-m", str(_MAILS_SENT), "-l", str(size), f"127.0.0.1:{port}"]
    began = time.perf_counter()
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    return _MAILS_SENT / (time.perf_counter() - began)


def store_limit(finished: Path) -> tuple[float, float]:
    """How fast the rows of a finished run go into an empty store, 100 mails a commit and one a commit.

    The sqlite3 module alone, the same disk, durability and indexes; every row inserted once in its final state.
    """
    source = sqlite3.connect(f"file:{finished}?mode=ro", uri=True)
    try:
        sql = [row[0] for row in source.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")]
        mails = list(_mails(source))
    finally:
        source.close()
    return _commit(finished.parent, sql, mails, 100), _commit(finished.parent, sql, mails[:_ALONE], 1)


def _mails(source: sqlite3.Connection) -> Iterator[Rows]:
    """The rows that each mail caused."""
    order = {
        "content": "SELECT c.* FROM content c JOIN ledger l USING (sha256) JOIN ticket t ON t.number = l.ticket",
        "ledger": "SELECT l.* FROM ledger l JOIN ticket t ON t.number = l.ticket",
        "ticket": "SELECT t.* FROM ticket t",
        "event": "SELECT e.* FROM event e JOIN ticket t ON t.number = e.ticket",
        "outbox": "SELECT o.* FROM outbox o JOIN ticket t ON t.number = o.ticket",
    }
    everything = {name: source.execute(f"{query} ORDER BY t.number").fetchall() for name, query in order.items()}
    mails = len(everything["ticket"])
    for at in range(mails):
        # An acknowledged mail has one row in each table, and two events.
        each = {name: len(rows) // mails for name, rows in everything.items()}
        yield {name: everything[name][at * each[name] : (at + 1) * each[name]] for name in _TABLES}


def _commit(folder: Path, sql: Sequence[str], mails: Sequence[Rows], size: int) -> float:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        store = sqlite3.connect(Path(place) / "bound.db", isolation_level=None)
        try:
            store.execute("PRAGMA journal_mode=WAL")
            store.execute("PRAGMA synchronous=FULL")
            for statement in sql:
                if "sqlite_" not in statement:
                    store.execute(statement)
            began = time.perf_counter()
            for at in range(0, len(mails), size):
                store.execute("BEGIN IMMEDIATE")
                for name in _TABLES:
                    rows = [row for mail in mails[at : at + size] for row in mail[name]]
                    places = ",".join("?" * len(rows[0]))
                    store.executemany(f"INSERT INTO {name} VALUES ({places})", rows)
                store.execute("COMMIT")
            return len(mails) / (time.perf_counter() - began)
        finally:
            store.close()
