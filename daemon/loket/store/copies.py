"""Which sent mails still want a copy in their account's Sent folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from loket.core.model import Outbound
from loket.ports import Copy
from loket.store import schema
from loket.store.database import Database
from loket.store.outgoing import OutgoingStore

_C = schema.sent_copy.c
_O = schema.outbox.c


@dataclass(frozen=True, slots=True)
class CopyStore:
    """One row a copy that is not made yet; none once it is."""

    database: Database

    def wanted(self, mailbox: str, limit: int) -> list[Copy]:
        """The oldest of a mailbox's copies that are to be made."""
        query = (
            select(_C.number, _O.message_id, _O.ended_at, _C.uidvalidity, _C.from_uid)
            .join(schema.outbox, _O.id == _C.number)
            .where(_C.mailbox == mailbox)
            .order_by(_C.number)
            .limit(limit)
        )
        with self.database.read() as connection:
            return [
                Copy(row.number, row.message_id, row.ended_at, row.uidvalidity, row.from_uid)
                for row in connection.execute(query)
            ]

    def mail(self, number: int) -> Outbound:
        """The mail as it was sent."""
        return OutgoingStore(self.database).mail(number)

    def begin_copy(self, number: int, uidvalidity: int, from_uid: int) -> None:
        """Its APPEND is about to begin: if it happens, the copy is in that folder from that UID on."""
        with self.database.write() as connection:
            connection.execute(
                update(schema.sent_copy).where(_C.number == number).values(uidvalidity=uidvalidity, from_uid=from_uid)
            )

    def copied(self, number: int) -> None:
        """It is there."""
        with self.database.write() as connection:
            connection.execute(delete(schema.sent_copy).where(_C.number == number))

    def forget(self, mailbox: str, before: datetime) -> None:
        """Give up what was sent before that."""
        old = select(_O.id).where(_O.mailbox == mailbox, _O.ended_at < before)
        with self.database.read() as connection:
            stale = connection.execute(select(_C.number).where(_C.mailbox == mailbox, _C.number.in_(old))).all()
        if stale:
            with self.database.write() as connection:
                connection.execute(delete(schema.sent_copy).where(_C.number.in_([row.number for row in stale])))
