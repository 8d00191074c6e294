"""Where does my ticket stand? Told to its own applicant alone."""

from __future__ import annotations

from dataclasses import replace

from loket.core import context, slotmail, story, tongue, turnmail
from loket.core.case import Case, promised, reply
from loket.core.model import (
    Fate,
    Kind,
    Plan,
    Verdict,
)


def status(case: Case, verdict: Verdict) -> Plan:
    """Where a ticket stands, told to its own applicant alone; anyone else learns nothing."""
    mail, office = case.mail, case.office
    asked = verdict.fields["nomor"]
    ticket = case.known.tickets.get(asked)
    mine = ticket is not None and ticket.applicant == case.author
    event = case.event("status-asked", ticket.number if ticket and mine else None, asked=asked, told=mine)
    plan = Plan(mail.raw.ref, Fate.STATUS, ticket_of_mail=ticket.number if ticket and mine else None, events=(event,))
    if verdict.refusal is not None:
        return plan
    post = case.post.speaking(ticket.language if ticket and mine else case.language)
    office, counter = post.office, post.counter
    if ticket is not None and mine:
        outcome = (
            office.queues[ticket.queue].outcomes.get(ticket.outcome or "") if ticket.queue in office.queues else None
        )
        own = next((one for one in case.known.bookings.values() if one.live and one.ticket == ticket.number), None)
        offer = case.known.offers.get(ticket.number)
        line = case.known.lines.get(ticket.queue)
        in_line = line is not None and line.of(ticket.number) is not None
        turn = turnmail.shown(post, case.known, ticket) if in_line else None
        said = {
            **context.ticket(
                office,
                counter,
                ticket,
                case.now,
                turn=turn,
                due=promised(case, ticket, 0),
                history=story.told(post, case.known, ticket),
            ),
            "state": ticket.state.value,
            "slot": slotmail.shown(post, own) if own is not None else None,
            "waiting": offer is not None and offer.waiting is not None,
            "outcome_title": outcome.title if outcome else "",
            "since": tongue.day_and_time(ticket.created_at, office.zone, office.language),
            "updated": tongue.day_and_time(ticket.updated_at, office.zone, office.language),
        }
        return replace(plan, outbox=(reply(case, ticket, Kind.STATUS, "umum/status", said),))
    said = {**context.base(office, counter, case.now, mail.author.name if mail.author else ""), "asked": asked}
    letter = office.letters.render("umum/status-tidak-ada", said)
    answer = post.write(
        Kind.STATUS,
        f"status:{mail.raw.ref}",
        letter,
        case.author,
        reply_to=mail.message_id,
        references=mail.references[-10:],
    )
    return replace(plan, outbox=(answer,))
