"""What an applicant's mail does to appointments: a request is offered some, a reply takes one, moves it, ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from loket.core import choice, diary, notice, slotmail
from loket.core.case import Case, timed_anew
from loket.core.choice import Again, CallOff, Choice, Nothing, Picked, Unclear
from loket.core.command import own_words
from loket.core.headers import clean_text
from loket.core.model import BookingState, Fate, InboundMail, Outbound, Plan, State, Ticket, Verdict
from loket.core.parse import body_text
from loket.core.table import Table, table

CALLED_OFF = "called-off"
# A letter with more than its choice is longer; a person reads it too.
MUCH = 300


def _table(case: Case, ticket: Ticket) -> Table | None:
    return table(case.post, case.known, ticket, str(case.mail.raw.ref), actor=case.author or "?", mail=case.mail)


def begin(case: Case, plan: Plan) -> Plan:
    """A new request in a queue with appointments is answered with the next free ones, instead of a mere receipt."""
    ticket = plan.opened
    if ticket is None or ticket.state is not State.OPEN or not ticket.respond or not ticket.applicant:
        return plan
    at = _table(case, ticket)
    if at is None or not plan.outbox:
        return plan
    wished = _wished(case, at)
    offered = diary.offer(at, "first", starts=_with(at, wished) if wished else (), wished=wished)
    return replace(
        plan,
        opened=offered.changed[0],
        offers=offered.offers,
        events=plan.events + offered.events,
        outbox=offered.outbox,
    )


def completed(case: Case, plan: Plan) -> Plan:
    """A request that is complete now: what is free, instead of a mere receipt."""
    done = any(event.kind == "completed" for event in plan.events)
    at = _table(case, plan.changed[0]) if done and plan.outbox else None
    if at is None:
        return plan
    made = diary.offer(at, "first")
    return replace(plan, changed=made.changed, offers=made.offers, events=plan.events + made.events, outbox=made.outbox)


def _wished(case: Case, at: Table) -> datetime | None:
    """The one moment that a request itself names by day and time, where it is free."""
    text = " ".join(f"{case.mail.subject} {_words(case.mail)}".split())
    found, readings = choice.moment(text[:1000], case.office.zone, case.now)
    free = at.book.free(case.now, at.ticket.number) if found else []
    return next((one for one in readings if one in free), None)


def _with(at: Table, wished: datetime) -> list[datetime]:
    """The moment that was wished for first, and the next free ones."""
    free = at.book.free(at.post.now, at.ticket.number)
    return [wished, *[one for one in free if one != wished][: at.settings.offer - 1]]


def _words(mail: InboundMail) -> str:
    return own_words(body_text(mail))


def resent(case: Case, plan: Plan) -> Plan:
    """The request once more: the free moments as they are now, and nothing to whoever has an appointment."""
    at = _table(case, plan.changed[0]) if plan.changed and plan.outbox else None
    if at is None or at.ticket.state is State.CLOSED:
        return plan
    if at.own is not None:
        return replace(plan, outbox=())
    made = diary.offer(at, "again")
    return replace(plan, offers=made.offers, events=plan.events + made.events, outbox=made.outbox)


def standing(case: Case, verdict: Verdict) -> Ticket | None:
    """The one ticket with an appointment or an offer that a new mail of its applicant wants to change, or to end."""
    if verdict.queue is None or verdict.refusal is not None or not case.author:
        return None
    known = case.known
    theirs = {one.ticket for one in known.bookings.values() if one.live and one.applicant == case.author}
    theirs |= {one.ticket for one in known.offers.values() if one.applicant == case.author}
    found = [known.tickets[number] for number in sorted(theirs) if number in known.tickets]
    found = [one for one in found if one.queue == verdict.queue and one.mailbox == case.mail.raw.ref.mailbox]
    if len(found) != 1:
        return None
    meant = choice.read(_with_subject(case.mail), (), (), None, case.office.zone, case.now)
    return found[0] if isinstance(meant, (Again, CallOff)) else None


def _with_subject(mail: InboundMail) -> str:
    return f"{mail.subject}\n{_words(mail)}"


def follow(case: Case, ticket: Ticket, *, new: bool = False) -> Plan | None:
    """What its applicant's mail about a ticket comes to, where it is about the appointment; else None.

    `new`: the mail is no reply, and its subject says something too.
    """
    # They write what may be answered now, whatever their first mail was like.
    at = _table(case, replace(ticket, respond=True))
    if at is None or ticket.missing:
        return None
    book, own = at.book, at.own
    there = book.offered(ticket.number)
    offered = there.starts if there is not None else ()
    free = book.free(case.now, ticket.number)
    words = _with_subject(case.mail) if new else _words(case.mail)
    meant = choice.read(words, offered, free, own.start if own else None, case.office.zone, case.now)
    engaged = own is not None or there is not None
    if not engaged and (ticket.asked_by is not None or not isinstance(meant, (Again, Picked))):
        return None
    if isinstance(meant, Picked) and not engaged and meant.start not in free:
        return None
    plan = _meant(at, meant)
    return plan if plan is None else _joined(case, ticket, plan, words)


def _meant(at: Table, meant: Choice) -> Plan | None:
    """One arm for each kind of choice; None where an officer must read it."""
    match meant:
        case Picked(start):
            return pick(at, start)
        case Unclear(starts):
            return diary.offer(at, "unclear", starts=starts)
        case Again():
            return diary.offer(at, "again")
        case CallOff():
            return call_off(at)
        case Nothing(courteous):
            quiet = courteous and at.mail is not None and not at.mail.attachments
            return Plan(events=(at.event("thanks"),)) if quiet else None


def pick(at: Table, start: datetime) -> Plan:
    """That moment, or the reason why not with what there is instead."""
    own, now = at.own, at.post.now
    if own is not None and own.start == start:
        return Plan(events=(at.event("appointment-chosen-again", start=start.isoformat()),))
    if not at.book.is_moment(start) or start <= now:
        return diary.offer(at, "none", wished=start, starts=_near(at, start))
    there = at.book.offered(at.ticket.number)
    kept = there is not None and there.until is not None and start in there.starts
    if not kept and start not in at.book.free(now, at.ticket.number):
        why = "taken" if at.book.takeable(start, now) else "late"
        return diary.offer(at, why, wished=start, starts=_near(at, start))
    # Whoever waits comes first, also before somebody who names a moment without having been offered it.
    first = [one for one in at.book.waiting() if one.ticket != at.ticket.number]
    offered = there is not None and start in there.starts
    taken = diary.take(at, start) if offered or not first else None
    return taken if taken is not None else diary.offer(at, "taken", wished=start, starts=_near(at, start))


def _near(at: Table, start: datetime) -> list[datetime]:
    """The free moments of the same day, where there are some; the offer fills up from all there are otherwise."""
    zone = at.post.office.zone
    day = start.astimezone(zone).date()
    return [one for one in at.book.free(at.post.now, at.ticket.number) if one.astimezone(zone).date() == day]


def call_off(at: Table, why: str = "applicant", state: BookingState = BookingState.CANCELLED) -> Plan:
    """No appointment any more, and the ticket at its end; whoever writes again has it opened."""
    own, now = at.own, at.post.now
    closed = replace(diary.waits(at.ticket, now), state=State.CLOSED, closed_at=now, outcome=CALLED_OFF)
    ended = Plan(changed=(closed,), offers=diary.forget(at))
    if own is not None:
        return diary.together(diary.give_back(at, own, state, why), ended)
    letters = (slotmail.called_off(at, why),) if at.writes else ()
    return diary.together(Plan(events=(at.event("appointment-not-wanted"),), outbox=letters), ended)


def _joined(case: Case, ticket: Ticket, plan: Plan, words: str) -> Plan:
    """The same as a mail of the ticket's; what else stands in it, an officer reads."""
    mail = case.mail
    changed = plan.changed[0] if plan.changed else ticket
    changed = replace(changed, updated_at=case.now, last_message_id=mail.message_id or ticket.last_message_id)
    more = bool(plan.bookings) and ("?" in words or bool(mail.attachments) or len(words) > MUCH)
    told: tuple[Outbound, ...] = ()
    if changed.state is not State.CLOSED and (more or (ticket.state is State.OPEN and not ticket.missing)):
        changed = replace(changed, state=State.OPEN)
        waited = ticket.state is State.OPEN and ticket.term is not None
        changed = replace(changed, due_at=ticket.due_at, term=ticket.term) if waited else timed_anew(case, changed)
        told = tuple(notice.notices(case.post, changed, mail.raw, case.known.away)) if more else ()
    event = case.event("follow-up", ticket.number, subject=clean_text(mail.subject), attachments=len(mail.attachments))
    return replace(
        plan,
        ref=mail.raw.ref,
        fate=Fate.FOLLOW_UP,
        ticket_of_mail=ticket.number,
        changed=(changed,),
        events=(event, *plan.events),
        outbox=plan.outbox + told,
    )
