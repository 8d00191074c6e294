"""A week's figures, counted by hand across a holiday: what came, what was answered and how fast, what waits."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from loket.core.figures import Figures, Row, Step, Week, figures, median
from loket.core.model import State

JAKARTA = ZoneInfo("Asia/Jakarta")
OPEN, WAITING, CLOSED = State.OPEN, State.WAITING, State.CLOSED
IKLAN, IT, TRIASE = "konsultasi-iklan", "konsultasi-it", "triase"
DEWI, EKO, WATI = "dewi@pom.go.id", "eko@pom.go.id", "wati@iklan.example"
HOUR = 3600
LATER = datetime(2027, 2, 1, tzinfo=JAKARTA)


def at(text: str) -> datetime:
    """`24T09:00` of December 2026."""
    return datetime.fromisoformat(f"2026-12-{text}").replace(tzinfo=JAKARTA)


def step(
    ticket: int,
    when: str,
    kind: str,
    actor: str,
    state: State,
    *,
    queue: str = IKLAN,
    due: str = "",
    holder: str | None = None,
    hours: float | None = None,
) -> Step:
    worked = None if hours is None else int(hours * HOUR)
    return Step(f"LKT-{ticket}", at(when), kind, actor, queue, state, at(due) if due else None, holder, worked)


# Week 52: Monday the 21st to Sunday the 27th; Thursday and Friday are off. A day is 7.5 hours, 08.30 to 16.00.
HISTORY = [
    # 1: of the week before, due on Tuesday, answered on Tuesday: in time. 7.5 hours of Monday and half an hour.
    step(1, "18T15:00", "opened", WATI, OPEN, due="22T16:00"),
    step(1, "22T08:30", "answered", DEWI, CLOSED, due="22T16:00", hours=8.5),
    # 2: due on Wednesday, answered on Monday after the holidays, in the next week: waits, and is late.
    step(2, "21T09:00", "opened", WATI, OPEN, due="23T16:00"),
    step(2, "28T09:00", "answered", DEWI, CLOSED, due="23T16:00", hours=23),
    # 3: asked on Monday at 10.00, its applicant replies on Tuesday and has an answer on Wednesday, both at 10.00:
    # an hour, 6 hours and 1.5 hours.
    step(3, "21T09:00", "opened", WATI, OPEN, due="23T16:00"),
    step(3, "21T10:00", "asked", EKO, WAITING, holder=EKO),
    step(3, "22T10:00", "reopened", WATI, OPEN, due="28T09:30", holder=EKO),
    step(3, "23T10:00", "answered", EKO, CLOSED, due="28T09:30", hours=8.5),
    # 4: answered late, called off before it left, and answered once more: one answer, late.
    step(4, "17T09:00", "opened", WATI, OPEN, due="21T16:00"),
    step(4, "22T09:00", "answered", DEWI, CLOSED, due="21T16:00", hours=22.5),
    step(4, "22T09:05", "called-off", DEWI, OPEN, due="21T16:00"),
    step(4, "22T10:00", "answered", DEWI, CLOSED, due="21T16:00", hours=23.5),
    # 5: answered the week before; its applicant wrote on Monday, and it is answered on Tuesday within 2 hours.
    step(5, "14T09:00", "opened", WATI, OPEN, due="16T16:00"),
    step(5, "15T09:00", "answered", DEWI, CLOSED, due="16T16:00", hours=7.5),
    step(5, "21T15:00", "reopened", WATI, OPEN, due="23T16:00", holder=DEWI),
    step(5, "22T09:30", "answered", DEWI, CLOSED, due="23T16:00", hours=2),
    # 6: could not be told, moved to the IT queue, where it waits in Eko's hands until Tuesday.
    step(6, "23T09:00", "opened", WATI, OPEN, queue=TRIASE, due="28T16:00"),
    step(6, "23T10:00", "moved", DEWI, OPEN, queue=IT, due="29T16:00"),
    step(6, "23T11:00", "claimed", EKO, OPEN, queue=IT, due="29T16:00", holder=EKO),
    # 7: incomplete, completed on Wednesday; it waits, and is not late.
    step(7, "21T09:00", "opened", WATI, WAITING),
    step(7, "23T09:00", "completed", WATI, OPEN, due="29T16:00"),
    # 8: the answer bounced the same week: it waits again, and is no answer.
    step(8, "21T09:00", "opened", WATI, OPEN, due="23T16:00"),
    step(8, "22T09:00", "answered", EKO, CLOSED, due="23T16:00", hours=7.5),
    step(8, "22T09:10", "undelivered", "loket", OPEN, due="23T16:00"),
    # 9: came on Christmas; 10: on Monday after the week. 11: came and was closed long before.
    step(9, "25T12:00", "opened", WATI, OPEN, due="29T16:00"),
    step(10, "28T00:00", "opened", WATI, OPEN, due="29T16:00"),
    step(11, "07T09:00", "opened", WATI, OPEN, due="09T16:00"),
    step(11, "08T09:00", "answered", DEWI, CLOSED, due="09T16:00", hours=7.5),
]


def counted(week: str = "2026-W52", now: datetime = LATER) -> Figures:
    return figures(HISTORY, Week.read(week), JAKARTA, now)


def test_the_week_of_the_holidays_as_counted_by_hand() -> None:
    found = counted()
    # Answers: 1 (8.5 h, in time), 3 (8.5 h, in time), 4 (23.5 h, late), 5 (2 h, in time). Waiting: 2 and 8, late; 7; 9.
    iklan = Row(IKLAN, arrivals=5, returned=1, answered=4, waiting=4, late=2, pace=int(8.5 * HOUR), kept=3, of_due=4)
    assert found.queues == (iklan, Row(IT, returned=1, waiting=1), Row(TRIASE, arrivals=1))
    assert found.total == Row(
        "", arrivals=6, returned=2, answered=4, waiting=5, late=2, pace=int(8.5 * HOUR), kept=3, of_due=4
    )


def test_the_officers_of_that_week() -> None:
    """Dewi answered 1, 4 and 5; 4 twice, of which one was called off. Eko answered 3, has 6, and 8 came to nothing."""
    dewi = Row(DEWI, arrivals=3, answered=3, waiting=0, pace=int(8.5 * HOUR), kept=2, of_due=3)
    eko = Row(EKO, arrivals=3, answered=1, waiting=1, pace=int(8.5 * HOUR), kept=1, of_due=1)
    assert counted().officers == (dewi, eko)


def test_a_week_says_the_same_whenever_it_is_asked() -> None:
    """What happened after it changes nothing: the answer of the week after, nor what came then."""
    until = [one for one in HISTORY if one.at < at("28T00:00")]
    assert figures(until, Week(2026, 52), JAKARTA, LATER) == counted()


def test_the_week_after_has_the_late_answer() -> None:
    found = counted("2026-W53")
    [iklan] = [row for row in found.queues if row.name == IKLAN]
    assert (iklan.arrivals, iklan.answered, iklan.kept, iklan.of_due, iklan.pace) == (1, 1, 0, 1, 23 * HOUR)
    assert found.total.waiting == 5


def test_a_week_that_is_not_over_is_counted_up_to_now() -> None:
    so_far = [one for one in HISTORY if one.at < at("22T12:00")]
    found = figures(so_far, Week(2026, 52), JAKARTA, at("22T12:00"))
    assert (found.total.arrivals, found.total.answered, found.total.waiting, found.total.late) == (4, 3, 3, 0)


def test_a_week_before_all_history_is_empty() -> None:
    assert counted("2026-W40") == Figures(Week(2026, 40), (), (), Row(""))


@pytest.mark.parametrize("text", ["2026-W47", "2026W47", " 2026-w47 "])
def test_a_week_is_read_as_written(text: str) -> None:
    week = Week.read(text)
    assert (str(week), f"{week.monday}", f"{week.sunday}") == ("2026-W47", "2026-11-16", "2026-11-22")


@pytest.mark.parametrize("text", ["", "47", "2026-47", "2026-W00", "2026-W54", "2027-W53", "W47-2026"])
def test_what_is_no_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 2026-W47"):
        Week.read(text)


def test_weeks_go_over_the_year() -> None:
    assert str(Week(2027, 1).before()) == "2026-W53"
    assert str(Week.of(datetime(2027, 1, 3, tzinfo=JAKARTA).date())) == "2026-W53"


def test_the_median_is_the_middle() -> None:
    assert [median(values) for values in ([], [5], [1, 9], [9, 1, 4])] == [None, 5, 5, 4]


ZOOM, SARI = "konsultasi-zoom", "sari@jamu.example"


def zoom(*steps: tuple[str, str, str, State]) -> Figures:
    """The figures of week 52 with one ticket that has an appointment."""
    history = [step(1, when, kind, actor, state, queue=ZOOM) for when, kind, actor, state in steps]
    return figures(history, Week(2026, 52), JAKARTA, LATER, officers=(DEWI, EKO))


CHOSEN = [
    ("21T09:00", "opened", SARI, WAITING),
    ("21T10:00", "appointment-booked", SARI, WAITING),
]


def test_an_appointment_that_its_applicant_chose_answers_the_request_and_is_nobodys_work() -> None:
    found = zoom(*CHOSEN)
    assert found.queues == (Row(ZOOM, arrivals=1, answered=1),)
    assert (found.officers, found.total.answered, found.total.due_keeping) == ((), 1, None)


def test_another_time_is_no_second_answer_and_neither_is_its_end() -> None:
    """The request was answered once; that the consultation took place is the officer's work."""
    found = zoom(
        *CHOSEN,
        ("21T11:00", "appointment-moved", SARI, WAITING),
        ("22T09:30", "appointment-over", "loket", OPEN),
        ("22T09:40", "answered", DEWI, CLOSED),
    )
    assert found.queues == (Row(ZOOM, arrivals=1, answered=1),)
    assert found.officers == (Row(DEWI, arrivals=1, answered=1),)
    assert found.total.answered == 1


def test_one_that_is_over_waits_for_its_officer_and_did_not_come_back() -> None:
    found = zoom(*CHOSEN, ("22T09:30", "appointment-over", "loket", OPEN))
    assert found.queues == (Row(ZOOM, arrivals=1, answered=1, waiting=1),)


def test_a_question_before_the_appointment_comes_back_and_its_answer_counts() -> None:
    found = zoom(
        *CHOSEN,
        ("21T11:00", "follow-up", SARI, OPEN),
        ("21T12:00", "answered", DEWI, WAITING),
        ("22T09:30", "appointment-over", "loket", OPEN),
        ("22T09:40", "answered", DEWI, CLOSED),
    )
    assert found.queues == (Row(ZOOM, arrivals=1, returned=1, answered=2),)
    assert found.officers == (Row(DEWI, arrivals=1, answered=2),)


def test_an_appointment_that_an_officer_made_is_theirs() -> None:
    found = zoom(("21T09:00", "opened", SARI, OPEN), ("21T10:00", "appointment-booked", DEWI, WAITING))
    assert found.officers == (Row(DEWI, arrivals=1, answered=1),)
    assert found.total.answered == 1


def test_who_asks_again_after_the_end_is_answered_again() -> None:
    found = zoom(
        *CHOSEN,
        ("22T09:30", "appointment-over", "loket", OPEN),
        ("22T09:40", "answered", DEWI, CLOSED),
        ("23T09:00", "reopened", SARI, OPEN),
        ("23T10:00", "appointment-booked", SARI, WAITING),
    )
    assert found.queues == (Row(ZOOM, arrivals=1, returned=1, answered=2),)
