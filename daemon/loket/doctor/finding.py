"""One thing that was looked at: how it is, and what to do where it is not well."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# A note is for knowledge; a warning works today; an error does not; unreached is a server that gave no answer.
Level = Literal["ok", "note", "warning", "error", "unreached"]
SEVERITY: tuple[Level, ...] = ("ok", "note", "warning", "unreached", "error")

SKEW_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Finding:
    """`where` is a server, a mailbox, a domain or a file; `remedy` is empty where nothing needs to be done."""

    where: str
    what: str
    level: Level
    said: str
    remedy: str = ""


def worst(findings: Iterable[Finding]) -> Level:
    """The gravest level there is."""
    return max((finding.level for finding in findings), key=SEVERITY.index, default="ok")


def clock(where: str, theirs: datetime, ours: datetime, *, at_least: bool = False) -> Finding:
    """A server's clock against ours; `at_least` where theirs is a moment that had passed already."""
    seconds = (theirs - ours).total_seconds()
    if seconds > SKEW_SECONDS or (seconds < -SKEW_SECONDS and not at_least):
        behind = "behind" if seconds > 0 else "ahead of"
        least = "at least " if at_least else ""
        said = f"our clock is {least}{span(abs(seconds))} {behind} the server's"
        remedy = "let this machine keep time: systemd-timesyncd or chrony; due times and digests follow its clock"
        return Finding(where, "clock", "warning", said, remedy)
    return Finding(where, "clock", "ok", "no difference seen" if at_least else f"within {SKEW_SECONDS} s of ours")


def span(seconds: float) -> str:
    """A length of time, roughly."""
    for length, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
