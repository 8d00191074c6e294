"""One mailbox's outgoing mail: a store, a sender, and a clock that the test sets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from loket.core.model import Kind, NewFile, Outbound, Plan
from loket.core.quota import Limit
from loket.files import ContentReader, FolderFiles
from loket.outbox import Account, OutboxRunner
from loket.pen import Pen
from loket.ports import Waiting
from loket.smtp import SmtpCourier, Ways
from loket.store import schema
from loket.store.contents import ContentStore
from loket.store.database import Database, is_unavailable
from loket.store.intake import IntakeStore
from loket.store.outgoing import OutgoingStore
from loket.submission import SubmissionDoor
from tests.servers import PASSWORD

HERE = "desain@office.test"
START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def outbound(key: str, recipient: str = "", body: bytes = b"Selamat pagi.\r\n", **changes: Any) -> Outbound:
    """A mail to send, to a recipient named after its key unless another is given."""
    head = f"From: {HERE}\r\nSubject: {key}\r\n\r\n".encode()
    given = {"kind": Kind.ACKNOWLEDGEMENT, "segments": (head, body), **changes}
    return Outbound(
        key=key,
        mailbox=HERE,
        sender=HERE,
        recipient=recipient or f"{key}@pemohon.test",
        message_id=f"{key}@office.test",
        **given,
    )


@dataclass
class Post:
    """Write mail, let it be sent, read what became of it."""

    folder: Path
    now_at: datetime = START
    database: Database = field(init=False)
    runner: OutboxRunner = field(init=False)
    courier: SmtpCourier = field(init=False)

    def __post_init__(self) -> None:
        self.path = self.folder / "loket.db"
        self.database = Database(f"sqlite:///{self.path}")
        self.database.migrate()
        self.outgoing = OutgoingStore(self.database)
        self.files = FolderFiles(self.folder / "files")
        self.reader = ContentReader(ContentStore(self.database), self.files)

    def now(self) -> datetime:
        """What the clock shows."""
        return self.now_at

    def later(self, **by: float) -> None:
        """Set the clock forward."""
        self.now_at += timedelta(**by)

    def write(self, *mails: Outbound, files: tuple[NewFile, ...] = ()) -> None:
        """Put mails into the outbox."""
        with IntakeStore(self.database, {}).begin() as batch:
            batch.apply([Plan(outbox=mails, files=files)], self.now())

    def rows(self) -> dict[str, Any]:
        """The outbox by key."""
        with self.database.read() as connection:
            found = connection.execute(select(schema.outbox).order_by(schema.outbox.c.id)).all()
        return {row.key: row for row in found}

    def phases(self) -> dict[str, str]:
        """Where each mail stands."""
        return {key: row.phase for key, row in self.rows().items()}

    def events(self) -> list[str]:
        """What history says."""
        with self.database.read() as connection:
            return list(connection.execute(select(schema.event.c.kind).order_by(schema.event.c.id)).scalars())

    def to(
        self,
        door: SubmissionDoor | int,
        connections: int = 1,
        ways: Ways | None = None,
        limits: tuple[Limit, ...] = (),
        waiting: Waiting | None = None,
    ) -> None:
        """Send there from now on: a door, or the port of a scripted server; what it wants, and what it allows."""
        at = SubmissionDoor("127.0.0.1", door, "plain", HERE, PASSWORD) if isinstance(door, int) else door
        self.courier = SmtpCourier(lambda: at, connections, ways=ways)
        self.runner = OutboxRunner(
            HERE,
            self.outgoing,
            self.courier,
            self.reader.render,
            self,
            connections,
            is_unavailable,
            Pen(self.outgoing, is_unavailable),
            Account((HERE,), limits),
            waiting,
        )

    async def send(self) -> int:
        """Send what is due, once; returns how many were claimed. The server's outages do not count as waits."""
        self.runner._shut_until = 0.0
        return await self.runner.drain()


def story(tell: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine; ten seconds are enough for each."""

    async def bounded() -> None:
        await asyncio.wait_for(tell(), 10)

    asyncio.run(bounded())
