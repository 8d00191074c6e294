"""One-time codes: from a secret, known by a keyed hash of exactly the letters they let go, compared in one time."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from loket.core.model import Code, CodeState, Pending, Plan
from loket.core.token import Keys

# Base32 has no 0, 1, 8 and 9: whoever types one means the letter it looks like. 50 bits, five tries.
LENGTH = 10
_MEANT = str.maketrans("0189", "OIBP")


@dataclass(frozen=True, slots=True)
class Kept:
    """What a letter that is kept back is in the outbox itself: whom it goes to and which bytes go along."""

    recipient: str
    sha256: tuple[str, ...]


@dataclass(slots=True)
class Codes:
    """The open codes of officers, what their letters are in the outbox, and which mails with codes have not left."""

    open: dict[str, list[Code]] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    unsent: set[str] = field(default_factory=set)

    def of(self, officer: str) -> list[Code]:
        """The open codes of an officer, the oldest first."""
        return list(self.open.get(officer, ()))

    def add(self, code: Code) -> None:
        """A code as it stands now."""
        others = [one for one in self.open.get(code.officer, ()) if one.id != code.id]
        self.open[code.officer] = [*others, code] if code.state is CodeState.OPEN else others

    def after(self, plan: Plan) -> None:
        """The state once the plan has been carried out."""
        written = {mail.key for mail in plan.outbox}
        for code in plan.codes:
            self.add(code)
            if code.id in written:
                self.unsent.add(code.id)
                self.kept.update({letter.key: kept_of(letter) for letter in code.letters})
        self.unsent -= {move.key for move in plan.moves}


def kept_of(letter: Pending) -> Kept:
    return Kept(letter.recipient, tuple(file.sha256 for file in letter.files))


def make(keys: Keys, mail: str, letters: Sequence[Pending]) -> str:
    """The code for the letters as an officer's `mail` leaves them; nobody without the secret can foretell it."""
    return keys.stamp("\0".join(("code", mail, *(letter.key for letter in letters))))[:LENGTH].upper()


def shown(code: str) -> str:
    """In two groups, to be read and typed."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def typed(text: str) -> str:
    """The code in what somebody typed: its first word or two, letter case, hyphens and spaces aside."""
    words = re.findall(r"[A-Za-z0-9]+", text.upper())
    taken = ""
    for word in words:
        if len(taken) >= LENGTH:
            break
        taken += word
    return taken.translate(_MEANT)


def digest(keys: Keys, code: str, of: str, officer: str, letters: Sequence[tuple[str, Kept]]) -> str:
    """What is kept of a code: bound to its officer, its mail, and each letter's row, recipient and bytes."""
    said = [part for key, kept in letters for part in (key, kept.recipient, *kept.sha256)]
    return keys.stamp("\0".join(("code-digest", of, officer, *said, code)))


def matching(keys: Keys, known: Codes, officer: str, code: str) -> Code | None:
    """The officer's open code that this is, as the letters are in the outbox now; it may be too old."""
    found = None
    for one in known.of(officer):
        kept = [(letter.key, known.kept.get(letter.key, Kept("", ()))) for letter in one.letters]
        same = hmac.compare_digest(one.digest, digest(keys, code, one.id, officer, kept))
        found = one if same else found
    return found
