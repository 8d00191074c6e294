"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# A copy of the types as they were then: a later schema must not change what this step makes.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "absence",
        sa.Column("officer", TEXT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("officer", name=op.f("pk_absence")),
    )
    op.create_table(
        "appointment",
        sa.Column("uid", TEXT, nullable=False),
        sa.Column("ticket", TEXT, nullable=False),
        sa.Column("queue", TEXT, nullable=False),
        sa.Column("applicant", TEXT, nullable=False),
        sa.Column("start", MOMENT, nullable=False),
        sa.Column("ends", MOMENT, nullable=False),
        sa.Column("seat", sa.Integer(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("place", TEXT, nullable=False),
        sa.Column("attendance", TEXT, nullable=False),
        sa.Column("stamp", MOMENT, nullable=True),
        sa.Column("officers", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_appointment")),
        sa.UniqueConstraint("queue", "start", "seat", name=op.f("uq_appointment_queue_start_seat")),
    )
    op.create_index("ix_appointment_state", "appointment", ["state"], unique=False)
    op.create_index("ix_appointment_ticket", "appointment", ["ticket"], unique=False)
    op.create_table(
        "code",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("officer", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("letters", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code")),
    )
    op.create_index("ix_code_state_officer", "code", ["state", "officer"], unique=False)
    op.create_table(
        "content",
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_content")),
    )
    op.create_table(
        "entry",
        sa.Column("register", TEXT, nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("ticket", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("register", "year", "number", name=op.f("pk_entry")),
        sa.UniqueConstraint("ticket", name=op.f("uq_entry_ticket")),
    )
    op.create_table(
        "event",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("ticket", TEXT, nullable=True),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("mail", TEXT, nullable=True),
        sa.Column("rules", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("worked", sa.BigInteger(), nullable=True),
        sa.Column("queue", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("holder", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_ticket", "event", ["ticket"], unique=False)
    op.create_table(
        "held",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("mail", TEXT, nullable=False),
        sa.Column("ticket", TEXT, nullable=False),
        sa.Column("officer", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("argument", TEXT, nullable=False),
        sa.Column("files", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_held")),
    )
    op.create_index("ix_held_state_officer", "held", ["state", "officer"], unique=False)
    op.create_index("ix_held_ticket", "held", ["ticket"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("mailbox", TEXT, nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("fate", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("internaldate", MOMENT, nullable=True),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("ticket", TEXT, nullable=True),
        sa.Column("filed", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("mailbox", "uidvalidity", "uid", name=op.f("pk_ledger")),
    )
    op.create_index("ix_ledger_fate", "ledger", ["fate"], unique=False)
    op.create_index("ix_ledger_mailbox_sha256", "ledger", ["mailbox", "sha256"], unique=False)
    op.create_index("ix_ledger_ticket", "ledger", ["ticket"], unique=False)
    op.create_table(
        "mailbox_state",
        sa.Column("mailbox", TEXT, nullable=False),
        sa.Column("folder", TEXT, nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("last_uid", sa.BigInteger(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("polled_at", MOMENT, nullable=True),
        sa.Column("verified_at", MOMENT, nullable=True),
        sa.Column("absent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("error_since", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("mailbox", name=op.f("pk_mailbox_state")),
    )
    op.create_table(
        "meta",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "sent_copy",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mailbox", TEXT, nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=True),
        sa.Column("from_uid", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sent_copy")),
    )
    op.create_index("ix_sent_copy_mailbox", "sent_copy", ["mailbox"], unique=False)
    op.create_table(
        "occurrence",
        sa.Column("what", TEXT, nullable=False),
        sa.Column("whom", TEXT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("what", "whom", "due_at", name=op.f("pk_occurrence")),
    )
    op.create_table(
        "offer",
        sa.Column("ticket", TEXT, nullable=False),
        sa.Column("queue", TEXT, nullable=False),
        sa.Column("applicant", TEXT, nullable=False),
        sa.Column("starts", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("waiting", MOMENT, nullable=True),
        sa.Column("until", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("ticket", name=op.f("pk_offer")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("mailbox", TEXT, nullable=False),
        sa.Column("sender", TEXT, nullable=False),
        sa.Column("recipient", TEXT, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("ticket", TEXT, nullable=True),
        sa.Column("literal", sa.LargeBinary(), nullable=False),
        sa.Column("layout", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("eight_bit", sa.Boolean(), nullable=False),
        sa.Column("phase", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("reply", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    op.create_index("ix_outbox_mailbox_ended_at", "outbox", ["mailbox", "ended_at"], unique=False)
    op.create_index("ix_outbox_message_id", "outbox", ["message_id"], unique=False)
    op.create_index("ix_outbox_next_at", "outbox", ["next_at"], unique=False)
    op.create_index("ix_outbox_phase_priority_next_at", "outbox", ["phase", "priority", "next_at"], unique=False)
    op.create_index("ix_outbox_recipient_next_at", "outbox", ["recipient", "next_at"], unique=False)
    op.create_index("ix_outbox_ticket", "outbox", ["ticket"], unique=False)
    op.create_table(
        "pace",
        sa.Column("queue", TEXT, nullable=False),
        sa.Column("answers", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_pace")),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("mailbox", TEXT, nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )
    op.create_index("ix_quarantine_state", "quarantine", ["state"], unique=False)
    op.create_table(
        "serial",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_serial")),
    )
    op.create_table(
        "ticket",
        sa.Column("number", TEXT, nullable=False),
        sa.Column("mailbox", TEXT, nullable=False),
        sa.Column("counter", TEXT, nullable=True),
        sa.Column("rule", TEXT, nullable=True),
        sa.Column("queue", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("applicant", TEXT, nullable=False),
        sa.Column("applicant_name", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("fields", TEXT, nullable=False),
        sa.Column("missing", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("original_sha256", TEXT, nullable=False),
        sa.Column("original_size", sa.BigInteger(), nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("last_message_id", TEXT, nullable=False),
        sa.Column("attachments", sa.Integer(), nullable=False),
        sa.Column("links", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("outcome", TEXT, nullable=True),
        sa.Column("answered_by", TEXT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("respond", sa.Boolean(), nullable=False),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("several", sa.Boolean(), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("claimed_by", TEXT, nullable=True),
        sa.Column("claimed_until", MOMENT, nullable=True),
        sa.Column("snoozed_until", MOMENT, nullable=True),
        sa.Column("asked_by", TEXT, nullable=True),
        sa.Column("term", TEXT, nullable=True),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("contact", TEXT, nullable=False),
        sa.Column("registered", TEXT, nullable=False),
        sa.Column("given", TEXT, nullable=False),
        sa.Column("undo", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ticket")),
    )
    op.create_index("ix_ticket_applicant", "ticket", ["applicant"], unique=False)
    op.create_index("ix_ticket_fingerprint", "ticket", ["fingerprint"], unique=False)
    op.create_index("ix_ticket_state_queue", "ticket", ["state", "queue"], unique=False)
    op.create_table(
        "ticket_link",
        sa.Column("ticket", TEXT, nullable=False),
        sa.Column("other", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("ticket", "other", name=op.f("pk_ticket_link")),
    )
    op.create_index("ix_ticket_link_other", "ticket_link", ["other"], unique=False)
    op.create_table(
        "turn",
        sa.Column("queue", TEXT, nullable=False),
        sa.Column("serial", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ticket", TEXT, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("called_at", MOMENT, nullable=True),
        sa.Column("ends_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_by", TEXT, nullable=True),
        sa.Column("seat", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("queue", "serial", name=op.f("pk_turn")),
        sa.UniqueConstraint("queue", "seat", name=op.f("uq_turn_queue_seat")),
    )
    op.create_index("ix_turn_ticket", "turn", ["ticket"], unique=False)
    standing = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_turn_standing", "turn", ["ticket"], unique=True, sqlite_where=standing, postgresql_where=standing
    )
