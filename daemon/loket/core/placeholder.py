"""Texts that a server gives where it cannot give the mail itself, and which are no applicant's words."""

from __future__ import annotations

from datetime import datetime, timedelta

from loket.core.model import Buffer

# What Exchange writes when its conversion fails.
_WORDS = (
    b"the server couldn't retrieve the following message",
    b"retrieval using the imap4 protocol failed for the following message",
)
# Later than this the mail itself will not come any more, and a person must see what there is.
PATIENCE = timedelta(days=1)
_LOOKED_AT = 4096


def stands_in(data: Buffer, arrived: datetime, now: datetime) -> bool:
    """Whether these octets stand in for a mail that may come yet."""
    if now - arrived > PATIENCE:
        return False
    head = bytes(data[:_LOOKED_AT]).lower().replace(b"=\r\n", b"").replace(b"\xe2\x80\x99", b"'")
    return any(words in head for words in _WORDS)
