"""Stored mail for reading again, a portion at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from loket.core.model import Buffer, MailRef, RawMail, StoredFile
from loket.store import schema
from loket.store.database import Database

_L = schema.ledger.c
PORTION = 200


@dataclass(frozen=True, slots=True)
class Archive:
    """Every mail that was taken in, oldest first."""

    database: Database
    # A large mail, mapped from its file.
    large: Callable[[StoredFile], Buffer]

    def since(self, moment: datetime) -> Iterator[RawMail]:
        """Mails whose bytes are kept and that arrived at `moment` or later; a large one is mapped."""
        columns = (_L.mailbox, _L.uidvalidity, _L.uid, _L.internaldate, _L.sha256, _L.size, schema.content.c.data)
        order = (_L.internaldate, _L.mailbox, _L.uidvalidity, _L.uid)
        query = select(*columns).join(schema.content, schema.content.c.sha256 == _L.sha256)
        query = query.where(_L.internaldate >= moment).order_by(*order)
        with self.database.read() as connection:
            for row in connection.execute(query.execution_options(yield_per=PORTION)):
                stored = StoredFile(row.sha256, row.size)
                data = self.large(stored) if row.data is None else bytes(row.data)
                ref = MailRef(row.mailbox, row.uidvalidity, row.uid)
                yield RawMail(ref, row.internaldate, data, stored)
