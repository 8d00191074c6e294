"""A counter around every commit and every I/O call, and a hard exit at any count."""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiosmtplib
import imapclient
from sqlalchemy.engine.default import DefaultDialect

from loket.exchange import Exchange

EXIT = 97

# What touches the world: durable writes, the IMAP session, each SMTP step.
POINTS: list[tuple[type, str]] = [
    (DefaultDialect, "do_commit"),
    (Path, "replace"),
    *(
        (imapclient.IMAPClient, name)
        for name in ("login", "select_folder", "search", "fetch", "create_folder", "move", "logout")
    ),
    *((aiosmtplib.SMTP, name) for name in ("connect", "rset", "quit")),
    # MAIL with RCPT, DATA, the mail.
    (Exchange, "_ask"),
]


class Counter:
    """Counts calls; at `stop_at` the process is gone, with nothing flushed, closed or rolled back.

    Call number n has two counts: 2n just before it and 2n+1 just after it.
    """

    def __init__(self, stop_at: int | None, last_words: Callable[[int, str], None]) -> None:
        """`last_words` tells where the process was, since it will not come back to say so."""
        self.stop_at = stop_at
        self.count = 0
        self._last_words = last_words
        self._turn = threading.Lock()

    def reach(self, name: str) -> None:
        """One count further, whichever thread it is."""
        with self._turn:
            if self.count == self.stop_at:
                self._last_words(self.count, name)
                os._exit(EXIT)
            self.count += 1

    def install(self) -> None:
        """Put the counter around every point."""
        for owner, name in POINTS:
            setattr(owner, name, self._around(getattr(owner, name), f"{owner.__name__}.{name}"))
        os.fsync = self._around(os.fsync, "os.fsync")

    def _around(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(call):

            async def waited(*args: Any, **named: Any) -> Any:
                self.reach(f"before {name}")
                result = await call(*args, **named)
                self.reach(f"after {name}")
                return result

            return waited

        def called(*args: Any, **named: Any) -> Any:
            self.reach(f"before {name}")
            result = call(*args, **named)
            self.reach(f"after {name}")
            return result

        return called
