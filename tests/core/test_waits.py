"""Letters that wait since their account may send no more for now: who hears of it, from where, and how often."""

from __future__ import annotations

from datetime import timedelta

from loket.core.mail import Post
from loket.core.model import Kind, Phase, Sent
from loket.core.waits import Delay, waits
from tests.core.desk import KEYS, OT, shown
from tests.core.room import DEWI, GITA, IKLAN, WATI, Room

ADMIN = "admin.loket@pom.go.id"
OVER = "550 5.4.5 Daily user sending quota exceeded."


def test_the_officer_of_a_letter_is_told_once_and_the_admin_once_a_day() -> None:
    room = Room()
    number = room.ask()
    room.say(number, "JAWAB Sudah.\n", GITA)
    [letter] = room.to_applicant()
    post = Post(room.office, room.office.counters[OT], KEYS, room.now)
    sent = Sent(letter.message_id, Kind.DELIVERY, IKLAN, WATI, number, Phase.DUE)
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
