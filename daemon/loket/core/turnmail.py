"""Letters about turns: the place in the line and how long it may take, the call, and who is called for the officers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from loket.core import context, deliver, tongue
from loket.core.item import item
from loket.core.known import Known
from loket.core.mail import Post
from loket.core.model import InboundMail, Kind, Outbound, Ticket, Turn
from loket.core.office import Officer
from loket.core.turns import Line, Live, Wait, begins, wait

ROUND = timedelta(minutes=5)


def live_of(post: Post, queue: str) -> Live | None:
    """How a queue calls in turn; None where it does not."""
    found = post.office.queues.get(queue)
    return found.live if found is not None else None


def attended(post: Post, queue: str, known: Known) -> bool:
    """Whether any officer of the queue is here to serve somebody."""
    return bool(post.office.at_work(queue, known.away))


def shown(post: Post, known: Known, ticket: Ticket) -> dict[str, Any] | None:
    """A ticket's turn as the templates see it, also of one that is about to step into the line.

    None where its queue calls nobody in turn.
    """
    live, counter = live_of(post, ticket.queue), post.office.counters.get(ticket.mailbox)
    if live is None or counter is None:
        return None
    line = known.lines.get(ticket.queue, Line(ticket.queue))
    own = line.of(ticket.number)
    served = own is not None and own.served
    expected = None if served else wait(line, live, counter.calendar, post.now, ticket.number)
    at_once = (
        expected is not None
        and not line.waiting
        and expected.high <= post.now
        and attended(post, ticket.queue, known)
        and begins(counter.calendar, live.length, post.now) == post.now
    )
    return {
        "place": 0 if served else line.place(ticket.number),
        "served": served,
        "at_once": at_once,
        "wait": waits(post, expected) if expected is not None else "",
        "until": clock(post, own.ends_at) if served and own is not None else "",
        "where": post.office.say(live.place(ticket.channel)),
        "length": tongue.span(live.length, post.office.language),
    }


def clock(post: Post, at: datetime | None) -> str:
    """`09.45 WIB`."""
    if at is None:
        return ""
    local = at.astimezone(post.office.zone)
    return f"{tongue.clock(f'{local:%H:%M}', post.office.language)} {local.tzname()}"


def waits(post: Post, expected: Wait) -> str:
    """The range as people say it: in minutes on the same day, by day and hour where the counter closes before."""
    now, zone, language = post.now, post.office.zone, post.office.language
    words = _WORDS.get(language, _WORDS["en"])
    low = now + (expected.low - now) // ROUND * ROUND
    high = now - (now - expected.high) // ROUND * ROUND
    today = now.astimezone(zone).date()
    if post.counter.calendar.is_open(now) and high.astimezone(zone).date() == today:
        least, most = low - now, max(high - now, ROUND)
        if least < ROUND:
            return words["most"].format(tongue.span(most, language))
        if least == most:
            return words["about"].format(tongue.span(most, language))
        if most < timedelta(hours=1):
            return words["minutes"].format(least // timedelta(minutes=1), most // timedelta(minutes=1))
        return words["range"].format(tongue.span(least, language), tongue.span(most, language))
    low, high = expected.low, expected.high
    if low.astimezone(zone).date() == high.astimezone(zone).date():
        if clock(post, low) == clock(post, high):
            return tongue.day_and_time(low, zone, language)
        return words["day"].format(tongue.day(low, zone, language), clock(post, low), clock(post, high))
    return words["days"].format(tongue.day_and_time(low, zone, language), tongue.day_and_time(high, zone, language))


_WORDS: Mapping[str, Mapping[str, str]] = {
    "id": {
        "most": "paling lama {}",
        "about": "sekitar {}",
        "minutes": "{}–{} menit",
        "range": "{} sampai {}",
        "day": "{}, antara pukul {} dan {}",
        "days": "antara {} dan {}",
    },
    "en": {
        "most": "{} at most",
        "about": "about {}",
        "minutes": "{}–{} minutes",
        "range": "{} to {}",
        "day": "{}, between {} and {}",
        "days": "between {} and {}",
    },
}


def said(post: Post, known: Known, ticket: Ticket, **more: Any) -> dict[str, Any]:
    """The variables of a letter to an applicant about their turn."""
    return {**context.ticket(post.office, post.counter, ticket, post.now, turn=shown(post, known, ticket)), **more}


def to_applicant(
    post: Post,
    known: Known,
    ticket: Ticket,
    kind: Kind,
    key: str,
    template: str,
    *,
    mail: InboundMail | None = None,
    why: str = "",
) -> Outbound:
    """A letter in the ticket's thread, to its applicant alone (P8); `post` writes from the ticket's counter."""
    spoken = post.speaking(ticket.language)
    letter = spoken.office.letters.render(template, said(spoken, known, ticket, why=why))
    answers = mail.message_id if mail is not None else ticket.last_message_id
    return spoken.write(
        kind,
        key,
        letter,
        ticket.applicant,
        to_name=ticket.applicant_name,
        root=spoken.keys.ticket(ticket.number),
        reply_to=answers,
        references=mail.references[-10:] if mail is not None else (),
        ticket=ticket.number,
    )


def calls(post: Post, known: Known, ticket: Ticket, turn: Turn, officers: Sequence[Officer]) -> list[Outbound]:
    """To whom it is the turn of, where they can be written to, and to the officers, who else have to call them.

    `known` is how the line stands after it. The keys are the turn's own: nobody is called twice.
    """
    key = f"turn-call:{turn.queue}:{turn.serial}"
    writes = bool(ticket.applicant) and ticket.respond
    letters = [to_applicant(post, known, ticket, Kind.CALL, key, "umum/giliran")] if writes else []
    told = shown(post, known, ticket)
    line = known.lines.get(turn.queue, Line(turn.queue))
    for officer in officers:
        facts = {
            **context.base(post.office, post.counter, post.now),
            "officer": context.officer(officer),
            "ticket": context.named(ticket),
            "queue": {"title": post.office.queues[ticket.queue].title, "next": ""},
            "item": item(post, ticket, officer, ""),
            "turn": told,
            "recipient": ticket.applicant if writes else "",
            "contact": deliver.reached(ticket) if ticket.channel else ticket.applicant,
            "waiting": len(line.waiting),
        }
        letter = post.office.letters.render("petugas/giliran", facts)
        letters.append(
            post.write(
                Kind.NOTICE,
                f"{key}:{officer.address}",
                letter,
                officer.address,
                to_name=officer.name,
                root=post.keys.officer(ticket.number, officer.address, post.now),
                ticket=ticket.number,
            )
        )
    return letters
