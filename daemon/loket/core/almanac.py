"""The calendar as it changes: due times reckoned anew, and the days off that nobody knows yet.

The admin is told of a year once when it comes near, and once when it begins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from loket.core import context, tongue
from loket.core.calendar import NEXT_YEAR_MONTH, IsHoliday, Unsettled, years_ahead
from loket.core.mail import Post
from loket.core.model import Event, Kind, Occurrence, Plan, State, Ticket
from loket.core.office import Office
from loket.core.term import timed

# Under this name the store keeps which calendar the due times are by.
CALENDAR = "calendar"
# Due times further ahead than this are none; what is older is over.
_YEARS = 2


def fingerprint(office: Office, today: date) -> str:
    """What every due time depends on: the counters' hours and zone, and the days off around that day."""
    first = date(today.year - 1, 1, 1)
    days = [first + timedelta(days=number) for number in range((_YEARS + 1) * 366)]
    digest = hashlib.sha256()
    # Counters share their days off.
    off_by: dict[IsHoliday, str] = {}
    for address, counter in sorted(office.counters.items()):
        calendar = counter.calendar
        if calendar.is_holiday not in off_by:
            off_by[calendar.is_holiday] = " ".join(day.isoformat() for day in days if calendar.is_holiday(day))
        off = off_by[calendar.is_holiday]
        digest.update(f"{address}\0{calendar.zone.key}\0{calendar.hours.text}\0{off}\0".encode())
    return digest.hexdigest()[:16]


def reckoned(post: Post, ticket: Ticket) -> Plan | None:
    """The ticket due by the calendar as it is now; None where that changes nothing."""
    if ticket.state is not State.OPEN or ticket.term is None:
        return None
    moved = timed(ticket, ticket.term, post.counter.calendar)
    if moved.due_at == ticket.due_at:
        return None
    facts = {
        "before": ticket.due_at.isoformat() if ticket.due_at else None,
        "due": moved.due_at.isoformat() if moved.due_at else None,
    }
    event = Event(post.now, "due-moved", ticket.number, "loket", None, post.office.rules_hash, facts)
    return Plan(changed=(moved,), events=(event,))


def in_force(found: str) -> Plan:
    """All due times are by the calendar of that fingerprint."""
    return Plan(noted=((CALENDAR, found),))


def warnings(post: Post) -> Iterator[Plan]:
    """What is to be said of the years that matter now; each occurrence once (P17)."""
    office, today = post.office, post.now.astimezone(post.office.zone).date()
    if office.admin is None:
        return
    for year in years_ahead(today):
        unsettled = office.unsettled(year).from_day(today)
        if unsettled:
            since = date(year, 1, 1) if today.year == year else date(year - 1, NEXT_YEAR_MONTH, 1)
            due = datetime(since.year, since.month, since.day, tzinfo=office.zone)
            yield _warning(post, unsettled, due, office.admin)


def _warning(post: Post, unsettled: Unsettled, due: datetime, admin: str) -> Plan:
    office, year = post.office, unsettled.year
    said = {
        **context.base(office, post.counter, post.now),
        "officer": {"name": "", "address": admin},
        "year": year,
        "joint_leave": unsettled.no_joint_leave,
        "days": [
            {"day": tongue.date_text(day, office.language), "iso": day.isoformat(), "name": name}
            for day, name in unsettled.estimates
        ],
    }
    letter = office.letters.render("petugas/hari-libur", said)
    facts = {
        "year": year,
        "joint_leave": "missing" if unsettled.no_joint_leave else "known",
        "estimates": [day.isoformat() for day, _ in unsettled.estimates],
    }
    return Plan(
        occurrence=Occurrence(f"days-off:{year}", admin, due),
        events=(Event(post.now, "days-off-unsettled", None, "loket", None, office.rules_hash, facts),),
        outbox=(post.write(Kind.ALERT, f"days-off:{year}:{due:%Y-%m-%d}", letter, admin),),
    )
