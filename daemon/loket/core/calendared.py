"""An applicant's calendar has answered: accepted, declined, proposed another time, or called off (RFC 5546)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from loket.core import diary, slots
from loket.core.case import Case, timed_anew
from loket.core.headers import clean_text
from loket.core.known import Known
from loket.core.model import Booking, BookingState, Fate, InboundMail, Plan, Refusal, State, Ticket
from loket.core.office import Office
from loket.core.rsvp import Rsvp, rsvp
from loket.core.table import Table, table

# A calendar that moves an appointment more often than this is read by a person.
MOST_MOVES = 10
# No calendar speaks in these: a report may enclose our own invitation, and our own mail holds it.
_NO_ANSWER = (Refusal.DSN, Refusal.MDN, Refusal.OWN_MAIL, Refusal.OWN_ADDRESS, Refusal.NO_AUTHOR)


@dataclass(frozen=True, slots=True)
class Calendared:
    """The answer of a calendar to an invitation of ours, from its ticket's applicant; `refusal` forbids responses."""

    ticket: Ticket
    booking: Booking
    answer: Rsvp
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class CalendarOnly:
    """The answer of a calendar that changes nothing: an officer's own, a stranger's, or to no invitation of ours."""

    answer: Rsvp
    ticket: Ticket | None


def calendared(
    mail: InboundMail, office: Office, known: Known, refusal: Refusal | None
) -> Calendared | CalendarOnly | None:
    """Whether a calendar speaks, whatever marks of a machine the mail bears: most calendars' answers bear some."""
    if refusal in _NO_ANSWER:
        return None
    answer = rsvp(mail)
    author = mail.author.spec if mail.author else ""
    if answer is None or not author:
        return None
    booking = known.bookings.get(answer.uid)
    if booking is None and answer.method != "REPLY":
        # About an event of the author's own, which a person reads.
        return None
    ticket = known.tickets.get(booking.ticket) if booking is not None else None
    if booking is None or ticket is None or author in office.officers or author != ticket.applicant:
        return CalendarOnly(answer, ticket)
    return Calendared(ticket, booking, answer, refusal)


def only_noted(case: Case, found: CalendarOnly) -> Plan:
    """Recorded and no more: nothing happens on the word of somebody else's calendar."""
    answer, number = found.answer, found.ticket.number if found.ticket else None
    facts = {"method": answer.method, "attendance": answer.of(case.author), "comment": answer.comment}
    event = case.event("calendar-noted", number, **facts)
    fate = Fate.FOLLOW_UP if number else Fate.MACHINE
    return Plan(case.mail.raw.ref, fate, ticket_of_mail=number, events=(event,))


def decide_calendared(case: Case, found: Calendared) -> Plan:
    """The plan for a calendar's answer; one to an earlier state of the appointment only stands in the history."""
    ticket, booking, answer = found.ticket, found.booking, found.answer
    said = answer.of(case.author)
    facts = {"method": answer.method, "attendance": said, "sequence": answer.sequence, "comment": answer.comment}
    touched = replace(ticket, updated_at=case.now, last_message_id=case.mail.message_id or ticket.last_message_id)
    # Without a response: a machine answered, or one that must not be answered.
    silent = found.refusal is not None
    at = table(case.post, case.known, touched, str(case.mail.raw.ref), actor=case.author, mail=case.mail)
    stale = answer.sequence < booking.sequence or _older(answer, booking)
    plan = None
    if at is not None and not stale:
        plan = _answered(at, case, found, said, silent=silent)
    event = case.event("calendar-answered" if plan is not None else "calendar-noted", ticket.number, **facts)
    plan = plan if plan is not None else Plan(changed=(touched,))
    return replace(
        plan,
        ref=case.mail.raw.ref,
        fate=Fate.FOLLOW_UP,
        ticket_of_mail=ticket.number,
        changed=plan.changed or (touched,),
        events=(event, *plan.events),
    )


def _older(answer: Rsvp, booking: Booking) -> bool:
    """Two answers may overtake each other on their way; the later DTSTAMP is the word that counts."""
    return answer.stamp is not None and booking.stamp is not None and answer.stamp < booking.stamp


def _answered(at: Table, case: Case, found: Calendared, said: str, *, silent: bool) -> Plan | None:
    booking, answer = found.booking, found.answer
    if answer.method == "COUNTER":
        return _countered(at, case, found) if booking.live else None
    if answer.method == "CANCEL" or said == "declined":
        return _declined(at, booking, answer, silent=silent) if booking.live else None
    if answer.method == "REPLY" and said in ("accepted", "tentative"):
        return _accepted(at, case, booking, answer, said, silent=silent)
    return None


def _declined(at: Table, booking: Booking, answer: Rsvp, *, silent: bool) -> Plan:
    """The place is free; the applicant may still ask for another time."""
    stamped = replace(booking, stamp=answer.stamp or booking.stamp, attendance="declined")
    quiet = silent or not at.writes
    gone = diary.give_back(at, stamped, BookingState.DECLINED, "declined", silent=quiet)
    now = at.post.now
    ended = replace(
        at.ticket, state=State.CLOSED, closed_at=now, outcome=slots.CALLED_OFF, updated_at=now, due_at=None, term=None
    )
    if at.ticket.state is State.OPEN:
        # A question of theirs waits for an officer's answer still.
        ended = at.ticket
    return diary.together(gone, Plan(changed=(ended,), offers=diary.forget(at)))


def _accepted(at: Table, case: Case, booking: Booking, answer: Rsvp, said: str, *, silent: bool) -> Plan | None:
    """Noted; one that was declined before is taken anew where it can be."""
    if booking.live:
        return Plan(bookings=(replace(booking, attendance=said, stamp=answer.stamp or booking.stamp),))
    declined = booking.state is BookingState.DECLINED and at.own is None
    if not declined or booking.start not in at.book.free(case.now, at.ticket.number):
        return None if silent or not declined else diary.offer(at, "taken", wished=booking.start)
    return diary.take(at, booking.start, anew=booking)


def _countered(at: Table, case: Case, found: Calendared) -> Plan:
    """Another time is proposed: taken where it is free, by a REQUEST with a higher SEQUENCE; else told what is."""
    start, booking = found.answer.start, found.booking
    often = booking.sequence >= MOST_MOVES
    if start is None or often or (found.refusal is not None and start not in at.book.free(case.now, at.ticket.number)):
        return _to_a_person(at, case, found, start.isoformat() if start else "")
    return slots.pick(at, start)


def _to_a_person(at: Table, case: Case, found: Calendared, proposed: str) -> Plan:
    """What no rule settles is on the officers' desk; the appointment stands as it was."""
    opened = replace(at.ticket, state=State.OPEN, closed_at=None)
    opened = opened if at.ticket.state is State.OPEN else timed_anew(case, opened)
    comment = clean_text(found.answer.comment, 200)
    return Plan(changed=(opened,), events=(at.event("appointment-countered", start=proposed, comment=comment),))
