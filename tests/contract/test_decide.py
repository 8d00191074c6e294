"""Look, think, write as if at one moment: nobody else decides meanwhile, verdicts need not wait, strangers are seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from typing import Any

import pytest

from loket.core.known import Hints
from loket.core.model import Fate, Plan, Receipt, ReceiptKind
from loket.store import schema
from loket.store.batch import Batch
from tests.contract.conftest import Store
from tests.contract.values import HERE, NOW, event, number, opening, outbound, raw, ref, settle, ticket

NOTHING = Hints(frozenset(), frozenset())
SENT = Receipt(ReceiptKind.SENT, 250, "2.0.0 ok")
REFUSED = Receipt(ReceiptKind.REFUSED, 550, "5.1.1 no such user")
# So long is waited for what must not happen, and for what must.
SOON, LONG = 0.3, 20.0


def next_number(batch: Batch) -> str:
    """What a decision looks at here: the number that the next ticket gets."""
    return batch.known(NOTHING, NOW).next_number("LKT")


def open_(batch: Batch, what: str) -> None:
    """Open the ticket of a number that was looked at."""
    serial = int(what.rsplit("-", 2)[1])
    batch.apply([Plan(opened=ticket(serial))], NOW)


def decide(
    store: Store,
    look: Callable[[Batch], str],
    think: Callable[[str], str],
    write: Callable[[Batch, str], None],
    *,
    still: bool,
) -> str:
    """Decide on one thing; what was thought of it last."""
    told: list[str] = []

    def thoughts(seen: str) -> Generator[str]:
        yield think(seen)

    store.intake.decide(look, thoughts, write, told.append, still=still)
    [thought] = told
    return thought


def test_what_was_thought_is_durable_when_it_is_told(store: Store) -> None:
    assert decide(store, next_number, lambda seen: seen, open_, still=False) == number(1)
    with store.another() as other:
        assert other.sizes() == {"serial": 1, "ticket": 1}


@pytest.mark.parametrize("still", [False, True])
def test_what_raises_anywhere_has_not_happened_and_is_in_nobodys_way(store: Store, still: bool) -> None:
    def fail(*_: object) -> Any:
        raise ZeroDivisionError

    def write_and_fail(batch: Batch, what: str) -> None:
        open_(batch, what)
        fail()

    for look, think, write in (
        (fail, str, open_),
        (next_number, fail, open_),
        (next_number, str, write_and_fail),
    ):
        with pytest.raises(ZeroDivisionError):
            decide(store, look, think, write, still=still)
        assert store.sizes() == {}
    with ThreadPoolExecutor(1) as elsewhere:
        another = elsewhere.submit(decide, store, next_number, str, open_, still=still)
        assert another.result(LONG) == number(1)


@pytest.mark.parametrize("still", [False, True])
def test_two_who_decide_do_it_one_behind_the_other(store: Store, still: bool) -> None:
    """The second one looks only when the first has written: no number is thought of twice."""
    thinking, go_on = threading.Event(), threading.Event()

    def think(seen: str) -> str:
        thinking.set()
        assert go_on.wait(LONG)
        return seen

    with ThreadPoolExecutor(2) as people:
        first = people.submit(decide, store, next_number, think, open_, still=still)
        assert thinking.wait(LONG)
        second = people.submit(decide, store, next_number, str, open_, still=still)
        with pytest.raises(TooLate):
            second.result(SOON)
        go_on.set()
        assert (first.result(LONG), second.result(LONG)) == (number(1), number(2))


def claimed_one(store: Store) -> Any:
    """A mail in a sender's hands, its DATA begun."""
    store.take([raw(1)], [opening(raw(1), ticket(1), outbound("ack", ticket=number(1)))])
    [claimed] = store.outgoing.claim(NOW, 1, [HERE])
    store.outgoing.record([claimed.id], [])
    return claimed


def test_a_verdict_is_written_while_others_think(store: Store) -> None:
    """On SQLite; with PostgreSQL a decision is one transaction, and its writers go one behind the other."""
    claimed = claimed_one(store)
    meanwhile: list[str] = []

    def think(seen: str) -> str:
        with ThreadPoolExecutor(1) as sender:
            sender.submit(settle, store.outgoing, claimed, SENT, None, NOW).result(LONG)
        meanwhile.append(store.phases()["ack"])
        return seen

    if not store.database.sqlite:
        settle(store.outgoing, claimed, SENT, None, NOW)
        think = str  # type: ignore[assignment]
    assert decide(store, next_number, think, open_, still=False) == number(2)
    assert store.phases() == {"ack": "sent"}
    assert meanwhile == (["sent"] if store.database.sqlite else [])


@pytest.mark.parametrize(
    ("still", "receipt"),
    [
        pytest.param(True, SENT, id="all is to stand still"),
        pytest.param(False, REFUSED, id="the verdict changes a ticket"),
    ],
)
def test_a_verdict_waits_where_the_decision_may_be_about_it(store: Store, still: bool, receipt: Receipt) -> None:
    """A refusal opens its ticket again; a decision that has looked at the ticket must not undo that."""
    claimed = claimed_one(store)
    with ThreadPoolExecutor(1) as sender:

        def think(seen: str) -> str:
            verdict = sender.submit(settle, store.outgoing, claimed, receipt, None, NOW)
            with pytest.raises(TooLate):
                verdict.result(SOON)
            return seen

        assert decide(store, next_number, think, open_, still=still) == number(2)
    assert store.phases() == {"ack": receipt.kind.value}


def test_where_another_process_writes_meanwhile_it_is_thought_of_anew(store: Store) -> None:
    """A command beside the daemon takes the number that was looked at: it is not given out twice."""
    if not store.database.sqlite:
        # One transaction: the other process would wait for it.
        assert decide(store, next_number, str, open_, still=False) == number(1)
        return
    thoughts: list[str] = []

    def think(seen: str) -> str:
        thoughts.append(seen)
        if len(thoughts) == 1:
            with store.another() as other:
                other.take([], [Plan(opened=ticket(1))])
        return seen

    assert decide(store, next_number, think, open_, still=False) == number(2)
    assert thoughts == [number(1), number(2)]
    assert [row.number for row in store.rows(schema.ticket)] == [number(1), number(2)]


def test_our_own_verdicts_make_nobody_think_anew(store: Store) -> None:
    claimed = claimed_one(store)
    thoughts: list[str] = []

    def think(seen: str) -> str:
        thoughts.append(seen)
        if store.database.sqlite:
            settle(store.outgoing, claimed, SENT, None, NOW)
        return seen

    decide(store, next_number, think, open_, still=False)
    assert thoughts == [number(2)]


def three(first: str) -> Generator[int]:
    """Tickets from the one that was looked at on, one thought each."""
    serial = int(first.rsplit("-", 2)[1])
    yield from range(serial, serial + 3)


def opens(batch: Batch, serial: int) -> None:
    """Write one of them."""
    batch.apply([Plan(opened=ticket(serial))], NOW)


@pytest.mark.parametrize("still", [False, True])
def test_many_thoughts_are_told_in_their_order_each_once_it_is_durable(store: Store, still: bool) -> None:
    told: list[tuple[int, int]] = []

    def tell(serial: int) -> None:
        with store.another() as other:
            told.append((serial, other.sizes()["ticket"]))

    store.intake.decide(next_number, three, opens, tell, still=still)
    assert [serial for serial, _ in told] == [1, 2, 3]
    assert all(there >= serial for serial, there in told)


def test_what_goes_wrong_later_changes_nothing_of_what_was_told(store: Store) -> None:
    """On SQLite each thought is a transaction, on PostgreSQL all of them are one; the thinker is always let go."""
    told: list[int] = []
    let_go: list[bool] = []

    def thoughts(first: str) -> Generator[int]:
        try:
            yield from three(first)
        finally:
            let_go.append(True)

    def fail_at_the_third(batch: Batch, serial: int) -> None:
        opens(batch, serial)
        if serial == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.intake.decide(next_number, thoughts, fail_at_the_third, told.append, still=False)
    assert let_go == [True]
    assert told == ([1, 2] if store.database.sqlite else [])
    assert [row.number for row in store.rows(schema.ticket)] == [number(serial) for serial in told]


def test_a_stranger_between_two_thoughts_has_the_rest_thought_of_anew(store: Store) -> None:
    """What was told stands; the others get numbers behind the stranger's."""
    told: list[int] = []

    def tell(serial: int) -> None:
        told.append(serial)
        if serial == 1 and store.database.sqlite:
            with store.another() as other:
                other.take([], [Plan(opened=ticket(2))])

    store.intake.decide(next_number, three, opens, tell, still=False)
    assert told == ([1, 3, 4, 5] if store.database.sqlite else [1, 2, 3])
    assert len({row.number for row in store.rows(schema.ticket)}) == len(store.rows(schema.ticket))


def test_a_mail_is_kept_and_ended_in_one_step(store: Store) -> None:
    """One that is new, one that is listed as pending, and one that has no plan yet."""
    store.take([raw(1)], [])
    plans = [
        opening(raw(1), ticket(1), outbound("ack")),
        Plan(ref(2), Fate.MACHINE, events=(event("machine-mail"),)),
    ]
    with store.intake.begin() as batch:
        batch.take([raw(1), raw(2), raw(3)], store.intake.write_down(plans, NOW), NOW)
    assert store.fates() == {1: Fate.TICKET, 2: Fate.MACHINE, 3: Fate.PENDING}
    assert store.sizes()["content"] == 3
    with store.intake.begin() as batch:
        assert dict(batch.same_bytes(HERE, [raw(1).stored.sha256, raw(3).stored.sha256])) == {
            raw(1).stored.sha256: number(1)
        }
