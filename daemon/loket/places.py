"""How many IMAP sessions a server has of ours at once; where there are more mailboxes, they take turns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# How often somebody who waits for a place looks whether it is time to stop.
LOOK_SECONDS = 0.5


class Places:
    """Places for sessions; None is as many as anybody wants."""

    def __init__(self, count: int | None = None) -> None:
        """All of them free."""
        self._free = threading.Semaphore(count) if count is not None else None
        self._waiting = 0
        self._lock = threading.Lock()

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for a place: then whoever has one lets go of it between two polls."""
        return self._waiting > 0

    @contextmanager
    def one(self, stopping: threading.Event) -> Iterator[None]:
        """A place, once there is one; without one where it is time to stop."""
        if self._free is None:
            yield
            return
        taken = self._wait(self._free, stopping)
        try:
            yield
        finally:
            if taken:
                self._free.release()

    def _wait(self, free: threading.Semaphore, stopping: threading.Event) -> bool:
        with self._lock:
            self._waiting += 1
        try:
            while not stopping.is_set():
                if free.acquire(timeout=LOOK_SECONDS):
                    return True
            return False
        finally:
            with self._lock:
                self._waiting -= 1
