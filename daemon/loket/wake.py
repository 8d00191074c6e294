"""Ends a wait for a server from another thread."""

from __future__ import annotations

import os
import select
import weakref
from typing import Any


class Wake:
    """Ends a wait from another thread."""

    def __init__(self) -> None:
        """A pipe, since select can watch it beside a socket."""
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # A daemon that gives way to another configuration, in the same process, leaves none behind.
        self._given_back = weakref.finalize(self, _close, self._read, self._write)

    def set(self) -> None:
        """Wake whoever waits, now or next time."""
        try:
            os.write(self._write, b"!")
        except BlockingIOError:
            return  # the pipe is full of wake-ups already

    def wait(self, seconds: float, *others: Any) -> bool:
        """Until somebody wakes, something comes on another descriptor, or the time is over; whether somebody woke."""
        poll = select.poll()
        for descriptor in (self._read, *others):
            poll.register(descriptor, select.POLLIN)
        poll.poll(max(0, seconds) * 1000)
        try:
            os.read(self._read, 4096)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Give back the pipe; it is given back too when nobody holds this any more."""
        self._given_back()


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
