"""Letters that wait since their account may send no more for now: who hears of it, from where, and how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loket.core.mail import Post
from loket.core.model import Kind, Phase, Plan, ReceiptKind, Sent
from loket.core.waits import Delay, delayed, is_delayed, waits
from tests.core.desk import KEYS, OT, shown
from tests.core.room import DEWI, GITA, IKLAN, WATI, Room

ADMIN = "admin.loket@pom.go.id"
OVER = "550 5.4.5 Daily user sending quota exceeded."


def answered() -> tuple[Room, str, Post, Sent]:
    """A letter that waits, and its ticket's number; what is told of it goes by another account."""
    room = Room()
    number = room.ask()
    room.say(number, "JAWAB Sudah.\n", GITA)
    [letter] = room.to_applicant()
    post = Post(room.office, room.office.counters[OT], KEYS, room.now)
    return room, number, post, Sent(letter.message_id, Kind.DELIVERY, IKLAN, WATI, number, Phase.DUE)


def test_the_officer_of_a_letter_is_told_once_and_the_admin_once_a_day() -> None:
    room, number, post, sent = answered()
    ack = Sent("ack@x", Kind.ACKNOWLEDGEMENT, IKLAN, WATI, number, Phase.DUE)
    told = waits(post, Delay(IKLAN, OVER, room.now + timedelta(hours=1)), [(sent, room.ticket(number)), (ack, None)])
    to_officer, to_admin = (plan.outbox[0] for plan in told)
    assert (to_officer.recipient, to_officer.mailbox, to_officer.ticket) == (GITA, OT, number)
    assert (to_admin.recipient, to_admin.mailbox) == (ADMIN, OT)
    assert "pukul 10.00 WIB" in shown(to_officer)
    assert OVER in " ".join(shown(to_officer).split())
    assert "2 email menunggu" in " ".join(shown(to_admin).split())
    again = Post(room.office, room.office.counters[OT], KEYS, room.now + timedelta(hours=2))
    later = waits(again, Delay(IKLAN, OVER, room.now + timedelta(hours=3)), [(sent, room.ticket(number))])
    assert [plan.occurrence for plan in later] == [plan.occurrence for plan in told]
    tomorrow = Post(room.office, room.office.counters[OT], KEYS, room.now + timedelta(days=1))
    next_day = waits(tomorrow, Delay(IKLAN, OVER, room.now + timedelta(days=2)), [(sent, room.ticket(number))])
    assert [one.occurrence == other.occurrence for one, other in zip(next_day, told, strict=True)] == [True, False]


def test_a_question_that_waits_is_told_to_who_asked() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "TANYA Benar?\n", DEWI)
    [question] = room.to_applicant()
    post = Post(room.office, room.office.counters[OT], KEYS, room.now)
    sent = Sent(question.message_id, Kind.QUESTION, IKLAN, WATI, number, Phase.DUE)
    told = waits(post, Delay(IKLAN, OVER, room.now), [(sent, room.ticket(number))])
    assert [mail.recipient for plan in told for mail in plan.outbox] == [DEWI, ADMIN]
    # What happens has its event, whoever is told.
    assert [event.kind for plan in told for event in plan.events] == ["waits", "over-quota"]


def test_of_what_is_held_up_only_who_wrote_to_an_applicant_is_told() -> None:
    """Once with what waits for a quota: it is the same letter, and the same news."""
    room, number, post, sent = answered()
    plan = delayed(post, sent, room.ticket(number), "450 4.2.1 Mailbox busy")
    [mail] = plan.outbox
    assert (mail.recipient, mail.mailbox, mail.ticket) == (GITA, OT, number)
    assert "450 4.2.1 Mailbox busy" in " ".join(shown(mail).split())
    assert "Dicoba lagi" not in shown(mail)
    quota = waits(post, Delay(IKLAN, OVER, room.now), [(sent, room.ticket(number))])[0]
    assert (plan.occurrence, mail.key) == (quota.occurrence, quota.outbox[0].key)
    for kind in set(Kind) - {Kind.DELIVERY, Kind.QUESTION}:
        assert delayed(post, Sent("m@x", kind, IKLAN, WATI, number, Phase.DUE), room.ticket(number), "450") == Plan()


@pytest.mark.parametrize(
    ("hours", "attempt", "verdict", "news"),
    [
        (4, 5, ReceiptKind.REFUSED_NOW, True),
        (3.9, 9, ReceiptKind.REFUSED_NOW, False),
        # Kept back for its code for a day, then greylisted.
        (24, 4, ReceiptKind.REFUSED_NOW, False),
        # Without a server nothing is an attempt.
        (4, 1, ReceiptKind.NOT_TRIED, True),
        (3.9, 1, ReceiptKind.NOT_TRIED, False),
        (30, 9, ReceiptKind.OVER_QUOTA, False),
    ],
)
def test_a_delay_is_news_after_four_hours_of_trying(
    hours: float, attempt: int, verdict: ReceiptKind, news: bool
) -> None:
    now = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert is_delayed(now - timedelta(hours=hours), attempt, verdict, now) is news
