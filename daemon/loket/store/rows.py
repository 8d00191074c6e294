"""Rows to words and back; JSON in text columns, the same on every database."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from loket.core.model import (
    Chapter,
    Encoding,
    Event,
    FileSegment,
    Given,
    Held,
    HeldState,
    Outbound,
    Phase,
    Segment,
    State,
    StoredFile,
    Term,
    Ticket,
    Undo,
)

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)


def dump(value: object) -> str:
    """Compact JSON that keeps what people wrote readable."""
    return _encoder.encode(value)


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
        "answered_at": of.answered_at,
        "claimed_by": of.claimed_by,
        "claimed_until": of.claimed_until,
        "snoozed_until": of.snoozed_until,
        "asked_by": of.asked_by,
        "term": _term_text(of.term) if of.term else None,
        "note": of.note,
        "channel": of.channel,
        "contact": of.contact,
        "registered": of.registered,
        "given": given_text(of.given),
        "undo": _undo_text(of.undo) if of.undo else None,
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
        answered_at=row.answered_at,
        claimed_by=row.claimed_by,
        claimed_until=row.claimed_until,
        snoozed_until=row.snoozed_until,
        asked_by=row.asked_by,
        term=_term_of(row.term) if row.term else None,
        note=row.note,
        channel=row.channel,
        contact=row.contact,
        registered=row.registered,
        given=given_of(row.given),
        undo=_undo_of(row.undo) if row.undo else None,
    )


def given_text(of: tuple[Given, ...]) -> str:
    """A ticket's answers, as a column holds them."""
    return dump([[one.at.isoformat(), one.outcome, one.by, one.key] for one in of])


def given_of(text: str) -> tuple[Given, ...]:
    """And back."""
    return tuple(Given(datetime.fromisoformat(at), outcome, by, key) for at, outcome, by, key in json.loads(text))


def chapter_of(row: Any) -> Chapter:
    """What a story tells of the ticket in a row, which may have those columns alone."""
    return Chapter(row.number, row.applicant, row.queue, row.created_at, given_of(row.given))


def _undo_text(of: Undo) -> str:
    moments = [at.isoformat() if at else None for at in (of.answered_at, of.closed_at, of.due_at)]
    term = _term_text(of.term) if of.term else None
    earlier = _undo_text(of.earlier) if of.earlier else None
    return dump([of.key, of.state.value, of.outcome, of.answered_by, moments, list(of.missing), term, of.by, earlier])


def _undo_of(text: str) -> Undo:
    key, state, outcome, answered_by, moments, missing, term, by, earlier = json.loads(text)
    answered_at, closed_at, due_at = (datetime.fromisoformat(at) if at else None for at in moments)
    kept = _term_of(term) if term else None
    return Undo(
        key,
        State(state),
        outcome,
        answered_by,
        answered_at,
        closed_at,
        due_at,
        tuple(missing),
        kept,
        by,
        _undo_of(earlier) if earlier else None,
    )


def _term_text(of: Term) -> str:
    pauses = [[since.isoformat(), until.isoformat() if until else None] for since, until in of.pauses]
    return dump([of.start.isoformat(), of.amount, of.unit, pauses, of.put_off.isoformat() if of.put_off else None])


def _term_of(text: str) -> Term:
    start, amount, unit, pauses, put_off = json.loads(text)
    at = datetime.fromisoformat
    return Term(
        at(start),
        amount,
        "hours" if unit == "hours" else "days",
        tuple((at(since), at(until) if until else None) for since, until in pauses),
        date.fromisoformat(put_off) if put_off else None,
    )


def held_row(of: Held) -> dict[str, Any]:
    """The columns of an answer that is kept back."""
    return {
        "key": of.key,
        "mail": of.mail,
        "ticket": of.ticket,
        "officer": of.officer,
        "outcome": of.outcome,
        "reason": of.reason,
        "argument": of.argument,
        "files": dump(of.files),
        "state": of.state.value,
        "at": of.at,
    }


def held_of(row: Row[Any]) -> Held:
    """The answer in a row of the table `held`, with the recipient of its row in the outbox."""
    return Held(
        key=row.key,
        mail=row.mail,
        ticket=row.ticket,
        officer=row.officer,
        outcome=row.outcome,
        reason=row.reason,
        at=row.at,
        argument=row.argument,
        files=tuple((name, size, sha256) for name, size, sha256 in json.loads(row.files)),
        state=HeldState(row.state),
        recipient=row.recipient,
    )


def event_row(of: Event, after: Ticket | None = None) -> dict[str, Any]:
    """An event's columns; `after` is its ticket as it stands then, where it changed."""
    return {
        "at": of.at,
        "kind": of.kind,
        "ticket": of.ticket,
        "actor": of.actor,
        "mail": of.mail,
        "rules": of.rules,
        "detail": dump(dict(of.detail)),
        "worked": of.worked,
        "queue": after.queue if after else None,
        "state": after.state.value if after else None,
        "due_at": after.due_at if after else None,
        "holder": (after.claimed_by or after.asked_by) if after else None,
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
        "priority": of.priority,
        "mailbox": of.mailbox,
        "sender": of.sender,
        "recipient": of.recipient,
        "message_id": of.message_id,
        "ticket": of.ticket,
        "literal": b"".join(literal),
        "layout": dump(layout),
        "size": of.size,
        "eight_bit": of.eight_bit,
        "phase": (Phase.HELD if of.held else Phase.DUE).value,
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
