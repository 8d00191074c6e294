"""`loket demo`."""

from __future__ import annotations


def demo() -> None:
    """The town in a box."""
