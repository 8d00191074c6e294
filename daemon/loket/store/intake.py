"""The store as intake sees it: the ledger of every UID, cursors, and the transaction of a batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, literal, select, update

from loket.core.gate import LOOP_WINDOW, WINDOW, Caps
from loket.core.known import Hints, Known
from loket.core.model import Fate, Kind, MailRef, Phase, Plan, RawMail, Sent, State, StoredFile
from loket.ports import Cursor
from loket.store import schema
from loket.store.apply import apply_plans, keep_content
from loket.store.database import Database
from loket.store.letterbook import ENTRY, serials
from loket.store.pace import paces
from loket.store.rows import chapter_of, ticket_of
from loket.store.stories import COLUMNS, add_stories

_L = schema.ledger.c
_T = schema.ticket.c
_O = schema.outbox.c


def _at(ref: MailRef) -> Any:
    return and_(_L.mailbox == ref.mailbox, _L.uidvalidity == ref.uidvalidity, _L.uid == ref.uid)


# How long a mail of the same content is the same request once more.
SAME_WITHIN = timedelta(days=7)


def _portions(items: Collection[str]) -> Iterator[list[str]]:
    """A statement has room for so many values only, and one hostile mail can name thousands of numbers."""
    ordered = sorted(items)
    for at in range(0, len(ordered), 1000):
        yield ordered[at : at + 1000]


def _row(ref: MailRef, fate: Fate, now: datetime, **more: Any) -> dict[str, Any]:
    return {
        "mailbox": ref.mailbox,
        "uidvalidity": ref.uidvalidity,
        "uid": ref.uid,
        "fate": fate.value,
        "seen_at": now,
        "attempts": 0,
        **more,
    }


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction of intake."""

    connection: Connection
    files_to: Mapping[str, bool]
    caps: Caps = field(default_factory=Caps)

    def unseen(self, refs: Sequence[MailRef]) -> set[MailRef]:
        """Those of the refs that have no end yet."""
        return set(refs) - self._there(refs, _L.fate != Fate.PENDING.value)

    def _there(self, refs: Sequence[MailRef], *that: ColumnElement[bool]) -> set[MailRef]:
        """Those of the refs that have a row, of which something holds.

        Asked folder by folder: SQLite looks up no index for a list of (mailbox, uidvalidity, uid).
        """
        found: set[MailRef] = set()
        for mailbox, uidvalidity in {(ref.mailbox, ref.uidvalidity) for ref in refs}:
            uids = [ref.uid for ref in refs if (ref.mailbox, ref.uidvalidity) == (mailbox, uidvalidity)]
            for at in range(0, len(uids), 1000):
                here = select(_L.uid).where(
                    _L.mailbox == mailbox, _L.uidvalidity == uidvalidity, _L.uid.in_(uids[at : at + 1000]), *that
                )
                found |= {MailRef(mailbox, uidvalidity, uid) for uid in self.connection.execute(here).scalars()}
        return found

    def same_bytes(self, mailbox: str, hashes: Sequence[str]) -> Mapping[str, str | None]:
        """SHA-256 of mails of that mailbox with an end of their own, and their ticket.

        One that vanished before it was worked has none: what moved out and back in is still to be worked.
        """
        not_its_own = (Fate.PENDING.value, Fate.DUPLICATE.value, Fate.VANISHED.value)
        query = select(_L.sha256, _L.ticket).where(
            _L.mailbox == mailbox, _L.sha256.in_(hashes), _L.fate.not_in(not_its_own)
        )
        return {row.sha256: row.ticket for row in self.connection.execute(query)}

    def known(self, hints: Hints, now: datetime) -> Known:
        """Tickets by number, earlier tickets of the authors, open tickets by queue, the last number of the year."""
        year = now.year
        last = serials(self.connection, year)
        known = Known(year=year, serial=last.get("ticket", 0))
        known.entries.update(
            {(name.removeprefix(ENTRY), year): value for name, value in last.items() if name.startswith(ENTRY)}
        )
        counts = select(_T.queue, func.count()).where(_T.state == State.OPEN.value).group_by(_T.queue)
        known.open_in_queue.update({row.queue: row[1] for row in self.connection.execute(counts)})
        known.pace.update(paces(self.connection))
        self._add_tickets(known, hints.numbers)
        self._add_same(known, hints, now)
        for some in _portions(hints.addresses):
            query = select(*COLUMNS).where(_T.applicant.in_(some), _T.identity != "")
            for row in self.connection.execute(query):
                key = row.applicant, row.counter or "", row.identity
                known.by_identity.setdefault(key, {})[row.number] = known.chapters[row.number] = chapter_of(row)
            # A new mail may go on with one that waits for its applicant.
            waits = select(schema.ticket).where(
                _T.applicant.in_(some), _T.identity != "", _T.state == State.WAITING.value
            )
            known.tickets.update({row.number: ticket_of(row) for row in self.connection.execute(waits)})
        add_stories(self.connection, known)
        if hints.message_ids:
            known.sent.update({sent.message_id: sent for sent in self._sent(hints.message_ids)})
            self._add_tickets(known, {sent.ticket for sent in known.sent.values() if sent.ticket})
        self._lately(known, hints, now)
        return known

    def _add_tickets(self, known: Known, numbers: Collection[str]) -> None:
        for some in _portions(numbers):
            rows = self.connection.execute(select(schema.ticket).where(_T.number.in_(some)))
            known.tickets.update({row.number: ticket_of(row) for row in rows})

    def _add_same(self, known: Known, hints: Hints, now: datetime) -> None:
        for some in _portions(hints.fingerprints):
            query = select(schema.ticket).where(_T.fingerprint.in_(some), _T.created_at > now - SAME_WITHIN)
            for row in self.connection.execute(query.order_by(_T.number)):
                known.add(ticket_of(row))

    def _sent(self, message_ids: Collection[str]) -> list[Sent]:
        query = select(_O.message_id, _O.kind, _O.mailbox, _O.recipient, _O.ticket, _O.phase)
        return [
            Sent(row.message_id, Kind(row.kind), row.mailbox, row.recipient, row.ticket, Phase(row.phase))
            for some in _portions(message_ids)
            for row in self.connection.execute(query.where(_O.message_id.in_(some)))
        ]

    def _lately(self, known: Known, hints: Hints, now: datetime) -> None:
        """Automatic responses of the last hour, as many as the caps look at, and how often the same was said."""
        known.gate.caps = self.caps
        automatic = [kind.value for kind in Kind if kind.automatic]
        recent = select(_O.recipient, _O.next_at).where(_O.kind.in_(automatic), _O.next_at > now - WINDOW)
        if self.caps.total is not None:
            newest = recent.order_by(_O.next_at.desc()).limit(self.caps.total)
            known.gate.total += [row.next_at for row in self.connection.execute(newest)]
        said = select(_T.applicant, _T.subject, func.count().label("times"))
        said = said.where(_T.created_at > now - LOOP_WINDOW).group_by(_T.applicant, _T.subject)
        for some in _portions(hints.addresses):
            if self.caps.per_address is not None:
                for row in self.connection.execute(recent.where(_O.recipient.in_(some))):
                    known.gate.by_address.setdefault(row.recipient, []).append(row.next_at)
            for row in self.connection.execute(said.where(_T.applicant.in_(some))):
                known.said_lately[(row.applicant, row.subject)] = row.times

    def keep(self, raws: Sequence[RawMail], now: datetime) -> None:
        """Raw bytes and a pending ledger row for each mail; one that is pending already gets what it lacks."""
        keep_content(self.connection, [(raw.stored, None if raw.large else bytes(raw.data)) for raw in raws])
        there = self.listed([raw.ref for raw in raws])
        fresh = []
        for raw in raws:
            facts = {
                "sha256": raw.stored.sha256,
                "size": raw.stored.size,
                "internaldate": raw.internaldate,
                "filed": False if self.files_to.get(raw.ref.mailbox) else None,
            }
            if raw.ref in there:
                self.connection.execute(update(schema.ledger).where(_at(raw.ref)).values(facts))
            else:
                fresh.append(_row(raw.ref, Fate.PENDING, now, **facts))
        if fresh:
            self.connection.execute(insert(schema.ledger), fresh)

    def listed(self, refs: Sequence[MailRef]) -> set[MailRef]:
        """Those of the refs that have a row, whatever it says."""
        return self._there(refs)

    def end(self, refs: Sequence[MailRef], fate: Fate, now: datetime) -> None:
        """Give mails that were never read their end; one that has its end keeps it."""
        fresh = self.unseen(refs)
        pending = self.listed(sorted(fresh))
        for ref in pending:
            self.connection.execute(update(schema.ledger).where(_at(ref)).values(fate=fate.value))
        rows = [_row(ref, fate, now) for ref in sorted(fresh - pending)]
        if rows:
            self.connection.execute(insert(schema.ledger), rows)

    def apply(self, plans: Sequence[Plan], now: datetime) -> None:
        """Carry out plans."""
        apply_plans(self.connection, plans, now)


@dataclass(frozen=True, slots=True)
class IntakeStore:
    """The ledger and its cursors; `files_to` says of each mailbox whether handled mail is moved on the server."""

    database: Database
    files_to: Mapping[str, bool]
    caps: Caps = field(default_factory=Caps)

    @contextmanager
    def begin(self) -> Iterator[Batch]:
        """A transaction, durable when the block ends."""
        with self.database.write() as connection:
            yield Batch(connection, self.files_to, self.caps)

    def cursor(self, mailbox: str) -> Cursor | None:
        """Where intake of a mailbox stands; None before its first start."""
        s = schema.mailbox_state.c
        with self.database.read() as connection:
            row = connection.execute(
                select(s.uidvalidity, s.last_uid, s.started_at).where(s.mailbox == mailbox)
            ).one_or_none()
        return None if row is None or not row.uidvalidity else Cursor(row.uidvalidity, row.last_uid, row.started_at)

    def advance(self, mailbox: str, folder: str, cursor: Cursor) -> None:
        """Move the cursor."""
        with self.database.write() as connection:
            self._state(connection, mailbox, folder, cursor)

    def _state(self, connection: Connection, mailbox: str, folder: str, cursor: Cursor) -> None:
        values = {
            "folder": folder,
            "uidvalidity": cursor.uidvalidity,
            "last_uid": cursor.last_uid,
            "started_at": cursor.started_at,
        }
        self._upsert_state(connection, mailbox, values, values)

    @staticmethod
    def _upsert_state(connection: Connection, mailbox: str, values: dict[str, Any], first: dict[str, Any]) -> None:
        table = schema.mailbox_state
        done = connection.execute(update(table).where(table.c.mailbox == mailbox).values(values))
        if done.rowcount == 0:
            connection.execute(insert(table).values(mailbox=mailbox, **first))

    def polled(self, mailbox: str, now: datetime, error: str | None) -> None:
        """Record that a mailbox was reached, or why not and since when."""
        table = schema.mailbox_state
        with self.database.write() as connection:
            if error is None:
                values: dict[str, Any] = {"polled_at": now, "error": None, "error_since": None}
            else:
                since = func.coalesce(table.c.error_since, literal(now, schema.UtcDateTime))
                values = {"error": error, "error_since": since}
            first = {
                "folder": "",
                "uidvalidity": 0,
                "last_uid": 0,
                "started_at": now,
                **values,
                "error_since": now if error else None,
            }
            self._upsert_state(connection, mailbox, values, first)

    def pending(self, mailbox: str, uidvalidity: int) -> list[int]:
        """UIDs that were seen, have no end yet, and whose bytes the server still has to give."""
        query = select(_L.uid).where(
            _L.mailbox == mailbox,
            _L.uidvalidity == uidvalidity,
            _L.fate == Fate.PENDING.value,
            _L.sha256.is_(None),
        )
        with self.database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def kept(self, mailbox: str) -> list[tuple[MailRef, datetime, StoredFile]]:
        """Mails without an end whose bytes are kept: they need no server, and outlive a change of UIDVALIDITY."""
        query = select(_L.uidvalidity, _L.uid, _L.internaldate, _L.sha256, _L.size).where(
            _L.mailbox == mailbox, _L.fate == Fate.PENDING.value, _L.sha256.is_not(None)
        )
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(_L.uidvalidity, _L.uid)).all()
        return [
            (MailRef(mailbox, row.uidvalidity, row.uid), row.internaldate, StoredFile(row.sha256, row.size))
            for row in rows
        ]

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
                update(schema.ledger).where(_at(raw.ref)).values(attempts=_L.attempts + 1, error=error)
            )
            tried = batch.connection.execute(select(_L.attempts).where(_at(raw.ref))).scalar_one()
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
            return Batch(connection, self.files_to).unseen(refs)

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
                connection.execute(update(schema.ledger).where(_at(ref)).values(filed=True))
