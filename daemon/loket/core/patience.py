"""What a server that asks for patience says, and how long it is left alone for that."""

from __future__ import annotations

import re
from datetime import timedelta

# Microsoft names milliseconds, and asks at times for hours that nobody needs.
_BACKOFF = re.compile(r"Suggested Backoff Time:\s*(\d{1,12})\s*milliseconds", re.IGNORECASE)
LONGEST = timedelta(minutes=5)
# Response codes of RFC 5530, and the words of servers that have none for it; with each how long.
_ASKS: tuple[tuple[str, timedelta], ...] = (
    ("too many simultaneous connections", timedelta(minutes=2)),
    ("maximum number of connections", timedelta(minutes=2)),
    # Reconnecting is what brings this about: the server still holds the earlier sessions.
    ("user is authenticated but not connected", LONGEST),
    ("request is throttled", timedelta(minutes=1)),
    ("[limit]", timedelta(minutes=2)),
    ("[inuse]", timedelta(minutes=1)),
    ("[unavailable]", timedelta(minutes=1)),
)


def asked(said: str) -> timedelta | None:
    """How long a server wants to be left alone by these words, at most `LONGEST`; None where they ask for nothing."""
    named = _BACKOFF.search(said)
    if named:
        return min(LONGEST, timedelta(milliseconds=int(named[1])))
    low = said.lower()
    return next((wait for words, wait in _ASKS if words in low), None)
