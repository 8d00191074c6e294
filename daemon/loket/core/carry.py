"""Carry out an officer's order: one arm for each."""

from __future__ import annotations

from typing import assert_never

from loket.core import agenda, chores, deliver, recall, register, told, turnwish
from loket.core.errand import Done, Errand, may_work
from loket.core.orders import (
    Answer,
    Ask,
    Away,
    Cancel,
    Claim,
    GiveTurn,
    Help,
    Move,
    Note,
    Order,
    Register,
    Release,
    Schedule,
    SendAnyway,
    Snooze,
    Status,
    Unknown,
    Unschedule,
)


def carry_out(errand: Errand, order: Order) -> Done:  # noqa: PLR0912 - one arm for each order, and nothing else
    """What an order comes to: done, or why not."""
    if not isinstance(order, (Register, Status, Away, Help, Unknown)) and errand.ticket is None:
        return errand.refused("no-ticket")
    if (
        errand.ticket is not None
        and not isinstance(order, (Register, Away, Help))
        and not may_work(errand, errand.ticket)
    ):
        return errand.set_aside("not-your-queue")
    match order:
        case Answer():
            return deliver.answer(errand, order)
        case Move(target):
            return chores.move(errand, target)
        case Claim():
            return chores.claim(errand)
        case Release():
            return chores.release(errand)
        case Ask():
            return chores.ask(errand)
        case Snooze(until):
            return chores.snooze(errand, until)
        case Note():
            return chores.note(errand)
        case Schedule(text):
            return agenda.schedule(errand, text)
        case Unschedule():
            return agenda.unschedule(errand)
        case GiveTurn():
            return turnwish.give(errand)
        case Register():
            return register.register(errand)
        case Status():
            return told.status(errand)
        case Cancel():
            return recall.cancel(errand)
        case SendAnyway():
            return recall.send_anyway(errand)
        case Away(until):
            return told.away(errand, until)
        case Help():
            return told.help_(errand)
        case Unknown(said, nearest):
            return told.unknown(errand, said, nearest)
        case _:
            assert_never(order)
