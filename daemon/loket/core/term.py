"""Due times: begun, stopped while the applicant is asked something, put off; always reckoned from the beginning.

A due time is a function of its term and the calendar, never of an earlier due time: so it stays right when hours or
days off change afterwards, whatever pauses there were.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from loket.core.anew import anew
from loket.core.calendar import Calendar
from loket.core.model import Term, Ticket
from loket.core.worktime import WorkingTime


def begin(due: WorkingTime | None, now: datetime) -> Term | None:
    """A whole term from now on; None in a queue that sets no time."""
    return Term(now, due.high, due.unit) if due else None


def stop(term: Term | None, now: datetime) -> Term | None:
    """The time stands still from now on."""
    if term is None or term.stands_still:
        return term
    return replace(term, pauses=(*term.pauses, (now, None)))


def go_on(term: Term | None, now: datetime) -> Term | None:
    """The time runs again, where it stood still."""
    if term is None or not term.stands_still:
        return term
    return replace(term, pauses=(*term.pauses[:-1], (term.pauses[-1][0], now)))


def put_off(term: Term | None, day: date) -> Term | None:
    """Due no sooner than the end of that day."""
    return replace(term, put_off=day) if term else None


def due_at(term: Term | None, calendar: Calendar) -> datetime | None:
    """When the term is over; None while it stands still, or in a calendar without any opening."""
    if term is None or term.stands_still:
        return None
    at = calendar.by(term.start, WorkingTime(low=1, high=term.amount, unit=term.unit))
    for since, until in term.pauses:
        if at is None or until is None:
            return None
        at = calendar.after_open(until, calendar.open_between(since, max(since, at)))
    if at is not None and term.put_off is not None:
        first = calendar.next_open(datetime.combine(term.put_off, time(), calendar.zone))
        at = max(at, calendar.closing(first.date())) if first is not None else at
    return at


def worked(term: Term, calendar: Calendar, now: datetime) -> timedelta:
    """The working time since its beginning, without its pauses."""
    whole = calendar.open_between(term.start, now)
    return whole - sum((calendar.open_between(since, until or now) for since, until in term.pauses), timedelta())


def timed(ticket: Ticket, term: Term | None, calendar: Calendar) -> Ticket:
    """The ticket with that term, and due accordingly."""
    return anew(ticket, term=term, due_at=due_at(term, calendar))
