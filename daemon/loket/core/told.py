"""Commands that change no ticket: where things stand, who is away, which commands there are."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from loket.core import context, slotmail, story, turnmail
from loket.core.dates import read_first_day
from loket.core.errand import Done, Errand, holder
from loket.core.headers import clean_text
from loket.core.item import state_text
from loket.core.known import Known
from loket.core.model import Absence, HeldState, Kind, Outbound, State
from loket.core.office import Officer
from loket.core.turns import Line

_BACK = frozenset(["selesai", "berakhir", "masuk", "kembali", "batal", "back", "end", "over", "return", "none"])


def help_(errand: Errand) -> Done:
    """`BANTUAN`: the list."""
    return errand.done("petugas/bantuan", errand.event("helped"), {"commands": errand.commands()})


def unknown(errand: Errand, said: str, nearest: str) -> Done:
    """No command: told with the nearest, and the list."""
    event = errand.event("command-unknown", said=said[:60], nearest=nearest)
    told = {"said": clean_text(said, 60), "nearest": nearest, "commands": errand.commands()}
    return errand.done("petugas/tidak-dikenal", event, told)


def status(errand: Errand) -> Done:
    """`STATUS`: one ticket, or the officer's whole desk."""
    if errand.ticket is None:
        return _desk(errand)
    ticket, office = errand.ticket, errand.post.office
    queue = office.queues.get(ticket.queue)
    outcome = queue.outcomes.get(ticket.outcome or "") if queue else None
    mine = errand.known.held.get(ticket.number, [])
    own = next((one for one in errand.known.bookings.values() if one.live and one.ticket == ticket.number), None)
    said = {
        "queue": {"title": queue.title if queue else ticket.queue, "next": ""},
        "state_text": state_text(office.language, ticket.state),
        "since": errand.moment(ticket.created_at),
        "due_text": errand.moment(ticket.due_at),
        "late": ticket.state is State.OPEN and ticket.due_at is not None and ticket.due_at < errand.post.now,
        "by": errand.name_of(ticket.answered_by),
        "at": errand.moment(ticket.answered_at),
        "outcome_title": (outcome.title or ticket.outcome or "") if outcome else "",
        "holder": errand.name_of(holder(errand, ticket)),
        "until": context.day(errand.post, ticket.snoozed_until) if _ahead(errand, ticket.snoozed_until) else "",
        "note": ticket.note,
        "story": story.whole(office, story.chapters(errand.known, ticket, errand.post.now - office.related), ticket),
        "slot": slotmail.shown(errand.post, own) if own is not None else None,
        "turn": turnmail.shown(errand.post, errand.known, ticket) if _in_line(errand) else None,
        "kept": any(one.officer == errand.officer.address and one.state is HeldState.HELD for one in mine),
        "commands": errand.commands(),
    }
    return errand.done("petugas/keadaan", errand.event("status-told"), said)


def _in_line(errand: Errand) -> bool:
    line = errand.known.lines.get(errand.about.queue)
    return line is not None and line.of(errand.about.number) is not None


def _ahead(errand: Errand, at: datetime | None) -> bool:
    return at is not None and at > errand.post.now


def _desk(errand: Errand) -> Done:
    office, known, mine = errand.post.office, errand.known, errand.officer.address
    names = office.queues_of(errand.officer, known.away)
    waiting: list[dict[str, Any]] = [
        {
            "title": office.queues[name].title,
            "total": known.open_in_queue.get(name, 0),
            "late": known.late.get(name, 0),
            "line": _line(known, name) if office.queues[name].live is not None else None,
        }
        for name in names
        if name in office.queues
    ]
    taken = [
        {"number": ticket.number, "about": ticket.about, "until": errand.moment(ticket.claimed_until)}
        for ticket in known.tickets.values()
        if ticket.claimed_by == mine and ticket.state is State.OPEN and _ahead(errand, ticket.claimed_until)
    ]
    kept = [one.ticket for held in known.held.values() for one in held if one.officer == mine]
    said = {
        "waiting": waiting,
        "total": sum(one["total"] for one in waiting),
        "late_total": sum(one["late"] for one in waiting),
        "taken": taken,
        "kept": list(dict.fromkeys(kept)),
        "until": errand.moment(known.away.get(mine)),
        "now": errand.moment(errand.post.now),
    }
    return errand.done("petugas/meja", errand.event("status-told"), said)


def _line(known: Known, queue: str) -> dict[str, int]:
    line = known.lines.get(queue, Line(queue))
    return {"served": len(line.served), "waiting": len(line.waiting)}


def away(errand: Errand, argument: str) -> Done:
    """`CUTI`: no digests until the day after; the items go to the deputy, or stay with the queue's others."""
    post, officer, now = errand.post, errand.officer, errand.post.now
    words = argument.casefold().split()
    if words and words[0].strip(".,!") in _BACK:
        return errand.done(
            "petugas/cuti",
            errand.event("back"),
            {"until": "", "back": "", "deputy": "", "alone": []},
            absences=(Absence(officer.address, now),),
        )
    day, _ = read_first_day(argument, now.astimezone(post.office.zone).date())
    if day is None:
        return errand.refused("no-day")
    until = datetime.combine(day + timedelta(days=1), time(), post.office.zone)
    deputy = _deputy(errand)
    others = {**errand.known.away, officer.address: until}
    alone = [
        post.office.queues[queue].title
        for queue in officer.queues
        if queue in post.office.queues and not post.office.at_work(queue, others)
    ]
    said: dict[str, Any] = {
        "until": context.day(post, until - timedelta(days=1)),
        "back": context.day(post, post.counter.calendar.next_open(until) or until),
        "deputy": deputy.name if deputy else "",
        "alone": alone,
    }
    return errand.done(
        "petugas/cuti",
        errand.event("away", until=day.isoformat(), deputy=deputy.address if deputy else None),
        said,
        absences=(Absence(officer.address, until),),
        outbox=(_to_deputy(errand, deputy, said),) if deputy else (),
    )


def _deputy(errand: Errand) -> Officer | None:
    found = errand.post.office.officers.get(errand.officer.deputy or "")
    return found if found and found.active and found.address not in errand.known.away else None


def _to_deputy(errand: Errand, deputy: Officer, said: dict[str, Any]) -> Outbound:
    """Who stands in is told, and finds the items in the next digest."""
    post = errand.post
    told = {
        **context.base(post.office, post.counter, post.now),
        "officer": context.officer(deputy),
        "by": errand.officer.name,
        "until": said["until"],
        "queues": [post.office.queues[name].title for name in errand.officer.queues if name in post.office.queues],
    }
    letter = post.office.letters.render("petugas/wakil", told)
    return post.write(Kind.NOTICE, f"deputy:{errand.key}", letter, deputy.address, to_name=deputy.name)
