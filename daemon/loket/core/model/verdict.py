"""What a mail asks for, how that was seen, and why it may not be answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Refusal(StrEnum):
    """Why no automatic response may go out (RFC 3834 section 2)."""

    DSN = "dsn"
    MDN = "mdn"
    AUTO_SUBMITTED = "auto-submitted"
    OWN_MAIL = "own-mail"
    OWN_ADDRESS = "own-address"
    NULL_PATH = "null-reverse-path"
    LIST = "list"
    BULK = "bulk"
    NO_REPLY = "no-reply"
    NO_AUTHOR = "no-author"
    LOOP = "loop"

    @property
    def machine(self) -> bool:
        """Whether the mail is a machine's own and opens no ticket at all."""
        return self in (Refusal.DSN, Refusal.MDN, Refusal.AUTO_SUBMITTED, Refusal.OWN_MAIL)


Level = Literal["exact", "normalized", "fuzzy"]
VerdictOutcome = Literal["matched", "incomplete", "unmatched", "machine"]
TRIAGE = "triase"
STATUS_RULE = "status"


@dataclass(frozen=True, slots=True)
class Trace:
    """One step of the reasoning: which rule or check, whether it held, and why."""

    rule: str
    held: bool
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a mail asks for, and how that was seen."""

    outcome: VerdictOutcome
    rule: str | None = None
    counter: str | None = None
    queue: str | None = None
    match: Level | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    wrong_mailbox: bool = False
    use_mailbox: tuple[str, ...] = ()
    refusal: Refusal | None = None
    trace: tuple[Trace, ...] = ()

    @property
    def complete(self) -> bool:
        """A rule applies and nothing it needs is missing."""
        return self.outcome == "matched"
