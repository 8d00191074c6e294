"""A log that cannot be written stops nothing: its disk may be the one that is full."""

from __future__ import annotations

from pathlib import Path

import pytest

from loket import maillog


@pytest.mark.parametrize("as_json", [True, False])
def test_a_line_that_cannot_be_written_raises_nothing(as_json: bool) -> None:
    """/dev/full says at every write that no space is left."""
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - closed below, where it fails once more
    maillog.set_up(as_json=as_json, stream=full)
    for _ in range(3):
        maillog.unreachable("desain@office.test", "database or disk is full", 2.0)
    with pytest.raises(OSError, match="space"):
        full.close()
