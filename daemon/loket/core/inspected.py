"""What the inspection of scans (`Evidence`) means for a letter: what is refused, and what its officer is told."""

from __future__ import annotations

from collections.abc import Sequence

from loket.core import parse
from loket.core.enclosed import Scan
from loket.core.model import InboundMail, Part
from loket.core.rules import Outcome


def flaw(mail: InboundMail, outcome: Outcome, scans: Sequence[Scan]) -> tuple[str, str] | None:
    """Why a scan that the outcome requires cannot be a letter, and its name; None where all can.

    What was not looked into counts as unreadable: nothing leaves unseen.
    """
    if outcome.attachments != "required":
        return None
    if (name := empty(mail)) is not None:
        return "scan-empty", name
    for scan in scans:
        found = mail.evidence.scans.get(scan.new.file.sha256)
        if found is None or found.fault:
            return f"scan-{found.fault if found else 'unreadable'}", scan.enclosure.name
    return None


def empty(mail: InboundMail) -> str | None:
    """The name of a file that was enclosed and holds nothing."""
    enclosed = (part for part in mail.parts if _enclosed(part))
    return next((part.name for part in enclosed if not parse.attachment_bytes(mail, part).strip()), None)


def _enclosed(part: Part) -> bool:
    """Whether its sender enclosed it as a file, whatever is in it."""
    return part.disposition == "attachment" or (bool(part.name) and part.parent != "multipart/related")


def flags(mail: InboundMail, scans: Sequence[Scan]) -> list[dict[str, object]]:
    """The scans that could do something beside being read, by name."""
    found = ((scan, mail.evidence.scans.get(scan.new.file.sha256)) for scan in scans)
    return [{"name": scan.enclosure.name, "active": list(seen.active)} for scan, seen in found if seen and seen.active]


def limit(mail: InboundMail, configured: int) -> int:
    """The octets that an outgoing mail may have: what the server says, and never more than the configuration."""
    return min(configured, mail.evidence.limit or configured)
