"""What a batch has to know before its mails are decided on, each aspect gathered by whoever keeps it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from loket.core.gate import LOOP_WINDOW, WINDOW, Caps
from loket.core.known import Hints, Known
from loket.core.model import Kind, Phase, Sent, State
from loket.store import schema
from loket.store.appointments import add_appointments
from loket.store.codes import codes_of, tickets_of
from loket.store.letterbook import ENTRY, serials
from loket.store.officers import add_desk
from loket.store.pace import paces
from loket.store.rows import chapter_of, ticket_of
from loket.store.stories import COLUMNS, add_stories
from loket.store.turns import add_lines

_T = schema.ticket.c
_O = schema.outbox.c

# How long a mail of the same content is the same request once more.
SAME_WITHIN = timedelta(days=7)


def _portions(items: Collection[str]) -> Iterator[list[str]]:
    """A statement has room for so many values only, and one hostile mail can name thousands of numbers."""
    ordered = sorted(items)
    for at in range(0, len(ordered), 1000):
        yield ordered[at : at + 1000]


def gather(connection: Connection, caps: Caps, hints: Hints, now: datetime) -> Known:
    """Tickets by number, earlier tickets of the authors, open tickets by queue, the last number of the year; codes,
    appointments and turns; and what the officers among the authors have in hand.
    """
    year = now.year
    last = serials(connection, year)
    known = Known(year=year, serial=last.get("ticket", 0))
    known.entries.update(
        {(name.removeprefix(ENTRY), year): value for name, value in last.items() if name.startswith(ENTRY)}
    )
    counts = select(_T.queue, func.count()).where(_T.state == State.OPEN.value).group_by(_T.queue)
    known.open_in_queue.update({row.queue: row[1] for row in connection.execute(counts)})
    known.pace.update(paces(connection))
    _add_tickets(connection, known, hints.numbers)
    _add_same(connection, known, hints, now)
    for some in _portions(hints.addresses):
        query = select(*COLUMNS).where(_T.applicant.in_(some), _T.identity != "")
        for row in connection.execute(query):
            key = row.applicant, row.counter or "", row.identity
            known.by_identity.setdefault(key, {})[row.number] = known.chapters[row.number] = chapter_of(row)
        # A new mail may go on with one that waits for its applicant.
        waits = select(schema.ticket).where(_T.applicant.in_(some), _T.identity != "", _T.state == State.WAITING.value)
        known.tickets.update({row.number: ticket_of(row) for row in connection.execute(waits)})
    add_stories(connection, known)
    if hints.message_ids:
        known.sent.update({sent.message_id: sent for sent in _sent(connection, hints.message_ids)})
        _add_tickets(connection, known, {sent.ticket for sent in known.sent.values() if sent.ticket})
    _lately(connection, caps, known, hints, now)
    if hints.officers:
        known.codes = codes_of(connection, hints.officers)
        _add_tickets(connection, known, tickets_of(known.codes))
    add_appointments(connection, known, hints.addresses)
    add_lines(connection, known)
    add_desk(connection, known, hints, now)
    return known


def _add_tickets(connection: Connection, known: Known, numbers: Collection[str]) -> None:
    for some in _portions(numbers):
        rows = connection.execute(select(schema.ticket).where(_T.number.in_(some)))
        known.tickets.update({row.number: ticket_of(row) for row in rows})


def _add_same(connection: Connection, known: Known, hints: Hints, now: datetime) -> None:
    for some in _portions(hints.fingerprints):
        query = select(schema.ticket).where(_T.fingerprint.in_(some), _T.created_at > now - SAME_WITHIN)
        for row in connection.execute(query.order_by(_T.number)):
            known.add(ticket_of(row))


def _sent(connection: Connection, message_ids: Collection[str]) -> list[Sent]:
    query = select(_O.message_id, _O.kind, _O.mailbox, _O.recipient, _O.ticket, _O.phase)
    return [
        Sent(row.message_id, Kind(row.kind), row.mailbox, row.recipient, row.ticket, Phase(row.phase))
        for some in _portions(message_ids)
        for row in connection.execute(query.where(_O.message_id.in_(some)))
    ]


def _lately(connection: Connection, caps: Caps, known: Known, hints: Hints, now: datetime) -> None:
    """Automatic responses of the last hour, as many as the caps look at, and how often the same was said."""
    known.gate.caps = caps
    automatic = [kind.value for kind in Kind if kind.automatic]
    recent = select(_O.recipient, _O.next_at).where(_O.kind.in_(automatic), _O.next_at > now - WINDOW)
    if caps.total is not None:
        newest = recent.order_by(_O.next_at.desc()).limit(caps.total)
        known.gate.total += [row.next_at for row in connection.execute(newest)]
    said = select(_T.applicant, _T.subject, func.count().label("times"))
    said = said.where(_T.created_at > now - LOOP_WINDOW).group_by(_T.applicant, _T.subject)
    for some in _portions(hints.addresses):
        if caps.per_address is not None:
            for row in connection.execute(recent.where(_O.recipient.in_(some))):
                known.gate.by_address.setdefault(row.recipient, []).append(row.next_at)
        for row in connection.execute(said.where(_T.applicant.in_(some))):
            known.said_lately[(row.applicant, row.subject)] = row.times
