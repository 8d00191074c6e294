"""`loket run` as a process on the tests' servers, and what its store, its log and the mailboxes say."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.servers import PASSWORD, MailServers

TOP = Path(__file__).parents[2]
HOST = "127.0.0.1"
OFFICER = "fajar"
# `python -c` with what a test hurries, then the program itself.
PROGRAM = "{hurry}\nfrom loket.__main__ import main\nmain()"


@dataclass
class Office:
    """A folder of configuration and store, and the daemon on it."""

    servers: MailServers
    folder: Path
    mailboxes: dict[str, dict[str, Any]]
    server: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    hurry: str = "from datetime import timedelta\nfrom loket import watch\nwatch.LONGEST_WAIT = timedelta(seconds=3)"
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "password").write_text(PASSWORD)
        (self.folder / "secret").write_text("a secret for tests, long enough")
        self.configure()

    @property
    def domain(self) -> str:
        """All of this office's people and mailboxes are here."""
        return next(iter(self.mailboxes)).partition("@")[2]

    @property
    def officer(self) -> str:
        """Who gets digests and alerts."""
        return f"{OFFICER}@{self.domain}"

    def configure(self) -> None:
        """Write config.yaml."""
        doors = {"imap": f"imap://{HOST}:{self.servers.imap_port}", "smtp": f"smtp://{HOST}:{self.servers.smtp_port}"}
        common = {"server": "here", "login": {"password": "${file:password}"}, "rules": ["loket-d"], "history": "all"}
        written = {
            "office": {"name": "Kantor Uji", "secret": "${file:secret}", **self.more.pop("office", {})},
            "servers": {"here": {**doors, **self.server}},
            "mailboxes": {address: {**common, **own} for address, own in self.mailboxes.items()},
            "officers": {self.officer: {"name": "Fajar", "queues": ["triase", "revisi-desain-ot"]}},
            **self.more,
        }
        (self.folder / "config.yaml").write_text(yaml.safe_dump(written))
        if not (self.folder / "rules").exists():
            (self.folder / "rules").symlink_to(TOP / "rules")

    def start(self) -> subprocess.Popen[bytes]:
        """The daemon, its log behind that of the runs before."""
        program = [sys.executable, "-c", PROGRAM.format(hurry=self.hurry), "run", "--log-json"]
        with (self.log_folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*program, "-c", str(self.folder / "config.yaml")],
                stderr=log,
                env={**os.environ, **self.environment},
            )

    @property
    def log_folder(self) -> Path:
        """Beside the office, which may be on a disk that is full."""
        return self.folder.parent

    @contextmanager
    def running(self, connected: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """The daemon, from its first sessions on; killed at the end if it has not ended."""
        before = len(self.logged("connected"))
        daemon = self.start()
        try:
            wanted = before + (len(self.mailboxes) if connected is None else connected)
            until(lambda: daemon.poll() is not None or len(self.logged("connected")) >= wanted, 20)
            assert daemon.poll() is None, (self.log_folder / "log").read_text()[-2000:]
            yield daemon
        finally:
            daemon.kill()
            daemon.wait()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The log's whole lines of one event."""
        path = self.log_folder / "log"
        lines = path.read_text().split("\n") if path.exists() else []
        # A killed daemon can leave half a line.
        return [json.loads(line) for line in lines if f'"event": "{event}"' in line and line.endswith("}")]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One `loket` command beside the daemon."""
        config = str(self.folder / "config.yaml")
        return subprocess.run(
            [sys.executable, "-m", "loket", *words, "-c", config],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the store."""
        connection = sqlite3.connect(f"file:{self.folder / 'var/loket.db'}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def fates(self) -> list[str]:
        """How the mails ended."""
        return [fate for (fate,) in self.ask("SELECT fate FROM ledger ORDER BY mailbox, uid")]

    def phases(self) -> list[str]:
        """Where the outgoing mails stand."""
        return [phase for (phase,) in self.ask("SELECT phase FROM outbox ORDER BY id")]

    def arrived(self, address: str) -> list[bytes]:
        """What lies in a mailbox, read from its Maildir: two hundred sessions would take their time."""
        top = self.servers.root / "mail" / address
        return [path.read_bytes() for name in ("new", "cur") for path in sorted((top / name).glob("*"))]


def until(holds: Callable[[], Any], seconds: float = 40.0) -> None:
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
