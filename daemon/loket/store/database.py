"""One database: engine, transactions, migrations, and the lock that lets one daemon run on a store."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from loket.store import postgres
from loket.store.postgres import ClaimLost, SessionClaim, StoreBusy, StoreTaken, StoreUnfit

__all__ = ["Database", "StoreBusy", "StoreTaken", "StoreUnfit", "is_unavailable"]

# How long a writer waits for another process (a `loket` command beside the daemon) before it gives up.
BUSY_SECONDS = 30
# Pages that a connection keeps, in kB. There may be a dozen that read, and what one writes is new to all others.
WRITERS_CACHE, READERS_CACHE = 8000, 2000
# Statements that the writing connection keeps prepared: those for many rows are one for each number of them. With
# hundreds of mailboxes there are as many numbers, and each takes some ten kilobytes.
WRITERS_STATEMENTS = 256


# The schema this version works with: the last step under migrations/versions.
HEAD = "0001"

S = TypeVar("S")
R = TypeVar("R")


class Database:
    """Transactions on a SQLAlchemy engine; writers take turns, since SQLite has one and PostgreSQL loses nothing.

    There are two turns. Whoever decides, that is, reads and then writes what follows from it, has the first one all
    the while; the second is taken for each transaction, so that a sender's verdict, from which nothing follows, need
    not wait until a batch of mails has been thought through.
    """

    def __init__(self, url: str) -> None:
        """Open `url`; nothing is read or written yet."""
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.sqlite:
            if self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            arguments = {"timeout": BUSY_SECONDS, "check_same_thread": False}
            # One connection writes: what another wrote would cost each its pages and statements in memory.
            writer = {**arguments, "cached_statements": WRITERS_STATEMENTS}
            self.engine: Engine = create_engine(self.url, connect_args=writer, pool_size=1, max_overflow=0)
            self.reader: Engine = create_engine(self.url, connect_args=arguments)
            # A writer must say so at BEGIN, or two readers that turn writers deadlock.
            for engine, begin, cache in (
                (self.engine, "BEGIN IMMEDIATE", WRITERS_CACHE),
                (self.reader, "BEGIN", READERS_CACHE),
            ):
                event.listen(engine, "connect", partial(_sqlite_settings, cache))
                event.listen(engine, "begin", partial(_sqlite_begin, begin))
        else:
            self.engine = postgres.engine(self.url)
            self.reader = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # Always taken in this order.
        self._deciding = threading.RLock()
        self._turn = threading.RLock()
        self._lock_file: int | None = None
        self._claim: SessionClaim | None = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is durable when the block ends, and has not happened when it raises.

        Except where the connection breaks off at COMMIT: then it raises (`is_unavailable`) and may have happened, and
        whoever does it again must find that out.
        """
        with self._deciding, self.note() as connection:
            yield connection

    @contextmanager
    def note(self) -> Iterator[Connection]:
        """The same for what no decision looks at: how far an outgoing mail has come, while all goes well with it."""
        with self._turn:
            if self._claim is not None:
                self._claim.hold()
            with self._writing() as connection:
                if self._claim is not None:
                    self._claim.fence(connection)
                yield connection

    def decide(
        self,
        look: Callable[[Connection], S],
        think: Callable[[S], Generator[R]],
        write: Callable[[Connection, R], None],
        told: Callable[[R], None],
        *,
        still: bool,
    ) -> None:
        """Look, think, and write each thing that was thought, as if all were done at one moment.

        `told` hears of each once it is durable. What is only noted may be written meanwhile, except where all is to
        stand `still`. Where another process has written anything, which SQLite tells, or the connection is another
        one, what is not written yet is looked at and thought of once more, in one transaction. PostgreSQL does not
        tell: there, and where all stands still, it is one from the beginning.
        """
        with self._deciding:
            if not still and self.sqlite and self._step_by_step(look, think, write, told):
                return
            done: list[R] = []
            with self.note() as connection, contextlib.closing(think(look(connection))) as thoughts:
                for thought in thoughts:
                    write(connection, thought)
                    done.append(thought)
            for thought in done:
                told(thought)

    def _step_by_step(
        self,
        look: Callable[[Connection], S],
        think: Callable[[S], Generator[R]],
        write: Callable[[Connection, R], None],
        told: Callable[[R], None],
    ) -> bool:
        """Each thought in a transaction of its own; False where somebody else wrote, and the rest is to be done."""
        with self.note() as connection:
            seen, before = look(connection), _standing(connection)
        with contextlib.closing(think(seen)) as thoughts:
            for thought in thoughts:
                with self.note() as connection:
                    if _standing(connection) != before:
                        return False
                    write(connection, thought)
                told(thought)
        return True

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._turn, self.engine.connect() as connection, connection.begin():
            if not self.sqlite:
                # Each statement behind this one sees all that earlier writers committed (READ COMMITTED).
                connection.execute(postgres.WRITERS_TURN)
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view."""
        with self.reader.connect() as connection, connection.begin():
            yield connection

    def migrate(self) -> None:
        """Bring the schema to this version's."""
        with self.reader.connect() as connection:
            there = inspect(connection).has_table("alembic_version")
            if there and connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD:
                return
        # Only now: it takes ten megabytes, and a store is made once.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config as AlembicConfig  # noqa: PLC0415

        settings = AlembicConfig()
        settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        # A writer from its first statement: of two processes that open a new store, the second finds it made.
        with self._writing() as connection:
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")

    def claim(self) -> None:
        """Make this process the one daemon of the store, as long as it lives; StoreBusy where another is."""
        if not self.sqlite:
            claim = SessionClaim(self.engine, self.url.render_as_string())
            claim.acquire()
            self._claim = claim
            return
        if not self.url.database or self.url.database == ":memory:":
            return
        handle = os.open(f"{self.url.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise StoreBusy(f"another loket already runs on {self.url.database}") from None
        self._lock_file = handle

    def close(self) -> None:
        """Give back connections and the claim."""
        if self._claim is not None:
            self._claim.release()
            self._claim = None
        self.engine.dispose()
        self.reader.dispose()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None


def _sqlite_settings(cache: int, connection: Any, _record: Any) -> None:
    # BEGIN is ours (see _sqlite_begin); the driver must not issue one.
    connection.isolation_level = None
    cursor = connection.cursor()
    for setting in ("synchronous=FULL", "foreign_keys=ON", f"cache_size=-{cache}"):
        cursor.execute(f"PRAGMA {setting}")
    _write_ahead(cursor)
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    # Only the first opening changes anything, and that one statement does not wait for its turn as all others do.
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _standing(connection: Connection) -> tuple[Any, int]:
    """Differs from an earlier one where anybody wrote by another connection (https://sqlite.org/pragma.html)."""
    version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
    return connection.connection.dbapi_connection, version


def _sqlite_begin(statement: str, connection: Connection) -> None:
    connection.exec_driver_sql(statement)


def is_unavailable(error: BaseException) -> bool:
    """Whether an error means that the store is gone, locked or full for now, rather than that we are wrong."""
    if isinstance(error, (ClaimLost, PoolTimeout)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    passing = postgres.is_passing(error)
    if passing is not None:
        return passing
    return error.connection_invalidated or type(error).__name__ in (
        "OperationalError",
        "InterfaceError",
        "DatabaseError",
    )
