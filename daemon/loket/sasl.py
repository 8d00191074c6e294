"""What SASL says with an access token: OAUTHBEARER (RFC 7628) and XOAUTH2, its forerunner, for IMAP and SMTP alike."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field

from loket.core.headers import clean_text

OAUTHBEARER, XOAUTH2 = "OAUTHBEARER", "XOAUTH2"
# In order of preference: the standard first.
MECHANISMS = (OAUTHBEARER, XOAUTH2)


def chosen(offered: Collection[str]) -> str | None:
    """The best of what a server offers; None where it takes no token."""
    known = {name.upper() for name in offered}
    return next((name for name in MECHANISMS if name in known), None)


@dataclass(slots=True)
class Exchange:
    """One attempt: the token at first, and to a challenge after it, which is an error's text, what ends the exchange.

    `said` is what the server's error held: its status, and the scope that it wants.
    """

    mechanism: str
    user: str
    token: str = field(repr=False)
    host: str
    port: int
    said: str = ""
    _begun: bool = False

    def __call__(self, challenge: bytes) -> bytes:
        """The answer to a challenge, both without their base64."""
        if not self._begun:
            self._begun = True
            return self.first()
        self.said = _error(challenge)
        # RFC 7628 3.2.3 has a dummy of one octet, XOAUTH2 an empty line.
        return b"\x01" if self.mechanism == OAUTHBEARER else b""

    def first(self) -> bytes:
        """The initial response."""
        if self.mechanism == XOAUTH2:
            return f"user={self.user}\x01auth=Bearer {self.token}\x01\x01".encode()
        name = self.user.replace("=", "=3D").replace(",", "=2C")
        return f"n,a={name},\x01host={self.host}\x01port={self.port}\x01auth=Bearer {self.token}\x01\x01".encode()


def _error(challenge: bytes) -> str:
    """What a server's JSON says (RFC 7628 3.2.2), fit to be shown."""
    try:
        found = json.loads(challenge)
    except ValueError:
        return ""
    if not isinstance(found, dict):
        return ""
    parts = (f"{name} {found[name]}" for name in ("status", "scope") if found.get(name))
    return clean_text(", ".join(parts), 200)
