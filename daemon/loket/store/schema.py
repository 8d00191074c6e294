"""Tables of the store. A UNIQUE constraint, not memory, keeps things from happening twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; SQLite has no zones, so none is written and UTC is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a naive moment is a mistake of ours."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone cannot be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the interface
        """Aware again."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# SQLite counts only an INTEGER primary key by itself.
Serial = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table("meta", metadata, Column("name", String(60), primary_key=True), Column("value", Text, nullable=False))

serial = Table(
    "serial", metadata, Column("name", String(60), primary_key=True), Column("last", BigInteger, nullable=False)
)

mailbox_state = Table(
    "mailbox_state",
    metadata,
    Column("mailbox", String(320), primary_key=True),
    Column("folder", String(255), nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("last_uid", BigInteger, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("polled_at", UtcDateTime),
    Column("verified_at", UtcDateTime),
    Column("absent", Integer, nullable=False, default=0, server_default="0"),
    Column("error", Text),
    Column("error_since", UtcDateTime),
)

ledger = Table(
    "ledger",
    metadata,
    Column("mailbox", String(320), primary_key=True),
    Column("uidvalidity", BigInteger, primary_key=True),
    Column("uid", BigInteger, primary_key=True),
    Column("fate", String(20), nullable=False),
    Column("sha256", String(64)),
    Column("size", BigInteger),
    Column("internaldate", UtcDateTime),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", Text),
    Column("ticket", String(40)),
    Column("filed", Boolean),
    Index("ix_ledger_mailbox_sha256", "mailbox", "sha256"),
    Index("ix_ledger_ticket", "ticket"),
    Index("ix_ledger_fate", "fate"),
)

content = Table(
    "content",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("data", LargeBinary),
)

ticket = Table(
    "ticket",
    metadata,
    Column("number", String(40), primary_key=True),
    Column("mailbox", String(320), nullable=False),
    Column("counter", String(100)),
    Column("rule", String(80)),
    Column("queue", String(100), nullable=False),
    Column("state", String(10), nullable=False),
    Column("applicant", String(320), nullable=False),
    Column("applicant_name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Column("missing", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("original_sha256", String(64), nullable=False),
    Column("original_size", BigInteger, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("last_message_id", Text, nullable=False),
    Column("attachments", Integer, nullable=False),
    Column("links", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("outcome", String(80)),
    Column("answered_by", String(320)),
    Column("closed_at", UtcDateTime),
    Column("respond", Boolean, nullable=False),
    Index("ix_ticket_state_queue", "state", "queue"),
    Index("ix_ticket_applicant", "applicant"),
)

ticket_link = Table(
    "ticket_link",
    metadata,
    Column("ticket", String(40), primary_key=True),
    Column("other", String(40), primary_key=True),
    Index("ix_ticket_link_other", "other"),
)

event = Table(
    "event",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("ticket", String(40)),
    Column("actor", String(320), nullable=False),
    Column("mail", Text),
    Column("rules", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_event_ticket", "ticket"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("key", String(500), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("mailbox", String(320), nullable=False),
    Column("sender", String(320), nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("message_id", String(500), nullable=False),
    Column("ticket", String(40)),
    Column("literal", LargeBinary, nullable=False),
    Column("layout", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("eight_bit", Boolean, nullable=False),
    Column("phase", String(12), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("code", Integer),
    Column("reply", Text),
    Index("ix_outbox_phase_priority_next_at", "phase", "priority", "next_at"),
    Index("ix_outbox_ticket", "ticket"),
    Index("ix_outbox_message_id", "message_id"),
    Index("ix_outbox_recipient_next_at", "recipient", "next_at"),
    Index("ix_outbox_next_at", "next_at"),
)

occurrence = Table(
    "occurrence",
    metadata,
    Column("what", String(200), primary_key=True),
    Column("whom", String(320), primary_key=True),
    Column("due_at", UtcDateTime, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("mailbox", String(320), nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("state", String(10), nullable=False),
    Index("ix_quarantine_state", "state"),
)
