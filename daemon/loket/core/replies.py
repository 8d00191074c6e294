"""What a submission server's refusal means: never, later, with fewer connections, another day, or log in again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    """What follows from a 4yz or 5yz reply."""

    NEVER = "never"
    LATER = "later"
    # The account has sent what it may for now: nothing of it leaves for a while, and no mail is to blame.
    QUOTA = "quota"
    # Too many sessions at once: one fewer, and again.
    CROWDED = "crowded"
    # It speaks of the session, which has to log in anew, and of no mail.
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Reply:
    """Replies of one kind: by reply code, enhanced status code (RFC 3463) or words; what is not given is any."""

    means: Meaning
    code: int | None = None
    status: str | None = None
    words: str | None = None

    def matches(self, code: int, status: str, said: str) -> bool:
        """Whether a reply is of this kind; `said` in small letters."""
        return (
            (self.code is None or self.code == code)
            and (self.status is None or self.status == status)
            and (self.words is None or self.words in said)
        )


_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
# Subject and detail (RFC 3463) of which a refusal is not for good, though its class say 5. The RFC calls the first
# five "useful only as a persistent transient error", or asks that they be used so:
_TRANSIENT = {
    # Mailbox full: its owner will make room. A server says so of its sender's mailbox too (Exchange, which files the
    # Sent copy there).
    "2.2": Meaning.LATER,
    # Mail system full.
    "3.1": Meaning.LATER,
    # No answer from host, bad connection, directory server failure: somebody else's outage.
    "4.1": Meaning.LATER,
    "4.2": Meaning.LATER,
    "4.3": Meaning.LATER,
    # Mail system congestion. Gmail's daily quota bears it, and says 550 (gen-smtp/gen_smtp#140).
    "4.5": Meaning.LATER,
    # Too many recipients: "the remainder to be delivered on a subsequent attempt". One recipient is never too many for
    # the mail, so it is the account that has had too many.
    "5.3": Meaning.LATER,
}
# Left to their class on purpose: 4.4 (unable to route) and 3.2 (not accepting) are useful as both by the RFC; 4.6
# (routing loop) and 4.7 (delivery time expired) are transient by its letter, but no repetition mends a loop, and
# what has expired elsewhere was repeated already; 7.x (RFC 5248 and its registry) are decisions of policy.

# RFC 4954 section 6: authentication is required, too weak, wrong or has run out; the mail was not looked at.
_OF_THE_SESSION = frozenset({530, 534, 535, 538})


def status_of(said: str) -> str:
    """The enhanced status code that a reply begins with (RFC 2034), or nothing."""
    found = _STATUS.match(said)
    return f"{found[1]}.{found[2]}.{found[3]}" if found else ""


def meaning(code: int, said: str, own: Sequence[Reply] = ()) -> Meaning:
    """What a refusal means, a provider's own ways first, then the enhanced status code, then the reply's class."""
    status, low = status_of(said), said.lower()
    known = next((reply.means for reply in own if reply.matches(code, status, low)), None)
    if known is not None:
        return known
    if code in _OF_THE_SESSION:
        return Meaning.SESSION
    if code < 500:
        return Meaning.LATER
    return _TRANSIENT.get(status.partition(".")[2], Meaning.NEVER)
