"""How much an officer's mail proves beside its address and token, and what an outcome asks for (promise P15)."""

from __future__ import annotations

from typing import Literal

from loket.core.authres import Standing, Trust, judge
from loket.core.model import InboundMail
from loket.core.rules import Outcome

Proof = Literal["token", "trusted", "code", "either", "both"]

# Why an answer does not leave yet, or not at all.
UNCONFIRMED = "unconfirmed"
NOT_AUTHENTICATED = "not-authenticated"


def asked(outcome: Outcome) -> Proof:
    """What it takes: for a letter a trusted result or a code, for anything else address and token alone."""
    return outcome.proof or ("either" if outcome.letter else "token")


def standing(mail: InboundMail, domain: str, trust: Trust) -> Standing:
    """What the border says of the author; where it says nothing, in some mailboxes, what the signature says."""
    said = judge(mail.headers, domain, trust)
    if said is Standing.NONE and trust.dkim and domain in mail.evidence.signers:
        return Standing.PASS
    return said


def missing(outcome: Outcome, said: Standing) -> str | None:
    """What is still missing for an outcome to leave."""
    passed = said is Standing.PASS
    match asked(outcome):
        case "token":
            return None
        case "trusted":
            return None if passed else NOT_AUTHENTICATED
        case "code":
            return UNCONFIRMED
        case "either":
            return None if passed else UNCONFIRMED
        case "both":
            return UNCONFIRMED if passed else NOT_AUTHENTICATED


def missing_later(outcome: Outcome) -> str | None:
    """The same for an answer that was kept back, once a later mail asks for it: that one proves nothing of it."""
    return UNCONFIRMED if asked(outcome) in ("code", "either", "both") else None
