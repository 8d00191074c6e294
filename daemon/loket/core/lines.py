"""One mail, several items: each line that begins with a ticket's number begins what is said about that ticket."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from loket.core import normal
from loket.core.command import Speech, speech_of
from loket.core.enclosed import Scan

# `LKT-2026-000123-7 SK`, with whatever brackets, bullets, colons or list numbers people put before it. A number that
# cannot be one begins an item too: what follows it is meant for somebody else than what stands above.
# What is no letter is taken whole and never given back, or a line of a million dashes would be tried a million times.
_LIST = r"[\W_]*+(?:\d{1,3}[.)][\W_]*+)?"
_NUMBER = (
    r"(?:(?:no|nomor|tiket|ticket|number)\b[\W_]*+){0,2}"
    r"(?P<number>[A-Z]{2,8}-\d{2,4}-\d{1,9}(?:-\d{1,2})?)(?![\w-])[\])>}*:,;.–—-]*(?:\s+(?P<rest>\S.*))?"
)
_ITEM = re.compile(_LIST + _NUMBER, re.IGNORECASE)
# `SK LKT-2026-000123-7`: the other way round it is an item as well, where the word is a command.
_TURNED = re.compile(rf"{_LIST}(?P<command>[^\W\d_][\w-]{{1,30}}?)[\W_]++{_NUMBER}", re.IGNORECASE)


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


def read_lines(words: str, commands: Collection[str] = ()) -> Sheet:
    """The items in an officer's own words; `commands` may stand before a number."""
    above: list[str] = []
    found: list[tuple[str, list[str]]] = []
    for line in words.split("\n"):
        number, said = _begun(normal.visible(line), commands)
        if number:
            found.append((number, [said]))
        elif found:
            found[-1][1].append(line)
        else:
            above.append(line)
    items = tuple(Item(number, speech_of("\n".join(lines).strip())) for number, lines in found)
    return Sheet("\n".join(above).strip(), items)


def _begun(line: str, commands: Collection[str]) -> tuple[str, str]:
    """The number of the item that a line begins, and what the line says about it; ("", "") where it begins none."""
    if match := _ITEM.fullmatch(line):
        return match["number"].upper(), match["rest"] or ""
    match = _TURNED.fullmatch(line)
    if match and match["command"].upper() in commands:
        return match["number"].upper(), f"{match['command']} {match['rest'] or ''}"
    return "", ""


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
