"""An answer that has not left: sent after all (`KIRIM`), called off or dropped (`BATAL`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from loket.core import proof
from loket.core.deliver import OVERRULED, answered, chain, chained
from loket.core.errand import Done, Errand, unheld
from loket.core.item import state_text
from loket.core.model import Held, HeldState, Move, Phase, State, Ticket, Undo
from loket.core.orders import Answer
from loket.core.term import stop, timed


def send_anyway(errand: Errand) -> Done:
    """`KIRIM`: the answer that came second leaves after all, on its author's word."""
    ticket = errand.about
    mine = [one for one in held_of(errand) if one.reason in OVERRULED]
    if not mine:
        return errand.refused("nothing-held")
    held = mine[-1]
    there = errand.post.office.queues.get(ticket.queue)
    outcome = there.outcomes.get(held.outcome) if there else None
    if outcome is None:
        # The ticket has moved, or the rules have: the letter says what is no outcome any more.
        return errand.refused("outcome-gone")
    if held.recipient != ticket.applicant:
        # It was written to another address than the ticket has now (promise P14).
        return _dropped(errand, held, "other-recipient")
    if proof.missing_later(outcome):
        return _to_be_confirmed(errand, held)
    files = [{"name": name, "size": size, "sha256": sha256} for name, size, sha256 in held.files]
    told = {"words": "", "argument": held.argument}
    return answered(errand, Answer(held.outcome, outcome), held, files, told)


def _to_be_confirmed(errand: Errand, held: Held) -> Done:
    """It leaves no sooner than any other such letter: with a code."""
    done = errand.refused(proof.UNCONFIRMED)
    return replace(done, plan=replace(done.plan, held=(replace(held, reason=proof.UNCONFIRMED, at=errand.post.now),)))


def cancel(errand: Errand) -> Done:
    """`BATAL`: the officer's latest answer that has not left is called off; else what was kept back is dropped."""
    ticket, mine = errand.about, errand.officer.address
    unsent = errand.known.unsent.get(ticket.number, [])
    answers = chain(ticket.undo)
    waiting = [one for one in answers if one.key in unsent]
    own = next((one for one in waiting if one.by == mine), None)
    if own is not None:
        return _called_off(errand, own, answers)
    if waiting:
        return errand.refused("not-yours", by=errand.name_of(waiting[0].by))
    kept = held_of(errand)
    if kept:
        return _dropped(errand, kept[-1])
    return errand.refused("left-already" if answers else "nothing-to-cancel")


def _called_off(errand: Errand, undo: Undo, answers: list[Undo]) -> Done:
    """The letter does not leave. The latest answer gives way to how the ticket was; under a later one it stays."""
    after = without(errand.about, undo.key, errand.post.now)
    if undo == answers[0] and after.term:
        # Days off may have changed meanwhile.
        after = timed(after, after.term, errand.post.counter.calendar)
    return errand.done(
        "petugas/dibatalkan",
        errand.event("called-off", key=undo.key),
        {"state_text": state_text(errand.post.office.language, after.state)},
        changed=(after,),
        moves=(Move(undo.key, Phase.CANCELLED),),
    )


def _dropped(errand: Errand, held: Held, reason: str = "") -> Done:
    """What was kept back will not leave; with a reason, since it must not."""
    changes: dict[str, Any] = {
        "held": (replace(held, state=HeldState.DROPPED),),
        "moves": (Move(held.key, Phase.CANCELLED),),
    }
    if reason:
        refused = errand.refused(reason)
        return replace(refused, plan=replace(refused.plan, **changes))
    event = errand.event("called-off", key=held.key, held=True)
    said = {"state_text": state_text(errand.post.office.language, errand.about.state)}
    return errand.done("petugas/dibatalkan", event, said, **changes)


def held_of(errand: Errand) -> list[Held]:
    """The officer's own answers to the ticket that are kept back, the latest last."""
    there = errand.known.held.get(errand.about.number, [])
    return [one for one in there if one.officer == errand.officer.address and one.state is HeldState.HELD]


def without(ticket: Ticket, key: str, now: datetime) -> Ticket:
    """The ticket once its answer of that key will not leave; as it is where none of its answers has that key."""
    ticket = replace(ticket, given=tuple(one for one in ticket.given if one.key != key))
    answers = chain(ticket.undo)
    at = next((at for at, one in enumerate(answers) if one.key == key), None)
    if at is None:
        return ticket
    undo = answers[at]
    if at > 0:
        # Were the later one called off as well, the ticket goes back to before both.
        above = replace(undo, key=answers[at - 1].key, by=answers[at - 1].by)
        return replace(ticket, undo=chained([*answers[: at - 1], above, *answers[at + 1 :]]), updated_at=now)
    if ticket.answered_at is None and ticket.asked_by is None:
        # Its applicant has written meanwhile, or the letter came back: the ticket stands as that left it.
        return replace(ticket, undo=undo.earlier, updated_at=now)
    return replace(
        unheld(ticket),
        state=undo.state,
        outcome=undo.outcome,
        answered_by=undo.answered_by,
        answered_at=undo.answered_at,
        closed_at=undo.closed_at,
        due_at=undo.due_at,
        missing=undo.missing,
        term=undo.term or ticket.term,
        updated_at=now,
        undo=undo.earlier,
    )


def again(ticket: Ticket, key: str, state: State, now: datetime) -> Ticket | None:
    """The ticket once its answer of that key, which came back, goes out once more; `state` is what the answer made it.

    None where the answer is not the ticket's last any more: another has been given since.
    """
    if ticket.undo is None or ticket.undo.key != key or ticket.answered_at is not None:
        return None
    waits = state is State.WAITING
    return replace(
        unheld(ticket),
        state=state,
        answered_at=now,
        closed_at=now if state is State.CLOSED else None,
        term=stop(ticket.term, now) if waits else ticket.term,
        due_at=None if waits else ticket.due_at,
        updated_at=now,
    )
