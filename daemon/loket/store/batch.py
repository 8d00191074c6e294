"""One transaction of intake: which mails are new, what is known of them, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select, update

from loket.core.gate import Caps
from loket.core.known import Hints, Known
from loket.core.model import Ending, Fate, MailRef, Plan, RawMail
from loket.sheet import Sheet
from loket.store import schema
from loket.store.apply import apply_plans, carry_out, keep_content
from loket.store.bulk import insert_rows
from loket.store.gathered import gather

_L = schema.ledger.c


def at_ref(ref: MailRef) -> ColumnElement[bool]:
    """The ledger row of a UID."""
    return and_(_L.mailbox == ref.mailbox, _L.uidvalidity == ref.uidvalidity, _L.uid == ref.uid)


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
        """All that the mails are about."""
        return gather(self.connection, self.caps, hints, now)

    def keep(self, raws: Sequence[RawMail], now: datetime) -> None:
        """Raw bytes and a pending ledger row for each mail; one that is pending already gets what it lacks."""
        self._keep(raws, {}, now)

    def _keep(self, raws: Sequence[RawMail], ends: Mapping[MailRef, Ending], now: datetime) -> set[MailRef]:
        """The same, new rows with their end where there is one; returns whose rows are new."""
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
                self.connection.execute(update(schema.ledger).where(at_ref(raw.ref)).values(facts))
                continue
            end = ends.get(raw.ref)
            fate, ticket = (end.fate, end.ticket) if end is not None else (None, None)
            fresh.append(_row(raw.ref, fate or Fate.PENDING, now, **facts, ticket=ticket))
        insert_rows(self.connection, schema.ledger, fresh)
        return {raw.ref for raw in raws} - there

    def listed(self, refs: Sequence[MailRef]) -> set[MailRef]:
        """Those of the refs that have a row, whatever it says."""
        return self._there(refs)

    def end(self, refs: Sequence[MailRef], fate: Fate, now: datetime) -> None:
        """Give mails that were never read their end; one that has its end keeps it."""
        fresh = self.unseen(refs)
        pending = self.listed(sorted(fresh))
        for ref in pending:
            self.connection.execute(update(schema.ledger).where(at_ref(ref)).values(fate=fate.value))
        rows = [_row(ref, fate, now) for ref in sorted(fresh - pending)]
        insert_rows(self.connection, schema.ledger, rows)

    def apply(self, plans: Sequence[Plan], now: datetime) -> None:
        """Carry out plans."""
        apply_plans(self.connection, plans, now)

    def take(self, raws: Sequence[RawMail], sheet: Sheet, now: datetime) -> None:
        """Keep mails and carry out their plans, with one row written for each mail where two steps write it twice."""
        fresh = self._keep(raws, {ending.ref: ending for ending in sheet.endings}, now)
        carry_out(self.connection, sheet, now, ended=fresh)
