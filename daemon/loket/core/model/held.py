"""Answers that are kept back, and the codes that let letters go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from loket.core.model.letter import Phase


class HeldState(StrEnum):
    """What became of an answer that was kept back."""

    HELD = "held"
    SENT = "sent"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Held:
    """An officer's answer that is written to the last byte and kept back: `key` is its row in the outbox.

    `mail` is the officer's own mail (its `MailRef` in text), `reason` why it waits.
    """

    key: str
    mail: str
    ticket: str
    officer: str
    outcome: str
    reason: str
    at: datetime
    argument: str = ""
    # Name, size in words and SHA-256 of each scan.
    files: tuple[tuple[str, str, str], ...] = ()
    state: HeldState = HeldState.HELD
    # Whom the letter is written to, as it stands in the outbox.
    recipient: str = ""

    @property
    def sha256(self) -> tuple[str, ...]:
        """The scans by content."""
        return tuple(sha256 for _, _, sha256 in self.files)


class CodeState(StrEnum):
    """What became of a confirmation code; all but the first are ends."""

    OPEN = "open"
    USED = "used"
    SPENT = "spent"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A file of a letter as its officer is shown it; `pages` 0 where nobody counted, `active` what it could do."""

    name: str
    size: str
    sha256: str
    pages: int = 0
    active: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """A letter that waits for its officer's code: `key` is its row in the outbox."""

    key: str
    ticket: str
    about: str
    title: str
    recipient: str
    files: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code that an officer was sent, by its keyed hash alone, and the letters it lets go.

    `id` is the outbox key of the mail that tells it, `wrong` how often another was tried.
    """

    id: str
    officer: str
    digest: str
    letters: tuple[Pending, ...]
    at: datetime
    until: datetime
    wrong: int = 0
    state: CodeState = CodeState.OPEN


@dataclass(frozen=True, slots=True)
class Move:
    """A mail of ours that has not left takes another way: kept back, it is now due; or it is called off."""

    key: str
    phase: Phase
    not_before: datetime | None = None
