"""What an applicant's calendar answers to an invitation of ours (RFC 5546 3.2.3, 3.2.7; RFC 6047)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from loket.core import parse
from loket.core.headers import clean_text
from loket.core.model import InboundMail, Part

# An answer is a page; whatever is longer is somebody's whole calendar.
MAX_OCTETS = 64 * 1024
# It stands in a mail once, or once more as a file.
MOST_PARTS = 5
# The answers of somebody who was invited. REQUEST and PUBLISH are invitations of their own.
ANSWERS = ("REPLY", "COUNTER", "CANCEL", "REFRESH")
_METHOD = re.compile(rb"^METHOD[ \t]*(?:;[^:\r\n]*)?:[ \t]*([A-Za-z]+)[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rsvp:
    """One answer: `attendance` by address in small letters, `start` what a COUNTER proposes, in UTC."""

    method: str
    uid: str
    sequence: int
    stamp: datetime | None
    attendance: Mapping[str, str]
    start: datetime | None
    comment: str

    def of(self, address: str) -> str:
        """What that attendee says; where only one is named it is they, under whatever address their calendar has."""
        if address in self.attendance or len(self.attendance) != 1:
            return self.attendance.get(address, "")
        return next(iter(self.attendance.values()))


def rsvp(mail: InboundMail) -> Rsvp | None:
    """The answer that a mail carries; None where it carries none that can be read."""
    return parse.once(mail, "rsvp", _rsvp)


def _rsvp(mail: InboundMail) -> Rsvp | None:
    calendars = (part for part in mail.parts if _is_calendar(part))
    for part in islice(calendars, MOST_PARTS):
        data = parse.attachment_bytes(mail, part)
        method = _METHOD.search(data[:MAX_OCTETS])
        if len(data) <= MAX_OCTETS and method and method[1].decode().upper() in ANSWERS:
            return _read(data, method[1].decode().upper())
    return None


def _is_calendar(part: Part) -> bool:
    named = part.name.lower().endswith(".ics")
    return part.size <= 2 * MAX_OCTETS and (part.media_type in ("text/calendar", "application/ics") or named)


# What the library raises on objects that are none; each is one more way of not being an answer.
_FAULTS = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)


def _read(data: bytes, method: str) -> Rsvp | None:
    from icalendar import Calendar  # noqa: PLC0415 - only where a mail holds an answer

    try:
        calendar = Calendar.from_ical(data.decode("utf-8", errors="replace"))
        event = next(iter(calendar.walk("VEVENT")), None)
        return _answer(event, method) if event is not None else None
    except _FAULTS:
        return None


def _answer(event: Any, method: str) -> Rsvp | None:
    uid = str(event.get("uid", "")).strip()
    attendees = event.get("attendee", [])
    attendance: dict[str, str] = {}
    for one in attendees if isinstance(attendees, list) else [attendees]:
        address = str(one).strip().casefold().removeprefix("mailto:")
        attendance[address] = str(one.params.get("PARTSTAT", "NEEDS-ACTION")).lower()
    start = event.get("dtstart")
    at = getattr(start, "dt", None)
    stamp = getattr(event.get("dtstamp"), "dt", None)
    return Rsvp(
        method,
        uid,
        int(event.get("sequence", 0)),
        _moment(stamp),
        attendance,
        _moment(at),
        clean_text(str(event.get("comment", "")), 500),
    )


def _moment(at: object) -> datetime | None:
    """In UTC; a day without a time, and a time without a zone, are no moment."""
    return at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo is not None else None
