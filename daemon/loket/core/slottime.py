"""What time brings to appointments: their end, reminders, days off that came later, and whoever waits (P17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from loket.core import diary, slotmail
from loket.core.known import Known
from loket.core.mail import Post
from loket.core.model import Booking, BookingState, Event, Kind, Occurrence, Offer, Plan, State, Ticket
from loket.core.table import Table
from loket.core.term import begin, timed

REMINDER = "appointment"


def due(at: Table) -> Plan | None:
    """What is due for one ticket, if anything; asked again until nothing is."""
    return _over(at) or _displaced(at) or _lapsed(at) or _handed(at)


def orphaned(post: Post, known: Known, ticket: Ticket) -> Plan | None:
    """A ticket whose queue works by appointment no more: what it was offered is void, a person sees to the rest."""
    there = known.offers.get(ticket.number)
    own = next((one for one in known.bookings.values() if one.live and one.ticket == ticket.number), None)
    ended = own is not None and own.end <= post.now
    if there is None and not ended:
        return None
    queue = post.office.queues.get(ticket.queue)
    if ticket.state is State.WAITING and (own is None or ended):
        opened = replace(ticket, state=State.OPEN, updated_at=post.now)
        ticket = timed(opened, begin(queue.due if queue else None, post.now), post.counter.calendar)
    event = Event(post.now, "appointments-gone", ticket.number, "loket", None, post.office.rules_hash, {})
    return Plan(
        changed=(ticket,),
        bookings=(replace(own, state=BookingState.OVER),) if own is not None and ended else (),
        offers=(replace(there, over=True),) if there is not None else (),
        events=(event,),
    )


def _over(at: Table) -> Plan | None:
    """The appointment has been: its ticket is the officers' again, who know how it went."""
    own, now = at.own, at.post.now
    if own is None or own.end > now:
        return None
    ticket = at.ticket
    if ticket.state is State.WAITING:
        term = begin(at.post.office.queues[ticket.queue].due, now)
        ticket = timed(replace(ticket, state=State.OPEN, updated_at=now), term, at.post.counter.calendar)
    return Plan(
        changed=(ticket,),
        bookings=(replace(own, state=BookingState.OVER),),
        offers=diary.forget(at),
        events=(at.event("appointment-over", start=own.start.isoformat()),),
    )


def _displaced(at: Table) -> Plan | None:
    """A day off was decreed after the appointment was made: called off, and other times offered."""
    own, calendar = at.own, at.post.counter.calendar
    if own is None or own.start <= at.post.now or not calendar.is_holiday(own.start.astimezone(calendar.zone).date()):
        return None
    gone = diary.give_back(at, own, BookingState.DISPLACED, "displaced")
    after = replace(at, known=at.known.foreseen(gone), cause=f"displaced:{own.uid}:{own.sequence}")
    return diary.together(gone, diary.offer(after, "displaced", wished=own.start, kind=Kind.REMINDER))


def _lapsed(at: Table) -> Plan | None:
    """What was kept for whoever waited was not taken in time: it is the next one's."""
    there = at.book.offered(at.ticket.number)
    if there is None or there.until is None or there.until > at.post.now:
        return None
    after = replace(at, cause=f"lapsed:{at.ticket.number}:{there.until.isoformat()}")
    letters = (slotmail.lapsed(after, there),) if at.writes else ()
    return Plan(
        changed=(replace(at.ticket, updated_at=at.post.now),),
        offers=(replace(there, over=True),),
        events=(at.event("appointment-not-taken", start=there.starts[0].isoformat()),),
        outbox=letters,
    )


def _handed(at: Table) -> Plan | None:
    """The first who waits is offered the first free moment, kept for them for a while."""
    waiting = at.book.waiting()
    if not waiting or waiting[0].ticket != at.ticket.number:
        return None
    now = at.post.now
    for start in at.book.free(now, at.ticket.number):
        until = _until(at, start)
        if until is not None and until > now:
            return _kept(at, waiting[0], start, until)
    return None


def _until(at: Table, start: datetime) -> datetime | None:
    """How long it is kept: by the queue's `take`, in working time, and no longer than it may be taken at all."""
    take, calendar, now = at.settings.take, at.post.counter.calendar, at.post.now
    until = calendar.due(now, take.days) if take.days else calendar.after_open(now, take.span)
    closes = at.settings.notice.closes(calendar, start)
    return min(until, closes) if until is not None and closes is not None else None


def _kept(at: Table, there: Offer, start: datetime, until: datetime) -> Plan:
    made = replace(there, starts=(start,), at=at.post.now, until=until)
    after = replace(at, cause=f"freed:{at.ticket.number}:{start.isoformat()}:{until.isoformat()}")
    return Plan(
        changed=(diary.waits(at.ticket, at.post.now),),
        offers=(made,),
        events=(at.event("appointment-kept", start=start.isoformat(), until=until.isoformat()),),
        outbox=(slotmail.offer(after, made, "freed", kind=Kind.REMINDER),) if at.writes else (),
    )


def reminders(at: Table) -> Sequence[tuple[Occurrence, Plan]]:
    """The reminders of an appointment whose time has come, each with what follows; only the latest is written.

    One that was due before the appointment was made, or moved to where it is, is none.
    """
    own, calendar, now = at.own, at.post.counter.calendar, at.post.now
    if own is None or own.start <= now:
        return ()
    moments = (lead.before(calendar, own.start) for lead in at.settings.remind)
    dues = sorted({moment for moment in moments if moment is not None and own.at < moment <= now})
    found: list[tuple[Occurrence, Plan]] = []
    for moment in dues:
        occurrence = Occurrence(REMINDER, own.uid, moment)
        last = moment == dues[-1]
        found.append((occurrence, _reminded(at, own, occurrence) if last else Plan(occurrence=occurrence)))
    return found


def _reminded(at: Table, own: Booking, occurrence: Occurrence) -> Plan:
    return Plan(
        occurrence=occurrence,
        events=(at.event("appointment-reminded", start=own.start.isoformat()),),
        outbox=(slotmail.reminder(at, own, occurrence),) if at.writes else (),
    )
