"""Appointments as iCalendar objects that calendars accept from mail (RFC 5545, RFC 5546, RFC 6047)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from loket.core.compose import Invitation
from loket.core.headers import clean_text
from loket.core.model import Booking

Method = Literal["REQUEST", "CANCEL"]


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who is invited; `asked` where their calendar is to answer, `attendance` their PARTSTAT."""

    address: str
    name: str = ""
    asked: bool = False
    attendance: str = "needs-action"


@dataclass(frozen=True, slots=True)
class Occasion:
    """What an invitation says beside its time: who invites, to what, in whose zone and words."""

    organizer: str
    organizer_name: str
    summary: str
    description: str
    zone: ZoneInfo
    language: str


def invitation(
    booking: Booking, method: Method, occasion: Occasion, guests: Sequence[Guest], now: datetime
) -> Invitation:
    """The object of one appointment as it stands: REQUEST invites and updates, CANCEL takes it out of calendars."""
    # Only here: it takes memory that a store without appointments need not pay for.
    from icalendar import Calendar, Event, vCalAddress  # noqa: PLC0415

    def person(address: str, name: str) -> vCalAddress:
        found = vCalAddress(f"mailto:{address}")
        shown = clean_text(name, 80).replace('"', "'")
        if shown:
            found.params["CN"] = shown
        return found

    calendar, event = Calendar(), Event()
    calendar.add("prodid", f"-//Loket//Loket//{occasion.language.upper()}")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    event.add("uid", booking.uid)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("sequence", booking.sequence)
    event.add("dtstart", booking.start.astimezone(occasion.zone))
    event.add("dtend", booking.end.astimezone(occasion.zone))
    event.add("summary", clean_text(occasion.summary, 200))
    event.add("organizer", person(occasion.organizer, occasion.organizer_name))
    for guest in guests:
        who = person(guest.address, guest.name)
        who.params["CUTYPE"] = "INDIVIDUAL"
        who.params["ROLE"] = "REQ-PARTICIPANT"
        who.params["PARTSTAT"] = guest.attendance.upper()
        who.params["RSVP"] = "TRUE" if guest.asked and method == "REQUEST" else "FALSE"
        event.add("attendee", who)
    if booking.place:
        event.add("location", clean_text(booking.place, 500))
    event.add("description", "\n".join(clean_text(line, 500) for line in occasion.description.split("\n")))
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    event.add("transp", "OPAQUE")
    if occasion.zone.key != "UTC":
        calendar.subcomponents.append(_timezone(occasion.zone, booking.start.astimezone(occasion.zone).year))
    calendar.subcomponents.append(event)
    return Invitation(method, calendar.to_ical())


@lru_cache(maxsize=16)
def _timezone(zone: ZoneInfo, year: int):  # type: ignore[no-untyped-def] # a component of the library, imported late
    """The zone's rules around a year, for calendars that do not know its name (RFC 5545 3.6.5)."""
    from icalendar import Timezone, TimezoneDaylight, TimezoneStandard  # noqa: PLC0415

    found = Timezone()
    found.add("tzid", zone.key)
    for at, before in _changes(zone, year):
        local = at.astimezone(zone)
        rules = TimezoneDaylight() if local.dst() else TimezoneStandard()
        # The onset is told by the clock as it stood before the change.
        rules.add("dtstart", (at + before).replace(tzinfo=None))
        rules.add("tzoffsetfrom", before)
        rules.add("tzoffsetto", local.utcoffset())
        rules.add("tzname", local.tzname())
        found.add_component(rules)
    return found


def _changes(zone: ZoneInfo, year: int) -> Iterator[tuple[datetime, timedelta]]:
    """From the beginning of the year before to the end of the year after: each change, and the offset before it."""

    def offset(at: datetime) -> timedelta:
        return at.astimezone(zone).utcoffset() or timedelta()

    at, end = datetime(year - 1, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)
    yield at - offset(at), offset(at)
    while at < end:
        after = at + timedelta(days=1)
        if offset(after) != offset(at):
            low, high = at, after
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                low, high = (middle, high) if offset(middle) == offset(at) else (low, middle)
            yield high.replace(microsecond=0), offset(at)
        at = after
