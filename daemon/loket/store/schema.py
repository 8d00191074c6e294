"""Tables of the store. A UNIQUE constraint, not memory, keeps things from happening twice."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
)

from loket.store.types import Serial, UtcDateTime, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table("meta", metadata, Column("name", Words, primary_key=True), Column("value", Words, nullable=False))

serial = Table("serial", metadata, Column("name", Words, primary_key=True), Column("last", BigInteger, nullable=False))

mailbox_state = Table(
    "mailbox_state",
    metadata,
    Column("mailbox", Words, primary_key=True),
    Column("folder", Words, nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("last_uid", BigInteger, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("polled_at", UtcDateTime),
    Column("verified_at", UtcDateTime),
    Column("absent", Integer, nullable=False, default=0, server_default="0"),
    Column("error", Words),
    Column("error_since", UtcDateTime),
)

ledger = Table(
    "ledger",
    metadata,
    Column("mailbox", Words, primary_key=True),
    Column("uidvalidity", BigInteger, primary_key=True),
    Column("uid", BigInteger, primary_key=True),
    Column("fate", Words, nullable=False),
    Column("sha256", Words),
    Column("size", BigInteger),
    Column("internaldate", UtcDateTime),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", Words),
    Column("ticket", Words),
    Column("filed", Boolean),
    Index("ix_ledger_mailbox_sha256", "mailbox", "sha256"),
    Index("ix_ledger_ticket", "ticket"),
    Index("ix_ledger_fate", "fate"),
)

content = Table(
    "content",
    metadata,
    Column("sha256", Words, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("data", LargeBinary),
)

ticket = Table(
    "ticket",
    metadata,
    Column("number", Words, primary_key=True),
    Column("mailbox", Words, nullable=False),
    Column("counter", Words),
    Column("rule", Words),
    Column("queue", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("applicant", Words, nullable=False),
    Column("applicant_name", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("fields", Words, nullable=False),
    Column("missing", Words, nullable=False),
    Column("identity", Words, nullable=False),
    Column("original_sha256", Words, nullable=False),
    Column("original_size", BigInteger, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("last_message_id", Words, nullable=False),
    Column("attachments", Integer, nullable=False),
    Column("links", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("outcome", Words),
    Column("answered_by", Words),
    Column("closed_at", UtcDateTime),
    Column("respond", Boolean, nullable=False),
    Column("language", Words, nullable=False),
    Column("fingerprint", Words, nullable=False),
    Column("several", Boolean, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("claimed_by", Words),
    Column("claimed_until", UtcDateTime),
    Column("snoozed_until", UtcDateTime),
    Column("asked_by", Words),
    Column("term", Words),
    Column("note", Words, nullable=False),
    Column("channel", Words, nullable=False),
    Column("contact", Words, nullable=False),
    Column("registered", Words, nullable=False),
    Column("given", Words, nullable=False),
    Column("undo", Words),
    Index("ix_ticket_state_queue", "state", "queue"),
    Index("ix_ticket_applicant", "applicant"),
    Index("ix_ticket_fingerprint", "fingerprint"),
)

ticket_link = Table(
    "ticket_link",
    metadata,
    Column("ticket", Words, primary_key=True),
    Column("other", Words, primary_key=True),
    Index("ix_ticket_link_other", "other"),
)

# A number of a register is one letter's, and a letter has one.
entry = Table(
    "entry",
    metadata,
    Column("register", Words, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("text", Words, nullable=False),
    Column("ticket", Words, nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", Words, nullable=False),
    Column("ticket", Words),
    Column("actor", Words, nullable=False),
    Column("mail", Words),
    Column("rules", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("worked", BigInteger),
    # How the ticket stood after it, where it changed: figures are made of these alone.
    Column("queue", Words),
    Column("state", Words),
    Column("due_at", UtcDateTime),
    Column("holder", Words),
    Index("ix_event_ticket", "ticket"),
)

pace = Table(
    "pace",
    metadata,
    Column("queue", Words, primary_key=True),
    Column("answers", Words, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("key", Words, nullable=False, unique=True),
    Column("kind", Words, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("mailbox", Words, nullable=False),
    Column("sender", Words, nullable=False),
    Column("recipient", Words, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("ticket", Words),
    Column("literal", LargeBinary, nullable=False),
    Column("layout", Words, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("eight_bit", Boolean, nullable=False),
    Column("phase", Words, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("code", Integer),
    Column("reply", Words),
    Index("ix_outbox_phase_priority_next_at", "phase", "priority", "next_at"),
    Index("ix_outbox_ticket", "ticket"),
    Index("ix_outbox_message_id", "message_id"),
    Index("ix_outbox_recipient_next_at", "recipient", "next_at"),
    Index("ix_outbox_next_at", "next_at"),
    # What an account has sent within a day is counted before each claim, where its provider counts too.
    Index("ix_outbox_mailbox_ended_at", "mailbox", "ended_at"),
)

# A copy for the Sent folder that is not made yet: under which UIDVALIDITY and from which UID on it is, if it is.
sent_copy = Table(
    "sent_copy",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("mailbox", Words, nullable=False),
    Column("uidvalidity", BigInteger),
    Column("from_uid", BigInteger),
    Index("ix_sent_copy_mailbox", "mailbox"),
)

occurrence = Table(
    "occurrence",
    metadata,
    Column("what", Words, primary_key=True),
    Column("whom", Words, primary_key=True),
    Column("due_at", UtcDateTime, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("mailbox", Words, nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("reason", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("state", Words, nullable=False),
    Index("ix_quarantine_state", "state"),
)

held = Table(
    "held",
    metadata,
    Column("key", Words, primary_key=True),
    Column("mail", Words, nullable=False),
    Column("ticket", Words, nullable=False),
    Column("officer", Words, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("argument", Words, nullable=False),
    Column("files", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_held_ticket", "ticket"),
    Index("ix_held_state_officer", "state", "officer"),
)

code = Table(
    "code",
    metadata,
    Column("id", Words, primary_key=True),
    Column("officer", Words, nullable=False),
    Column("digest", Words, nullable=False),
    Column("letters", Words, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("wrong", Integer, nullable=False),
    Column("state", Words, nullable=False),
    Index("ix_code_state_officer", "state", "officer"),
)

absence = Table(
    "absence",
    metadata,
    Column("officer", Words, primary_key=True),
    Column("until", UtcDateTime, nullable=False),
)

# One seat of one moment is one ticket's: the constraint, not memory, keeps two applicants from having it. An
# appointment that is over or called off has no seat, and none of those stands in another's way.
appointment = Table(
    "appointment",
    metadata,
    Column("uid", Words, primary_key=True),
    Column("ticket", Words, nullable=False),
    Column("queue", Words, nullable=False),
    Column("applicant", Words, nullable=False),
    Column("start", UtcDateTime, nullable=False),
    Column("ends", UtcDateTime, nullable=False),
    Column("seat", Integer),
    Column("at", UtcDateTime, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("state", Words, nullable=False),
    Column("place", Words, nullable=False),
    Column("attendance", Words, nullable=False),
    Column("stamp", UtcDateTime),
    Column("officers", Words, nullable=False),
    UniqueConstraint("queue", "start", "seat", name="uq_appointment_queue_start_seat"),
    Index("ix_appointment_ticket", "ticket"),
    Index("ix_appointment_state", "state"),
)

offer = Table(
    "offer",
    metadata,
    Column("ticket", Words, primary_key=True),
    Column("queue", Words, nullable=False),
    Column("applicant", Words, nullable=False),
    Column("starts", Words, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("waiting", UtcDateTime),
    Column("until", UtcDateTime),
)

# A place in a queue's line. A number is given once, a seat is one ticket's at a time, and no ticket stands in two
# places: the constraints, not memory, keep anybody from being called twice. Who is not served has no seat.
turn = Table(
    "turn",
    metadata,
    Column("queue", Words, primary_key=True),
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    Column("ticket", Words, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("called_at", UtcDateTime),
    Column("ends_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("ended_by", Words),
    Column("seat", Integer),
    UniqueConstraint("queue", "seat", name="uq_turn_queue_seat"),
    Index("ix_turn_ticket", "ticket"),
)
# The same for PostgreSQL stands in postgres.py: named here, it would load that dialect and all its drivers always.
STANDING = turn.c.ended_at.is_(None)
turn_standing = Index("uq_turn_standing", turn.c.ticket, unique=True, sqlite_where=STANDING)
