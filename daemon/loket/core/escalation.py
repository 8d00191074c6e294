"""Items that near their due time or have passed it: their officers are reminded, then a supervisor hears of it (P17).

Nobody is reminded of what a colleague has in hand, of what was put off, or while the counter is closed. Each of the
three stages happens once for a ticket and a due time; one mail tells an officer of all that came up together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from loket.core import context, notice, token, tongue
from loket.core.calendar import Calendar
from loket.core.errand import in_hand
from loket.core.headers import clean_text
from loket.core.item import is_late, item
from loket.core.mail import Post
from loket.core.model import Event, Kind, Occurrence, Outbound, Plan, State, Ticket
from loket.core.office import Office, Officer
from loket.core.rules import Escalation

SOON, OVERDUE, ESCALATED = STAGES = ("due-soon", "overdue", "escalated")


@dataclass(frozen=True, slots=True)
class Watch:
    """What is looked for: due until then, this stage not happened, in these queues or in all but these."""

    stage: str
    until: datetime
    queues: tuple[str, ...]
    others: bool = False


def watches(office: Office, calendars: Iterable[Calendar], now: datetime) -> list[Watch]:
    """What the store is asked for: all that may have come up at counters of these calendars, and few terms of it."""
    by_rule: dict[Escalation, list[str]] = {}
    for name, queue in office.queues.items():
        if queue.escalation is not None:
            by_rule.setdefault(queue.escalation, []).append(name)
    of_their_own = tuple(name for names in by_rule.values() for name in names)
    different = {(calendar.zone.key, calendar.hours.text): calendar for calendar in calendars}.values()
    found = list(_watches(office.escalation, different, now, of_their_own, others=True))
    for rule, names in by_rule.items():
        found += _watches(rule, different, now, tuple(names), others=False)
    return found


def _watches(
    rule: Escalation, calendars: Iterable[Calendar], now: datetime, queues: tuple[str, ...], *, others: bool
) -> Iterator[Watch]:
    if rule.remind is not None:
        ahead = [calendar.after_open(now, calendar.length(rule.remind)) or now for calendar in calendars]
        yield Watch(SOON, max(ahead, default=now), queues, others)
        yield Watch(OVERDUE, now, queues, others)
    if rule.supervisor is not None:
        yield Watch(ESCALATED, now, queues, others)


def stages(rule: Escalation, calendar: Calendar, start: datetime, due: datetime, now: datetime) -> list[str]:
    """The stages that a ticket due from then until then has reached; one that has just come is never due soon."""
    reached = []
    if rule.remind is not None and due <= now:
        reached += [SOON, OVERDUE]
    elif rule.remind is not None:
        ahead = calendar.length(rule.remind)
        if calendar.open_between(now, due) <= ahead < calendar.open_between(start, due):
            reached.append(SOON)
    if rule.supervisor is not None and due <= now and calendar.open_between(due, now) >= calendar.length(rule.after):
        reached.append(ESCALATED)
    return reached


@dataclass(slots=True)
class _Round:
    """What one look at a counter comes to."""

    occurrences: list[Occurrence] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    reminded: dict[str, list[Ticket]] = field(default_factory=dict)
    told: dict[str, list[Ticket]] = field(default_factory=dict)


def escalate(post: Post, found: Iterable[tuple[Ticket, frozenset[str]]], away: Mapping[str, datetime]) -> Plan | None:
    """Everything that is due for these open tickets, of each with the stages that have happened; None for nothing."""
    calendar = post.counter.calendar
    if not calendar.is_open(post.now):
        return None
    done = _Round()
    for ticket, before in found:
        put_off = ticket.snoozed_until is not None and ticket.snoozed_until > post.now
        if ticket.state is not State.OPEN or ticket.due_at is None or put_off:
            continue
        rule = post.office.escalation_of(ticket.queue)
        start = ticket.term.start if ticket.term else ticket.created_at
        new = [stage for stage in stages(rule, calendar, start, ticket.due_at, post.now) if stage not in before]
        _remind(post, done, ticket, [stage for stage in new if stage != ESCALATED], away)
        if ESCALATED in new and rule.supervisor is not None:
            _happened(post, done, ticket, (ESCALATED,), [_present(post, rule.supervisor, away)])
            done.told.setdefault(_present(post, rule.supervisor, away), []).append(ticket)
    if not done.occurrences:
        return None
    outbox = [
        *(mail for who, tickets in done.reminded.items() for mail in _reminders(post, who, tickets)),
        *(mail for who, tickets in done.told.items() for mail in _reports(post, who, tickets, away)),
    ]
    return Plan(occurrences=tuple(done.occurrences), events=tuple(done.events), outbox=tuple(outbox))


def _remind(post: Post, done: _Round, ticket: Ticket, new: Sequence[str], away: Mapping[str, datetime]) -> None:
    """To whoever has it in hand, else to all who serve the queue and are here; where nobody is, it stays due."""
    holder = in_hand(ticket, post, away)
    people = [holder] if holder else [one.address for one in post.office.at_work(ticket.queue, away)]
    if not new or not people:
        return
    # A reminder that comes with or after the due time is no second one.
    _happened(post, done, ticket, new, people)
    for address in people:
        done.reminded.setdefault(address, []).append(ticket)


def _happened(post: Post, done: _Round, ticket: Ticket, new: Sequence[str], people: Sequence[str]) -> None:
    if ticket.due_at is None:
        raise ValueError("nothing is due")
    done.occurrences += [Occurrence(stage, ticket.number, ticket.due_at) for stage in new]
    facts = {"due": ticket.due_at.isoformat(), "to": list(people)}
    done.events.append(Event(post.now, new[-1], ticket.number, "loket", None, post.office.rules_hash, facts))


def _present(post: Post, address: str, away: Mapping[str, datetime]) -> str:
    """The supervisor, or who stands in for an absent one."""
    officer = post.office.officers.get(address)
    deputy = post.office.officers.get(officer.deputy or "") if officer and address in away else None
    return deputy.address if deputy and deputy.active and deputy.address not in away else address


def _first(stage: str, to: str, tickets: Sequence[Ticket]) -> str:
    """Unique, since a stage of the first ticket happens once for its due time."""
    due = tickets[0].due_at
    return f"{stage}:{to}:{tickets[0].number}:{due.isoformat() if due else ''}"


def _ordered(tickets: Sequence[Ticket]) -> list[list[Ticket]]:
    """By due time, as many in a mail as in a digest."""
    ordered = sorted(tickets, key=lambda ticket: (str(ticket.due_at), ticket.number))
    return [ordered[at : at + notice.MAX_ITEMS] for at in range(0, len(ordered), notice.MAX_ITEMS)]


def _reminders(post: Post, address: str, tickets: Sequence[Ticket]) -> Iterable[Outbound]:
    officer = post.office.officers[address]
    for some in _ordered(tickets):
        late = [ticket for ticket in some if is_late(ticket, post.now)]
        said = {
            **context.base(post.office, post.counter, post.now),
            "officer": context.officer(officer),
            "queues": notice.by_queue(post, [(ticket, item(post, ticket, officer, "")) for ticket in some]),
            "total": len(some),
            "late_total": len(late),
        }
        stage = OVERDUE if late else SOON
        yield _written(post, "petugas/batas-waktu", stage, officer, some, said)


def _reports(post: Post, address: str, tickets: Sequence[Ticket], away: Mapping[str, datetime]) -> Iterable[Outbound]:
    known = post.office.officers.get(address)
    person = known or Officer(address, "", ())
    for some in _ordered(tickets):
        said = {
            **context.base(post.office, post.counter, post.now),
            "officer": context.officer(person),
            "items": [_told(post, ticket, away) for ticket in some],
            "total": len(some),
        }
        yield _written(post, "petugas/eskalasi", ESCALATED, person, some, said)


def _told(post: Post, ticket: Ticket, away: Mapping[str, datetime]) -> dict[str, Any]:
    office, calendar = post.office, post.counter.calendar
    late = calendar.open_between(ticket.due_at, post.now) if ticket.due_at else timedelta()
    holder = office.officers.get(in_hand(ticket, post, away) or "")
    people = [holder] if holder else office.at_work(ticket.queue, away)
    return {
        "number": ticket.number,
        "about": ticket.about,
        "queue": office.queues[ticket.queue].title if ticket.queue in office.queues else ticket.queue,
        "applicant": clean_text(ticket.applicant_name) or ticket.applicant,
        "due": tongue.day_and_time(ticket.due_at, office.zone, office.language) if ticket.due_at else "",
        "late_by": tongue.working(late, office.language),
        "held": holder is not None,
        "people": [person.name for person in people],
        "note": ticket.note,
    }


def _written(
    post: Post, template: str, stage: str, to: Officer, tickets: Sequence[Ticket], said: Mapping[str, Any]
) -> Outbound:
    """An officer's answer finds its ticket; who is none has no token."""
    letters = post.office.letters
    about = tickets[0].number if len(tickets) == 1 else token.desk(post.office.prefix)
    return post.write(
        Kind.NOTICE,
        _first(stage, to.address, tickets),
        letters.render(template, said),
        to.address,
        to_name=to.name,
        root=post.keys.officer(about, to.address, post.now) if to.address in post.office.officers else None,
        ticket=tickets[0].number if len(tickets) == 1 else None,
        markup=letters.html(template, said),
    )
