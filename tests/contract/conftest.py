"""Every implementation, each empty and of its own. Another database or place for files is one more line here."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select
from sqlalchemy.event import listen

from loket.core.model import Fate, Outbound, Plan, RawMail
from loket.files import ContentReader, FolderFiles
from loket.store import schema
from loket.store.contents import ContentStore
from loket.store.database import Database
from loket.store.desk import DeskStore
from loket.store.intake import IntakeStore
from loket.store.outgoing import OutgoingStore
from tests.contract.values import HERE, NOW, event
from tests.servers import Postgres

DATABASES = ("sqlite", "postgresql")
FILES: dict[str, Callable[[Path], FolderFiles]] = {"folder": lambda folder: FolderFiles(folder / "files")}


@dataclass
class Store:
    """One open store, and what the suites ask beside its ports."""

    url: str
    database: Database = field(init=False)

    def __post_init__(self) -> None:
        self.database = Database(self.url)
        if self.database.sqlite:
            for engine in (self.database.engine, self.database.reader):
                listen(engine, "connect", _few_values)
        self.database.migrate()
        self.intake = IntakeStore(self.database, {HERE: True})
        self.outgoing = OutgoingStore(self.database)
        self.desk = DeskStore(self.database)

    @contextmanager
    def another(self) -> Iterator[Store]:
        """The same store as another process sees it."""
        other = Store(self.url)
        try:
            yield other
        finally:
            other.database.close()

    def reader(self, files: FolderFiles) -> ContentReader:
        """Reads stored bytes."""
        return ContentReader(ContentStore(self.database), files)

    def take(self, mails: Sequence[RawMail], plans: Sequence[Plan]) -> None:
        """One batch of intake."""
        with self.intake.begin() as batch:
            batch.keep(mails, NOW)
            batch.apply(plans, NOW)

    def write(self, *mails: Outbound) -> None:
        """Outgoing mails, all at once."""
        with self.intake.begin() as batch:
            batch.apply([Plan(events=(event("wrote"),), outbox=mails)], NOW)

    def rows(self, table: Table, **where: Any) -> list[Any]:
        """A table's rows in the order of its key."""
        query = select(table).where(*(table.c[name] == value for name, value in where.items()))
        with self.database.read() as connection:
            return list(connection.execute(query.order_by(*table.primary_key.columns)))

    def add(self, table: Table, **values: Any) -> None:
        """A row, past the store's own ways."""
        with self.database.write() as connection:
            connection.execute(insert(table).values(values))

    def sizes(self) -> dict[str, int]:
        """How many rows each table has, those without any left out."""
        with self.database.read() as connection:
            counts = {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in schema.metadata.sorted_tables
            }
        return {name: count for name, count in counts.items() if count}

    def fates(self, mailbox: str = HERE) -> dict[int, Fate]:
        """What became of each UID."""
        return {row.uid: Fate(row.fate) for row in self.rows(schema.ledger, mailbox=mailbox)}

    def phases(self) -> dict[str, str]:
        """Where each outgoing mail stands, by key."""
        return {row.key: row.phase for row in self.rows(schema.outbox)}


def _few_values(connection: sqlite3.Connection, _record: object) -> None:
    # Every SQLite has another bound, and Debian's is high: what passes here passes everywhere.
    connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 2000)


def address(request: pytest.FixtureRequest, folder: Path, *, migrated: bool) -> str:
    """The address of a database without a row; `migrated` spares the second kind the making of its tables."""
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'loket.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database(migrated=migrated)


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    return address(request, tmp_path, migrated=False)


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store(address(request, tmp_path, migrated=True))
    yield made
    made.database.close()


@pytest.fixture(params=FILES.values(), ids=list(FILES))
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FolderFiles:
    """An empty place for files."""
    make: Callable[[Path], FolderFiles] = request.param
    return make(tmp_path)
