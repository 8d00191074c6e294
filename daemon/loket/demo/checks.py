"""What must be true after the day: each check is one sentence, and whether it held."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loket.demo.errands import MIDDAY, MORNING, REFUSED
from loket.demo.smtpd import unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loket.demo.report import Report, Row, Sent


@dataclass(frozen=True, slots=True)
class Check:
    """A sentence that should hold; `wrong` lists where it does not."""

    sentence: str
    wrong: tuple[str, ...]

    @property
    def held(self) -> bool:
        """Nothing speaks against it."""
        return not self.wrong


def checks(report: Report) -> list[Check]:
    """All checks, in the order in which a mail passes them."""
    return [
        _check("every UID at every counter has its end, and its bytes are kept as they came", _ends(report)),
        _check("no counter's mail was marked as read or moved", _untouched(report)),
        _check("every mail that may be answered got exactly one automatic response, no other got any", _once(report)),
        _check("every officer's answer did what it said", _errands(report)),
        _check("all that Loket wrote was sent, but to the one address that is no more", map(_said, _unsent(report))),
        _check("each mail that was sent lies exactly once in its recipient's mailbox", map(_said, _strays(report))),
        _check("each scan in an applicant's mailbox has the SHA-256 of the officer's file", _scans(report)),
        _check("the mail in an officer's name without her token was set aside, no other was", _set_aside(report)),
    ]


def _check(sentence: str, wrong: Iterable[str]) -> Check:
    return Check(sentence, tuple(wrong))


def _named(row: Row) -> str:
    return f"{row.counter}/{row.uid} {row.subject!r}"


def _said(sent: Sent) -> str:
    return f"{sent.kind} to {sent.recipient}: {sent.phase} {sent.code or ''} {sent.said}".rstrip()


def _ends(report: Report) -> list[str]:
    return [_named(row) for row in report.rows if row.fate in (None, "pending") or not row.same_bytes]


def _untouched(report: Report) -> list[str]:
    return [f"{report.seen} mails are marked as read"] if report.seen else []


def _once(report: Report) -> list[str]:
    def wanted(row: Row) -> int:
        asks = row.fate in ("ticket", "status") or row.event("completed") is not None
        return int(asks and row.refusal is None)

    return [_named(row) for row in report.rows if len(row.responses) != wanted(row)]


def _errands(report: Report) -> list[str]:
    answers = {row.errand: row for row in report.answers if row.errand}
    wrong = []
    for errand in (*MORNING, *MIDDAY):
        row = answers.get(errand)
        if row is None or row.event(errand.expected) is None:
            wrong.append(f"{errand.officer} {errand.command} {errand.about!r}")
        elif errand.expected == REFUSED and any(sent.recipient != errand.officer for sent in row.replies):
            wrong.append(f"{errand.command} {errand.about!r} was refused and yet something left")
    return wrong


def _unsent(report: Report) -> list[Sent]:
    return [sent for sent in report.sent if sent.phase != ("refused" if unknown(sent.recipient) else "sent")]


def _strays(report: Report) -> list[Sent]:
    return [
        sent
        for sent in report.sent
        if report.arrived.get(sent.recipient, {}).get(sent.message_id, 0) != int(sent.phase == "sent")
    ]


def _scans(report: Report) -> list[str]:
    wrong = [f"{scan.name} for {row.ticket}" for row in report.answers for scan in row.scans if not scan.verified]
    return wrong if any(row.scans for row in report.answers) else ["there was no scan to compare"]


def _set_aside(report: Report) -> list[str]:
    held = [row for row in report.rows if row.fate == "quarantine"]
    doubts = Counter(detail["reason"] for row in held for kind, detail in row.events if kind == "officer-doubted")
    if doubts == {"no-token": 1} and len(held) == 1:
        return []
    return [_named(row) for row in held] or ["none was set aside"]
