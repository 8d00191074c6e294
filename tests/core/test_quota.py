"""How much may leave now: rolling windows, and what digests may not take from letters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loket.core.quota import DAY, Limit, allowance

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def used(count: int, ago: timedelta = timedelta(hours=1)) -> list[datetime]:
    """So many, a second apart, the first so long ago."""
    return [NOW - ago + timedelta(seconds=number) for number in range(count)]


@pytest.mark.parametrize(
    ("spent", "rooms"), [(0, (100, 90, 80)), (79, (21, 11, 1)), (80, (20, 10, 0)), (95, (5, 0, 0)), (130, (0, 0, 0))]
)
def test_letters_have_a_reserve_that_digests_and_answers_cannot_take(spent: int, rooms: tuple[int, ...]) -> None:
    assert allowance([Limit(100, DAY)], used(spent), NOW).rooms == rooms


def test_what_waits_may_go_when_the_oldest_that_is_in_its_way_is_a_day_old() -> None:
    spent = used(95)
    letters, answers, digests = allowance([Limit(100, DAY)], spent, NOW).frees
    assert letters is None
    # 95 are used: six must leave the window before a ninetieth answer fits, sixteen before an eightieth digest does.
    assert (answers, digests) == (spent[5] + DAY, spent[15] + DAY)


def test_what_is_a_day_old_counts_no_more() -> None:
    assert allowance([Limit(10, DAY)], used(10, DAY + timedelta(seconds=10)), NOW).rooms == (10, 9, 8)


def test_a_rate_is_shared_by_all_alike_and_the_tighter_limit_counts() -> None:
    found = allowance([Limit(30, MINUTE), Limit(100, DAY)], used(25, timedelta(seconds=30)), NOW)
    assert found.rooms == (5, 5, 5)
    full = allowance([Limit(30, MINUTE)], used(30, timedelta(seconds=40)), NOW)
    assert (full.rooms, full.frees[0]) == ((0, 0, 0), NOW + timedelta(seconds=20))


def test_of_what_is_claimed_the_most_urgent_has_the_room() -> None:
    """Two letters, then an answer, then a digest; there is room for four letters, three answers, two digests."""
    found = allowance([Limit(10, DAY)], used(6), NOW)
    assert found.rooms == (4, 3, 2)
    assert [found.takes(place, priority) for place, priority in enumerate((0, 0, 1, 3))] == [True, True, True, False]
