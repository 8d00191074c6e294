"""An office of one counter or several on a server of the tests, and the mail that people put there."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from imapclient import IMAPClient
from sqlalchemy import Table, select

from loket.app import App, SystemClock
from loket.clerk import Clerk
from loket.config.load import Snapshot, load
from loket.core.model import Fate
from loket.imap import ImapSession
from loket.ports import Clock
from loket.store import schema
from loket.watch import Watcher
from tests.servers import PASSWORD, ImapHost, as_named

TOP = Path(__file__).parents[2]
HOST = "127.0.0.1"
OFFICER, ADMIN = "fajar@bureau.test", "admin@bureau.test"


def mail(subject: str, sender: str = "", body: str = "Terlampir.", message_id: str = "") -> bytes:
    """A mail as an applicant writes it; each subject has a sender of its own unless one is given."""
    author = sender or f"{''.join(c for c in subject if c.isalnum()).lower()}@pemohon.test"
    head = [f"From: {author}", f"Subject: {subject}", f"Message-ID: <{message_id or subject.replace(' ', '.')}@x.test>"]
    return "\r\n".join([*head, "", body, ""]).encode()


@dataclass
class Bureau:
    """The daemon's parts over one folder of configuration and store; `restart` is what it says."""

    servers: ImapHost
    folder: Path
    mailboxes: dict[str, dict[str, Any]]
    imap: dict[str, Any] = field(default_factory=dict)
    batch: dict[str, int] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)
    more: dict[str, Any] = field(default_factory=dict)
    # Who helps with backlogs, under a configuration.
    hiring: Callable[[Snapshot], Clerk | None] = lambda _: None
    app: App = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "password").write_text(PASSWORD)
        (self.folder / "secret").write_text("a secret for tests, long enough")
        self.configure()

    def configure(self) -> None:
        """Write config.yaml and open the store."""
        doors = {"imap": f"imap://{HOST}:{self.servers.imap_port}", "smtp": f"smtp://{HOST}:{self.servers.smtp_port}"}
        common = {"server": "here", "login": {"password": "${file:password}"}, "rules": ["loket-d"], "poll": 600}
        written = {
            "office": {"name": "Kantor Uji", "secret": "${file:secret}", "admin": ADMIN},
            "servers": {"here": {**doors, **self.imap}},
            "mailboxes": {address: {**common, **own} for address, own in self.mailboxes.items()},
            "officers": {OFFICER: {"name": "Fajar", "queues": ["triase"]}},
            "batch": self.batch,
            **self.more,
        }
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(written))
        snapshot = load(path, TOP / "rules")
        self.app = App(snapshot, self.clock, clerk=self.hiring(snapshot))

    def close(self) -> None:
        """End what runs."""
        for watcher in self.app.watchers:
            watcher.stop()
        for watcher in self.app.watchers:
            watcher.join(10)
        self.app.guard.close()
        if self.app.taker.clerk is not None:
            self.app.taker.clerk.close()
        self.app.stores.database.close()

    def restart(self, **changes: Any) -> None:
        """Stop, and start on the same store; `changes` are the first mailbox's."""
        self.close()
        self.mailboxes[self.address].update(changes)
        self.configure()

    @property
    def address(self) -> str:
        """The first mailbox."""
        return next(iter(self.mailboxes))

    def watcher(self, address: str = "") -> Watcher:
        """What watches a mailbox."""
        wanted = address or self.address
        return next(watcher for watcher in self.app.watchers if watcher.mailbox == wanted)

    def poll(self, address: str = "") -> None:
        """Look once, as the daemon does, and find nothing wrong."""
        assert self.watcher(address).once() is None

    @contextmanager
    def session(self, kind: type[ImapSession] = ImapSession) -> Iterator[ImapSession]:
        """An open session of the first mailbox."""
        watcher = self.watcher()
        with kind(watcher.door(), watcher.bounds, watcher.files) as session:
            yield session

    def put(
        self, raw: bytes, *flags: str, when: datetime | None = None, folder: str = "INBOX", address: str = ""
    ) -> None:
        """Store a mail byte for byte, as a client or another server would."""
        with client(self.servers, address or self.address) as session:
            session.append(as_named(session, folder), raw, flags, when)

    def fill(self, mails: Iterable[bytes]) -> None:
        """Store mails in the first mailbox, one after the other."""
        with client(self.servers, self.address) as session:
            for raw in mails:
                session.append("INBOX", raw)

    def rows(self, table: Table, **where: Any) -> list[Any]:
        """A table's rows in the order of its key."""
        query = select(table).where(*(table.c[name] == value for name, value in where.items()))
        with self.app.stores.database.read() as connection:
            return list(connection.execute(query.order_by(*table.primary_key.columns)))

    def fates(self, address: str = "") -> list[Fate]:
        """How the mails of a mailbox ended, in the order of their identity."""
        return [Fate(row.fate) for row in self.rows(schema.ledger, mailbox=address or self.address)]

    def subjects(self) -> list[str]:
        """What the tickets are about, oldest first."""
        return [row.subject for row in self.rows(schema.ticket)]

    def error(self, address: str = "") -> str | None:
        """What the store says is wrong with a mailbox."""
        wanted = address or self.address
        return next((one.error for one in self.app.stores.desk.mailboxes() if one.mailbox == wanted), None)


class Person(IMAPClient):
    """A mail program: it names folders as the server wants them named, and moves as the server can."""

    def make(self, folder: str) -> None:
        """A new folder."""
        self.create_folder(as_named(self, folder))

    def put_into(self, folder: str, place: int = 1) -> None:
        """Move the mail at a place of the list, the first being 1."""
        uid = self.search()[place - 1]
        if self.has_capability("MOVE"):
            self.move([uid], as_named(self, folder))
            return
        self.copy([uid], as_named(self, folder))
        self.throw_away(place)

    def throw_away(self, place: int = 1) -> None:
        """Delete the mail at a place of the list for good."""
        uid = self.search()[place - 1]
        self.delete_messages([uid])
        self.expunge([uid])


@contextmanager
def client(servers: ImapHost, address: str, folder: str = "") -> Iterator[Person]:
    """A person's mail program, in a folder."""
    with Person(HOST, servers.imap_port, ssl=False, timeout=10) as session:
        session.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session.login(address, PASSWORD)
        if folder:
            session.select_folder(as_named(session, folder))
        yield session


def flags(servers: ImapHost, address: str, folder: str = "INBOX") -> dict[int, set[bytes]]:
    """The flags of every mail, without those that every session sees anew."""
    with client(servers, address) as session:
        session.select_folder(as_named(session, folder), readonly=True)
        found = session.get_flags(session.search())
    return {uid: set(of) - {b"\\Recent"} for uid, of in found.items()}


def eventually(what: Callable[[], bool], seconds: float = 5.0) -> float:
    """Wait until it holds, and say how long that took; an assertion where it does not."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


@dataclass(frozen=True)
class Slow:
    """A clock that is an hour behind the server's, so that no mail arrives in the second of the first start."""

    def now(self) -> datetime:
        """An hour ago."""
        return datetime.now(UTC) - timedelta(hours=1)


def at(year: int, month: int, day: int) -> datetime:
    """Noon of a day."""
    return datetime(year, month, day, 12, tzinfo=UTC)
