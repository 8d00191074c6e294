"""When appointments are, by the counter's calendar: a year of the shipped office by hand, and odd days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.core.appointments import Appointments, Book, Lead, book, moments
from loket.core.calendar import Calendar, parse_hours
from loket.core.model import Booking, Offer
from tests.core.desk import DITLAI, QUIET, office
from tests.core.waitingroom import QUEUE, SITI, at

# Mondays of 2026 on which the office works, from the calendar on its wall. Off: 16 February (joint leave of the
# Chinese new year), 23 March (joint leave of Idul Fitri), 1 June (Pancasila day), 17 August (independence day).
MONDAYS_OF_2026 = """
    5 12 19 26 January
    2 9 23 February
    2 9 16 30 March
    6 13 20 27 April
    4 11 18 25 May
    8 15 22 29 June
    6 13 20 27 July
    3 10 24 31 August
    7 14 21 28 September
    5 12 19 26 October
    2 9 16 23 30 November
    7 14 21 28 December
"""
TIMES = "09:00 09:30 10:00 10:30 11:00 11:30 13:00 13:30 14:00 14:30"
_MONTHS = "January February March April May June July August September October November December"
MONTHS = {name: number for number, name in enumerate(_MONTHS.split(), start=1)}
BERLIN = ZoneInfo("Europe/Berlin")


def settings(**more: object) -> Appointments:
    return Appointments.model_validate({"hours": "Mon 09:00-12:00", "length": "30 minutes", **more})


def always_open(zone: ZoneInfo = BERLIN, hours: str = "Mon-Sun 00:00-23:59") -> Calendar:
    return Calendar(zone, parse_hours(hours), lambda _: False)


def shipped() -> tuple[Appointments, Calendar]:
    queue = office().queues[QUEUE].appointments
    assert queue is not None
    return queue, office().counters[DITLAI].calendar


def test_a_year_of_mondays_is_as_counted_by_hand() -> None:
    """48 Mondays of ten appointments, and not one more on any other day."""
    wanted = []
    for line in MONDAYS_OF_2026.split("\n"):
        *days, month = line.split() or [""]
        for day in days:
            for time in TIMES.split():
                wanted.append(f"2026-{MONTHS[month]:02}-{int(day):02} {time}")
    queue, calendar = shipped()
    year = [date(2026, 1, 1) + timedelta(days=offset) for offset in range(365)]
    found = [start.astimezone(calendar.zone) for day in year for start in moments(queue, calendar, day)]
    assert [f"{start:%Y-%m-%d %H:%M}" for start in found] == wanted
    assert len(wanted) == 480


def test_each_interval_is_filled_from_its_beginning_and_what_is_left_over_is_none() -> None:
    """Half-open: one that ends with the interval is in it, one that ends a minute later is not."""
    found = moments(settings(hours="Mon 09:00-10:59, Mon 13:00-14:00"), always_open(), date(2026, 7, 6))
    assert [f"{start.astimezone(BERLIN):%H:%M}" for start in found] == ["09:00", "09:30", "10:00", "13:00", "13:30"]


@pytest.mark.parametrize(
    ("day", "times"),
    [
        # The clocks skip from 02:00 to 03:00, and repeat from 02:00 to 03:00.
        (date(2026, 3, 29), ["01:00+0100", "01:30+0100", "03:00+0200", "03:30+0200"]),
        (
            date(2026, 10, 25),
            [
                "01:00+0200",
                "01:30+0200",
                "02:00+0200",
                "02:30+0200",
                "02:00+0100",
                "02:30+0100",
                "03:00+0100",
                "03:30+0100",
            ],
        ),
    ],
)
def test_where_the_clocks_change_appointments_follow_real_time(day: date, times: list[str]) -> None:
    found = moments(settings(hours="Sun 01:00-04:00"), always_open(), day)
    assert [f"{start.astimezone(BERLIN):%H:%M%z}" for start in found] == times


@QUIET
@given(
    st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    st.sampled_from(["Asia/Jakarta", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.integers(5, 180),
)
def test_no_two_appointments_of_a_day_overlap(day: date, zone: str, minutes: int) -> None:
    queue = settings(hours="Mon-Sun 00:00-05:00, Mon-Sun 08:00-23:59", length=f"{minutes} minutes")
    found = moments(queue, always_open(ZoneInfo(zone)), day)
    assert all(before + queue.length <= after for before, after in pairwise(found))


def booked(start: datetime, ticket: str = "A", seat: int = 1, minutes: int = 30) -> Booking:
    return Booking(ticket, ticket, QUEUE, SITI, start, start + timedelta(minutes=minutes), seat, start)


def opened(now: datetime, *bookings: Booking, offers: tuple[Offer, ...] = (), **more: object) -> list[str]:
    _, calendar = shipped()
    found = open_book(*bookings, offers=offers, **more).free(now)
    assert all(start.tzinfo is UTC for start in found)
    return [f"{start.astimezone(calendar.zone):%m-%d %H:%M}" for start in found]


def open_book(*bookings: Booking, offers: tuple[Offer, ...] = (), **more: object) -> Book:
    queue, calendar = shipped()
    return book(QUEUE, queue.model_copy(update=more), calendar, bookings, offers)


MONDAY = [f"11-30 {time}" for time in TIMES.split()]


def test_what_is_free_begins_with_the_next_monday_and_ends_with_the_horizon() -> None:
    found = opened(at(11, 24, 9))
    assert found[:10] == MONDAY
    # Four weeks from Tuesday 24 November is Tuesday 22 December.
    assert (found[-1], len(found)) == ("12-21 14:30", 40)


@pytest.mark.parametrize(
    ("now", "first"),
    [
        (at(11, 27, 15, 59), "11-30 09:00"),  # Friday, before the counter closes
        (at(11, 27, 16, 1), "12-07 09:00"),
        (at(11, 29, 12), "12-07 09:00"),
        (at(11, 30, 9, 10), "12-07 09:00"),
    ],
)
def test_the_notice_ends_when_the_counter_closes_on_the_working_day_before(now: datetime, first: str) -> None:
    assert opened(now)[0] == first


def test_on_joint_leave_the_working_day_before_is_over() -> None:
    """Monday 28 December follows Christmas and joint leave: it had to be taken by Wednesday."""
    assert "12-28 09:00" in opened(at(12, 23, 15, 59))
    assert not [one for one in opened(at(12, 24, 9)) if one.startswith("12-28")]


def test_a_taken_moment_is_free_for_its_own_ticket_alone_and_until_all_seats_are_taken() -> None:
    now, start = at(11, 24, 9), at(11, 30, 9)
    assert opened(now, booked(start))[:2] == MONDAY[1:3]
    assert opened(now, booked(start), capacity=2)[:2] == MONDAY[:2]
    assert opened(now, booked(start), booked(start, "B", 2), capacity=2)[:2] == MONDAY[1:3]
    there = open_book(booked(start), booked(start, "B", 3), capacity=3)
    assert there.seat(start, "C", now) == 2
    assert open_book(booked(start)).seat(start, "A", now) == 1


def test_an_appointment_of_another_length_is_in_the_way_of_all_it_overlaps() -> None:
    """The admin made them shorter: who has an hour keeps it."""
    assert opened(at(11, 24, 9), booked(at(11, 30, 9), minutes=60))[0] == "11-30 10:00"
    assert opened(at(11, 24, 9), booked(at(11, 30, 9, 15), minutes=30))[0] == "11-30 10:00"


def test_what_is_kept_for_whoever_waited_is_nobody_elses_until_its_time_is_over() -> None:
    start = at(11, 30, 9)
    kept = Offer("W", QUEUE, SITI, (start,), at(11, 24, 8), at(11, 23, 8), at(11, 25, 16))
    assert opened(at(11, 24, 9), offers=(kept,))[0] == MONDAY[1]
    assert opened(at(11, 25, 16), offers=(kept,))[0] == MONDAY[0]
    assert open_book(offers=(kept,)).seat(start, "W", at(11, 24, 9)) == 1
    # An offer that keeps nothing reserves nothing.
    assert opened(at(11, 24, 9), offers=(replace(kept, until=None),))[0] == MONDAY[0]


def test_leads_are_counted_in_working_days_or_in_hours() -> None:
    _, calendar = shipped()
    start = at(11, 30, 10)
    assert Lead.model_validate("1 working day").before(calendar, start) == at(11, 27, 10)
    assert Lead.model_validate("1 hour").before(calendar, start) == at(11, 30, 9)
    # Over Christmas and joint leave.
    assert Lead.model_validate("1 working day").before(calendar, at(12, 28, 10)) == at(12, 23, 10)
