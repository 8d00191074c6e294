"""A ticket on the table with the book of its queue's appointments open beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from loket.core.appointments import Appointments, Book, book
from loket.core.known import Known
from loket.core.mail import Post
from loket.core.model import Booking, Event, InboundMail, Ticket


@dataclass(frozen=True, slots=True)
class Table:
    """A ticket's queue with its book open before us; `post` writes from the ticket's own counter.

    `cause` makes the letters of this step unique, `actor` and `mail` stand on its events. `personal`: an officer says
    so, and the applicant is written to whatever their mail was like.
    """

    post: Post
    known: Known
    ticket: Ticket
    settings: Appointments
    cause: str
    actor: str = "loket"
    mail: InboundMail | None = None
    personal: bool = False
    words: str = ""

    @property
    def book(self) -> Book:
        """The queue's appointments as they stand."""
        calendar = self.post.counter.calendar
        known = self.known
        return book(self.ticket.queue, self.settings, calendar, known.bookings.values(), known.offers.values())

    @property
    def own(self) -> Booking | None:
        """The ticket's appointment, where it has one."""
        return self.book.of(self.ticket.number)

    @property
    def writes(self) -> bool:
        """Whether its applicant may be written to."""
        return bool(self.ticket.applicant) and (self.ticket.respond or self.personal)

    def event(self, kind: str, **detail: object) -> Event:
        """A line of history."""
        post = self.post
        mail = str(self.mail.raw.ref) if self.mail else None
        return Event(post.now, kind, self.ticket.number, self.actor, mail, post.office.rules_hash, detail)


def table(
    post: Post,
    known: Known,
    ticket: Ticket,
    cause: str,
    *,
    actor: str = "loket",
    mail: InboundMail | None = None,
    personal: bool = False,
    words: str = "",
) -> Table | None:
    """The book open at a ticket; None where its queue does not work by appointment."""
    queue = post.office.queues.get(ticket.queue)
    counter = post.office.counters.get(ticket.mailbox)
    if queue is None or queue.appointments is None or counter is None:
        return None
    at_counter = replace(post, counter=counter)
    return Table(at_counter, known, ticket, queue.appointments, cause, actor, mail, personal, words)
