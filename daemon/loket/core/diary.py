"""What is done with a ticket's appointment: offered, taken, moved, given back; with every letter that tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from loket.core import slotmail
from loket.core.model import Booking, BookingState, Kind, Offer, Outbound, Plan, State, Ticket
from loket.core.table import Table


def waits(ticket: Ticket, now: datetime) -> Ticket:
    """With its applicant, or until its appointment: out of the officers' sight."""
    return replace(
        ticket,
        state=State.WAITING,
        due_at=None,
        term=None,
        updated_at=now,
        closed_at=None,
        answered_at=None,
        outcome=None,
        undo=None,
    )


def offer(
    at: Table, why: str, *, starts: Sequence[datetime] = (), wished: datetime | None = None, kind: Kind = Kind.OFFER
) -> Plan:
    """The next free moments, numbered, or those of `starts` that are free; with none, a place on the waiting list.

    What becomes free while others wait is theirs first.
    """
    post, number = at.post, at.ticket.number
    there = at.book.offered(number)
    others = [one for one in at.book.waiting() if one.ticket != number]
    free = at.book.free(post.now, number)
    free = free if there is not None and there.until is not None else free[len(others) :]
    chosen = [start for start in starts if start in free] or free
    chosen = sorted(chosen)[: at.settings.offer]
    own = at.own
    waiting = None
    if not chosen and own is None:
        waiting = there.waiting if there is not None and there.waiting is not None else post.now
    made = Offer(number, at.ticket.queue, at.ticket.applicant, tuple(chosen), post.now, waiting)
    place = 1 + sum(1 for one in others if one.waiting and waiting and (one.waiting, one.ticket) < (waiting, number))
    letters: tuple[Outbound, ...] = ()
    if at.writes:
        further = free[-1] if free and free[-1] not in chosen else None
        letters = (slotmail.offer(at, made, why, wished=wished, own=own, place=place, example=further, kind=kind),)
    facts = {"why": why, "starts": [start.isoformat() for start in chosen]}
    events = (at.event("waits-for-appointment" if waiting else "appointment-offered", **facts),)
    return Plan(changed=(waits(at.ticket, post.now),), offers=(made,), events=events, outbox=letters)


def take(at: Table, start: datetime, *, place: str = "", anew: Booking | None = None) -> Plan | None:
    """The ticket has that moment, for the first time or instead of another; None where it is taken or kept.

    `anew`: one that was given back has its place again, as the same event of the calendar.
    """
    post, ticket = at.post, at.ticket
    seat = at.book.seat(start, ticket.number, post.now)
    if seat is None:
        return None
    own = at.own or anew
    end = start + at.settings.length
    officers = tuple(one.address for one in post.office.at_work(ticket.queue, at.known.away))
    if own is not None:
        made = replace(
            own,
            start=start,
            end=end,
            seat=seat,
            at=post.now,
            sequence=own.sequence + 1,
            state=BookingState.BOOKED,
            attendance="needs-action",
            stamp=None,
            place=place or own.place,
            officers=tuple(dict.fromkeys((*own.officers, *officers))),
        )
    else:
        made = Booking(
            uid=_uid(at),
            ticket=ticket.number,
            queue=ticket.queue,
            applicant=ticket.applicant,
            start=start,
            end=end,
            seat=seat,
            at=post.now,
            place=place or at.settings.place,
            officers=officers,
        )
    before = own.start if own is not None and own.live else None
    why = "moved" if before is not None else "booked"
    there = at.book.offered(ticket.number)
    kept = (replace(there, waiting=None, until=None),) if there is not None else ()
    facts: dict[str, Any] = {"start": start.isoformat(), "sequence": made.sequence}
    if before is not None:
        facts["before"] = before.isoformat()
    letters = slotmail.invitations(at, made, why, before=before)
    return Plan(
        changed=(waits(ticket, post.now),),
        bookings=(made,),
        offers=kept,
        events=(at.event(f"appointment-{why}", **facts),),
        outbox=letters,
    )


def _uid(at: Table) -> str:
    """An id that only we can make, and another for each appointment that a ticket has after one was called off."""
    earlier = sum(1 for one in at.known.bookings.values() if one.ticket == at.ticket.number)
    domain = at.post.counter.address.rpartition("@")[2]
    return f"{at.post.keys.ticket(at.ticket.number)}.{earlier + 1}@{domain}"


def update(at: Table, own: Booking, place: str) -> Plan:
    """The appointment as it is, with another place: a link, say."""
    made = replace(own, place=place, sequence=own.sequence + 1)
    return Plan(
        changed=(replace(at.ticket, updated_at=at.post.now),),
        bookings=(made,),
        events=(at.event("appointment-place", place=place, sequence=made.sequence),),
        outbox=slotmail.invitations(at, made, "place"),
    )


def give_back(at: Table, own: Booking, state: BookingState, why: str, *, silent: bool = False) -> Plan:
    """The appointment's place is free again, and out of the calendars; `silent`: its applicant knows already."""
    made = replace(own, state=state, sequence=own.sequence + 1)
    return Plan(
        bookings=(made,),
        events=(at.event(f"appointment-{state.value}", start=own.start.isoformat(), why=why),),
        outbox=slotmail.cancellations(at, made, why, silent=silent),
    )


def forget(at: Table) -> tuple[Offer, ...]:
    """The offer of a ticket that needs none any more."""
    there = at.book.offered(at.ticket.number)
    return (replace(there, over=True),) if there is not None else ()


def together(*plans: Plan) -> Plan:
    """Several steps with one ticket as one plan; of its states the last."""
    changed = {ticket.number: ticket for plan in plans for ticket in plan.changed}
    return Plan(
        changed=tuple(changed.values()),
        events=tuple(event for plan in plans for event in plan.events),
        outbox=tuple(mail for plan in plans for mail in plan.outbox),
        bookings=tuple(booking for plan in plans for booking in plan.bookings),
        offers=tuple(made for plan in plans for made in plan.offers),
    )
