"""The counter that works by appointment, in core alone: applicants, their calendars, and the clock that a test sets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from loket.core.appointments import Book, book
from loket.core.model import Booking, Offer, Outbound, Plan, Ticket
from tests.core.desk import DITLAI, KEYS, Desk, Kept, letter, office, standard

WIB = ZoneInfo("Asia/Jakarta")
QUEUE = "konsultasi-zoom"
SITI, BUDI, DEWI = "siti@jamusari.example", "budi@herbal.example", "dewi@pom.go.id"


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of the year of the tests, in Jakarta."""
    return datetime(2026, month, day, hour, minute, tzinfo=WIB)


def house(**settings: Any) -> Any:
    """The shipped office with other settings of its appointments."""
    whole = office()
    queue = whole.queues[QUEUE]
    assert queue.appointments is not None
    fixed = queue.appointments.model_copy(update=settings)
    queues = {**whole.queues, QUEUE: queue.model_copy(update={"appointments": fixed})}
    tongues = {
        name: replace(one, queues={**one.queues, QUEUE: queue.model_copy(update={"appointments": fixed})})
        for name, one in whole.tongues.items()
    }
    return replace(whole, queues=queues, tongues=tongues)


@dataclass(slots=True)
class WaitingRoom(Desk):
    """Mails to the counter, and what it says."""

    uid: int = 0
    house: Any = field(default_factory=house)

    def write(self, body: str, subject: str = "Mohon jadwal konsultasi zoom", author: str = SITI, **more: Any) -> Plan:
        """One mail of an applicant."""
        self.uid += 1
        return self.take(
            letter(subject, body, author=author, to=DITLAI, uid=self.uid, message_id=f"<m{self.uid}@x>", **more)
        )

    def ask(self, author: str = SITI, body: str = "Kami ingin berkonsultasi.\n") -> Ticket:
        """A new request."""
        plan = self.write(f"{body}\nNo surat {self.uid}\n", author=author)
        assert plan.opened is not None
        return plan.opened

    def reply(self, ticket: Ticket, body: str, **more: Any) -> Plan:
        """The applicant answers our mail about the ticket."""
        reference = f"<{KEYS.ticket(ticket.number)}.0123456789abcdef0123@yahoo.co.id>"
        subject = more.pop("subject", f"Re: [{ticket.number}] Mohon pilih waktu konsultasi")
        fields = {"In-Reply-To": reference, **more.pop("fields", {})}
        return self.write(body, subject, author=more.pop("author", ticket.applicant), fields=fields, **more)

    def order(self, ticket: Ticket, body: str, who: str = DEWI) -> Plan:
        """An officer's command about the ticket."""
        reference = f"<{KEYS.officer(ticket.number, who, self.now)}.0123456789abcdef0123@yahoo.co.id>"
        return self.write(body, "Re: tiket", author=f"Dewi <{who}>", fields={"In-Reply-To": reference})

    def booking(self, ticket: Ticket) -> Booking | None:
        """The ticket's appointment as it stands."""
        return next((one for one in self.known.bookings.values() if one.live and one.ticket == ticket.number), None)

    def offer(self, ticket: Ticket) -> Offer | None:
        """What it was offered."""
        return self.known.offers.get(ticket.number)

    @property
    def book(self) -> Book:
        """The queue's book."""
        calendar = self.house.counters[DITLAI].calendar
        settings = self.house.queues[QUEUE].appointments
        return book(QUEUE, settings, calendar, self.known.bookings.values(), self.known.offers.values())

    def carry(self, plan: Plan) -> Plan:
        """A timer's plan, carried out."""
        self.known.after(plan)
        self.plans.append(plan)
        return plan

    def later(self, **span: float) -> None:
        """Time passes."""
        self.now += timedelta(**span)


def to(plan: Plan, address: str) -> list[Outbound]:
    """What an address gets of a plan."""
    return [mail for mail in plan.outbox if mail.recipient == address]


def mail_of(outbound: Outbound, *contents: bytes) -> EmailMessage:
    """An outgoing mail as the standard library reads it; enclosed files left empty."""
    segments = tuple(one for one in outbound.segments if isinstance(one, bytes))
    return standard(Kept(*contents).rendered(replace(outbound, segments=segments)))


def calendar_of(outbound: Outbound) -> str:
    """The iCalendar object that the mail brings."""
    for part in mail_of(outbound).walk():
        if part.get_content_type() == "text/calendar":
            return str(part.get_content())
    raise AssertionError("no invitation in it")
