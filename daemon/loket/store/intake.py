"""The store as intake sees it: the ledger of every UID, cursors, and the transaction of a batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select, update

from loket.core.gate import Caps
from loket.core.model import Fate, MailRef, Plan, RawMail, StoredFile
from loket.ports import Cursor, Standing
from loket.sheet import Sheet
from loket.store import schema
from loket.store.batch import Batch, at_ref
from loket.store.database import Database
from loket.store.sheets import write_down
from loket.store.types import UtcDateTime

_L = schema.ledger.c


_STATE = schema.mailbox_state.c
_M: BindParameter[str] = bindparam("m")

# What every poll asks, built once: five hundred mailboxes ask it each minute.
_CURSOR = select(_STATE.uidvalidity, _STATE.last_uid, _STATE.started_at).where(_STATE.mailbox == _M)
_PENDING = (
    select(_L.uidvalidity, _L.uid, _L.internaldate, _L.sha256, _L.size)
    .where(_L.mailbox == _M, _L.fate == Fate.PENDING.value)
    .order_by(_L.uidvalidity, _L.uid)
)
_REACHED = (
    update(schema.mailbox_state)
    .where(_STATE.mailbox == _M)
    .values(polled_at=bindparam("now"), last_uid=bindparam("last"), error=None, error_since=None)
)
_TROUBLED = (
    update(schema.mailbox_state)
    .where(_STATE.mailbox == _M)
    .values(
        error=bindparam("said"),
        error_since=func.coalesce(_STATE.error_since, bindparam("now", type_=UtcDateTime())),
    )
)


# Polls that found nothing are written together, so often at the most, where so many mailboxes are polled that another
# poll soon takes along what waits.
QUIET_SECONDS = 1.0
MANY = 50

Row = dict[str, Any]
S = TypeVar("S")
R = TypeVar("R")


@dataclass(slots=True)
class _Reached:
    """What polls have to say that nothing new was found, until it is written; `last` is what stands already."""

    last: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, Row] = field(default_factory=dict)
    again: float = 0.0
    turn: threading.Lock = field(default_factory=threading.Lock)

    def note(self, row: Row) -> bool:
        """Whether it is to be written now: it need not be where it says nothing new and others just wrote."""
        with self.turn:
            self.waiting[row["m"]] = row
            news = self.last.get(row["m"]) != row["last"]
            return news or len(self.last) < MANY or time.monotonic() >= self.again

    def taken(self, own: Row) -> list[Row]:
        """What waits, in the transaction that writes it: what another says of a mailbox comes before or behind."""
        with self.turn:
            # Another may have taken ours with theirs, and not have been able to write it.
            rows, self.waiting = [*({own["m"]: own} | self.waiting).values()], {}
            self.last.update({row["m"]: row["last"] for row in rows})
            self.again = time.monotonic() + QUIET_SECONDS
            return rows

    def give_back(self, rows: Sequence[Row]) -> None:
        """They were not written after all."""
        with self.turn:
            for row in rows:
                self.last.pop(row["m"], None)
                self.waiting.setdefault(row["m"], row)

    def forget(self, mailbox: str) -> None:
        """Something else is being written about it."""
        with self.turn:
            self.last.pop(mailbox, None)
            self.waiting.pop(mailbox, None)


@dataclass(frozen=True, slots=True)
class IntakeStore:
    """The ledger and its cursors; `files_to` says of each mailbox whether handled mail is moved on the server."""

    database: Database
    files_to: Mapping[str, bool]
    caps: Caps = field(default_factory=Caps)
    _reached: _Reached = field(default_factory=_Reached, repr=False)

    @contextmanager
    def begin(self) -> Iterator[Batch]:
        """A transaction, durable when the block ends."""
        with self.database.write() as connection:
            yield self._batch(connection)

    def write_down(self, plans: Sequence[Plan], now: datetime) -> Sheet:
        """Plans as `take` writes them, outside any transaction."""
        return write_down(self.database.engine.dialect, plans, now)

    def decide(
        self,
        look: Callable[[Batch], S],
        think: Callable[[S], Generator[R]],
        write: Callable[[Batch, R], None],
        told: Callable[[R], None],
        *,
        still: bool,
    ) -> None:
        """Look, think and write as if at one moment; see `Database.decide`."""
        self.database.decide(
            lambda connection: look(self._batch(connection)),
            think,
            lambda connection, thought: write(self._batch(connection), thought),
            told,
            still=still,
        )

    def _batch(self, connection: Connection) -> Batch:
        return Batch(connection, self.files_to, self.caps)

    def cursor(self, mailbox: str) -> Cursor | None:
        """Where intake of a mailbox stands; None before its first start."""
        with self.database.read() as connection:
            return _cursor(connection, mailbox)

    def standing(self, mailbox: str, uidvalidity: int) -> Standing:
        """All that a poll has to know before it asks the server."""
        with self.database.read() as connection:
            rows = connection.execute(_PENDING, {"m": mailbox}).all()
            kept = [
                (MailRef(mailbox, row.uidvalidity, row.uid), row.internaldate, StoredFile(row.sha256, row.size))
                for row in rows
                if row.sha256 is not None
            ]
            pending = [row.uid for row in rows if row.sha256 is None and row.uidvalidity == uidvalidity]
            return Standing(_cursor(connection, mailbox), pending, kept)

    def advance(self, mailbox: str, folder: str, cursor: Cursor) -> None:
        """Move the cursor."""
        with self.database.write() as connection:
            self._state(connection, mailbox, folder, cursor)

    def _state(self, connection: Connection, mailbox: str, folder: str, cursor: Cursor) -> None:
        self._reached.forget(mailbox)
        values = {
            "folder": folder,
            "uidvalidity": cursor.uidvalidity,
            "last_uid": cursor.last_uid,
            "started_at": cursor.started_at,
        }
        table = schema.mailbox_state
        if connection.execute(update(table).where(table.c.mailbox == mailbox).values(values)).rowcount == 0:
            connection.execute(insert(table).values(mailbox=mailbox, **values))

    def reached(self, mailbox: str, now: datetime, last_uid: int) -> None:
        """Record that a mailbox, which is watched, was worked up to that UID.

        Of `MANY` mailboxes, one that has nothing new waits for another's next poll where one was written just now.
        """
        own = {"m": mailbox, "now": now, "last": last_uid}
        if not self._reached.note(own):
            return
        rows: list[Row] = []
        try:
            with self.database.write() as connection:
                rows = self._reached.taken(own)
                connection.execute(_REACHED, rows)
        except BaseException:
            self._reached.give_back(rows)
            raise

    def troubled(self, mailbox: str, now: datetime, error: str) -> None:
        """Record why a mailbox was not reached, and since when; it may not be watched yet."""
        with self.database.write() as connection:
            self._reached.forget(mailbox)
            if connection.execute(_TROUBLED, {"m": mailbox, "now": now, "said": error}).rowcount == 0:
                first = {"folder": "", "uidvalidity": 0, "last_uid": 0, "started_at": now}
                row = {"mailbox": mailbox, **first, "error": error, "error_since": now}
                connection.execute(insert(schema.mailbox_state).values(row))

    def known_uids(self, mailbox: str, uidvalidity: int) -> set[int]:
        """Every UID the ledger has for a mailbox."""
        query = select(_L.uid).where(_L.mailbox == mailbox, _L.uidvalidity == uidvalidity)
        with self.database.read() as connection:
            return set(connection.execute(query).scalars())

    def verified(self, mailbox: str, absent: int, now: datetime) -> None:
        """Record the count against the server."""
        table = schema.mailbox_state
        with self.database.write() as connection:
            connection.execute(update(table).where(table.c.mailbox == mailbox).values(verified_at=now, absent=absent))

    def failed(self, raw: RawMail, error: str, now: datetime) -> int:
        """Keep a mail that raised, pending; returns how often it has been tried now."""
        with self.begin() as batch:
            batch.keep([raw], now)
            batch.connection.execute(
                update(schema.ledger).where(at_ref(raw.ref)).values(attempts=_L.attempts + 1, error=error)
            )
            tried = batch.connection.execute(select(_L.attempts).where(at_ref(raw.ref))).scalar_one()
        return int(tried)

    def ended(self, refs: Sequence[MailRef], fate: Fate, now: datetime) -> None:
        """Record mails that end without having been read: history, or vanished."""
        if refs:
            with self.begin() as batch:
                batch.end(refs, fate, now)

    def without_end(self, refs: Sequence[MailRef]) -> set[MailRef]:
        """Those of the refs that have no end yet, asked outside a batch to spare fetching the others."""
        if not refs:
            return set()
        with self.database.read() as connection:
            return self._batch(connection).unseen(refs)

    def watch(self, mailbox: str, folder: str, cursor: Cursor, history: Sequence[MailRef], now: datetime) -> None:
        """Begin watching a folder under its UIDVALIDITY: what is history and the cursor, in one step."""
        # What the server never gave under an earlier UIDVALIDITY cannot be asked for any more; it comes up anew.
        gone = update(schema.ledger).where(
            _L.mailbox == mailbox,
            _L.uidvalidity != cursor.uidvalidity,
            _L.fate == Fate.PENDING.value,
            _L.sha256.is_(None),
        )
        with self.begin() as batch:
            batch.connection.execute(gone.values(fate=Fate.VANISHED.value))
            batch.end(history, Fate.HISTORY, now)
            self._state(batch.connection, mailbox, folder, cursor)

    def to_file(self, mailbox: str, uidvalidity: int) -> list[int]:
        """UIDs that have an end and still wait to be filed on the server."""
        query = select(_L.uid).where(
            _L.mailbox == mailbox,
            _L.uidvalidity == uidvalidity,
            _L.filed.is_(False),
            _L.fate != Fate.PENDING.value,
        )
        with self.database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def filed(self, refs: Sequence[MailRef]) -> None:
        """Record mails as filed."""
        with self.database.write() as connection:
            for ref in refs:
                connection.execute(update(schema.ledger).where(at_ref(ref)).values(filed=True))


def _cursor(connection: Connection, mailbox: str) -> Cursor | None:
    row = connection.execute(_CURSOR, {"m": mailbox}).one_or_none()
    return None if row is None or not row.uidvalidity else Cursor(row.uidvalidity, row.last_uid, row.started_at)
