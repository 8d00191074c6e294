"""A promise is what the queue has kept: nine in ten, from what three in four took; with little to go by, the rules'."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.core.calendar import Calendar, parse_hours
from loket.core.pace import ENOUGH, LAST, RECENT, Answered, promise, quantile
from loket.core.worktime import WorkingTime
from tests.core.desk import NOW, QUIET, shown
from tests.core.room import Room

JAKARTA = ZoneInfo("Asia/Jakarta")
COUNTER = Calendar(JAKARTA, parse_hours("Mon-Fri 08:30-16:00"), lambda _: False)  # a day is 7.5 hours
DUE = WorkingTime(low=1, high=2)
HOURS = WorkingTime(low=2, high=4, unit="hours")


def answers(*hours: float, a_day: int = 5) -> list[Answered]:
    """Answers that took so many working hours, some a day, the last of them today."""
    days = [(len(hours) - 1 - index) // a_day for index in range(len(hours))]
    return [
        (int((NOW - timedelta(days=back)).timestamp()), int(taken * 3600))
        for back, taken in zip(days, hours, strict=True)
    ]


def said(due: WorkingTime, found: list[Answered], place: int = 1) -> str:
    range_ = promise(due, found, COUNTER, NOW, place=place)
    return f"{range_.low}-{range_.high} {range_.unit}"


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([], "1-2 days"),
        ([80] * 4, "1-2 days"),  # four are no pace
        ([20] * 5, "3-3 days"),  # 20 hours of 7.5 a day
        ([1] * 19, "1-2 days"),  # few and fast: not below the rules'
        ([1] * 20, "1-1 days"),
        ([1] * 10 + [10] * 10, "1-2 days"),
        ([1] * 10 + [31] * 10, "1-5 days"),
        ([10] * 18 + [400] * 2, "2-2 days"),  # one in ten does not count
        ([10] * 17 + [400] * 3, "2-54 days"),
    ],
)
def test_the_range_is_from_what_the_queue_has_kept(taken: list[float], expected: str) -> None:
    assert said(DUE, answers(*taken)) == expected


def test_a_queue_of_hours_speaks_of_hours_until_they_fill_a_day() -> None:
    assert said(HOURS, []) == "2-4 hours"
    assert said(HOURS, answers(*[1] * 15 + [3.2] * 5)) == "1-4 hours"
    assert said(HOURS, answers(*[1] * 6)) == "2-4 hours"
    assert said(HOURS, answers(*[1] * 15 + [9] * 5)) == "1-2 days"
    assert said(HOURS, answers(*[9] * 6)) == "2-2 days"


def test_whoever_stands_far_back_is_promised_no_sooner_than_the_queue_gets_there() -> None:
    fast = answers(*[1] * 40, a_day=5)
    assert said(DUE, fast, place=5) == "1-1 days"
    assert said(DUE, fast, place=6) == "1-2 days"
    assert said(DUE, fast, place=31) == "1-7 days"
    assert said(HOURS, fast, place=31) == "1-7 days"


def test_what_is_long_ago_says_nothing() -> None:
    old = [(at - int(RECENT.total_seconds()) - 1, taken) for at, taken in answers(*[100] * 40)]
    assert said(DUE, old) == "1-2 days"


@given(st.lists(st.floats(0.01, 200), max_size=LAST), st.integers(1, 200))
@QUIET
def test_nine_in_ten_were_answered_within_what_is_promised(taken: list[float], place: int) -> None:
    found = promise(DUE, answers(*taken), COUNTER, NOW, place=place)
    assert 1 <= found.low <= found.high
    if len(taken) >= ENOUGH:
        day = COUNTER.day_length()
        kept = sum(timedelta(hours=one) <= found.high * day for one in taken)
        assert kept >= 0.9 * len(taken)


def test_the_nearest_rank_is_one_of_the_values() -> None:
    assert [quantile([1, 2, 3, 4], part) for part in (0, 0.25, 0.26, 0.9, 1)] == [1, 1, 2, 4, 4]


def test_the_acknowledgement_says_it() -> None:
    room = Room()
    room.known.pace["konsultasi-iklan"] = answers(*[1] * 10 + [31] * 10)
    room.ask()
    [acknowledgement] = room.to_applicant()
    assert "Perkiraan waktu: 1–5 hari kerja" in shown(acknowledgement)


def test_an_answer_says_what_working_time_it_took_without_the_pause() -> None:
    room = Room()
    number = room.ask()  # Tuesday, 09.00
    room.now += timedelta(hours=2)
    room.say(number, "TANYA\nUntuk media apa?")
    room.now += timedelta(days=1)
    room.write(number, "Untuk radio.")
    room.now = datetime(2026, 11, 26, 9, 0, tzinfo=JAKARTA)
    room.say(number, "JAWAB\nSudah sesuai.")
    [event] = [event for event in room.last.events if event.kind == "answered"]
    # Two hours on Tuesday, five on Wednesday, half an hour on Thursday.
    assert event.worked == 7.5 * 3600
