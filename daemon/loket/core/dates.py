"""Days as officers write them, in Indonesian and English: `5 Desember`, `2026-12-05`, `Senin depan`, `3 hari`.

A small strict grammar, and no guess: what it does not know is asked for again. The day stands before the month.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januari january jan",
            "februari pebruari february feb peb",
            "maret march mar mrt",
            "april apr",
            "mei may",
            "juni june jun",
            "juli july jul",
            "agustus august agu agt ags aug",
            "september sept sep",
            "oktober october okt oct",
            "november nopember nov nop",
            "desember december des dec",
        ),
        start=1,
    )
    for name in names.split()
}
DAYS = {
    name: number
    for number, names in enumerate(
        (
            "senin monday mon sen",
            "selasa tuesday tue tues sel",
            "rabu wednesday wed rab",
            "kamis thursday thu thur thurs kam",
            "jumat jum'at friday fri jum",
            "sabtu saturday sat sab",
            "minggu ahad sunday sun min",
        )
    )
    for name in names.split()
}
_NEAR = {
    "hari ini": 0,
    "today": 0,
    "besok": 1,
    "tomorrow": 1,
    "lusa": 2,
    "the day after tomorrow": 2,
    "minggu depan": 7,
    "pekan depan": 7,
    "next week": 7,
}
_UNITS = {"hari": 1, "day": 1, "days": 1, "minggu": 7, "pekan": 7, "week": 7, "weeks": 7}
# What may stand before a day and says nothing about which.
_LEAD = re.compile(
    r"(?:(?:sampai(?: dengan)?|s\.?\s?/?\s?d\.?|hingga|until|till|til|to|through|on|the|pada|tanggal|tgl\.?|hari"
    r"|lagi|selama|for|in|dalam)\s+)+"
)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,2})\s?[/.-]\s?(\d{1,2})(?:\s?[/.-]\s?(\d{4}|\d{2}))?")
_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?(?: of)?[ -]([a-z]+)\.?,?(?:[ -](\d{4}))?")
_MONTH_FIRST = re.compile(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4}))?")
_COUNT = re.compile(r"(\d{1,3}) ([a-z]+)(?: lagi)?")
_WEEKDAY = re.compile(r"(?:next |this )?([a-z']+)(?: depan| ini)?")
_NEXT_WEEKS = re.compile(r"([a-z']+) (?:minggu|pekan) depan")
_OF_MONTH = re.compile(r"(?:(?:sampai|hingga|s\.?/?d\.?|pada) )?(?:tanggal |tgl\.? ?)(\d{1,2})")
# A weekday before a full date only says it twice.
_TWICE = re.compile(r"(?:hari )?([a-z']+)[ ,(]+(?=\w)(.+)")
# Behind a day these make it another one: `7-12 Desember`, `Senin 7`, `7 hari kerja`.
_MORE = re.compile(r"(?:kerja|working)\b.*|\d{1,2}\W*")
FURTHEST = timedelta(days=366)


def read_day(text: str, today: date) -> date | None:
    """The day that is meant, from today to a year ahead; None where the text is no such day."""
    said = " ".join(text.casefold().replace("’", "'").split()).strip(" .,;:!()<>[]\"'")
    if match := _OF_MONTH.fullmatch(said):
        return _next_dated(int(match[1]), today)
    if said not in _NEAR:
        said = _LEAD.sub("", said + " ", count=1).strip() if _LEAD.match(said + " ") else said
    if (match := _NEXT_WEEKS.fullmatch(said)) and match[1] in DAYS:
        return today + timedelta(days=7 - today.weekday() + DAYS[match[1]])
    if (twice := _TWICE.fullmatch(said)) and twice[1] in DAYS and (whole := read_day(twice[2], today)):
        return whole if whole.weekday() == DAYS[twice[1]] else None
    found = _read(said, today)
    return found if found is not None and today <= found <= today + FURTHEST else None


def read_first_day(text: str, today: date) -> tuple[date | None, str]:
    """The day that a line begins with, in as many of its words as make one, and the words behind it.

    None where these name another day: a range has two, and a weekday with a date that is none is a slip.
    """
    words = text.split()
    for count in range(min(len(words), 7), 0, -1):
        found = read_day(" ".join(words[:count]), today)
        if found is not None:
            behind = " ".join(words[count:]).lstrip(":;,.–—- ")
            return (None, text) if _goes_on(behind, found, today) else (found, behind)
    return None, text


def _goes_on(behind: str, found: date, today: date) -> bool:
    """Whether the words behind a day belong to it and make it another one, or name one more."""
    first = behind.casefold().lstrip("([").partition(" ")[0].strip(" .,;:!()[]")
    if first in DAYS:
        return DAYS[first] != found.weekday()
    if first in MONTHS or _MORE.fullmatch(behind.casefold()):
        return True
    head = behind.split()[:4]
    others = (read_day(" ".join(head[:count]), today) for count in range(len(head), 0, -1))
    other = next((day for day in others if day is not None), None)
    return other is not None and other != found


def _read(said: str, today: date) -> date | None:
    if said in _NEAR:
        return today + timedelta(days=_NEAR[said])
    if match := _ISO.fullmatch(said):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _NUMBERS.fullmatch(said):
        return _dated(match[1], int(match[2]), match[3], today)
    if (match := _COUNT.fullmatch(said)) and match[2] in _UNITS:
        return today + timedelta(days=int(match[1]) * _UNITS[match[2]])
    if match := _DAY_FIRST.fullmatch(said):
        return _dated(match[1], MONTHS.get(match[2]), match[3], today)
    if match := _MONTH_FIRST.fullmatch(said):
        return _dated(match[2], MONTHS.get(match[1]), match[3], today)
    if match := _WEEKDAY.fullmatch(said):
        return _weekday(match[1], today, DAYS)
    return None


def _weekday(name: str, today: date, days: Mapping[str, int]) -> date | None:
    """The next day of that name, never today."""
    if name not in days:
        return None
    return today + timedelta(days=(days[name] - today.weekday() - 1) % 7 + 1)


def _next_dated(number: int, today: date) -> date | None:
    """The next day of that number, in this month or one to come."""
    days = (today + timedelta(days=ahead) for ahead in range(62))
    return next((day for day in days if day.day == number), None)


def _dated(day: str, month: int | None, year: str | None, today: date) -> date | None:
    """Without a year, the next time the day comes."""
    if month is None:
        return None
    if year is not None:
        return _day(int(year) + (2000 if len(year) == 2 else 0), month, int(day))
    this = _day(today.year, month, int(day))
    return this if this is None or this >= today else _day(today.year + 1, month, int(day))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
