"""Unguessable references: what proves that an answer belongs to a ticket, and to whom (RFC 2104)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

# 128 bits in base32 (RFC 4648 section 6), lower case: survives clients that change letter case.
_MAC_LENGTH = 26
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
# The standard library's encoder takes three times as long as the HMAC.
_PAIRS = tuple(first + second for first in _LETTERS for second in _LETTERS)
_EPOCH = date(2020, 1, 1)
OFFICER_LIFE = timedelta(days=90)

_NUMBER = r"[A-Z]{2,8}-\d{4}-\d{6,9}-\d"
REFERENCE = re.compile(
    rf"(?P<number>{_NUMBER})\.(?P<kind>[to])\.(?P<key>[a-z0-9]{{1,8}})\.(?P<until>\d{{1,5}})\.(?P<mac>[a-z2-7]{{{_MAC_LENGTH}}})",
    re.IGNORECASE,
)
NUMBER = re.compile(rf"(?<![A-Z0-9-]){_NUMBER}(?![0-9-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Keys:
    """The secret keys by id, the signing one first; old ones still verify."""

    signing: str
    keys: Mapping[str, bytes]

    def ticket(self, number: str) -> str:
        """The reference that joins a reply to its ticket; it says nothing about the writer and does not expire."""
        return self._reference(number, "t", 0, "")

    def officer(self, number: str, officer: str, now: datetime) -> str:
        """The token of one officer for one ticket, good for `OFFICER_LIFE`."""
        until = (now.astimezone(UTC).date() + OFFICER_LIFE - _EPOCH).days
        return self._reference(number, "o", until, officer)

    def _reference(self, number: str, kind: str, until: int, whom: str) -> str:
        mac = self._mac(self.signing, number, kind, until, whom)
        return f"{number}.{kind}.{self.signing}.{until}.{mac}"

    def _mac(self, key: str, number: str, kind: str, until: int, whom: str) -> str:
        said = "\0".join(("loket-1", kind, number, str(until), whom)).encode()
        digest = hmac.digest(self.keys[key], said, "sha256")
        # 20 octets are 32 letters without padding, more than are kept; two letters are ten bits.
        bits = int.from_bytes(digest[:20], "big")
        return "".join([_PAIRS[bits >> below & 1023] for below in range(150, -1, -10)])[:_MAC_LENGTH]

    def stamp(self, text: str) -> str:
        """A value that only we can make from `text`, for ids and boundaries that nobody can foretell."""
        return self._mac(self.signing, text, "s", 0, "")

    def read_ticket(self, text: str) -> str | None:
        """The number of a sound ticket reference in `text`."""
        for match in REFERENCE.finditer(text):
            if match["kind"].lower() == "t" and self._sound(match, ""):
                return match["number"].upper()
        return None

    def read_officer(self, text: str, officer: str, now: datetime) -> str | None:
        """The ticket for which `text` holds that officer's sound, unexpired token."""
        today = (now.astimezone(UTC).date() - _EPOCH).days
        for match in REFERENCE.finditer(text):
            if match["kind"].lower() == "o" and self._sound(match, officer) and int(match["until"]) >= today:
                return match["number"].upper()
        return None

    def made_for(self, text: str, officer: str) -> bool:
        """Whether `text` holds a token that was once that officer's, expired or not."""
        return any(match["kind"].lower() == "o" and self._sound(match, officer) for match in REFERENCE.finditer(text))

    def _sound(self, match: re.Match[str], whom: str) -> bool:
        key = match["key"].lower()
        if key not in self.keys:
            return False
        wanted = self._mac(key, match["number"].upper(), match["kind"].lower(), int(match["until"]), whom)
        return hmac.compare_digest(wanted, match["mac"].lower())


def holds_officer_token(text: str) -> bool:
    """Whether something shaped like an officer's token is there, sound or not."""
    return any(match["kind"].lower() == "o" for match in REFERENCE.finditer(text))


# The number of no ticket: an officer's token for it speaks for the officer's desk as a whole.
_DESK = re.compile(r"[A-Z]{2,8}-0000-000000-0")


def desk(prefix: str) -> str:
    """What stands in the place of a ticket's number in an officer's token that is for no ticket."""
    return number(prefix, 0, 0)


def is_desk(text: str) -> bool:
    """Whether a token for that number is for no ticket."""
    return _DESK.fullmatch(text) is not None


def number(prefix: str, year: int, serial: int) -> str:
    """A ticket number with its check digit, as in LKT-2026-000123-7."""
    digits = f"{year:04d}{serial:06d}"
    return f"{prefix}-{year:04d}-{serial:06d}-{check_digit(digits)}"


def check_digit(digits: str) -> int:
    """Luhn's digit (ISO/IEC 7812-1): catches every single wrong digit and nearly every swap."""
    total = 0
    for index, char in enumerate(reversed(digits)):
        value = int(char) * (1 if index % 2 else 2)
        total += value - 9 if value > 9 else value
    return -total % 10


def is_number(text: str) -> bool:
    """Whether this is a well-formed ticket number whose check digit is right."""
    match = re.fullmatch(r"[A-Z]{2,8}-(\d{4})-(\d{6,9})-(\d)", text)
    return match is not None and check_digit(match[1] + match[2]) == int(match[3])
