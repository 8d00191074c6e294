"""Appointments and offers in the store: one seat of one moment is one ticket's, whoever asks at once."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, insert, not_, select, update

from loket.core.known import Known
from loket.core.model import Booking, BookingState, Offer, Plan
from loket.store import schema
from loket.store.rows import dump, ticket_of

_B = schema.appointment.c
_O = schema.offer.c


def _booking_row(of: Booking) -> dict[str, Any]:
    return {
        "uid": of.uid,
        "ticket": of.ticket,
        "queue": of.queue,
        "applicant": of.applicant,
        "start": of.start,
        "ends": of.end,
        "seat": of.seat if of.live else None,
        "at": of.at,
        "sequence": of.sequence,
        "state": of.state.value,
        "place": of.place,
        "attendance": of.attendance,
        "stamp": of.stamp,
        "officers": dump(list(of.officers)),
    }


def _booking_of(row: Row[Any]) -> Booking:
    return Booking(
        uid=row.uid,
        ticket=row.ticket,
        queue=row.queue,
        applicant=row.applicant,
        start=row.start,
        end=row.ends,
        seat=row.seat or 0,
        at=row.at,
        sequence=row.sequence,
        state=BookingState(row.state),
        place=row.place,
        attendance=row.attendance,
        stamp=row.stamp,
        officers=tuple(json.loads(row.officers)),
    )


def _offer_row(of: Offer) -> dict[str, Any]:
    return {
        "ticket": of.ticket,
        "queue": of.queue,
        "applicant": of.applicant,
        "starts": dump([start.isoformat() for start in of.starts]),
        "at": of.at,
        "waiting": of.waiting,
        "until": of.until,
    }


def _offer_of(row: Row[Any]) -> Offer:
    starts = tuple(datetime.fromisoformat(start) for start in json.loads(row.starts))
    return Offer(row.ticket, row.queue, row.applicant, starts, row.at, row.waiting, row.until)


def keep_appointments(connection: Connection, plans: Sequence[Plan]) -> None:
    """Bookings and offers in the order of their plans, so that what one gives back the next may take.

    Two for one seat fail by the table's own constraint, and the whole transaction with them.
    """
    for plan in plans:
        for booking in plan.bookings:
            row = _booking_row(booking)
            changed = update(schema.appointment).where(_B.uid == booking.uid).values(row)
            if connection.execute(changed).rowcount == 0:
                connection.execute(insert(schema.appointment).values(row))
        for offer in plan.offers:
            connection.execute(delete(schema.offer).where(_O.ticket == offer.ticket))
            if not offer.over:
                connection.execute(insert(schema.offer).values(_offer_row(offer)))


def bookings(connection: Connection, tickets: Sequence[str] = ()) -> list[Booking]:
    """Every appointment that has its place, and all there ever were of these tickets; the earliest first."""
    found = {row.uid: row for row in connection.execute(select(schema.appointment).where(_B.seat.is_not(None)))}
    for at in range(0, len(tickets), 500):
        query = select(schema.appointment).where(_B.ticket.in_(tickets[at : at + 500]))
        found.update({row.uid: row for row in connection.execute(query)})
    return sorted(map(_booking_of, found.values()), key=lambda one: (one.start, one.seat, one.uid))


def offers(connection: Connection) -> list[Offer]:
    """Every offer that stands, and everybody who waits."""
    return [_offer_of(row) for row in connection.execute(select(schema.offer).order_by(_O.at, _O.ticket))]


def add_appointments(connection: Connection, known: Known, addresses: Collection[str]) -> None:
    """What a mail about an appointment may be about: all that stands, with the tickets of the mails' authors."""
    known.offers.update({one.ticket: one for one in offers(connection)})
    live = bookings(connection)
    theirs = {one.ticket for one in live if one.applicant in addresses}
    theirs |= {one.ticket for one in known.offers.values() if one.applicant in addresses}
    for number in sorted(theirs - set(known.tickets)):
        row = connection.execute(select(schema.ticket).where(schema.ticket.c.number == number)).one_or_none()
        if row is not None:
            known.add(ticket_of(row))
    known.bookings.update({one.uid: one for one in (*bookings(connection, sorted(known.tickets)), *live)})


def add_standing(connection: Connection, known: Known) -> None:
    """All that stands, and the tickets it is of; those on a waiting list in its order."""
    known.bookings.update({one.uid: one for one in bookings(connection)})
    waiting = sorted(offers(connection), key=lambda one: (one.waiting is None, one.waiting or one.at, one.ticket))
    known.offers.update({one.ticket: one for one in waiting})
    numbers = dict.fromkeys([*(one.ticket for one in known.bookings.values()), *known.offers])
    for at in range(0, len(numbers), 500):
        some = list(numbers)[at : at + 500]
        rows = connection.execute(select(schema.ticket).where(schema.ticket.c.number.in_(some)))
        found = {row.number: ticket_of(row) for row in rows}
        known.tickets.update({number: found[number] for number in some if number in found})


def not_for_time(number: ColumnElement[str]) -> ColumnElement[bool]:
    """Of tickets, those that wait for their applicant; not for an appointment, nor for one to become free."""
    booked = exists().where(_B.ticket == number, _B.seat.is_not(None))
    listed = exists().where(_O.ticket == number, _O.waiting.is_not(None))
    return not_(booked) & not_(listed)
