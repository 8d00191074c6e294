"""An answer that has not left: sent after all (`KIRIM`), called off or dropped (`BATAL`)."""

from __future__ import annotations

from dataclasses import replace

from loket.core import proof
from loket.core.deliver import OVERRULED, answered
from loket.core.errand import Done, Errand, unheld
from loket.core.item import state_text
from loket.core.model import Held, HeldState, Move, Phase, Ticket
from loket.core.orders import Answer
from loket.core.term import timed


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
    """`BATAL`: what has not left is called off and the ticket as it was; what was kept back is dropped."""
    ticket, mine = errand.about, errand.officer.address
    unsent = errand.known.unsent.get(ticket.number, [])
    undo = ticket.undo
    if undo is not None and undo.key in unsent:
        whose = ticket.asked_by if ticket.asked_by else ticket.answered_by
        if whose != mine:
            return errand.refused("not-yours", by=errand.name_of(whose))
        event = errand.event("called-off", key=undo.key)
        return errand.done(
            "petugas/dibatalkan",
            event,
            {"state_text": state_text(errand.post.office.language, undo.state)},
            changed=(_restored(errand, ticket),),
            moves=(Move(undo.key, Phase.CANCELLED),),
        )
    kept = held_of(errand)
    if kept:
        held = kept[-1]
        event = errand.event("called-off", key=held.key, held=True)
        said = {"state_text": state_text(errand.post.office.language, ticket.state)}
        return errand.done(
            "petugas/dibatalkan",
            event,
            said,
            held=(replace(held, state=HeldState.DROPPED),),
            moves=(Move(held.key, Phase.CANCELLED),),
        )
    return errand.refused("left-already" if undo is not None else "nothing-to-cancel")


def held_of(errand: Errand) -> list[Held]:
    """The officer's own answers to the ticket that are kept back, the latest last."""
    there = errand.known.held.get(errand.about.number, [])
    return [one for one in there if one.officer == errand.officer.address and one.state is HeldState.HELD]


def _restored(errand: Errand, ticket: Ticket) -> Ticket:
    undo, now = ticket.undo, errand.post.now
    if undo is None or (ticket.answered_at is None and ticket.asked_by is None):
        # Its applicant has written meanwhile: the ticket stands as that left it.
        return replace(ticket, undo=None, updated_at=now)
    restored = replace(
        unheld(ticket),
        state=undo.state,
        outcome=undo.outcome,
        answered_by=undo.answered_by,
        answered_at=undo.answered_at,
        closed_at=undo.closed_at,
        due_at=undo.due_at,
        missing=undo.missing,
        updated_at=now,
        undo=None,
    )
    # Days off may have changed meanwhile.
    return timed(restored, undo.term, errand.post.counter.calendar) if undo.term else restored
