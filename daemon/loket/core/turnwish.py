"""A turn asked for, asked about or given up: an applicant's reply, and an officer's `GILIRAN`."""

from __future__ import annotations

import re
from dataclasses import replace

from loket.core import choice, lineup, turnmail
from loket.core.case import Case
from loket.core.choice import CallOff
from loket.core.command import own_words
from loket.core.errand import Done, Errand, holder, unheld
from loket.core.follow import join
from loket.core.headers import clean_text
from loket.core.model import End, Fate, Kind, Outbound, Plan, State, Ticket, Turn, Verdict
from loket.core.parse import body_text
from loket.core.slots import CALLED_OFF
from loket.core.term import begin, timed
from loket.core.turns import Line, over

# A longer letter is read by a person.
MUCH = 300
_AGAIN = re.compile(
    r"\b(?:giliran(?:nya)?|(?:meng|ng)?ant(?:re|ri)(?:an)?|urutan|di ?panggil|panggil(?:an)?(?: (?:lagi|ulang))"
    r"|terlewat|terlambat|my turn|turn|queue|call me|(?:be )?called|missed)\b",
    re.IGNORECASE,
)


def follow(case: Case, ticket: Ticket, verdict: Verdict) -> Plan | None:
    """What its applicant's reply says of their turn: no longer wanted, once more, or how long still; else None."""
    if turnmail.live_of(case.post, ticket.queue) is None or ticket.missing or verdict.refusal is not None:
        return None
    words = own_words(body_text(case.mail))
    if not words or len(words) > MUCH or case.mail.attachments:
        return None
    line = case.known.lines.get(ticket.queue, Line(ticket.queue))
    own = line.of(ticket.number)
    meant = choice.read(words, (), (), None, case.office.zone, case.now)
    if isinstance(meant, CallOff):
        return _withdrawn(case, ticket, own) if own is not None and "?" not in words else None
    if not _AGAIN.search(words):
        return None
    plan = join(case, ticket, verdict, own=True)
    return plan if own is not None and own.served else _in_line(case, plan, line, own)


def _withdrawn(case: Case, ticket: Ticket, own: Turn) -> Plan:
    """The place is the next one's, and the ticket at its end; whoever writes again has it opened."""
    mail, now = case.mail, case.now
    closed = replace(
        unheld(ticket),
        state=State.CLOSED,
        outcome=CALLED_OFF,
        due_at=None,
        term=None,
        updated_at=now,
        closed_at=now,
        last_message_id=mail.message_id or ticket.last_message_id,
    )
    post = lineup.at_counter(case.post, ticket)
    key = f"turn:{mail.raw.ref}"
    letter = turnmail.to_applicant(post, case.known, closed, Kind.STATUS, key, "umum/giliran-batal", mail=mail)
    event = case.event("follow-up", ticket.number, subject=clean_text(mail.subject), attachments=0)
    return Plan(
        mail.raw.ref,
        Fate.FOLLOW_UP,
        ticket_of_mail=ticket.number,
        changed=(closed,),
        turns=(over(own, End.WITHDRAWN, now),),
        events=(event,),
        outbox=(letter,),
    )


def _in_line(case: Case, plan: Plan, line: Line, own: Turn | None) -> Plan:
    """The place that the ticket has, or has from now on at the end of the line; said in a letter."""
    ticket = plan.changed[0]
    post = lineup.at_counter(case.post, ticket)
    turns = () if own is not None else (line.joined(ticket.number, case.now),)
    known = case.known.foreseen(Plan(turns=turns))
    letter = turnmail.to_applicant(
        post,
        known,
        ticket,
        Kind.STATUS,
        f"turn:{case.mail.raw.ref}",
        "umum/giliran-tempat",
        mail=case.mail,
        why="asked" if own is not None else "again",
    )
    return replace(plan, turns=turns, outbox=(*plan.outbox, letter))


def give(errand: Errand) -> Done:
    """`GILIRAN`: a place at the end of the line, for whoever was missed or is to be served in turn after all."""
    ticket, post, known = errand.about, errand.post, errand.known
    other = holder(errand, ticket)
    if turnmail.live_of(post, ticket.queue) is None:
        return errand.refused("no-turns")
    if other not in (None, errand.officer.address):
        return errand.refused("claimed", by=errand.name_of(other), at=errand.moment(ticket.claimed_until))
    line = known.lines.get(ticket.queue, Line(ticket.queue))
    own = line.of(ticket.number)
    if own is not None:
        return _told(errand, ticket, Plan(), line, "there")
    opened = replace(
        ticket, state=State.OPEN, closed_at=None, answered_at=None, missing=(), snoozed_until=None, updated_at=post.now
    )
    if ticket.state is not State.OPEN:
        opened = timed(unheld(opened), begin(post.office.queues[ticket.queue].due, post.now), post.counter.calendar)
    plan = Plan(changed=(opened,), turns=(line.joined(ticket.number, post.now),))
    return _told(errand, opened, plan, line.after(plan.turns), "given")


def _told(errand: Errand, ticket: Ticket, plan: Plan, line: Line, why: str) -> Done:
    post = errand.post
    known = errand.known.foreseen(plan)
    turn = turnmail.shown(post, known, ticket)
    letters: tuple[Outbound, ...] = ()
    if plan.turns and ticket.applicant and ticket.respond:
        key = f"turn:{errand.key}"
        letters = (
            turnmail.to_applicant(post, known, ticket, Kind.REMINDER, key, "umum/giliran-tempat", why="officer"),
        )
    event = errand.event("turn-given" if plan.turns else "status-told")
    told = {"why": why, "turn": turn, "waiting": len(line.waiting)}
    return errand.done("petugas/giliran-diberi", event, told, changed=plan.changed, turns=plan.turns, outbox=letters)
