"""Patience: how long a server that is down, or refuses for now, is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket import outbox, watch
from loket.core.retry import EXPIRY, LONGEST, next_attempt, wait

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
chances = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("first", "longest", "knocks"),
    [
        pytest.param(watch.FIRST_WAIT, watch.LONGEST_WAIT, range(15, 26), id="a mailbox"),
        pytest.param(outbox.NOT_REACHED_FIRST, outbox.NOT_REACHED_LONGEST, range(9, 18), id="a submission server"),
    ],
)
@pytest.mark.parametrize("chance", [0.0, 0.999])
def test_a_server_down_for_an_hour_is_asked_a_few_times_and_soon_after_it_is_back(
    first: timedelta, longest: timedelta, knocks: range, chance: float
) -> None:
    down, asked = timedelta(), 0
    while down < HOUR:
        asked += 1
        down += wait(asked, chance, first, longest)
    assert asked in knocks
    assert down - HOUR <= longest


@given(st.integers(1, 10**9), chances)
def test_a_wait_is_never_over_the_longest_nor_a_fifth_under_the_one_before(attempt: int, chance: float) -> None:
    """However often it failed."""
    assert timedelta() < wait(attempt, chance) <= LONGEST
    assert wait(attempt + 1, chance) >= wait(attempt, chance)


@given(st.integers(1, 10**6), chances)
def test_a_mail_is_given_up_after_five_days_and_not_before(attempt: int, chance: float) -> None:
    assert next_attempt(NOW - EXPIRY, attempt, NOW, chance) is None
    again = next_attempt(NOW - EXPIRY + timedelta(seconds=1), attempt, NOW, chance)
    assert again is not None
    assert again > NOW
