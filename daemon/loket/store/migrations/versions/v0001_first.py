"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import loket.store.schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "content",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_content")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", loket.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("ticket", sa.String(length=40), nullable=True),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("mail", sa.Text(), nullable=True),
        sa.Column("rules", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_ticket", "event", ["ticket"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("mailbox", sa.String(length=320), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("fate", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("internaldate", loket.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("seen_at", loket.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("ticket", sa.String(length=40), nullable=True),
        sa.Column("filed", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("mailbox", "uidvalidity", "uid", name=op.f("pk_ledger")),
    )
    op.create_index("ix_ledger_fate", "ledger", ["fate"], unique=False)
    op.create_index("ix_ledger_mailbox_sha256", "ledger", ["mailbox", "sha256"], unique=False)
    op.create_index("ix_ledger_ticket", "ledger", ["ticket"], unique=False)
    op.create_table(
        "mailbox_state",
        sa.Column("mailbox", sa.String(length=320), nullable=False),
        sa.Column("folder", sa.String(length=255), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("last_uid", sa.BigInteger(), nullable=False),
        sa.Column("started_at", loket.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("polled_at", loket.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("verified_at", loket.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("absent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("error_since", loket.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("mailbox", name=op.f("pk_mailbox_state")),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "occurrence",
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("whom", sa.String(length=320), nullable=False),
        sa.Column("due_at", loket.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("at", loket.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("what", "whom", "due_at", name=op.f("pk_occurrence")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("mailbox", sa.String(length=320), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("message_id", sa.String(length=500), nullable=False),
        sa.Column("ticket", sa.String(length=40), nullable=True),
        sa.Column("literal", sa.LargeBinary(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("eight_bit", sa.Boolean(), nullable=False),
        sa.Column("phase", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", loket.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_at", loket.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", loket.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    op.create_index("ix_outbox_message_id", "outbox", ["message_id"], unique=False)
    op.create_index("ix_outbox_next_at", "outbox", ["next_at"], unique=False)
    op.create_index("ix_outbox_phase_priority_next_at", "outbox", ["phase", "priority", "next_at"], unique=False)
    op.create_index("ix_outbox_recipient_next_at", "outbox", ["recipient", "next_at"], unique=False)
    op.create_index("ix_outbox_ticket", "outbox", ["ticket"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("mailbox", sa.String(length=320), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", loket.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )
    op.create_index("ix_quarantine_state", "quarantine", ["state"], unique=False)
    op.create_table(
        "serial",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_serial")),
    )
    op.create_table(
        "ticket",
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("mailbox", sa.String(length=320), nullable=False),
        sa.Column("counter", sa.String(length=100), nullable=True),
        sa.Column("rule", sa.String(length=80), nullable=True),
        sa.Column("queue", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("applicant", sa.String(length=320), nullable=False),
        sa.Column("applicant_name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("original_sha256", sa.String(length=64), nullable=False),
        sa.Column("original_size", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("last_message_id", sa.Text(), nullable=False),
        sa.Column("attachments", sa.Integer(), nullable=False),
        sa.Column("links", sa.Integer(), nullable=False),
        sa.Column("created_at", loket.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", loket.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", loket.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=80), nullable=True),
        sa.Column("answered_by", sa.String(length=320), nullable=True),
        sa.Column("closed_at", loket.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("respond", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ticket")),
    )
    op.create_index("ix_ticket_applicant", "ticket", ["applicant"], unique=False)
    op.create_index("ix_ticket_state_queue", "ticket", ["state", "queue"], unique=False)
    op.create_table(
        "ticket_link",
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("other", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("ticket", "other", name=op.f("pk_ticket_link")),
    )
    op.create_index("ix_ticket_link_other", "ticket_link", ["other"], unique=False)
