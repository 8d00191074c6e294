"""What an officer's mail needs found out before it is decided on: its scans looked into, its signatures verified."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from loket.core import parse
from loket.core.authres import Standing, judge
from loket.core.command import Proven, names_officer, speaker
from loket.core.model import Evidence, InboundMail, Scan
from loket.core.office import Office
from loket.core.token import Keys
from loket.scans import Inspector
from loket.signatures import Signatures

# More than anybody scans for one letter, and longer than it takes; the rest is not looked into, so does not leave.
MAX_SCANS = 30
BUDGET_SECONDS = 60.0


def _unknown(mailbox: str) -> int | None:  # noqa: ARG001 - a server that names no SIZE
    return None


@dataclass(frozen=True, slots=True)
class Examiner:
    """Adds `Evidence` to mail that carries an officer's sound token, and looks at no other.

    `limit` tells the octets that a mailbox's submission server takes (RFC 1870), None where it does not say.
    """

    keys: Keys
    limit: Callable[[str], int | None] = _unknown
    scans: Inspector = field(default_factory=Inspector)
    signatures: Signatures = field(default_factory=Signatures)

    def __call__(self, mail: InboundMail, office: Office, now: datetime) -> InboundMail:
        """The mail with what was found out."""
        if not names_officer(mail, office):
            return mail
        speaking = speaker(mail, office, self.keys, now)
        if not isinstance(speaking, Proven):
            return mail
        mailbox = mail.raw.ref.mailbox
        trust = office.counters[mailbox].trust
        domain = speaking.officer.address.rpartition("@")[2]
        signers: frozenset[str] = frozenset()
        if trust.dkim and judge(mail.headers, domain, trust) is Standing.NONE:
            signers = self.signatures.signers(bytes(mail.raw.data), domain)
        found = self._scans(mail)
        limit = self.limit(mailbox) if found else None
        return replace(mail, evidence=Evidence(found, signers, limit))

    def _scans(self, mail: InboundMail) -> dict[str, Scan]:
        found: dict[str, Scan] = {}
        until = time.monotonic() + BUDGET_SECONDS
        for part in mail.attachments[:MAX_SCANS]:
            if time.monotonic() > until:
                break
            content = parse.attachment_bytes(mail, part)
            key = hashlib.sha256(content).hexdigest()
            if content and key not in found:
                found[key] = self.scans.look(content)
        return found
