"""Due times with pauses: what was left at the question is left when the answer is here, in any calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from loket.core.calendar import Calendar, parse_hours
from loket.core.model import Term
from loket.core.term import begin, due_at, go_on, put_off, stop, worked
from loket.core.worktime import WorkingTime
from tests.core.desk import QUIET

JAKARTA = ZoneInfo("Asia/Jakarta")
TWO_DAYS = WorkingTime(low=1, high=2)
FOUR_HOURS = WorkingTime(low=4, high=4, unit="hours")


def calendar(*off: str, hours: str = "Mon-Fri 08:30-12:00, Mon-Fri 13:00-16:00") -> Calendar:
    days = {date.fromisoformat(day) for day in off}
    return Calendar(JAKARTA, parse_hours(hours), lambda day: day in days)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JAKARTA)


def test_a_pause_moves_the_due_time_by_the_working_time_it_took() -> None:
    term = begin(FOUR_HOURS, at("2026-11-24T10:00"))
    assert due_at(term, calendar()) == at("2026-11-24T15:00")
    asked = stop(term, at("2026-11-24T11:00"))
    assert due_at(asked, calendar()) is None
    # Three hours were left; the answer comes in the night.
    again = go_on(asked, at("2026-11-25T22:00"))
    assert due_at(again, calendar()) == at("2026-11-26T11:30")
    assert again is not None
    assert worked(again, calendar(), at("2026-11-26T09:00")) == timedelta(hours=1, minutes=30)


def test_a_ticket_that_was_late_when_its_applicant_was_asked_is_due_when_the_counter_opens() -> None:
    late = go_on(stop(begin(FOUR_HOURS, at("2026-11-23T09:00")), at("2026-11-24T09:00")), at("2026-11-24T20:00"))
    assert due_at(late, calendar()) == at("2026-11-25T08:30")


def test_asking_twice_is_one_pause_and_going_on_twice_changes_nothing() -> None:
    term = begin(TWO_DAYS, at("2026-11-24T10:00"))
    once = stop(term, at("2026-11-24T11:00"))
    assert stop(once, at("2026-11-24T14:00")) == once
    again = go_on(once, at("2026-11-25T11:00"))
    assert go_on(again, at("2026-11-26T11:00")) == again
    assert (begin(None, at("2026-11-24T10:00")), stop(None, at("2026-11-24T10:00")), due_at(None, calendar())) == (
        *(None, None),
        None,
    )


def test_a_ticket_that_was_put_off_is_due_at_the_end_of_the_first_working_day() -> None:
    term = put_off(begin(FOUR_HOURS, at("2026-11-24T10:00")), date(2026, 11, 28))
    assert due_at(term, calendar()) == at("2026-11-30T16:00")
    assert due_at(term, calendar("2026-11-30")) == at("2026-12-01T16:00")
    later = put_off(begin(TWO_DAYS, at("2026-11-27T10:00")), date(2026, 11, 28))
    assert due_at(later, calendar()) == at("2026-12-01T16:00")


def test_another_calendar_moves_the_due_time_and_the_old_one_moves_it_back() -> None:
    """Two working days from Tuesday, asked on Wednesday at 09.00 and answered on Thursday at 09.00."""
    asked = stop(begin(TWO_DAYS, at("2026-11-24T10:00")), at("2026-11-25T09:00"))
    term = go_on(asked, at("2026-11-26T09:00"))
    assert due_at(term, calendar()) == at("2026-11-27T16:00")
    # Joint leave on the Wednesday: the second day is Friday, and the pause took half an hour of Thursday.
    assert due_at(term, calendar("2026-11-25")) == at("2026-11-30T09:00")
    # On the Thursday: the second day is Friday, and the pause took six hours of Wednesday.
    assert due_at(term, calendar("2026-11-26")) == at("2026-11-30T15:30")
    assert due_at(term, calendar(hours="Mon-Fri 08:30-12:00")) == at("2026-11-27T12:00")


MOMENTS = st.integers(0, 40 * 24 * 60).map(
    lambda minutes: datetime(2026, 11, 2, tzinfo=UTC) + timedelta(minutes=minutes)
)


@st.composite
def paused(draw: st.DrawFn) -> Term:
    """A term with some pauses, all over."""
    moments = sorted(draw(st.lists(MOMENTS, min_size=1, max_size=7, unique=True)))
    term = begin(draw(st.sampled_from([TWO_DAYS, FOUR_HOURS])), moments[0])
    for since, until in zip(moments[1::2], moments[2::2], strict=False):
        term = go_on(stop(term, since), until)
    assert term is not None
    return term


@given(paused())
@QUIET
def test_the_office_has_the_same_working_time_whatever_pauses_there_were(term: Term) -> None:
    counter = calendar("2026-11-17")
    plain = Term(term.start, term.amount, term.unit)
    whole, due = due_at(plain, counter), due_at(term, counter)
    assert whole is not None
    assert due is not None
    assert due.astimezone(UTC) >= whole.astimezone(UTC)
    # As long as it was not late when it was asked, nothing is lost and nothing is won.
    shorter = [due_at(Term(term.start, term.amount, term.unit, term.pauses[:count]), counter) for count in range(9)]
    in_time = all(due is not None and since < due for (since, _), due in zip(term.pauses, shorter, strict=False))
    if in_time:
        assert worked(term, counter, due) == worked(plain, counter, whole)
