"""Days, times and numbers in a line that chooses an appointment, in Indonesian and English.

The day stands before the month. A time without `pagi`, `sore`, `am` or `pm` may be meant after noon.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import TypeVar

from loket.core.dates import DAYS, MONTHS

_UNITS = ("satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh", "sebelas")
_ENGLISH = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_COUNT = {
    **{word: index for index, word in enumerate(_UNITS, start=1)},
    **{word: index for index, word in enumerate(_ENGLISH, start=1)},
}
_TH = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
# -1 is the last of the offer.
_ORDINAL = {
    "pertama": 1,
    **{f"ke{word}": index for index, word in enumerate(_UNITS, start=1) if index > 1},
    **{word: index for index, word in enumerate(_TH, start=1)},
    **dict.fromkeys(("terakhir", "last"), -1),
}
LAST = -1


def _any(words: object) -> str:
    return "|".join(sorted((re.escape(word) for word in words), key=len, reverse=True))  # type: ignore[attr-defined] # any collection of words


_MONTH, _CARDINAL = _any(MONTHS), _any(_COUNT)
# `min` and `sen` are words of their own.
_DAY = _any(name for name in DAYS if len(name) > 3)
_PART = r"(?: ?(?P<part>pagi|siang|sore|malam|a\.?m\b\.?|p\.?m\b\.?))?"

_DATES = (
    re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})\b"),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)?[ -](?P<name>{_MONTH})\b\.?(?: ?,? ?(?P<year>20\d\d))?"),
    re.compile(rf"\b(?P<name>{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?![.:]\d)(?: ?,? ?(?P<year>20\d\d))?"),
    re.compile(r"\b(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>20\d\d)\b"),
    re.compile(r"\b(?P<day>\d{1,2}) ?[/-] ?(?P<month>\d{1,2})(?: ?[/-] ?(?P<year>20\d\d|\d\d))?\b(?![.:]\d)"),
    re.compile(r"\b(?:tanggal|tgl)\.? (?P<day>\d{1,2})\b(?![.:]\d)"),
    # Up to the tenth it is more likely a place in the list.
    re.compile(r"\bthe (?P<day>1[1-9]|2\d|3[01])(?:st|nd|rd|th)\b"),
)
_NEAR = {"hari ini": 0, "today": 0, "besok": 1, "tomorrow": 1, "lusa": 2}
_NEARBY = re.compile(rf"\b(?P<near>{_any(_NEAR)})\b")
# A week, not a Sunday; which week it is the days must say.
_WEEK = re.compile(r"\b(?:(?:minggu|pekan) (?:depan|ini|berikutnya)|(?:next|this) week)\b")
_WEEKDAY = re.compile(rf"\b(?:hari )?(?P<name>{_DAY})\b(?: depan| ini)?")
_HALF = re.compile(rf"\b(?:(?:jam|pukul|pkl)\.? )?setengah (?:(?P<word>{_CARDINAL})|(?P<hour>\d{{1,2}}))\b{_PART}")
_TIMES = (
    re.compile(
        r"(?:\b(?:jam|pukul|pkl|pk|at)\b\.?|@) ?(?P<hour>\d{1,2})(?:[.:](?P<minute>\d{2}))?(?![\d/])"
        rf"(?: ?o'?clock)?{_PART}(?: ?wib\b)?"
    ),
    re.compile(rf"\b(?P<hour>\d{{1,2}})[.:](?P<minute>\d{{2}})\b(?![./]\d){_PART}(?: ?wib\b)?"),
    re.compile(r"\b(?P<hour>\d{1,2})(?: ?o'?clock)? ?(?P<part>pagi|siang|sore|malam|a\.?m\b\.?|p\.?m\b\.?)"),
    re.compile(rf"\b(?:jam|pukul|pkl|at)\.? (?P<word>{_CARDINAL})\b{_PART}"),
    re.compile(r"\b(?P<hour>\d{1,2}) ?(?:o'?clock\b|wib\b)"),
)
_NUMBERED = r"(?:\b(?:nomor|nomer|nmr|no|number|num|pilihan|opsi|option|slot|urutan|urut)(?![a-z])[.:]? ?:? ?|# ?)"
_NUMBERS = (
    re.compile(rf"{_NUMBERED}(?:ke-? ?)?(?P<number>\d{{1,3}})\b(?!/\d)"),
    re.compile(rf"{_NUMBERED}(?P<word>{_CARDINAL})\b"),
    re.compile(r"\bke[- ]?(?P<number>\d{1,2})\b"),
    re.compile(rf"\bke[- ](?P<word>{_CARDINAL})\b"),
    re.compile(r"\b(?P<number>\d{1,2})(?:st|nd|rd|th)\b"),
    re.compile(rf"^(?:yang |the )?(?P<word>{_CARDINAL})\b(?=(?: (?:saja|aja|ya|please|pls|bu|pak))*[ .,!]*$)"),
    re.compile(rf"\b(?P<ordinal>{_any(_ORDINAL)})\b"),
    # Some more in the same breath: `nomor 1, 2 atau 3`.
    *[re.compile(r"(?<=\ufffc) *(?:,|dan|atau|&|/|or|and) *(?P<number>\d{1,2})\b(?![.:/]\d)")] * 3,
)
# What stands where something was read.
_READ = "\ufffc"
_BARE = re.compile(r"(?<![\d.:/,-])\b(\d{1,2})\b(?![.:/,-]?\d)")

# Of an hour from when till when, the beginning counts.
_TILL = re.compile(r"\b(\d{1,2}[.:]\d{2})(?: ?wib)? ?(?:-|sampai|hingga|s\.?/?d\.?|to|until) ?\d{1,2}[.:]\d{2}\b")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Said:
    """What a line says of when, and the words that are left of it; a time has its likelier readings in order."""

    days: tuple[date, ...]
    weekdays: tuple[int, ...]
    times: tuple[tuple[time, ...], ...]
    numbers: tuple[int, ...]
    left: str
    # A number that nothing says is one of an offer.
    bare: bool = False

    @property
    def nothing(self) -> bool:
        """Whether the line names no when at all."""
        return not (self.days or self.weekdays or self.times or self.numbers)

    @property
    def moment(self) -> bool:
        """Whether it names one day and one time."""
        return len(self.days) == 1 and len(self.times) == 1


def said(text: str, today: date) -> Said:
    """A line in small letters, taken apart."""
    days: list[date] = []
    weekdays: list[int] = []
    times: list[tuple[time, ...]] = []
    numbers: list[int] = []
    for pattern in _DATES:
        text = _cut(pattern, text, lambda found: _day(found, today), days)
    text = _cut(_NEARBY, text, lambda found: today + timedelta(days=_NEAR[found["near"]]), days)
    text = _cut(_HALF, _TILL.sub(r"\1", text), _half, times)
    for pattern in _TIMES:
        text = _cut(pattern, text, _time, times)
    text = _WEEK.sub(" ", text)
    text = _cut(_WEEKDAY, text, lambda found: DAYS[found["name"]], weekdays)
    for pattern in _NUMBERS:
        text = _cut(pattern, text, _number, numbers)
    bare = _BARE.findall(text) if not (numbers or days or times) else []
    if len(bare) == 1:
        numbers.append(int(bare[0]))
        text = _BARE.sub(_READ, text)
    return Said(
        tuple(dict.fromkeys(days)),
        tuple(dict.fromkeys(weekdays)),
        tuple(dict.fromkeys(times)),
        tuple(dict.fromkeys(numbers)),
        " ".join(text.replace(_READ, " ").split()),
        bare=len(bare) == 1,
    )


def _cut(
    pattern: re.Pattern[str], text: str, meaning: Callable[[re.Match[str]], Value | None], into: list[Value]
) -> str:
    """The text without what the pattern found that has a meaning; the meanings go into the list."""

    def out(found: re.Match[str]) -> str:
        value = meaning(found)
        if value is None:
            return found[0]
        into.append(value)
        return f" {_READ} "

    return pattern.sub(out, text)


def _day(found: re.Match[str], today: date) -> date | None:
    """Without a year, and without a month, the next such day."""
    group = found.groupdict()
    number = int(group["day"])
    month = MONTHS[group["name"]] if group.get("name") else int(group["month"]) if group.get("month") else None
    if group.get("year"):
        year = int(group["year"])
        return _sound(year + 2000 if year < 100 else year, month or 0, number)
    for ahead in range(367):
        day = today + timedelta(days=ahead)
        if day.day == number and month in (None, day.month):
            return day
    return None


def _sound(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _time(found: re.Match[str]) -> tuple[time, ...] | None:
    group = found.groupdict()
    hour = _COUNT[group["word"]] if group.get("word") else int(group["hour"])
    return _readings(hour, int(group.get("minute") or 0), group.get("part") or "")


def _half(found: re.Match[str]) -> tuple[time, ...] | None:
    """`setengah sebelas` is half an hour before eleven."""
    hour = _COUNT[found["word"]] if found["word"] else int(found["hour"])
    return _readings(hour - 1 if hour > 1 else 12, 30, found["part"] or "")


def _readings(hour: int, minute: int, part: str) -> tuple[time, ...] | None:
    if hour > 24 or minute > 59:
        return None
    hour %= 24
    part = part.replace(".", "")
    if part in ("pagi", "am"):
        return (time(hour % 12 if part == "am" else hour, minute),)
    if part and hour < 12 and not (part == "siang" and hour in (10, 11)):
        return (time(hour + 12, minute),)
    return (time(hour, minute), time(hour + 12, minute)) if not part and hour < 12 else (time(hour, minute),)


def _number(found: re.Match[str]) -> int:
    group = found.groupdict()
    if group.get("word"):
        return _COUNT[group["word"]]
    return _ORDINAL[group["ordinal"]] if group.get("ordinal") else int(group["number"])
