"""What the store knows that matters to a batch: gathered once, kept true while the batch is planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from loket.core import headers, normal, parse, refuse, rsvp, token
from loket.core.bounce import read_bounce
from loket.core.codes import Codes
from loket.core.gate import Caps, Gate
from loket.core.model import (
    Booking,
    Chapter,
    Held,
    HeldState,
    InboundMail,
    Kind,
    Offer,
    Phase,
    Plan,
    Sent,
    State,
    Ticket,
)
from loket.core.pace import Answered
from loket.core.same import fingerprint
from loket.core.turns import Line, lines_after

# So many tickets in the body of one mail are looked for: anybody can write an officer's token down, sound or not.
MAX_NAMED = 1000


@dataclass(frozen=True, slots=True)
class Hints:
    """What mails make the store look for: ticket numbers, addresses, and Message-IDs of our own."""

    numbers: frozenset[str]
    addresses: frozenset[str]
    message_ids: frozenset[str] = frozenset()
    fingerprints: frozenset[str] = frozenset()
    # Officers who are asked about, for what their desk holds.
    officers: frozenset[str] = frozenset()


def hints(mails: Iterable[InboundMail]) -> Hints:
    """The ticket numbers anywhere in the threading fields or the subject, and the authors."""
    numbers: set[str] = set()
    addresses: set[str] = set()
    message_ids: set[str] = set()
    fingerprints: set[str] = set()
    officers: set[str] = set()
    for mail in mails:
        fingerprints.add(fingerprint(mail))
        for text in (mail.subject, *mail.in_reply_to, *mail.references):
            numbers.update(match[0].upper() for match in token.NUMBER.finditer(text))
        addresses.update(author.spec for author in mail.authors)
        if token.holds_officer_token("\n".join((mail.subject, *mail.in_reply_to, *mail.references))):
            # An officer may answer several tickets in one mail, each named in a line of it.
            body = parse.body_text(mail)
            numbers.update(match[0].upper() for match in islice(token.NUMBER.finditer(body), MAX_NAMED))
            officers.update(author.spec for author in mail.authors)
        answered = rsvp.rsvp(mail)
        if answered is not None:
            numbers.update(match[0].upper() for match in token.NUMBER.finditer(answered.uid))
        if mail.header(refuse.LOOP_HEADER.lower()) is not None:
            message_ids.add(mail.message_id)
        elif refuse.is_report(mail):
            bounce = read_bounce(mail)
            message_ids.update(bounce.message_ids if bounce else ())
    return Hints(
        frozenset(numbers),
        frozenset(addresses),
        frozenset(message_ids - {""}),
        frozenset(fingerprints - {""}),
        frozenset(officers),
    )


@dataclass(slots=True)
class Known:
    """The store's answer to the hints; `after` lets each plan of a batch see those before it."""

    year: int
    serial: int
    tickets: dict[str, Ticket] = field(default_factory=dict)
    # Applicant, counter and what it is about: the tickets' numbers and when each was opened.
    by_identity: dict[tuple[str, str, str], dict[str, Chapter]] = field(default_factory=dict)
    # Tickets linked with those asked about, either way; and what a story tells of those.
    linked: dict[str, set[str]] = field(default_factory=dict)
    chapters: dict[str, Chapter] = field(default_factory=dict)
    by_fingerprint: dict[str, list[str]] = field(default_factory=dict)
    open_in_queue: dict[str, int] = field(default_factory=dict)
    # The last answers of each queue.
    pace: dict[str, list[Answered]] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    said_lately: dict[tuple[str, str], int] = field(default_factory=dict)
    # Who is away until when; answers kept back, by ticket; mails to applicants that have not left, by ticket.
    away: dict[str, datetime] = field(default_factory=dict)
    held: dict[str, list[Held]] = field(default_factory=dict)
    unsent: dict[str, list[str]] = field(default_factory=dict)
    # How many are late in each queue; asked for where an officer speaks.
    late: dict[str, int] = field(default_factory=dict)
    codes: Codes = field(default_factory=Codes)
    # Appointments that have their place, and all there were of the tickets asked about, by uid; offers by ticket.
    bookings: dict[str, Booking] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    # The last number of each register, by its name and year.
    entries: dict[tuple[str, int], int] = field(default_factory=dict)
    # The line of each queue in which somebody stands, with the tickets of the first of them.
    lines: dict[str, Line] = field(default_factory=dict)
    gate: Gate = field(default_factory=lambda: Gate(Caps()))

    def next_number(self, prefix: str) -> str:
        """The number the next ticket gets."""
        return token.number(prefix, self.year, self.serial + 1)

    def related(self, applicant: str, counter: str | None, identity: str, since: datetime) -> list[str]:
        """Tickets opened since then by one applicant about the same thing at the same counter, oldest first."""
        found = self.by_identity.get((applicant, counter or "", identity), {}) if identity else {}
        return [number for number, one in sorted(found.items()) if one.created_at >= since]

    def with_links(self, number: str, others: Iterable[str]) -> Known:
        """The same with a ticket's links that a plan in the making will have."""
        linked = {name: set(there) for name, there in self.linked.items()}
        for other in others:
            linked.setdefault(number, set()).add(other)
            linked.setdefault(other, set()).add(number)
        return replace(self, linked=linked)

    def together(self, number: str) -> set[str]:
        """The tickets that hang together with one by links, itself left out."""
        found, near = {number}, [number]
        while near:
            fresh = self.linked.get(near.pop(), set()) - found
            found |= fresh
            near += fresh
        return found - {number}

    def chapter(self, number: str) -> Chapter | None:
        """What a story tells of a ticket; None of one that nobody asked about."""
        ticket = self.tickets.get(number)
        return ticket.chapter if ticket is not None else self.chapters.get(number)

    def add(self, ticket: Ticket) -> None:
        """Make a ticket known, without counting it."""
        self.tickets[ticket.number] = ticket
        if ticket.identity:
            key = ticket.applicant, ticket.counter or "", ticket.identity
            self.by_identity.setdefault(key, {})[ticket.number] = ticket.chapter
        if ticket.fingerprint:
            same = self.by_fingerprint.setdefault(ticket.fingerprint, [])
            if ticket.number not in same:
                same.append(ticket.number)

    def same(self, print_: str) -> list[Ticket]:
        """Tickets that mails of that content opened lately, oldest first."""
        return [self.tickets[number] for number in self.by_fingerprint.get(print_, [])] if print_ else []

    def after(self, plan: Plan) -> None:
        """The state once the plan has been carried out."""
        if plan.opened is not None:
            self.serial += 1
            said = (plan.opened.applicant, plan.opened.subject)
            self.said_lately[said] = self.said_lately.get(said, 0) + 1
        for mark in plan.marks:
            self.sent[mark.message_id] = replace(self.sent[mark.message_id], phase=mark.phase)
        for ticket in (*([plan.opened] if plan.opened else []), *plan.changed):
            before = self.tickets.get(ticket.number)
            if before is not None and before.state is State.OPEN:
                self.open_in_queue[before.queue] = self.open_in_queue.get(before.queue, 0) - 1
            if ticket.state is State.OPEN:
                self.open_in_queue[ticket.queue] = self.open_in_queue.get(ticket.queue, 0) + 1
            self.add(ticket)
        self._after_officers(plan)
        self._after_entries(plan)
        for ticket_number, other in plan.links:
            self.linked.setdefault(ticket_number, set()).add(other)
            self.linked.setdefault(other, set()).add(ticket_number)
        self.codes.after(plan)
        self._after_appointments(plan)

    def _after_appointments(self, plan: Plan) -> None:
        self.bookings.update({booking.uid: booking for booking in plan.bookings})
        for offer in plan.offers:
            self.offers.pop(offer.ticket, None)
            if not offer.over:
                self.offers[offer.ticket] = offer
        self.lines = lines_after(self.lines, plan.turns)

    def _after_entries(self, plan: Plan) -> None:
        for entry in plan.entries:
            key = entry.register, entry.year
            self.entries[key] = max(self.entries.get(key, 0), entry.number)

    def foreseen(self, plan: Plan) -> Known:
        """The same with a plan's appointments, entries and turns carried out, for the next step of a larger plan."""
        found = replace(self, bookings=dict(self.bookings), offers=dict(self.offers), entries=dict(self.entries))
        found._after_appointments(plan)
        found._after_entries(plan)
        return found

    def _after_officers(self, plan: Plan) -> None:
        self.away.update({absence.officer: absence.until for absence in plan.absences})
        for held in plan.held:
            there = [one for one in self.held.get(held.ticket, []) if one.key != held.key]
            self.held[held.ticket] = [*there, held] if held.state is HeldState.HELD else there
            if held.state is HeldState.SENT:
                self.unsent.setdefault(held.ticket, []).append(held.key)
        for mail in plan.outbox:
            if mail.ticket and mail.kind in TO_APPLICANT and not mail.held:
                self.unsent.setdefault(mail.ticket, []).append(mail.key)
        for move in plan.moves:
            for keys in self.unsent.values():
                if move.key in keys and move.phase is Phase.CANCELLED:
                    keys.remove(move.key)


# An officer's own words to an applicant, which can be called back until they leave.
TO_APPLICANT = (Kind.DELIVERY, Kind.QUESTION)


def identity(fields: Mapping[str, str], free: str | None) -> str:
    """What makes two requests about the same thing: the writer's own words, compared loosely, and all else they say.

    Width, accents, separators and letter case aside; two categories of one name are two things.
    """
    if not free or free not in fields:
        return ""
    text = headers.clean_text(fields[free])
    own = normal.words(text) or " ".join(text.casefold().split())
    others = sorted(value.casefold() for name, value in fields.items() if name != free)
    return " | ".join([own, *others])
