"""What the store keeps for the officers' desk, and that two of them never answer one ticket."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from loket.core.decide import decide
from loket.core.known import Hints, Known, hints
from loket.core.model import Absence, Held, HeldState, InboundMail, Kind, Move, Phase, Plan, State, Term, Undo
from loket.core.understand import understand
from loket.store import schema
from loket.store.apply import Overtaken
from loket.store.hands import HandsStore, NotPossible
from loket.store.intake import IntakeStore
from tests.contract.conftest import Store
from tests.contract.values import HERE, NOW, event, number, opening, outbound, raw, ticket
from tests.core.desk import KEYS, letter
from tests.core.room import DEWI, GITA, IKLAN, shared

HELD = Held(
    key="delivery:x",
    mail="x/1/1",
    ticket=number(1),
    officer=DEWI,
    outcome="jawab",
    reason="claimed",
    at=NOW,
    argument="12/XI",
    files=(("a.pdf", "1 KB", "ab"),),
    recipient="siti@jamu.test",
)


def known(store: Store, *officers: str, numbers: tuple[str, ...] = (number(1),)) -> Known:
    with IntakeStore(store.database, {}).begin() as batch:
        return batch.known(Hints(frozenset(numbers), frozenset(), officers=frozenset(officers)), NOW)


def apply(store: Store, plan: Plan) -> None:
    with store.intake.begin() as batch:
        batch.apply([replace(plan, events=(event("x"),))], NOW)


def test_a_ticket_keeps_all_that_officers_do_with_it(store: Store) -> None:
    undo = Undo("delivery:x", State.OPEN, None, None, NOW, None, NOW, ("kategori",), Term(NOW, 4, "hours"), DEWI)
    undo = replace(undo, earlier=replace(undo, key="delivery:w"))
    worked = ticket(
        answered_at=NOW,
        claimed_by=DEWI,
        claimed_until=NOW,
        snoozed_until=NOW,
        asked_by=GITA,
        term=Term(NOW, 2, "days", ((NOW, NOW), (NOW, None)), NOW.date()),
        note="Dewi: x",
        undo=undo,
    )
    store.take([raw(1)], [opening(raw(1), worked)])
    assert store.desk.ticket(worked.number) == worked
    apply(store, Plan(changed=(ticket(),)))
    assert store.desk.ticket(worked.number) == ticket()


def test_what_is_kept_back_is_never_claimed_until_it_is_let_go(store: Store) -> None:
    kept = replace(outbound("delivery:x", ticket=number(1), kind=Kind.DELIVERY), held=True)
    store.take([raw(1)], [opening(raw(1), ticket())])
    apply(store, Plan(outbox=(kept,), held=(HELD,)))
    assert store.outgoing.claim(NOW + timedelta(days=1), 10, [HERE]) == []
    assert store.outgoing.next_due(HERE) is None
    assert known(store, GITA).held == {number(1): [HELD]}
    assert known(store).held == {}, "asked for only where an officer speaks"
    apply(store, Plan(held=(replace(HELD, state=HeldState.SENT),), moves=(Move("delivery:x", Phase.DUE),)))
    assert known(store, DEWI).held == {}
    assert known(store, DEWI).unsent == {number(1): ["delivery:x"]}
    [claimed] = store.outgoing.claim(NOW, 10, [HERE])
    assert claimed.mail.segments == kept.segments


def test_what_is_called_off_in_time_never_leaves_and_afterwards_nothing_happens(store: Store) -> None:
    later = NOW + timedelta(minutes=10)
    store.take([raw(1)], [opening(raw(1), ticket())])
    mails = [replace(outbound(key, ticket=number(1), kind=Kind.DELIVERY), not_before=later) for key in ("a", "b")]
    apply(store, Plan(outbox=tuple(mails)))
    assert store.outgoing.claim(NOW, 10, [HERE]) == []
    apply(store, Plan(moves=(Move("a", Phase.CANCELLED),)))
    assert [one.mail.key for one in store.outgoing.claim(later, 10, [HERE])] == ["b"]
    with pytest.raises(Overtaken):
        apply(store, Plan(moves=(Move("b", Phase.CANCELLED),), changed=(ticket(note="never"),)))
    found = store.desk.ticket(number(1))
    assert found is not None
    assert found.note == ""


def test_an_absence_ends_by_itself_or_by_another_word(store: Store) -> None:
    apply(store, Plan(absences=(Absence(DEWI, NOW + timedelta(days=3)),)))
    assert known(store).away == store.desk.away(NOW) == {DEWI: NOW + timedelta(days=3)}
    assert store.desk.away(NOW + timedelta(days=3)) == {}
    apply(store, Plan(absences=(Absence(DEWI, NOW),)))
    assert store.desk.away(NOW) == {}


def test_an_officer_sees_the_queues_and_what_is_theirs_elsewhere(store: Store) -> None:
    plans = [
        opening(raw(at), ticket(at, queue=queue, claimed_by=whose, claimed_until=NOW))
        for at, queue, whose in ((1, "berkas-ot", None), (2, "akun", DEWI), (3, "akun", None))
    ]
    store.take([raw(at) for at in (1, 2, 3)], plans)
    found = store.desk.open_tickets(HERE, ["berkas-ot"], [DEWI])
    assert sorted(one.number for one, _ in found) == [number(1), number(2)]
    assert set(known(store, DEWI, numbers=()).tickets) == {number(2)}


ROUNDS = 100


def take(store: Store, mail: InboundMail) -> None:
    """One mail in a transaction of its own, as intake does it."""
    with IntakeStore(store.database, {}).begin() as batch:
        batch.keep([mail.raw], NOW)
        there = batch.known(hints([mail]), NOW)
        plan = decide(mail, understand(mail, shared(), KEYS, there, NOW), shared(), KEYS, there, NOW)
        batch.apply([plan], NOW)


def answers(numbers: Sequence[str], who: str, first: int) -> list[InboundMail]:
    """An officer's answer to each of the tickets."""
    written = []
    for at, one in enumerate(numbers, start=first):
        fields = {"In-Reply-To": f"<{KEYS.officer(one, who, NOW)}.0123456789abcdef0123@yahoo.com>"}
        body = f"JAWAB Dari {who}\n"
        written.append(
            letter("Re: x", body, author=who, to=IKLAN, fields=fields, uid=at, message_id=f"<{who}.{at}@pom.go.id>")
        )
    return written


@pytest.mark.parametrize("apart", [False, True], ids=["one process", "two processes"])
def test_a_hundred_double_answers_are_a_hundred_deliveries(store: Store, apart: bool) -> None:
    """Two officers answer at the same moment, each time: one letter leaves, the other is kept back."""
    for at in range(ROUNDS):
        take(store, letter(f"Iklan {at}", f"Mohon {at}", author=f"p{at}@iklan.example", to=IKLAN, uid=at + 1))
    numbers = [one.number for one in store.desk.tickets(queue=None, state=None, limit=ROUNDS)]
    assert len(numbers) == ROUNDS
    pairs = zip(answers(numbers, DEWI, 1000), answers(numbers, GITA, 2000), strict=True)
    start = Barrier(2)

    def at_once(desk: Store, mail: InboundMail) -> None:
        start.wait()
        take(desk, mail)

    with ExitStack() as stack:
        other = stack.enter_context(store.another()) if apart else store
        pool = stack.enter_context(ThreadPoolExecutor(2))
        for one, two in pairs:
            for done in (pool.submit(at_once, store, one), pool.submit(at_once, other, two)):
                done.result()
    deliveries = store.rows(schema.outbox, kind="delivery")
    due = [row.ticket for row in deliveries if row.phase == "due"]
    held = [row.ticket for row in deliveries if row.phase == "held"]
    assert sorted(due) == sorted(held) == sorted(numbers)
    kept = store.rows(schema.held)
    assert sorted(row.ticket for row in kept) == sorted(numbers)
    answered = {row.number: row.answered_by for row in store.rows(schema.ticket)}
    assert all(row.officer != answered[row.ticket] for row in kept)
    assert len(store.rows(schema.outbox, kind="receipt")) == 2 * ROUNDS


def test_what_a_person_cancels_is_kept_back_no_more(store: Store) -> None:
    """`loket outbox cancel` of an answer that waits: its officer's KIRIM or code finds nothing to send."""
    kept = replace(outbound("delivery:x", ticket=number(1), kind=Kind.DELIVERY), held=True)
    store.take([raw(1)], [opening(raw(1), ticket())])
    apply(store, Plan(outbox=(kept,), held=(HELD,)))
    [row] = store.rows(schema.outbox)
    HandsStore(store.database, "admin").move(row.id, (Phase.HELD,), Phase.CANCELLED, "by hand", NOW)
    assert known(store, DEWI).held == {}
    assert [one.state for one in store.rows(schema.held)] == [HeldState.DROPPED.value]
    with pytest.raises(NotPossible, match="its officer answers anew"):
        HandsStore(store.database, "admin").move(row.id, (Phase.CANCELLED,), Phase.DUE, "again", NOW)


def test_a_ticket_whose_answer_a_person_cancels_is_open_again(store: Store) -> None:
    """Undelivered is not done (promise P12); a digest that is cancelled concerns no ticket."""
    answered = ticket(state=State.CLOSED, closed_at=NOW, answered_at=NOW, answered_by=DEWI)
    store.take([raw(1)], [opening(raw(1), answered, outbound("delivery:x", ticket=number(1), kind=Kind.DELIVERY))])
    [row] = store.rows(schema.outbox)
    HandsStore(store.database, "admin").move(row.id, (Phase.DUE,), Phase.CANCELLED, "by hand", NOW)
    after = store.desk.ticket(number(1))
    assert after is not None
    assert (after.state, after.closed_at, after.answered_at) == (State.OPEN, None, None)
    assert store.rows(schema.event)[-1].kind == "by-hand"
    with pytest.raises(NotPossible, match="its officer answers anew"):
        HandsStore(store.database, "admin").move(row.id, (Phase.CANCELLED,), Phase.DUE, "again", NOW)


def test_of_two_answers_a_person_cancels_one_and_the_other_stands(store: Store) -> None:
    """Whichever it is; the ticket is not open, or an officer would answer what is answered."""
    for at, gone in enumerate(("first", "second"), 1):
        keys = {name: f"delivery:{name}-{at}" for name in ("first", "second")}
        before = Undo(keys["first"], State.OPEN, None, None, None, None, NOW, (), Term(NOW, 4, "hours"), DEWI)
        later = Undo(keys["second"], State.CLOSED, "jawab", DEWI, NOW, NOW, NOW, (), None, GITA, before)
        both = ticket(at, state=State.CLOSED, closed_at=NOW, answered_at=NOW, answered_by=GITA, undo=later)
        sent = [outbound(key, ticket=number(at), kind=Kind.DELIVERY) for key in keys.values()]
        store.take([raw(at)], [opening(raw(at), both, *sent)])
        for name, state, by in (
            (gone, State.CLOSED, GITA if gone == "first" else DEWI),
            ("second" if gone == "first" else "first", State.OPEN, None),
        ):
            [row] = store.rows(schema.outbox, key=keys[name])
            HandsStore(store.database, "admin").move(row.id, (Phase.DUE,), Phase.CANCELLED, "by hand", NOW)
            after = store.desk.ticket(number(at))
            assert after is not None
            assert (after.state, after.answered_by) == (state, by), (gone, name)
        assert (after.due_at, after.undo) == (NOW, None)


def test_tidying_up_a_refused_answer_leaves_alone_the_one_that_arrived_after_it(store: Store) -> None:
    undo = Undo("delivery:new", State.OPEN, None, None, None, None, NOW, (), None, DEWI)
    done = ticket(state=State.CLOSED, closed_at=NOW, answered_at=NOW, answered_by=DEWI, undo=undo)
    store.take([raw(1)], [opening(raw(1), done, outbound("delivery:old", ticket=number(1), kind=Kind.DELIVERY))])
    [row] = store.rows(schema.outbox)
    HandsStore(store.database, "admin").move(row.id, (Phase.DUE,), Phase.CANCELLED, "by hand", NOW)
    after = store.desk.ticket(number(1))
    assert after is not None
    assert (after.state, after.answered_by, after.undo) == (State.CLOSED, DEWI, undo)
