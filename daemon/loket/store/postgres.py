"""What is particular to PostgreSQL: how a server is reached, which of its errors pass, and its one-daemon claim."""

from __future__ import annotations

import contextlib
import secrets
import select as selecting
import time
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from loket.config.storeurl import is_here
from loket.store import schema

OLDEST = 150000
# Advisory locks belong to a database; these two numbers are the daemon's for as long as it lives, and a writer's turn.
_LOCK = select(func.pg_try_advisory_lock(0x4C4F4B45, 1))
_UNLOCK = select(func.pg_advisory_unlock(0x4C4F4B45, 1))
WRITERS_TURN = select(func.pg_advisory_xact_lock(0x4C4F4B45, 2))
# How long a new daemon waits for the server to notice that the one before it has died.
CLAIM_SECONDS = 1.0

# A server or a network that vanishes without a word is noticed within about half a minute, on either side.
_REACHING: dict[str, Any] = {
    "application_name": "loket",
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_SESSION = {
    "lock_timeout": "30s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}

# Errors that say nothing of what was asked (PostgreSQL, appendix A): no connection, no login, transaction rolled back,
# no resources (disk full), operator intervention (shutdown, crash), system and internal errors, no privilege,
# read-only, a lock not to be had, a session that idled too long. Asked again later, the same may well succeed.
_PASSING = ("08", "28", "40", "53", "57", "58", "XX", "42501", "25006", "25P03", "25P04", "55P03")


class StoreBusy(Exception):
    """Another daemon already works on this store."""


class StoreTaken(StoreBusy):
    """Another daemon took the store over while this one was cut off from it: this one must end."""


class ClaimLost(Exception):
    """The claim broke off and cannot be renewed yet; nothing is written meanwhile."""


class StoreUnfit(Exception):
    """A server that cannot hold a store, or cannot be spoken to; the message says why."""


def engine(url: URL) -> Engine:
    """Connections that are tried before they are used; StoreUnfit where the driver is not installed."""
    try:
        made = create_engine(url, pool_pre_ping=True, connect_args=arguments(url))
    except ModuleNotFoundError as error:
        raise StoreUnfit(f"PostgreSQL needs a driver ({error}): pip install 'loket[postgres]'") from None
    event.listen(made, "connect", session)
    schema.turn_standing.dialect_options["postgresql"]["where"] = schema.STANDING
    return made


def arguments(url: URL) -> dict[str, Any]:
    """How the server is reached where the URL does not say: patience, and TLS to any machine but this one."""
    found = dict(_REACHING)
    host = url.host or url.query.get("host")
    if not is_here(host if isinstance(host, str) else None):
        found |= {"sslmode": "verify-full"}
        if url.query.get("sslmode", "verify-full") == "verify-full":
            found |= {"sslrootcert": "system"}
    return {name: value for name, value in found.items() if name not in url.query}


def session(connection: Any, _record: Any) -> None:
    """Settings of each new session; StoreUnfit for a server that is too old or would change the text."""
    about = connection.info
    if about.server_version < OLDEST:
        raise StoreUnfit(f"PostgreSQL 15 or newer is needed, this one is {about.server_version // 10000}")
    encoding = about.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreUnfit(f"the database must be encoded in UTF8, this one is in {encoding}")
    for name, value in _SESSION.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    # What a session is told in a transaction that is rolled back is forgotten.
    connection.commit()


def is_passing(error: DBAPIError) -> bool | None:
    """Whether the same may succeed later; None where the server gave no code, so that the connection is the trouble."""
    state = getattr(error.orig, "sqlstate", None)
    return state.startswith(_PASSING) if isinstance(state, str) else None


class SessionClaim:
    """One daemon a database: an advisory lock on a session of its own, and a token that every write looks at.

    The lock keeps a second daemon out. It can break off with its session and be renewed; whether another daemon was
    there meanwhile tells the token, which each daemon writes down with its first transaction. A daemon that finds a
    stranger's writes nothing any more.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        """Nothing is claimed yet; `name` is what people call the store."""
        self._engine = engine
        self._name = name
        self._session: Connection | None = None
        self._token = secrets.token_hex(16)
        # The token of the daemon before this one; known from the first write on.
        self._before: tuple[str | None] | None = None

    def acquire(self, patience: float = CLAIM_SECONDS) -> None:
        """Take the lock; StoreBusy where another still has it after `patience` seconds."""
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        # Not the pool's to give to somebody else or to end early.
        connection.detach()
        deadline = time.monotonic() + patience
        free = False
        try:
            while not (free := connection.execute(_LOCK).scalar_one()) and time.monotonic() < deadline:
                time.sleep(0.05)
        finally:
            if free:
                self._session = connection
            else:
                connection.close()
        if not free:
            raise StoreBusy(f"another loket already runs on {self._name}")

    def hold(self) -> None:
        """Before each write: renew a claim that broke off; ClaimLost while that is impossible."""
        if self._session is not None and not self._lost(self._session):
            return
        self._drop()
        try:
            self.acquire(0)
        except StoreBusy:
            # The server may not have noticed yet that our old session is gone; or it is another daemon's.
            with self._engine.connect() as connection:
                self._look(connection)
            raise ClaimLost(f"the claim on {self._name} broke off and is not free yet") from None

    def fence(self, connection: Connection) -> None:
        """First in each write, while it has the writers' turn: StoreTaken where another daemon has written since."""
        if self._before is None:
            if self._session is None or self._lost(self._session, ask=True):
                raise ClaimLost(f"the claim on {self._name} broke off")
            self._before = (_token(connection),)
        if self._look(connection) == self._token:
            return
        meta = schema.meta
        done = connection.execute(update(meta).where(meta.c.name == "daemon").values(value=self._token))
        if done.rowcount == 0:
            connection.execute(insert(meta).values(name="daemon", value=self._token))

    def _look(self, connection: Connection) -> str | None:
        found = _token(connection)
        if found != self._token and self._before is not None and found != self._before[0]:
            raise StoreTaken(f"another loket has taken over {self._name}")
        return found

    @staticmethod
    def _lost(connection: Connection, *, ask: bool = False) -> bool:
        """Whether the session is gone. It is told nothing in quiet times, so a readable socket is a reason to ask."""
        session: Any = connection.connection.dbapi_connection
        if session.closed:
            return True
        if not ask:
            poll = selecting.poll()
            poll.register(session.fileno(), selecting.POLLIN)
            if not poll.poll(0):
                return False
        try:
            connection.execute(select(1))
        except DBAPIError:
            return True
        return False

    def _drop(self) -> None:
        if self._session is not None:
            # Closing is all there is to do, and a session that is gone complains of it.
            with contextlib.suppress(DBAPIError):
                self._session.close()
            self._session = None

    def release(self) -> None:
        """Let the next daemon in at once."""
        if self._session is not None:
            with contextlib.suppress(DBAPIError):
                self._session.execute(_UNLOCK)
        self._drop()


def _token(connection: Connection) -> str | None:
    return connection.execute(select(schema.meta.c.value).where(schema.meta.c.name == "daemon")).scalar_one_or_none()
