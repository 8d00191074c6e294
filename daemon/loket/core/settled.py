"""What becomes of an appointment and an offer when their ticket ends or leaves the queue by another way."""

from __future__ import annotations

from dataclasses import replace

from loket.core import diary
from loket.core.known import Known
from loket.core.mail import Post
from loket.core.model import BookingState, InboundMail, Plan, State, Ticket
from loket.core.table import table


def settled(
    plan: Plan, post: Post, known: Known, cause: str, *, actor: str = "loket", mail: InboundMail | None = None
) -> Plan:
    """The plan, with what it means for appointments that it says nothing of.

    Whoever answers a question before the appointment does not mean to call that off: the ticket waits for it. A
    ticket that leaves the queue has it called off.
    """
    spoken = {one.ticket for one in plan.bookings} | {one.ticket for one in plan.offers}
    for ticket in plan.changed:
        extra = None if ticket.number in spoken else _of(ticket, post, known, cause, actor, mail)
        if extra is not None:
            changed = {**{one.number: one for one in plan.changed}, **{one.number: one for one in extra.changed}}
            plan = replace(
                plan,
                changed=tuple(changed.values()),
                events=plan.events + extra.events,
                outbox=plan.outbox + extra.outbox,
                bookings=plan.bookings + extra.bookings,
                offers=plan.offers + extra.offers,
            )
    return plan


def _of(ticket: Ticket, post: Post, known: Known, cause: str, actor: str, mail: InboundMail | None) -> Plan | None:
    own = next((one for one in known.bookings.values() if one.live and one.ticket == ticket.number), None)
    offer = known.offers.get(ticket.number)
    there = own or offer
    if there is None:
        return None
    left = there.queue != ticket.queue
    if not left and ticket.state is not State.CLOSED:
        return None
    forgotten = Plan(offers=(replace(offer, over=True),)) if offer is not None else Plan()
    if own is None or (not left and own.start <= post.now):
        return forgotten
    if not left:
        return Plan(changed=(replace(ticket, state=State.WAITING, closed_at=None, due_at=None, term=None),))
    at = table(post, known, replace(ticket, queue=own.queue), cause, actor=actor, mail=mail)
    if at is None:
        # The queue has no appointments any more: nothing is left to write from.
        return replace(forgotten, bookings=(replace(own, state=BookingState.CANCELLED),))
    return diary.together(diary.give_back(at, own, BookingState.CANCELLED, "officer"), forgotten)
