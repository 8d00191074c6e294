"""Who steps into a line, who leaves it, and who is called for it: what any plan means for the turns of its tickets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from loket.core import turnmail
from loket.core.errand import in_hand
from loket.core.known import Known
from loket.core.mail import Post
from loket.core.model import End, Event, Kind, Outbound, Plan, State, Ticket, Turn
from loket.core.turns import Line, advance, lines_after, over

CAME, CALLED, ENDED = "turn-taken", "turn-called", "turn-over"


def lined(plan: Plan, post: Post, known: Known, cause: str) -> Plan:
    """The plan with what it means for turns: tickets that come and go, and whoever is called in their place.

    All of it happens in the plan's own transaction, or none of it.
    """
    tickets = {one.number: one for one in (*([plan.opened] if plan.opened else []), *plan.changed)}
    spoken = {one.ticket for one in plan.turns}
    quiet = [one for one in tickets.values() if one.number not in spoken]
    left = [turn for one in quiet for turn in _left(one, post, known)]
    lines = lines_after(known.lines, (*plan.turns, *left))
    came: list[Turn] = []
    for ticket in quiet:
        line = lines.get(ticket.queue, Line(ticket.queue))
        if line.of(ticket.number) is None and _comes(ticket, known.tickets.get(ticket.number), post):
            came.append(line.joined(ticket.number, post.now))
            lines = lines_after(lines, came[-1:])
    moves = (*plan.turns, *left, *came)
    if not moves:
        return plan
    there = replace(known, tickets={**known.tickets, **tickets}, lines=lines)
    called = [turn for queue in dict.fromkeys(one.queue for one in moves) for turn in _due(post, there, queue)]
    after = replace(there, lines=lines_after(lines, called))
    served = {one.ticket for one in called if one.served}
    moved = [one for one in came if one.ticket not in served and _was_elsewhere(tickets[one.ticket], known)]
    letters = [*_places(post, after, moved, cause), *_calls(post, after, called)]
    return replace(
        plan,
        turns=(*moves, *called),
        events=plan.events + _events(post, (*moves, *called)),
        outbox=plan.outbox + tuple(letters),
    )


def due(post: Post, known: Known, queue: str) -> Plan | None:
    """What the clock brings to a line, if anything."""
    called = _due(post, known, queue)
    if not called:
        return None
    after = replace(known, lines=lines_after(known.lines, called))
    return Plan(turns=tuple(called), events=_events(post, called), outbox=tuple(_calls(post, after, called)))


def at_counter(post: Post, ticket: Ticket) -> Post:
    """Writing from the ticket's own counter."""
    return replace(post, counter=post.office.counters.get(ticket.mailbox, post.counter))


def _left(ticket: Ticket, post: Post, known: Known) -> list[Turn]:
    """The turn that ends because its ticket is answered, ended or moved; an answer before it leaves it its place."""
    before = known.tickets.get(ticket.number)
    answered = ticket.answered_at is not None and (before is None or before.answered_at != ticket.answered_at)
    for line in known.lines.values():
        turn = line.of(ticket.number)
        if turn is None:
            continue
        if turn.queue != ticket.queue:
            return [over(turn, End.MOVED, post.now)]
        if answered and (turn.served or ticket.state is State.CLOSED):
            return [over(turn, End.ANSWERED, post.now)]
        if ticket.state is State.CLOSED:
            return [over(turn, End.CLOSED, post.now)]
    return []


def _comes(ticket: Ticket, before: Ticket | None, post: Post) -> bool:
    """Whether the ticket is in the line from now on: it is new there, or complete at last.

    A mail that no answer may go to has nobody who could be called; an officer can give it a turn.
    """
    if turnmail.live_of(post, ticket.queue) is None or ticket.state is not State.OPEN:
        return False
    if before is None:
        return ticket.respond or bool(ticket.channel)
    completed = bool(before.missing) and not ticket.missing and ticket.answered_at is None
    return before.queue != ticket.queue or completed


def _was_elsewhere(ticket: Ticket, known: Known) -> bool:
    """Whether an officer moved it here: no other letter has told its applicant."""
    before = known.tickets.get(ticket.number)
    return before is not None and not before.missing and bool(ticket.applicant) and ticket.respond


def _due(post: Post, known: Known, queue: str) -> list[Turn]:
    """Whose turn ends and who is called; of a queue that calls nobody any more, all are over.

    Tickets whose mailbox is gone cannot be written to: they are a person's.
    """
    line, live, counters = known.lines.get(queue, Line(queue)), turnmail.live_of(post, queue), post.office.counters
    seen = [known.tickets[turn.ticket] for turn in line.turns if turn.ticket in known.tickets]
    lost = {one.number for one in seen if one.mailbox not in counters}
    gone = [over(turn, End.GONE, post.now) for turn in line.turns if live is None or turn.ticket in lost]
    first = next((one for one in seen if one.number not in lost), None)
    if live is None or first is None:
        return gone
    moved = advance(
        line.after(gone),
        live,
        counters[first.mailbox].calendar,
        post.now,
        attended=turnmail.attended(post, queue, known),
    )
    # Those so far back that nobody looked them up are called at the next look at the clock, in their order.
    far = next((at for at, turn in enumerate(moved) if turn.served and turn.ticket not in known.tickets), len(moved))
    return [*gone, *moved[:far]]


def _places(post: Post, known: Known, turns: Sequence[Turn], cause: str) -> list[Outbound]:
    letters = []
    for turn in turns:
        ticket = known.tickets[turn.ticket]
        key = f"turn:{cause}:{turn.queue}:{turn.serial}"
        at = at_counter(post, ticket)
        letters.append(
            turnmail.to_applicant(at, known, ticket, Kind.REMINDER, key, "umum/giliran-tempat", why="officer")
        )
    return letters


def _calls(post: Post, known: Known, called: Sequence[Turn]) -> list[Outbound]:
    """The call of each, to its applicant and to the officers who have it: one of them, or all who are here."""
    letters: list[Outbound] = []
    for turn in called:
        if not turn.served:
            continue
        ticket = known.tickets[turn.ticket]
        at = at_counter(post, ticket)
        here = post.office.at_work(turn.queue, known.away)
        whose = in_hand(ticket, at, known.away)
        officers = [one for one in here if whose in (None, one.address)] or here
        letters += turnmail.calls(at, known, ticket, turn, officers)
    return letters


def _events(post: Post, turns: Sequence[Turn]) -> tuple[Event, ...]:
    """A line of history for each step, by the clock or by the mail whose plan it is (P18)."""
    found = []
    for turn in turns:
        detail: dict[str, object] = {"queue": turn.queue, "serial": turn.serial}
        if turn.end is not None:
            kind, detail = ENDED, {**detail, "end": turn.end.value}
        elif turn.ends_at is not None:
            kind, detail = CALLED, {**detail, "until": turn.ends_at.isoformat()}
        else:
            kind = CAME
        found.append(Event(post.now, kind, turn.ticket, "loket", None, post.office.rules_hash, detail))
    return tuple(found)
