"""A letter comes into the office's register, once and for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from loket.core.known import Known
from loket.core.model import Entry, Ticket
from loket.core.office import Office


def entered(ticket: Ticket, office: Office, known: Known, now: datetime) -> tuple[Ticket, tuple[Entry, ...]]:
    """The ticket with its number in the register of its queue, and the new entry; as it is where it has one already.

    A number is a letter's for good: it stays when the ticket moves on, and no other letter gets it.
    """
    queue = office.queues.get(ticket.queue)
    if queue is None or queue.agenda is None or ticket.registered:
        return ticket, ()
    day = now.astimezone(office.zone).date()
    number = known.entries.get((queue.agenda.name, day.year), 0) + 1
    text = queue.agenda.text(number, day)
    return replace(ticket, registered=text), (Entry(queue.agenda.name, day.year, number, text, ticket.number, now),)
