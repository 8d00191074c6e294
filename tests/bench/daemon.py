"""The daemon under test: `loket run` as a child, on the shipped office with the bench's servers in it."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from tests.bench.process import stop, tied
from tests.servers import PASSWORD

TOP = Path(__file__).parents[2]
# The mailbox that gets the load: two kinds of request, attachments looked at, most of the rules.
LOADED = "desainsk.otsk2020@gmail.com"
# Sessions at once to the submission server; performance.md measured its bounds with as many.
CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class BenchOffice:
    """A folder with config.yaml, the secrets beside it, and the store that a run makes."""

    folder: Path

    def set_up(self, imap_port: int, smtp_port: int, mailboxes: int = 0) -> None:
        """Write the shipped configuration with these servers; `mailboxes` adds copies until there are so many.

        No digests, and no holidays that may be unsettled: what is told of them would be counted among the replies. No
        caps on automatic responses: a day's mail comes in a second here. Everything else is as shipped.
        """
        config: dict[str, Any] = yaml.safe_load((TOP / "config.yaml").read_text())
        doors = {"imap": f"127.0.0.1:{imap_port}", "smtp": f"127.0.0.1:{smtp_port}", "connections": CONNECTIONS}
        config["servers"] = dict.fromkeys(config["servers"], doors)
        config["office"]["secret"] = "${file:secret}"
        config["rules"] = str(TOP / "rules")
        config["office"]["holidays"] = {}
        config["digests"] = []
        config["responses"] = {"per_address": None, "total": None}
        boxes = config["mailboxes"]
        for number in range(mailboxes - len(boxes)):
            boxes[f"loket{number}@bench.test"] = dict(boxes[LOADED])
        for box in boxes.values():
            box["login"] = {"password": "${file:password}"}
            box["history"] = "all"
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        (self.folder / "password").write_text(PASSWORD)
        (self.folder / "secret").write_text("a secret for measuring, long enough")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the store, read beside the daemon."""
        store = sqlite3.connect(f"file:{self.folder}/var/loket.db?mode=ro", uri=True)
        try:
            return store.execute(query).fetchall()
        finally:
            store.close()


@contextmanager
def bench_office() -> Iterator[BenchOffice]:
    """An office that is gone afterwards; its store lies on a disk where fsync costs what it costs."""
    with tempfile.TemporaryDirectory(prefix="lk-office-", dir="/var/tmp") as folder:
        yield BenchOffice(Path(folder))


class Daemon:
    """A running `loket run`."""

    def __init__(self, office: BenchOffice) -> None:
        self.started_at = time.time()
        self._log = office.folder / f"log-{time.monotonic_ns()}"
        command = [sys.executable, "-m", "loket", "run", "--config", str(office.folder / "config.yaml"), "--log-json"]
        with self._log.open("wb") as log:
            # This tree's code, whichever is installed; compiled once, as an installation has it.
            environment = {**os.environ, "PYTHONPATH": str(TOP / "daemon")}
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            self.process = subprocess.Popen(tied(command), stdout=log, stderr=log, cwd=office.folder, env=environment)

    @property
    def pid(self) -> int:
        """The daemon's own process: setpriv has become it."""
        return self.process.pid

    def events(self, name: str) -> list[Mapping[str, Any]]:
        """The log's lines of one event so far."""
        mark = f'"event": "{name}"'
        lines = self._log.read_text().splitlines()
        return [json.loads(line) for line in lines if mark in line]

    def wait_for(self, name: str, count: int, seconds: float) -> None:
        """Return once the log holds so many lines of an event."""
        deadline = time.monotonic() + seconds
        while len(self.events(name)) < count:
            self.check(deadline, f"{count} times {name}")
            time.sleep(0.02)

    def check(self, deadline: float, wanted: str) -> None:
        """Raise when the daemon has ended or the time is up."""
        if self.process.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(self._log.read_text().splitlines()[-3:])
            raise RuntimeError(f"no {wanted}; the daemon's status is {self.process.poll()}\n{tail}")

    def stop(self) -> None:
        """SIGTERM, and a clean end is part of the test."""
        status = stop(self.process, 40)
        if status != 0:
            raise RuntimeError(f"the daemon ended with {status}\n{self._log.read_text()[-3000:]}")


@contextmanager
def running(office: BenchOffice) -> Iterator[Daemon]:
    """A daemon for the length of a block; after an error in it, it is ended all the same."""
    daemon = Daemon(office)
    try:
        yield daemon
        daemon.stop()
    finally:
        if daemon.process.poll() is None:
            stop(daemon.process, 5)


def moment(event: Mapping[str, Any]) -> float:
    """When a log line was written, as `time.time` counts."""
    return datetime.fromisoformat(event["timestamp"]).timestamp()
