"""Small stored bytes in the database, in the batch's own transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from loket.store import schema
from loket.store.database import Database


@dataclass(frozen=True, slots=True)
class ContentStore:
    """Reads the content table."""

    database: Database

    def small(self, sha256: str) -> bytes | None:
        """The bytes of that hash where the database keeps them; None where the files store does."""
        with self.database.read() as connection:
            data = connection.execute(
                select(schema.content.c.data).where(schema.content.c.sha256 == sha256)
            ).scalar_one_or_none()
        return bytes(data) if data is not None else None
