"""Rows to words and back; JSON in text columns, the same on every database."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from loket.core.model import Encoding, Event, FileSegment, Outbound, Segment, State, StoredFile, Ticket


def dump(value: object) -> str:
    """Compact JSON that keeps what people wrote readable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def ticket_row(of: Ticket) -> dict[str, Any]:
    """A ticket's columns."""
    return {
        "number": of.number,
        "mailbox": of.mailbox,
        "counter": of.counter,
        "rule": of.rule,
        "queue": of.queue,
        "state": of.state.value,
        "applicant": of.applicant,
        "applicant_name": of.applicant_name,
        "subject": of.subject,
        "fields": dump(dict(of.fields)),
        "missing": dump(list(of.missing)),
        "identity": of.identity,
        "original_sha256": of.original.sha256,
        "original_size": of.original.size,
        "message_id": of.message_id,
        "last_message_id": of.last_message_id,
        "attachments": of.attachments,
        "links": of.links,
        "created_at": of.created_at,
        "updated_at": of.updated_at,
        "due_at": of.due_at,
        "outcome": of.outcome,
        "answered_by": of.answered_by,
        "closed_at": of.closed_at,
        "respond": of.respond,
        "language": of.language,
        "fingerprint": of.fingerprint,
        "several": of.several,
    }


def ticket_of(row: Row[Any]) -> Ticket:
    """The ticket in a row of the ticket table."""
    return Ticket(
        number=row.number,
        mailbox=row.mailbox,
        counter=row.counter,
        rule=row.rule,
        queue=row.queue,
        state=State(row.state),
        applicant=row.applicant,
        applicant_name=row.applicant_name,
        subject=row.subject,
        fields=json.loads(row.fields),
        missing=tuple(json.loads(row.missing)),
        identity=row.identity,
        original=StoredFile(row.original_sha256, row.original_size),
        message_id=row.message_id,
        last_message_id=row.last_message_id,
        attachments=row.attachments,
        links=row.links,
        created_at=row.created_at,
        updated_at=row.updated_at,
        due_at=row.due_at,
        outcome=row.outcome,
        answered_by=row.answered_by,
        closed_at=row.closed_at,
        respond=row.respond,
        language=row.language,
        fingerprint=row.fingerprint,
        several=row.several,
    )


def event_row(of: Event) -> dict[str, Any]:
    """An event's columns."""
    return {
        "at": of.at,
        "kind": of.kind,
        "ticket": of.ticket,
        "actor": of.actor,
        "mail": of.mail,
        "rules": of.rules,
        "detail": dump(dict(of.detail)),
    }


def outbox_row(of: Outbound, now: datetime) -> dict[str, Any]:
    """An outgoing mail's columns: the literal bytes in one piece, and how they and the files follow each other."""
    layout: list[list[object]] = []
    literal: list[bytes] = []
    for segment in of.segments:
        if isinstance(segment, bytes):
            literal.append(segment)
            layout.append(["bytes", len(segment)])
        else:
            layout.append([segment.encoding, segment.file.sha256, segment.file.size])
    return {
        "key": of.key,
        "kind": of.kind.value,
        "priority": of.kind.priority,
        "mailbox": of.mailbox,
        "sender": of.sender,
        "recipient": of.recipient,
        "message_id": of.message_id,
        "ticket": of.ticket,
        "literal": b"".join(literal),
        "layout": dump(layout),
        "size": of.size,
        "eight_bit": of.eight_bit,
        "phase": "due",
        "attempts": 0,
        "next_at": of.not_before or now,
        "created_at": now,
    }


def segments_of(literal: bytes, layout: str) -> tuple[Segment, ...]:
    """The segments as they were composed."""
    found: list[Segment] = []
    at = 0
    for kind, *rest in json.loads(layout):
        if kind == "bytes":
            found.append(literal[at : at + rest[0]])
            at += rest[0]
        else:
            encoding: Encoding = "identity" if kind == "identity" else "base64"
            found.append(FileSegment(StoredFile(rest[0], rest[1]), encoding))
    return tuple(found)
