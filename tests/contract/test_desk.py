"""The store as timers and people see it: occurrences, open tickets, queues."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from loket.core.model import Fate, Kind, Occurrence, Plan, Quarantined, State
from loket.ports import Cursor
from tests.contract.conftest import Store
from tests.contract.values import ELSEWHERE, HERE, NOW, event, minutes, number, opening, outbound, raw, ref, ticket

ANI = "ani@office.test"
DUE = Occurrence("digest:0", ANI, NOW)


def digest(key: str, due: Occurrence = DUE) -> Plan:
    """A digest's plan."""
    return Plan(occurrence=due, outbox=(outbound(key, kind=Kind.DIGEST),))


def test_an_occurrence_happens_once(store: Store) -> None:
    assert not store.desk.occurred(DUE.what, ANI, NOW)
    assert store.desk.apply(digest("first"), NOW)
    assert store.desk.occurred(DUE.what, ANI, NOW)
    assert not store.desk.apply(digest("second"), NOW)
    assert store.phases() == {"first": "due"}


@pytest.mark.parametrize(
    "other", [replace(DUE, what="digest:1"), replace(DUE, whom=HERE), replace(DUE, due_at=NOW + minutes(1))]
)
def test_another_occurrence_is_another(store: Store, other: Occurrence) -> None:
    store.desk.apply(digest("first"), NOW)
    assert not store.desk.occurred(other.what, other.whom, other.due_at)
    assert store.desk.apply(digest("second", other), NOW)


def test_an_occurrence_that_two_want_happens_once(store: Store) -> None:
    with store.another() as other, ThreadPoolExecutor(8) as timers:
        desks = [store.desk, other.desk] * 4
        happened = list(timers.map(lambda one: one[1].apply(digest(f"digest {one[0]}"), NOW), enumerate(desks)))
    assert sum(happened) == 1
    assert len(store.phases()) == 1


def test_a_mistake_is_not_taken_for_an_occurrence_that_happened(store: Store) -> None:
    store.desk.apply(digest("first"), NOW)
    with pytest.raises(IntegrityError):
        store.desk.apply(digest("first", replace(DUE, whom=HERE)), NOW)
    assert not store.desk.occurred(DUE.what, HERE, NOW)


def test_a_store_remembers_when_it_was_made(store: Store) -> None:
    store.desk.founded(NOW)
    store.desk.founded(NOW + timedelta(days=1))
    with store.another() as other:
        assert other.desk.since() == NOW


def test_open_tickets_come_with_their_mails_oldest_first(store: Store) -> None:
    """Of the mailbox and the queues; a closed ticket, another queue, another mailbox are left out."""
    later = replace(raw(2), internaldate=NOW)
    earlier = replace(raw(9), internaldate=NOW - minutes(30))
    store.take(
        [later, earlier, raw(3), raw(4), raw(5, mailbox=ELSEWHERE)],
        [
            opening(later, ticket(1)),
            Plan(earlier.ref, Fate.FOLLOW_UP, ticket_of_mail=number(1)),
            Plan(ref(3), Fate.STATUS, ticket_of_mail=number(1)),
            opening(raw(4), ticket(2, state=State.CLOSED)),
            opening(raw(5, mailbox=ELSEWHERE), ticket(3, mailbox=ELSEWHERE)),
            Plan(opened=ticket(4, queue="triase")),
            Plan(opened=ticket(5)),
        ],
    )
    found = store.desk.open_tickets(HERE, ["revisi-desain-ot", "ambil-sk-ot"])
    assert {one.number: files for one, files in found} == {
        number(1): [earlier.stored, later.stored],
        # A ticket whose mail the ledger does not know still has its original.
        number(5): [ticket(5).original],
    }
    assert store.desk.open_tickets(HERE, []) == []


def test_any_number_of_tickets_may_be_open(store: Store) -> None:
    """More than a statement has room for values."""
    mails = [raw(uid) for uid in range(1, 2501)]
    store.take([], [Plan(opened=ticket(mail.ref.uid, original=mail.stored)) for mail in mails])
    assert len(store.desk.open_tickets(HERE, ["revisi-desain-ot"])) == 2500


def test_queues_tell_what_is_open_what_waits_and_what_is_late(store: Store) -> None:
    tickets = [
        ticket(1, created_at=NOW - timedelta(days=3), due_at=NOW - minutes(1)),
        ticket(2, due_at=NOW + minutes(1)),
        ticket(3, due_at=None),
        ticket(4, state=State.WAITING, due_at=None),
        ticket(5, state=State.CLOSED, due_at=NOW - minutes(1)),
        ticket(6, queue="triase", due_at=NOW - minutes(9)),
    ]
    store.take([], [Plan(opened=one) for one in tickets])
    found = {(row["queue"], row["state"]): (row["count"], row["late"], row["oldest"]) for row in store.desk.queues(NOW)}
    assert {key: (count, late or 0) for key, (count, late, _) in found.items()} == {
        ("revisi-desain-ot", "open"): (3, 1),
        ("revisi-desain-ot", "waiting"): (1, 0),
        ("triase", "open"): (1, 1),
    }
    assert found["revisi-desain-ot", "open"][2] == NOW - timedelta(days=3)


def test_a_mailbox_tells_how_its_mails_ended(store: Store) -> None:
    store.intake.watch(HERE, "INBOX", Cursor(7, 0, NOW), [], NOW)
    store.take([raw(1), raw(2)], [opening(raw(1), ticket(1))])
    store.intake.ended([ref(uid) for uid in range(10, 15)], Fate.HISTORY, NOW)
    [view] = store.desk.mailboxes()
    assert view.fates == {"ticket": 1, "pending": 1, "history": 5}


def test_history_and_links_are_read_back(store: Store) -> None:
    opened = opening(raw(2), ticket(2))
    store.take([raw(2)], [replace(opened, links=((number(2), number(1)),), events=(*opened.events, event("linked")))])
    assert [one.kind for one in store.desk.events(number(2))] == ["opened"]
    assert store.desk.events(number(2))[0] == opened.events[0]
    assert store.desk.links(number(2)) == [number(1)]
    assert store.desk.links(number(1)) == [number(2)]


def test_quarantine_lists_what_waits_for_a_person(store: Store) -> None:
    store.take([raw(1)], [Plan(ref(1), Fate.QUARANTINE, quarantine=Quarantined("raised", "ValueError: odd"))])
    [row] = store.desk.quarantined()
    assert (row["mailbox"], row["uid"], row["reason"], row["detail"]) == (HERE, 1, "raised", "ValueError: odd")
    assert store.fates() == {1: Fate.QUARANTINE}


def test_the_outbox_is_counted_by_phase(store: Store) -> None:
    store.write(outbound("a"), outbound("b"))
    store.outgoing.claim(NOW, 1, [HERE])
    assert store.desk.outbox() == {"due": 1, "claimed": 1}
    assert [row["phase"] for row in store.desk.outgoing(None, 10)] == ["due", "claimed"]
