"""Working time: hours as they are written, half-open intervals, due times and the last moment that was due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from loket.core.calendar import DAYS, HORIZON_DAYS, Calendar, latest_due, parse_hours, parse_times
from loket.core.worktime import WorkingDays, WorkingTime
from tests.core.desk import QUIET

JAKARTA = ZoneInfo("Asia/Jakarta")
BERLIN = ZoneInfo("Europe/Berlin")  # 2026: forward on 29 March at 02:00, back on 25 October at 03:00
HOLIDAY = date(2026, 12, 25)
SPLIT = "Mon-Thu 08:30-12:00, Mon-Thu 13:00-16:00, Fri 08:30-15:00"


def calendar(hours: str = "Mon-Fri 08:30-16:00", zone: ZoneInfo = JAKARTA) -> Calendar:
    return Calendar(zone, parse_hours(hours), lambda day: day == HOLIDAY)


def at(text: str, zone: ZoneInfo = JAKARTA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon 08:30-16:00", {0: ["08:30-16:00"]}),
        ("Mon-Wed 08:30-16:00", {0: ["08:30-16:00"], 1: ["08:30-16:00"], 2: ["08:30-16:00"]}),
        ("Sat-Mon 00:00-23:59", {5: ["00:00-23:59"], 6: ["00:00-23:59"], 0: ["00:00-23:59"]}),
        ("Fri 13:00-16:00,Fri 08:30-11:30", {4: ["08:30-11:30", "13:00-16:00"]}),
        ("Fri 08:00-12:00, Fri 12:00-16:00", {4: ["08:00-12:00", "12:00-16:00"]}),
    ],
)
def test_hours_are_read_as_written(text: str, expected: dict[int, list[str]]) -> None:
    read = parse_hours(text).by_day
    assert {day: [f"{a:%H:%M}-{b:%H:%M}" for a, b in spans] for day, spans in read.items()} == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", ",", "Mon", "08:30-16:00", "Mon 8:30-16:00", "Mon 08.30-16.00", "mon 08:30-16:00", "Mon-Fri 08:30"),
        *("Sen-Jum 08:30-16:00", "Mon-Frx 08:30-16:00", "Mon 08:30-24:00", "Mon 16:00-08:30", "Mon 08:30-08:30"),
        *("Mon 08:30-12:00, Mon-Fri 11:59-16:00", "Mon 08:30-12:00; Tue 08:30-12:00", "Mon ٠٨:٣٠-16:00"),
    ],
)
def test_hours_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|written|no time of day|end after|overlap"):
        parse_hours(text)


@pytest.mark.parametrize("text", ["", "08:30,", "8:30", "Mon-Fri", "Mon-Fri 08:30, 24:00", "30 8 * * *", "Sen 08:30"])
def test_times_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|written|no time of day"):
        parse_times(text)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("1 working day", 1, 1), ("2 working days", 1, 2), ("1-3 working days", 1, 3), ("5 – 10 working days", 5, 10)],
)
def test_a_range_of_working_days_is_read_as_written(text: str, low: int, high: int) -> None:
    assert WorkingDays.model_validate(text) == WorkingDays(low=low, high=high)


@pytest.mark.parametrize(
    ("text", "low", "high"), [("4 working hours", 4, 4), ("1 working hour", 1, 1), ("2-6 working hours", 2, 6)]
)
def test_a_range_of_working_hours_is_read_as_written(text: str, low: int, high: int) -> None:
    assert WorkingTime.model_validate(text) == WorkingTime(low=low, high=high, unit="hours")
    with pytest.raises(ValidationError, match="working days"):
        WorkingDays.model_validate(text)


@pytest.mark.parametrize("text", ["0 working days", "3-2 working days", "2 days", "-1 working days", "two", 2, None])
def test_no_other_range_is_taken(text: object) -> None:
    with pytest.raises(ValidationError, match="working days"):
        WorkingDays.model_validate(text)
    with pytest.raises(ValidationError, match="working"):
        WorkingTime.model_validate(text)


@pytest.mark.parametrize(
    ("moment", "is_open", "opens"),
    [
        ("2026-11-24T08:29:59", False, "2026-11-24T08:30"),
        ("2026-11-24T08:30:00", True, "2026-11-24T08:30"),
        ("2026-11-24T11:59:59.999999", True, "2026-11-24T11:59:59.999999"),
        ("2026-11-24T12:00:00", False, "2026-11-24T13:00"),
        ("2026-11-24T15:59:59", True, "2026-11-24T15:59:59"),
        ("2026-11-24T16:00:00", False, "2026-11-25T08:30"),
        ("2026-11-27T15:00:00", False, "2026-11-30T08:30"),  # Friday closes earlier; the weekend is closed
        ("2026-12-24T16:00:00", False, "2026-12-28T08:30"),  # a holiday and a weekend
    ],
)
def test_an_interval_includes_its_start_and_not_its_end(moment: str, is_open: bool, opens: str) -> None:
    counter = calendar(SPLIT)
    assert counter.is_open(at(moment)) is is_open
    assert counter.next_open(at(moment)) == at(opens)
    # The zone of the clock that asks does not matter.
    assert counter.is_open(at(moment).astimezone(UTC)) is is_open


@pytest.mark.parametrize(
    ("moment", "days", "due"),
    [
        ("2026-11-24T09:00", 1, "2026-11-25T16:00"),
        ("2026-11-24T09:00", 2, "2026-11-26T16:00"),
        ("2026-11-24T16:00", 1, "2026-11-26T16:00"),  # after hours: as if it came the next morning
        ("2026-11-24T07:00", 1, "2026-11-25T16:00"),
        ("2026-11-26T09:00", 1, "2026-11-27T15:00"),
        ("2026-11-27T09:00", 1, "2026-11-30T16:00"),
        ("2026-11-28T09:00", 1, "2026-12-01T16:00"),
        ("2026-12-23T09:00", 2, "2026-12-28T16:00"),
    ],
)
def test_due_is_the_end_of_a_working_day_counted_from_the_next_opening(moment: str, days: int, due: str) -> None:
    assert calendar(SPLIT).due(at(moment), days) == at(due)


def test_a_counter_that_never_opens_has_no_next_opening_and_nothing_is_due() -> None:
    never = Calendar(JAKARTA, parse_hours("Mon 08:30-16:00"), lambda _: True)
    assert never.next_open(at("2026-11-24T09:00")) is None
    assert never.due(at("2026-11-24T09:00"), 1) is None


def test_hours_follow_the_clock_of_the_office_through_a_change_to_summer_time() -> None:
    counter = calendar("Sun-Mon 01:00-04:00", BERLIN)
    assert counter.is_open(datetime(2026, 3, 29, 0, 0, tzinfo=UTC))  # 01:00 before the change
    assert counter.is_open(datetime(2026, 3, 29, 1, 59, tzinfo=UTC))  # 03:59 after it
    assert not counter.is_open(datetime(2026, 3, 29, 2, 0, tzinfo=UTC))
    assert counter.next_open(datetime(2026, 3, 29, 2, 0, tzinfo=UTC)) == datetime(2026, 3, 29, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "hours", "due"),
    [
        ("2026-11-24T09:00", 2, "2026-11-24T11:00"),
        ("2026-11-24T11:00", 2, "2026-11-24T14:00"),  # an hour before the break and one after it
        ("2026-11-24T10:30", 5, "2026-11-25T09:00"),  # 1:30 + 3:00 today, half an hour tomorrow
        ("2026-11-24T12:59:59", 3, "2026-11-24T16:00"),  # the end of the day is no part of it, and is its due time
        ("2026-11-27T14:00", 2, "2026-11-30T09:30"),
        ("2026-12-24T15:00", 2, "2026-12-28T09:30"),  # a holiday and a weekend
    ],
)
def test_due_in_working_hours_counts_the_open_ones(moment: str, hours: int, due: str) -> None:
    span = WorkingTime(low=hours, high=hours, unit="hours")
    assert calendar(SPLIT).by(at(moment), span) == at(due)


def test_due_in_working_days_is_the_end_of_a_day() -> None:
    assert calendar(SPLIT).by(at("2026-11-24T09:00"), WorkingTime(low=1, high=2)) == at("2026-11-26T16:00")


APIA, LORD_HOWE, NEW_YORK = ZoneInfo("Pacific/Apia"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("zone", "hours", "day", "open_for"),
    [
        (BERLIN, "Sun 01:00-04:00", "2026-03-29", 120),  # 02:00 to 03:00 are skipped
        (BERLIN, "Sun 02:15-02:45", "2026-03-29", 0),
        (BERLIN, "Sun 02:30-03:30", "2026-03-29", 30),  # opens when the clocks are set, to 03:00
        (BERLIN, "Sun 01:00-04:00", "2026-10-25", 240),  # 02:00 to 03:00 come twice
        (BERLIN, "Sun 02:00-02:30", "2026-10-25", 30),  # the first time they come
        (NEW_YORK, "Sun 00:00-12:00", "2026-03-08", 660),
        (NEW_YORK, "Sun 00:00-12:00", "2026-11-01", 780),
        (LORD_HOWE, "Sun 00:00-06:00", "2026-10-04", 330),  # half an hour
        (LORD_HOWE, "Sun 00:00-06:00", "2026-04-05", 390),
        (APIA, "Mon-Sun 08:00-16:00", "2011-12-29", 480),
        (APIA, "Mon-Sun 08:00-16:00", "2011-12-30", 0),  # Samoa went over the date line: there was no such day
        (APIA, "Mon-Sun 08:00-16:00", "2011-12-31", 480),
    ],
)
def test_a_day_is_open_for_as_long_as_the_clocks_take(zone: ZoneInfo, hours: str, day: str, open_for: int) -> None:
    counter = Calendar(zone, parse_hours(hours), lambda _: False)
    moments = counter.moments(date.fromisoformat(day))
    assert sum(((b - a) for a, b in moments), timedelta()) == timedelta(minutes=open_for)
    assert counter.works(date.fromisoformat(day)) is (open_for > 0)


def test_a_day_that_never_was_is_no_working_day() -> None:
    counter = Calendar(APIA, parse_hours("Mon-Sun 08:00-16:00"), lambda _: False)
    thursday = datetime(2011, 12, 29, 9, 0, tzinfo=APIA)
    assert counter.due(thursday, 1) == datetime(2011, 12, 31, 16, 0, tzinfo=APIA)
    assert counter.open_between(thursday, datetime(2012, 1, 1, 0, 0, tzinfo=APIA)) == timedelta(hours=7 + 8)


MOMENTS = st.integers(0, 2 * 365 * 24 * 3600).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))
CLOCK = st.integers(0, 24 * 60 - 1).map(lambda minutes: time(minutes // 60, minutes % 60))


@st.composite
def written_hours(draw: st.DrawFn) -> str:
    """Hours of some days, each with up to three intervals that do not overlap."""
    items = []
    for day in draw(st.lists(st.sampled_from(DAYS), min_size=1, unique=True)):
        ends = sorted(draw(st.lists(CLOCK, min_size=2, max_size=6, unique=True)))
        items += [f"{day} {a:%H:%M}-{b:%H:%M}" for a, b in zip(ends[::2], ends[1::2], strict=False)]
    return ", ".join(draw(st.permutations(items)))


ZONES = st.sampled_from([JAKARTA, BERLIN, NEW_YORK, LORD_HOWE, APIA, ZoneInfo("America/Sao_Paulo")])
SECONDS = st.integers(0, 90 * 24 * 3600).map(lambda seconds: timedelta(seconds=seconds))


@st.composite
def counters(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    """A counter somewhere, and a moment near a change of its clocks or anywhere."""
    zone = draw(ZONES)
    near = {BERLIN: "2026-03-29", NEW_YORK: "2026-11-01", LORD_HOWE: "2026-04-05", APIA: "2011-12-30"}
    if zone in near and draw(st.booleans()):
        around = datetime.fromisoformat(near[zone]).replace(tzinfo=UTC)
        now = around + timedelta(seconds=draw(st.integers(-5 * 86400, 5 * 86400)))
    else:
        now = draw(MOMENTS)
    off = draw(st.sets(st.integers(0, 6), max_size=2))
    return Calendar(zone, parse_hours(draw(written_hours())), lambda day: day.toordinal() % 7 in off), now


@given(counters(), SECONDS, SECONDS)
@QUIET
def test_working_time_adds_up_and_never_shrinks(counter: tuple[Calendar, datetime], a: timedelta, b: timedelta) -> None:
    calendar, now = counter
    first, second = calendar.open_between(now, now + a), calendar.open_between(now + a, now + a + b)
    whole = calendar.open_between(now, now + a + b)
    assert whole == first + second
    assert timedelta() <= first <= min(whole, a)


@given(counters(), st.integers(1, 40 * 3600).map(lambda seconds: timedelta(seconds=seconds)))
@QUIET
def test_what_is_due_after_some_working_time_is_due_when_just_that_is_over(
    counter: tuple[Calendar, datetime], span: timedelta
) -> None:
    calendar, now = counter
    end = calendar.after_open(now, span)
    if end is None:
        # Two years ahead nobody promises anything: a counter that opens a minute a week does not get there.
        assert calendar.open_between(now, now + timedelta(days=HORIZON_DAYS - 1)) < span
        return
    instant = timedelta(microseconds=1)
    assert calendar.open_between(now, end) == span
    # Never inside what is closed: the counter was open up to that moment, and a later end would be too late.
    assert calendar.is_open(end.astimezone(UTC) - instant)
    assert calendar.open_between(now, end.astimezone(UTC) - instant) < span
    later = calendar.after_open(now, span + timedelta(minutes=1))
    if later is None:
        assert calendar.open_between(now, now + timedelta(days=HORIZON_DAYS - 1)) < span + timedelta(minutes=1)
    else:
        assert later.astimezone(UTC) > end.astimezone(UTC)


@given(counters(), SECONDS)
@QUIET
def test_time_runs_while_the_counter_is_open_and_stands_still_while_it_is_not(
    counter: tuple[Calendar, datetime], span: timedelta
) -> None:
    calendar, now = counter
    moment, instant = now + span, timedelta(microseconds=1)
    passed = calendar.open_between(moment, moment + instant)
    assert passed == (instant if calendar.is_open(moment) else timedelta())


@given(written_hours(), MOMENTS)
@QUIET
def test_the_next_opening_is_open_and_nothing_between_is(hours: str, now: datetime) -> None:
    counter = calendar(hours)
    opens = counter.next_open(now)
    assert opens is not None
    assert counter.is_open(opens)
    assert (opens == now) is counter.is_open(now)
    if opens > now:
        assert not counter.is_open(opens - timedelta(microseconds=1))
        assert not any(counter.is_open(now + (opens - now) * part / 16) for part in range(16))


@given(written_hours(), MOMENTS, st.integers(1, 12))
@QUIET
def test_due_grows_with_the_days_and_is_never_in_the_past(hours: str, now: datetime, days: int) -> None:
    counter = calendar(hours)
    due, later = counter.due(now, days), counter.due(now, days + 1)
    opens = counter.next_open(now)
    assert due is not None
    assert later is not None
    assert opens is not None
    assert now <= opens < due < later
    assert counter.works(due.date())
    between = [opens.date() + timedelta(days=n) for n in range(1, (due.date() - opens.date()).days + 1)]
    assert sum(counter.works(day) for day in between) == days


TIMES = st.builds(
    lambda days, moments: f"{days}{', '.join(f'{moment:%H:%M}' for moment in moments)}",
    st.sampled_from(["", "Mon-Fri ", "Sun ", "Fri-Mon "]),
    st.lists(CLOCK, min_size=1, max_size=4),
)


@given(TIMES, MOMENTS, st.sampled_from([JAKARTA, BERLIN]))
@QUIET
def test_the_latest_due_moment_is_the_last_of_all_before_now(text: str, now: datetime, zone: ZoneInfo) -> None:
    times = parse_times(text)
    days = [now.astimezone(zone).date() - timedelta(days=back) for back in range(-1, 10)]
    every = [
        datetime.combine(day, moment, zone).astimezone(UTC)
        for day in days
        for moment in times.by_day.get(day.weekday(), ())
    ]
    due = latest_due(times, zone, now)
    assert due is not None
    assert due.astimezone(UTC) == max(moment for moment in every if moment <= now)


def test_a_moment_is_due_at_its_very_second() -> None:
    times = parse_times("Mon-Fri 08:30, 13:00")
    assert latest_due(times, JAKARTA, at("2026-11-24T08:30")) == at("2026-11-24T08:30")
    assert latest_due(times, JAKARTA, at("2026-11-24T08:29:59")) == at("2026-11-23T13:00")
    assert latest_due(times, JAKARTA, at("2026-11-23T08:00")) == at("2026-11-20T13:00")


def test_a_skipped_moment_happens_once_the_clocks_were_set_and_a_repeated_one_once() -> None:
    night = parse_times("02:30")
    assert latest_due(night, BERLIN, datetime(2026, 3, 29, 1, 29, tzinfo=UTC)) == at("2026-03-28T02:30", BERLIN)
    after = latest_due(night, BERLIN, datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
    assert after is not None
    assert after.astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert latest_due(night, BERLIN, first) == latest_due(night, BERLIN, second)


def test_a_skipped_moment_comes_after_the_one_that_the_clocks_were_set_to() -> None:
    """02:30 is skipped, so it happens at 03:30 of summer time, after 03:00."""
    both = parse_times("02:30, 03:00")
    due = latest_due(both, BERLIN, datetime(2026, 3, 29, 1, 45, tzinfo=UTC))
    assert due is not None
    assert due.astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
