"""The weekly mail to the head of the office: the figures as a table, and a picture that the HTML shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from loket.core import context, tongue
from loket.core.compose import Enclosure
from loket.core.figures import Chart, Figures, Row, Step, Week, figures
from loket.core.mail import Post
from loket.core.model import Event, Kind, NewFile, Occurrence, Plan
from loket.core.office import Office, Officer

# The picture shows so many weeks, the last of them the report's.
WEEKS = 8
_WORDS = {
    "id": ("Masuk dan dijawab per minggu", "masuk", "dijawab", "Menunggu di akhir minggu", "terlambat"),
    "en": ("Came and answered, by week", "came", "answered", "Waiting at the end of the week", "late"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """A week's figures, and how many came and were answered in the weeks before."""

    figures: Figures
    trend: tuple[tuple[Week, Row], ...]


def report(steps: Sequence[Step], week: Week, office: Office, now: datetime) -> Report:
    """The report of a week, counted from steps since `first_week(week)`."""
    weeks = [week.before(back) for back in range(WEEKS - 1, -1, -1)]
    found = [figures(steps, one, office.zone, now, office.officers) for one in weeks]
    # As the configuration has them; what has gone from it comes last.
    queues, officers = list(office.queues), list(office.officers)
    last = replace(
        found[-1],
        queues=tuple(sorted(found[-1].queues, key=lambda row: _place(queues, row.name))),
        officers=tuple(sorted(found[-1].officers, key=lambda row: _place(officers, row.name))),
    )
    return Report(last, tuple((one.week, one.total) for one in found))


def _place(names: Sequence[str], wanted: str) -> int:
    return names.index(wanted) if wanted in names else len(names)


def first_week(week: Week) -> Week:
    """The first week that a report looks at."""
    return week.before(WEEKS - 1)


def last_whole_week(office: Office, at: datetime) -> Week:
    """The last week that is over at that moment."""
    return Week.of(at.astimezone(office.zone).date()).before()


def title(office: Office, queue: str) -> str:
    """How people call a queue, also one that has gone from the rules."""
    return office.queues[queue].title if queue in office.queues else queue


def name(office: Office, officer: str) -> str:
    """How people call an officer, also one who has gone from the configuration."""
    return office.officers[officer].name if officer in office.officers else officer


def chart(of: Report, office: Office) -> Chart:
    """What the picture shows."""
    head, came, answered, waiting, late = _WORDS.get(office.language, _WORDS["en"])
    return Chart(
        head,
        came,
        answered,
        waiting,
        late,
        tuple((f"{week.monday:%d.%m.}", row.arrivals + row.returned, row.answered) for week, row in of.trend),
        tuple((title(office, row.name), row.waiting, row.late) for row in of.figures.queues if row.waiting),
    )


def letter(post: Post, of: Report, to: str, occurrence: Occurrence, picture: NewFile) -> Plan:
    """The mail to one reader; its picture is kept with it."""
    office, week = post.office, of.figures.week
    person = office.officers.get(to) or Officer(to, "", ())
    cid = f"{week}.{picture.file.sha256[:16]}@{post.counter.address.rpartition('@')[2]}"
    rows = [_shown(row, title(office, row.name), office) for row in of.figures.queues]
    officers = [_shown(row, name(office, row.name), office) for row in of.figures.officers]
    said = {
        **context.base(office, post.counter, post.now),
        "officer": context.officer(person),
        "week": {
            "name": str(week),
            "first": tongue.date_text(week.monday, office.language),
            "last": tongue.date_text(week.sunday, office.language),
        },
        "rows": rows,
        "officers": officers,
        "groups": [{"of": of_, "rows": some} for of_, some in (("queues", rows), ("officers", officers)) if some],
        "whole": _shown(of.figures.total, "", office),
        "picture": cid,
    }
    mail = post.write(
        Kind.DIGEST,
        f"{occurrence.what}:{to}:{occurrence.due_at.isoformat()}",
        office.letters.render("petugas/laporan", said),
        to,
        to_name=person.name,
        markup=office.letters.html("petugas/laporan", said),
        enclosures=[Enclosure(picture.file, f"{week}.png", "image/png", content_id=cid)],
    )
    calendar = post.counter.calendar
    if not calendar.works(post.now.astimezone(office.zone).date()):
        mail = replace(mail, not_before=calendar.next_open(post.now))
    event = Event(post.now, "reported", None, "loket", None, office.rules_hash, {"week": str(week), "to": to})
    return Plan(occurrence=occurrence, events=(event,), outbox=(mail,), files=(picture,))


def _shown(row: Row, called: str, office: Office) -> dict[str, Any]:
    keeping = row.due_keeping
    return {
        "name": called,
        "arrivals": row.arrivals,
        "returned": row.returned,
        "answered": row.answered,
        "waiting": row.waiting,
        "late": row.late,
        "pace": tongue.working(timedelta(seconds=row.pace), office.language) if row.pace is not None else "",
        "kept": row.kept,
        "of_due": row.of_due,
        "percent": round(keeping * 100) if keeping is not None else None,
    }
