"""What officers do with a ticket beside answering: move, take, give back, ask, put off, note."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, time

from loket.core import context, notice
from loket.core.dates import read_first_day
from loket.core.deliver import before, reached
from loket.core.entering import entered
from loket.core.errand import Done, Errand, holder, unheld
from loket.core.headers import clean_text
from loket.core.model import Kind, Outbound, State, Ticket
from loket.core.office import Officer
from loket.core.term import begin, go_on, put_off, stop, timed

MAX_NOTE = 500
# What people put around a target: `ALIH ke <persuratan>.`
_EDGES = re.compile(r"^[\s.,;:<>\[\]()\"']*(?:(?:ke|kepada|to)\s+)?[<\[(\"']*|[\s.,;:<>\[\]()\"']+$")


def move(errand: Errand, target: str) -> Done:
    """`ALIH`: the ticket waits in another queue, its due time begins anew; or it is given to a colleague."""
    office, now, ticket = errand.post.office, errand.post.now, errand.about
    wanted = _EDGES.sub("", target.casefold())
    other = holder(errand, ticket)
    if other not in (None, errand.officer.address):
        return _taken(errand, ticket)
    if wanted in office.queues:
        moved = replace(
            unheld(ticket),
            queue=wanted,
            state=State.OPEN,
            missing=(),
            updated_at=now,
            closed_at=None,
            answered_at=None,
        )
        moved = timed(moved, begin(office.queues[wanted].due, now), errand.post.counter.calendar)
        moved, entries = entered(moved, office, errand.known, now)
        event = errand.event("moved", before=ticket.queue, queue=wanted, registered=moved.registered)
        said = {"target": office.queues[wanted].title, "entered": moved.registered if entries else ""}
        return errand.done("petugas/dipindah", event, said, changed=(moved,), entries=entries)
    people = [one for one in office.officers.values() if one.active and wanted in (one.address, one.name.casefold())]
    if len(people) != 1:
        return errand.refused("unknown-target", target=clean_text(target, 60), queues=sorted(office.queues))
    return _give(errand, people[0])


def _give(errand: Errand, to: Officer) -> Done:
    """To a colleague, who has it as if they had taken it, and is told at once."""
    ticket, post = errand.about, errand.post
    away = errand.known.away.get(to.address)
    if away is not None:
        return errand.refused("officer-away", by=to.name, at=errand.moment(away))
    if ticket.state is State.CLOSED:
        return errand.refused("closed")
    given = replace(_claimed(errand, unheld(ticket), to.address), state=State.OPEN, updated_at=post.now)
    if given.term is not None and given.term.stands_still:
        given = timed(given, go_on(given.term, post.now), post.counter.calendar)
    told = notice.single(post, given, to, f"given:{errand.key}", why="given", by=errand.officer.name)
    event = errand.event("given", to=to.address)
    said = {"target": to.name, "entered": ""}
    return errand.done("petugas/dipindah", event, said, changed=(given,), outbox=(told,))


def _claimed(errand: Errand, ticket: Ticket, by: str) -> Ticket:
    until = errand.post.counter.calendar.after_open(errand.post.now, errand.post.office.claim)
    return replace(ticket, claimed_by=by, claimed_until=until)


def _taken(errand: Errand, ticket: Ticket) -> Done:
    until = None if ticket.state is State.WAITING else ticket.claimed_until
    return errand.refused("claimed", by=errand.name_of(holder(errand, ticket)), at=errand.moment(until))


def claim(errand: Errand) -> Done:
    """`AMBIL`: out of the colleagues' digests, for so many hours of opening time."""
    ticket, mine = errand.about, errand.officer.address
    if holder(errand, ticket) not in (None, mine):
        return _taken(errand, ticket)
    if ticket.state is State.CLOSED:
        return errand.refused("closed")
    taken = replace(_claimed(errand, ticket, mine), updated_at=errand.post.now)
    event = errand.event("claimed", until=taken.claimed_until.isoformat() if taken.claimed_until else None)
    said = {"until": errand.moment(taken.claimed_until), "taken": True}
    return errand.done("petugas/diambil", event, said, changed=(taken,))


def release(errand: Errand) -> Done:
    """`LEPAS`: everybody's again, as it does by itself when the time is over."""
    ticket = errand.about
    whose = holder(errand, ticket)
    if whose != errand.officer.address or ticket.state is State.WAITING:
        return errand.refused("not-taken", by=errand.name_of(whose))
    freed = replace(ticket, claimed_by=None, claimed_until=None, updated_at=errand.post.now)
    event = errand.event("released")
    return errand.done("petugas/diambil", event, {"until": "", "taken": False}, changed=(freed,))


def ask(errand: Errand) -> Done:
    """`TANYA`: the officer's question leaves for the applicant; the due time stands still until the answer is here."""
    ticket, post, words = errand.about, errand.post, errand.words()
    other = holder(errand, ticket)
    if other not in (None, errand.officer.address):
        return _taken(errand, ticket)
    for wrong, reason in (
        (ticket.state is State.CLOSED, "closed"),
        (not words, "words-required"),
        (errand.scans is None or bool(errand.scans), "attachment-forbidden"),
        (not ticket.applicant, "no-applicant"),
    ):
        if wrong:
            return errand.refused(reason, contact=reached(ticket) if ticket.channel else "")
    letter = _question(errand, words)
    asked = replace(
        unheld(ticket),
        state=State.WAITING,
        missing=(),
        asked_by=errand.officer.address,
        term=stop(ticket.term, post.now),
        due_at=None,
        updated_at=post.now,
        undo=before(errand, letter.key),
    )
    said = {"recipient": context.masked(ticket.applicant), "words": words}
    event = errand.event("asked", recipient=ticket.applicant)
    return errand.done("petugas/ditanyakan", event, said, changed=(asked,), outbox=(letter,))


def _question(errand: Errand, words: str) -> Outbound:
    ticket, spoken = errand.about, errand.post.speaking(errand.about.language)
    said = {**context.ticket(spoken.office, spoken.counter, ticket, spoken.now), "words": words}
    return spoken.write(
        Kind.QUESTION,
        f"question:{errand.key}",
        spoken.office.letters.render("umum/pertanyaan", said),
        ticket.applicant,
        to_name=ticket.applicant_name,
        root=spoken.keys.ticket(ticket.number),
        reply_to=ticket.last_message_id,
        ticket=ticket.number,
    )


def snooze(errand: Errand, argument: str) -> Done:
    """`TUNDA`: out of the digests until a day; due no sooner than the end of that day."""
    ticket, post = errand.about, errand.post
    other = holder(errand, ticket)
    if other not in (None, errand.officer.address):
        return _taken(errand, ticket)
    if ticket.state is State.CLOSED:
        return errand.refused("closed")
    today = post.now.astimezone(post.office.zone).date()
    day, why = read_first_day(argument, today)
    if day is None or day <= today:
        return errand.refused("no-day")
    until = datetime.combine(day, time(), post.office.zone)
    note = _noted(errand, why) if why else ticket.note
    snoozed = replace(ticket, snoozed_until=until, note=note, updated_at=post.now)
    if ticket.due_at is not None:
        snoozed = timed(snoozed, put_off(ticket.term, day), post.counter.calendar)
    event = errand.event("snoozed", until=day.isoformat(), why=clean_text(why, MAX_NOTE))
    said = {"until": context.day(post, until), "due_text": errand.moment(snoozed.due_at)}
    return errand.done("petugas/ditunda", event, said, changed=(snoozed,))


def note(errand: Errand) -> Done:
    """`CATATAN`: kept with the ticket and shown to the officers."""
    words = errand.words()
    if not words:
        return errand.refused("note-required")
    noted = replace(errand.about, note=_noted(errand, words))
    return errand.done("petugas/dicatat", errand.event("noted", words=words), {"note": noted.note}, changed=(noted,))


def _noted(errand: Errand, words: str) -> str:
    return f"{errand.officer.name}: {clean_text(words, MAX_NOTE)}"
