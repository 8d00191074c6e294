"""One mail, several items: each line that begins with a ticket's number begins what is said about that ticket."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loket.core import normal
from loket.core.command import Speech, speech_of
from loket.core.enclosed import Scan

# `LKT-2026-000123-7 SK`, with whatever brackets, bullets, colons or list numbers people put before it. A number that
# cannot be one begins an item too: what follows it is meant for somebody else than what stands above.
_ITEM = re.compile(
    r"[\W_]*(?:\d{1,3}[.)]\s*)?(?:(?:no|nomor|tiket|ticket|number)\b[.:]?\s*){0,2}[\W_]*(?P<number>[A-Z]{2,8}-\d{2,4}-\d{1,9}(?:-\d{1,2})?)(?![\w-])[\])>}*:,;.–—-]*(?:\s+(?P<rest>\S.*))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Item:
    """What is said about one ticket, by its number."""

    number: str
    speech: Speech


@dataclass(frozen=True, slots=True)
class Sheet:
    """An officer's words taken apart: what stands above the first number, and each item."""

    above: str
    items: tuple[Item, ...]


def read_lines(words: str) -> Sheet:
    """The items in an officer's own words."""
    above: list[str] = []
    found: list[tuple[str, list[str]]] = []
    for line in words.split("\n"):
        match = _ITEM.fullmatch(normal.visible(line))
        if match:
            found.append((match["number"].upper(), [match["rest"] or ""]))
        elif found:
            found[-1][1].append(line)
        else:
            above.append(line)
    items = tuple(Item(number, speech_of("\n".join(lines).strip())) for number, lines in found)
    return Sheet("\n".join(above).strip(), items)


def scans_of(number: str, numbers: Iterable[str], scans: Sequence[Scan]) -> tuple[Scan, ...] | None:
    """The scans that are for a ticket: all of them where the mail is about it alone, else those named after it.

    None where some scan could be anybody's: nobody gets a guess (promise P14).
    """
    every = set(numbers)
    if every == {number}:
        return tuple(scans)
    named = [(scan, [one for one in every if one.casefold() in scan.enclosure.name.casefold()]) for scan in scans]
    if any(len(whose) != 1 for _, whose in named):
        return None
    return tuple(scan for scan, [whose] in named if whose == number)
