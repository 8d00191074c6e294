"""The days off that nobody knows yet: the admin is told of a year once when it comes near, and once when it begins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from loket.core import context, tongue
from loket.core.calendar import NEXT_YEAR_MONTH, Unsettled, years_ahead
from loket.core.mail import Post
from loket.core.model import Event, Kind, Occurrence, Plan


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
