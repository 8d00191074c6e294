"""The store as the outbox sees it: due → claimed → data → sent, refused or in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from loket.core.model import (
    FileSegment,
    Kind,
    Occurrence,
    Outbound,
    Phase,
    Plan,
    Receipt,
    ReceiptKind,
    Sent,
    State,
    Ticket,
)
from loket.core.quota import Allowance
from loket.core.waits import Delay
from loket.ports import Claimed
from loket.store import schema
from tests.contract.conftest import Store
from tests.contract.values import ELSEWHERE, HERE, NOW, event, minutes, number, outbound, settle, stored, ticket

SENT = Receipt(ReceiptKind.SENT, 250, "2.0.0 queued")
LATER = Receipt(ReceiptKind.REFUSED_NOW, 450, "4.2.1 later")
REFUSED = Receipt(ReceiptKind.REFUSED, 550, "5.1.1 nobody")
DOUBT = Receipt(ReceiptKind.IN_DOUBT, 0, "cut off")
NOT_TRIED = Receipt(ReceiptKind.NOT_TRIED, 0, "no route")


def keys(claimed: Sequence[Claimed]) -> list[str]:
    """Of which mails."""
    return [one.mail.key for one in claimed]


def claim_one(store: Store, at: datetime = NOW) -> Claimed:
    """The only mail that is due."""
    [claimed] = store.outgoing.claim(at, 10, [HERE])
    return claimed


def kinds(store: Store) -> list[str]:
    """The events, oldest first, without the one of writing."""
    return [row.kind for row in store.rows(schema.event) if row.kind != "wrote"]


def test_letters_go_first_and_digests_last(store: Store) -> None:
    """Within one priority, what was due earlier."""
    store.write(
        outbound("digest", kind=Kind.DIGEST),
        outbound("alert", kind=Kind.ALERT),
        outbound("ack 2"),
        outbound("ack 1", not_before=NOW - minutes(1)),
        outbound("letter", kind=Kind.DELIVERY),
        outbound("ack of a backlog", not_before=NOW - minutes(9), late=True),
    )
    assert keys(store.outgoing.claim(NOW, 3, [HERE])) == ["letter", "ack 1", "ack 2"]
    assert keys(store.outgoing.claim(NOW, 3, [HERE])) == ["alert", "digest", "ack of a backlog"]


def test_what_a_login_has_used_is_counted_over_its_mailboxes(store: Store) -> None:
    """Gmail counts the account: what was accepted, may have been, or is in hand; a letter with a copy twice."""
    store.write(
        outbound("sent"),
        outbound("letter", kind=Kind.DELIVERY),
        outbound("elsewhere", mailbox=ELSEWHERE),
        outbound("refused"),
        outbound("doubt"),
        outbound("in hand"),
        outbound("waits", not_before=NOW + minutes(90)),
    )
    verdicts = {"sent": SENT, "letter": SENT, "elsewhere": SENT, "refused": REFUSED, "doubt": DOUBT}
    for claimed in store.outgoing.claim(NOW, 10, [HERE, ELSEWHERE]):
        if claimed.mail.key in verdicts:
            settle(store.outgoing, claimed, verdicts[claimed.mail.key], None, NOW + minutes(1))
    now = NOW + minutes(2)
    both = store.outgoing.used([HERE, ELSEWHERE], NOW, now, Kind.DELIVERY)
    assert both == [NOW + minutes(1)] * 5 + [now]
    assert store.outgoing.used([ELSEWHERE], NOW, now, None) == [NOW + minutes(1)]
    # What was accepted at that very moment is not within the time after it.
    assert store.outgoing.used([HERE, ELSEWHERE], NOW + minutes(1), now, None) == [now]


def test_what_is_put_off_waits_and_is_told_once(store: Store) -> None:
    """What is more urgent does not wait with it, nor does another mailbox's; and telling is in the same step."""
    store.write(outbound("letter", kind=Kind.DELIVERY), outbound("digest", kind=Kind.DIGEST))
    store.write(outbound("elsewhere", kind=Kind.DIGEST, mailbox=ELSEWHERE))

    def told(delay: Delay, waiting: Sequence[tuple[Sent, Ticket | None]]) -> list[Plan]:
        return [
            Plan(
                events=(event("waits"),),
                outbox=(outbound(f"alert of {sent.message_id} {delay.until}", mailbox=ELSEWHERE),),
                occurrence=Occurrence("waits", sent.message_id, NOW),
            )
            for sent, _ in waiting
        ]

    for round_ in range(2):
        at = NOW + minutes(60 * round_)
        delay = Delay(HERE, "used up", at + minutes(60))
        assert store.outgoing.put_off(delay, 3, at, told) is (round_ == 0)
        assert store.outgoing.put_off(delay, 3, at, told) is False
        assert [one.next_at for one in store.rows(schema.outbox) if one.key == "digest"] == [at + minutes(60)]
    assert kinds(store) == ["waits"]
    assert keys(store.outgoing.claim(NOW, 10, [HERE])) == ["letter"]
    assert len(store.outgoing.claim(NOW, 10, [ELSEWHERE])) == 2
    [late] = store.outgoing.claim(NOW + minutes(120), 10, [HERE])
    assert late.attempt == 1


def test_what_is_held_up_is_told_once_and_goes_on_being_tried(store: Store) -> None:
    """Nothing follows from a delay that is no news yet; what is told is in the step that writes the verdict."""
    store.write(outbound("letter", kind=Kind.DELIVERY))
    asked: list[tuple[Phase, str]] = []

    def told(sent: Sent, _ticket: Ticket | None, phase: Phase, said: str, _cause: str) -> Plan:
        asked.append((phase, said))
        alert = outbound(f"alert of {sent.message_id}", mailbox=ELSEWHERE)
        return Plan(events=(event("waits"),), outbox=(alert,), occurrence=Occurrence("waits", sent.message_id, NOW))

    for hours, old, news in ((1, False, False), (5, True, True), (9, True, False)):
        at = NOW + minutes(60 * hours)
        claimed = claim_one(store, at)
        assert settle(store.outgoing, claimed, LATER, at + minutes(60), at, told, delayed=old) is news
    assert asked == [(Phase.DUE, "450 4.2.1 later")] * 2
    assert kinds(store) == ["waits"]
    assert claim_one(store, NOW + minutes(600)).attempt == 4
    assert keys(store.outgoing.claim(NOW + minutes(600), 10, [ELSEWHERE])) == ["alert of letter@office.test"]


def test_only_as_many_are_claimed_as_may_leave(store: Store) -> None:
    """The most urgent have the room; digests do not get what is kept for letters."""
    store.write(*(outbound(f"digest {count}", kind=Kind.DIGEST) for count in range(3)))
    store.write(*(outbound(f"letter {count}", kind=Kind.DELIVERY) for count in range(2)))
    allowed = Allowance((4, 4, 3), (None, None, None))
    assert keys(store.outgoing.claim(NOW, 10, [HERE], allowed)) == ["letter 0", "letter 1", "digest 0"]


def test_only_due_mail_of_the_asked_mailboxes_is_claimed(store: Store) -> None:
    store.write(
        outbound("now"),
        outbound("later", not_before=NOW + minutes(10)),
        outbound("elsewhere", mailbox=ELSEWHERE),
    )
    assert keys(store.outgoing.claim(NOW, 10, [HERE])) == ["now"]
    assert keys(store.outgoing.claim(NOW + minutes(9), 10, [HERE])) == []
    assert sorted(keys(store.outgoing.claim(NOW + minutes(10), 10, [HERE, ELSEWHERE]))) == ["elsewhere", "later"]


def test_no_mail_is_claimed_by_two(store: Store) -> None:
    """Eight senders, two processes' worth of connections, three hundred mails: each is in one hand."""
    store.write(*(outbound(f"mail {count}") for count in range(300)))

    def take(of: Store) -> list[str]:
        mine: list[str] = []
        while claimed := of.outgoing.claim(NOW, 7, [HERE]):
            mine += keys(claimed)
        return mine

    with store.another() as other, ThreadPoolExecutor(8) as senders:
        taken = [key for mine in senders.map(take, [store, other] * 4) for key in mine]
    assert sorted(taken) == sorted(f"mail {count}" for count in range(300))


def test_a_claimed_mail_is_the_mail_that_was_composed(store: Store) -> None:
    segments = (
        b"head\r\n\r\n",
        FileSegment(stored(b"scan"), "base64"),
        b"between",
        FileSegment(stored(b"mail"), "identity"),
        b"",
    )
    written = outbound("letter", kind=Kind.DELIVERY, segments=segments, ticket=number(1), eight_bit=True)
    store.write(written)
    claimed = claim_one(store)
    assert claimed.mail == written
    assert (claimed.attempt, claimed.created_at) == (1, NOW)


def test_a_sent_mail_ends_with_its_event(store: Store) -> None:
    store.write(outbound("ack", ticket=number(1)))
    settle(store.outgoing, claim_one(store), SENT, None, NOW + minutes(1))
    [row] = store.rows(schema.outbox)
    assert (row.phase, row.code, row.reply, row.ended_at) == ("sent", 250, "2.0.0 queued", NOW + minutes(1))
    assert [found.kind for found in store.desk.events(number(1))] == ["sent"]
    assert store.outgoing.waiting() == 0


def test_a_mail_refused_for_now_is_due_again_then(store: Store) -> None:
    store.write(outbound("ack"))
    settle(store.outgoing, claim_one(store), LATER, NOW + minutes(5), NOW)
    assert store.outgoing.claim(NOW + minutes(4), 10, [HERE]) == []
    assert store.outgoing.next_due(HERE) == NOW + minutes(5)
    assert claim_one(store, NOW + minutes(5)).attempt == 2
    assert kinds(store) == []


def test_an_attempt_that_reached_nobody_does_not_count(store: Store) -> None:
    store.write(outbound("ack"))
    for again in (5, 10, 15):
        claimed = claim_one(store, NOW + minutes(again - 5))
        assert claimed.attempt == 1
        settle(store.outgoing, claimed, NOT_TRIED, NOW + minutes(again), NOW)
    [row] = store.rows(schema.outbox)
    assert (row.phase, row.attempts, row.reply) == ("due", 0, "no route")


@pytest.mark.parametrize(
    ("receipt", "phase"), [(REFUSED, "refused"), (LATER, "refused"), (DOUBT, "in-doubt")], ids=["5xx", "expired", "cut"]
)
def test_a_final_verdict_is_never_claimed_again(store: Store, receipt: Receipt, phase: str) -> None:
    store.write(outbound("ack"))
    claimed = claim_one(store)
    store.outgoing.record([claimed.id], [])
    settle(store.outgoing, claimed, receipt, None, NOW)
    assert store.phases() == {"ack": phase}
    assert len(kinds(store)) == 1
    assert store.outgoing.claim(NOW + timedelta(days=30), 10, [HERE]) == []
    assert store.outgoing.next_due(HERE) is None


def test_data_is_said_durably_before_it_begins(store: Store) -> None:
    """Another process sees it as soon as the call returns (promise P11)."""
    store.write(outbound("ack"), outbound("other"))
    claimed = store.outgoing.claim(NOW, 1, [HERE])
    with store.another() as other:
        store.outgoing.record([one.id for one in claimed], [])
        assert other.phases() == {"ack": "data", "other": "due"}


def test_after_a_stop_what_was_claimed_is_due_and_what_flowed_is_in_doubt(store: Store) -> None:
    store.write(*(outbound(key, ticket=number(1)) for key in ("sent", "flowing", "claimed", "due")))
    sent, flowing, _ = store.outgoing.claim(NOW, 3, [HERE])
    store.outgoing.record([sent.id, flowing.id], [])
    settle(store.outgoing, sent, SENT, None, NOW)
    with store.another() as restarted:
        assert restarted.outgoing.recover(NOW) == 1
        assert restarted.phases() == {"sent": "sent", "flowing": "in-doubt", "claimed": "due", "due": "due"}
        assert [found.kind for found in restarted.desk.events(number(1))] == ["sent", "in-doubt"]
        assert [one.attempt for one in restarted.outgoing.claim(NOW, 10, [HERE])] == [1, 1]
        assert restarted.outgoing.recover(NOW) == 0


def test_released_mail_is_due_as_if_it_had_not_been_claimed(store: Store) -> None:
    store.write(outbound("ack"))
    store.outgoing.release([claim_one(store).id])
    assert store.outgoing.next_due(HERE) == NOW
    assert claim_one(store).attempt == 1


def test_what_was_given_back_once_is_not_given_back_again(store: Store) -> None:
    """The first time may have happened though the connection broke off: attempts count right, an end stays an end."""
    store.write(outbound("ack"), outbound("sent"))
    ack, sent = store.outgoing.claim(NOW, 2, [HERE])
    store.outgoing.release([ack.id])
    settle(store.outgoing, sent, SENT, None, NOW)
    store.outgoing.release([ack.id, sent.id])
    assert {row.key: (row.phase, row.attempts) for row in store.rows(schema.outbox)} == {
        "ack": ("due", 0),
        "sent": ("sent", 1),
    }


def test_what_a_failed_claim_marked_is_given_back(store: Store) -> None:
    """Of its mailbox alone, and nothing that is beyond the claim."""
    store.write(outbound("lost"), outbound("flowing"), outbound("elsewhere", mailbox=ELSEWHERE))
    claimed = store.outgoing.claim(NOW, 9, [HERE, ELSEWHERE])
    store.outgoing.record([one.id for one in claimed if one.mail.key == "flowing"], [])
    store.outgoing.unclaim(HERE)
    assert store.phases() == {"lost": "due", "flowing": "data", "elsewhere": "claimed"}
    assert claim_one(store).attempt == 1


@pytest.mark.parametrize(("receipt", "again"), [(SENT, None), (DOUBT, None), (LATER, NOW + minutes(5))])
def test_a_verdict_is_written_once_however_often_it_is_said(
    store: Store, receipt: Receipt, again: datetime | None
) -> None:
    """The first time may have happened though the connection broke off: one event, one alert, one state."""
    closed_with_a_letter(store)
    claimed = claim_one(store)
    store.outgoing.record([claimed.id], [])
    settle(store.outgoing, claimed, receipt, again, NOW, alert)
    before = (store.sizes(), store.rows(schema.outbox))
    assert settle(store.outgoing, claimed, receipt, again, NOW + minutes(1), alert)
    assert (store.sizes(), store.rows(schema.outbox)) == before


def test_the_mailboxes_with_mail_due_are_known_at_once(store: Store) -> None:
    assert store.outgoing.with_due(NOW) == []
    store.write(outbound("one"), outbound("two"), outbound("theirs", mailbox=ELSEWHERE))
    assert sorted(store.outgoing.with_due(NOW)) == sorted([HERE, ELSEWHERE])
    assert store.outgoing.with_due(NOW - minutes(1)) == []
    store.outgoing.claim(NOW, 10, [ELSEWHERE])
    assert store.outgoing.with_due(NOW) == [HERE]


def test_the_next_due_is_the_mailboxs_own(store: Store) -> None:
    assert store.outgoing.next_due(HERE) is None
    store.write(
        outbound("b", not_before=NOW + minutes(9)),
        outbound("a", not_before=NOW + minutes(3)),
        outbound("elsewhere", mailbox=ELSEWHERE),
    )
    assert store.outgoing.next_due(HERE) == NOW + minutes(3)
    assert store.outgoing.waiting() == 3


def alert(sent: Sent, of: Ticket | None, phase: Phase, said: str, cause: str) -> Plan:
    """What follows a bad end, in these tests: the ticket is open again and somebody is told."""
    told = outbound(f"told {sent.message_id} {phase} {cause}", kind=Kind.ALERT, not_before=NOW + timedelta(days=1))
    opened = () if of is None else (replace(of, state=State.OPEN),)
    return Plan(changed=opened, events=(event("undelivered", sent.ticket),), outbox=(told,))


def closed_with_a_letter(store: Store) -> None:
    """A closed ticket whose letter is on its way out."""
    store.take([], [Plan(opened=ticket(1, state=State.CLOSED))])
    store.write(outbound("letter", kind=Kind.DELIVERY, ticket=number(1)))


def test_what_follows_a_bad_end_is_written_with_it(store: Store) -> None:
    """A refused letter opens its ticket again and an alert is written, in the transaction of the verdict (P12)."""
    closed_with_a_letter(store)
    assert settle(store.outgoing, claim_one(store), REFUSED, None, NOW, alert)
    found = store.desk.ticket(number(1))
    assert found is not None
    assert found.state is State.OPEN
    assert [one.kind for one in store.desk.events(number(1))] == ["refused", "undelivered"]
    assert len(store.rows(schema.outbox)) == 2


@pytest.mark.parametrize(("receipt", "again"), [(SENT, None), (LATER, NOW + minutes(5))])
def test_nothing_follows_a_good_end_or_a_delay(store: Store, receipt: Receipt, again: datetime | None) -> None:
    closed_with_a_letter(store)
    assert not settle(store.outgoing, claim_one(store), receipt, again, NOW, alert)
    assert len(store.rows(schema.outbox)) == 1


def test_a_verdict_whose_consequences_fail_is_not_written(store: Store) -> None:
    """It stays where it was, so that a restart finds it and nobody takes it for done."""

    def fail(*_: object) -> Plan:
        raise ValueError("no template")

    closed_with_a_letter(store)
    claimed = claim_one(store)
    store.outgoing.record([claimed.id], [])
    with pytest.raises(ValueError, match="no template"):
        settle(store.outgoing, claimed, DOUBT, None, NOW, fail)
    assert store.phases() == {"letter": "data"}
    assert kinds(store) == []


def test_a_mail_sent_again_by_hand_may_end_in_doubt_again(store: Store) -> None:
    """Each time is told: the second news must not run into the key of the first, at a verdict or at a restart."""
    closed_with_a_letter(store)
    for end in ("cut", "stop", "cut"):
        claimed = claim_one(store)
        store.outgoing.record([claimed.id], [])
        if end == "cut":
            settle(store.outgoing, claimed, DOUBT, None, NOW, alert)
        else:
            assert store.outgoing.recover(NOW, alert) == 1
        assert store.phases()["letter"] == "in-doubt"
        by_hand(store, claimed)
    assert len([key for key in store.phases() if key.startswith("told")]) == 3


def by_hand(store: Store, claimed: Claimed) -> None:
    """An admin lets it be sent again."""
    with store.database.write() as connection:
        connection.execute(schema.outbox.update().where(schema.outbox.c.id == claimed.id).values(phase="due"))


def test_mail_written_while_another_sends_is_found(store: Store) -> None:
    def write(count: int) -> None:
        store.write(outbound(f"mail {count}"))

    claimed: list[str] = []
    with store.another() as other, ThreadPoolExecutor(2) as writers:
        writing = [writers.submit(write, count) for count in range(30)]
        while any(not one.done() for one in writing) or other.outgoing.next_due(HERE):
            claimed += keys(other.outgoing.claim(NOW, 5, [HERE]))
    assert sorted(claimed) == sorted(f"mail {count}" for count in range(30))


def test_the_size_of_a_mail_is_written_down(store: Store) -> None:
    mail: Outbound = outbound("letter", segments=(b"1234", FileSegment(stored(b"scan"), "base64")))
    store.write(mail)
    assert store.rows(schema.outbox)[0].size == mail.size == 4 + len("c2Nhbg==\r\n")
