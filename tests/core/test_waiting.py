"""A ticket that waits for its applicant is reminded once and closed later, in working days; writing opens it again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from loket.core.mail import Post
from loket.core.model import Fate, Kind, Plan, State, Ticket
from loket.core.office import Patience
from loket.core.waiting import LAPSED, overdue
from loket.core.worktime import WorkingDays
from tests.core.desk import DESAIN, KEYS, NOW, Desk, letter, office, shown

PATIENCE = Patience(WorkingDays.model_validate("3 working days"), WorkingDays.model_validate("10 working days"))
FRIDAY_27 = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)  # 16.00 WIB, the end of the third working day after Tuesday


def due(ticket: Ticket, now: datetime, reminded: datetime | None = None, patience: Patience = PATIENCE) -> Plan | None:
    return overdue(Post(replace(office(), patience=patience), office().counters[DESAIN], KEYS, now), ticket, reminded)


def waiting(subject: str = "Revisi Desain_Jamu Kunyit") -> tuple[Desk, Ticket]:
    desk = Desk()
    ticket = desk.opened(subject)
    assert ticket.state is State.WAITING
    return desk, ticket


def test_the_reminder_comes_at_the_end_of_the_third_working_day_and_says_how_to_answer() -> None:
    _, ticket = waiting()
    assert due(ticket, FRIDAY_27 - timedelta(seconds=1)) is None
    plan = due(ticket, FRIDAY_27)
    assert plan is not None
    assert plan.changed == ()
    assert plan.occurrence is not None
    assert (plan.occurrence.what, plan.occurrence.whom, plan.occurrence.due_at) == ("remind", ticket.number, FRIDAY_27)
    [mail] = plan.outbox
    text = shown(mail)
    assert mail.kind is Kind.REMINDER
    assert mail.recipient == ticket.applicant
    assert "Revisi Desain_OT_Jamu Kunyit" in text
    assert "Revisi Desain_SK_Jamu Kunyit" in text
    # Seven working days after it; said after hours, it counts from the next opening.
    assert "sampai Rabu, 9 Desember 2026" in text


def test_it_is_closed_after_the_tenth_and_says_how_to_go_on() -> None:
    _, ticket = waiting()
    end = datetime(2026, 12, 9, 9, 0, tzinfo=UTC)
    assert due(ticket, end - timedelta(seconds=1), FRIDAY_27) is None
    plan = due(ticket, end, FRIDAY_27)
    assert plan is not None
    assert [(one.state, one.outcome) for one in plan.changed] == [(State.CLOSED, LAPSED)]
    assert "membukanya kembali" in shown(plan.outbox[0])


def test_a_daemon_that_was_down_reminds_first_and_leaves_as_much_time_as_it_announced() -> None:
    _, ticket = waiting()
    late = datetime(2027, 1, 18, 3, 0, tzinfo=UTC)
    plan = due(ticket, late)
    assert plan is not None
    assert plan.occurrence is not None
    assert plan.occurrence.what == "remind"
    assert "Rabu, 27 Januari 2027" in shown(plan.outbox[0])
    assert due(ticket, late + timedelta(days=1), late) is None
    assert due(ticket, late + timedelta(days=8), late) is None
    assert due(ticket, datetime(2027, 1, 27, 9, 0, tzinfo=UTC), late) is not None


def test_only_what_waits_is_reminded_and_only_where_it_is_configured() -> None:
    _, ticket = waiting()
    far = NOW + timedelta(days=300)
    assert due(replace(ticket, state=State.OPEN), far) is None
    assert due(replace(ticket, state=State.CLOSED), far) is None
    assert due(ticket, far, patience=Patience()) is None
    only_close = due(ticket, far, patience=Patience(close=PATIENCE.close))
    assert only_close is not None
    assert only_close.changed[0].state is State.CLOSED


def test_nobody_is_written_to_where_nothing_automatic_may_go() -> None:
    _, ticket = waiting()
    plan = due(replace(ticket, respond=False), FRIDAY_27)
    assert plan is not None
    assert plan.outbox == ()


def test_a_ticket_that_waits_for_an_answer_to_an_officer_is_reminded_without_a_form() -> None:
    _, ticket = waiting()
    plan = due(replace(ticket, missing=()), FRIDAY_27)
    assert plan is not None
    text = shown(plan.outbox[0])
    assert "menunggu tanggapan" in text
    assert "ganti subjeknya" not in text


def test_a_rule_that_has_gone_from_the_files_stops_no_reminder() -> None:
    _, ticket = waiting()
    assert due(replace(ticket, rule="yang-dulu"), FRIDAY_27) is not None


def test_writing_to_a_closed_one_completes_it_and_opens_it_again() -> None:
    desk, ticket = waiting()
    plan = due(ticket, datetime(2026, 12, 9, 9, 0, tzinfo=UTC), FRIDAY_27)
    assert plan is not None
    desk.known.after(plan)
    answer = desk.take(letter(f"Re: [{ticket.number}]", "OT\n", uid=2))
    assert answer.fate is Fate.FOLLOW_UP
    assert [(one.state, one.queue, one.closed_at) for one in answer.changed] == [(State.OPEN, "revisi-desain-ot", None)]
