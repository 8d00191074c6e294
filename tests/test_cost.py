"""The whole job stays as cheap a mail as docs/performance.md says, told by counting calls: no clock is asked."""

from __future__ import annotations

import pytest

from tests.bench import cost

# Calls a mail, as recorded; a change that makes a mail a quarter dearer says why and records anew, and one that makes
# it a quarter cheaper records that too, or the next one has room to be careless.
RECORDED = {"small": cost.Cost(taking_in=2170, sending=1300), "mixed": cost.Cost(taking_in=2710, sending=1310)}


@pytest.mark.parametrize("kind", ["small", "mixed"])
def test_a_mail_costs_what_is_recorded_within_a_quarter(kind: str) -> None:
    """From raw bytes to the commit, and from there to the verdict of a submission server."""
    found, recorded = cost.measure(mixed=kind == "mixed"), RECORDED[kind]
    for part in ("taking_in", "sending"):
        now, before = getattr(found, part), getattr(recorded, part)
        assert 0.75 * before <= now <= 1.25 * before, f"{kind}, {part}: {now} calls a mail, recorded are {before}"
