"""The store as intake sees it: every UID, its fate, and where each mailbox stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError, StatementError

from loket.core.known import Hints
from loket.core.model import Fate, MailRef, Plan, State
from loket.files import FolderFiles
from loket.ports import Cursor
from loket.store import intake, schema
from tests.contract.conftest import Store
from tests.contract.values import (
    ELSEWHERE,
    HERE,
    NOW,
    large,
    minutes,
    number,
    opening,
    outbound,
    raw,
    ref,
    ticket,
)

LONG_AGO = NOW - timedelta(days=3650)


def test_what_has_no_end_is_unseen(store: Store) -> None:
    """A pending mail is; so is the same UID in another mailbox, or under another UIDVALIDITY."""
    store.take([raw(1), raw(2)], [opening(raw(1), ticket(1))])
    asked = [ref(1), ref(2), ref(3), ref(1, ELSEWHERE), ref(1, uidvalidity=8)]
    with store.intake.begin() as batch:
        assert batch.unseen(asked) == set(asked) - {ref(1)}
    assert store.intake.without_end(asked) == set(asked) - {ref(1)}
    assert store.intake.without_end([]) == set()


def test_five_thousand_refs_are_asked_at_once(store: Store) -> None:
    refs = [ref(uid) for uid in range(1, 5001)]
    store.intake.ended(refs[::2], Fate.HISTORY, NOW)
    assert store.intake.without_end(refs) == set(refs[1::2])


def test_a_mail_is_pending_from_keeping_to_its_plan(store: Store, files: FolderFiles) -> None:
    store.take([raw(1)], [])
    [row] = store.rows(schema.ledger)
    assert (row.fate, row.sha256, row.size) == ("pending", raw(1).stored.sha256, raw(1).stored.size)
    assert row.internaldate == raw(1).internaldate
    assert row.seen_at == NOW
    with store.reader(files).open(raw(1).stored) as data:
        assert data == raw(1).data
    store.take([raw(1)], [opening(raw(1), ticket(1))])
    [row] = store.rows(schema.ledger)
    assert (row.fate, row.ticket) == ("ticket", number(1))


def test_large_bytes_stay_out_of_the_database(store: Store) -> None:
    store.take([large(1, b"x" * 100)], [])
    [row] = store.rows(schema.content)
    assert (row.size, row.data) == (100, None)


def test_the_same_bytes_are_known_with_their_ticket(store: Store) -> None:
    """Of this mailbox, and once they have an end of their own: neither pending, nor duplicate, nor vanished."""
    ended = {1: Fate.TICKET, 2: Fate.MACHINE, 3: Fate.DUPLICATE, 4: Fate.QUARANTINE}
    mails = [raw(uid) for uid in range(1, 7)]
    other = raw(7, mailbox=ELSEWHERE)
    plans = [Plan(ref(uid), fate, ticket_of_mail=number(1) if uid == 1 else None) for uid, fate in ended.items()]
    store.take([*mails, other], [*plans, Plan(other.ref, Fate.TICKET)])
    store.intake.ended([ref(6)], Fate.VANISHED, NOW)
    hashes = [mail.stored.sha256 for mail in (*mails, other)]
    with store.intake.begin() as batch:
        assert batch.same_bytes(HERE, hashes) == {hashes[0]: number(1), hashes[1]: None, hashes[3]: None}
        assert batch.same_bytes(HERE, []) == {}


def test_tickets_are_known_by_number_and_by_what_they_are_about(store: Store) -> None:
    closed = ticket(2, state=State.CLOSED)
    other = ticket(3, applicant="budi@jamu.test")
    nameless = ticket(4, identity="", queue="triase")
    store.take([], [Plan(opened=one) for one in (ticket(1), closed, other, nameless)])
    hints = Hints(frozenset({number(2), number(4), number(99)}), frozenset({"siti@jamu.test", "x@y.test"}))
    with store.intake.begin() as batch:
        known = batch.known(hints, NOW)
    assert known.tickets == {number(2): closed, number(4): nameless}
    assert known.related("siti@jamu.test", "Loket D", "jamu kunyit", LONG_AGO) == [number(1), number(2)]
    assert known.related("siti@jamu.test", "Loket D", "jamu kunyit", NOW + timedelta(days=1)) == []
    assert known.related("budi@jamu.test", "Loket D", "jamu kunyit", LONG_AGO) == []
    assert known.open_in_queue == {"revisi-desain-ot": 2, "triase": 1}


def test_a_mail_that_names_ten_thousand_tickets_is_answered(store: Store) -> None:
    """A statement has room for so many values only; a hostile mail must not look like a store that is down."""
    store.take([], [Plan(opened=ticket(7))])
    numbers = frozenset(f"LKT-2026-{serial:06d}-0" for serial in range(10_000)) | {number(7)}
    addresses = frozenset(f"a{count}@b.test" for count in range(3000)) | {"siti@jamu.test"}
    with store.intake.begin() as batch:
        known = batch.known(Hints(numbers, addresses, numbers), NOW)
    assert set(known.tickets) == {number(7)}
    assert known.related("siti@jamu.test", "Loket D", "jamu kunyit", LONG_AGO) == [number(7)]


def test_a_mail_that_raised_is_kept_and_counted(store: Store, files: FolderFiles) -> None:
    assert [store.intake.failed(raw(1), "ValueError: odd", NOW) for _ in range(3)] == [1, 2, 3]
    [row] = store.rows(schema.ledger)
    assert (row.fate, row.attempts, row.error) == ("pending", 3, "ValueError: odd")
    with store.reader(files).open(raw(1).stored) as data:
        assert data == raw(1).data
    store.take([raw(1)], [opening(raw(1), ticket(1))])
    assert store.rows(schema.ledger)[0].error is None


def test_pending_mail_is_asked_of_the_server_only_where_its_bytes_are_missing(store: Store) -> None:
    store.intake.ended([ref(9), ref(5)], Fate.PENDING, NOW)
    store.take([raw(1), raw(2), raw(3, uidvalidity=6)], [opening(raw(1), ticket(1))])
    standing = store.intake.standing(HERE, 7)
    assert standing.pending == [5, 9]
    assert [(kept[0], kept[2]) for kept in standing.kept] == [
        (ref(3, uidvalidity=6), raw(3, uidvalidity=6).stored),
        (ref(2), raw(2).stored),
    ]
    assert store.intake.standing(ELSEWHERE, 7).kept == []


def test_mail_that_is_never_read_gets_its_end(store: Store) -> None:
    """What has an end keeps it; what was pending gets one."""
    store.take([raw(1), raw(2)], [opening(raw(1), ticket(1))])
    store.intake.ended([ref(1), ref(2), ref(3)], Fate.VANISHED, NOW)
    store.intake.ended([ref(3), ref(4)], Fate.HISTORY, NOW)
    store.intake.ended([], Fate.HISTORY, NOW)
    assert store.fates() == {1: Fate.TICKET, 2: Fate.VANISHED, 3: Fate.VANISHED, 4: Fate.HISTORY}


def test_a_mailbox_has_no_cursor_before_its_first_start(store: Store) -> None:
    assert store.intake.cursor(HERE) is None
    store.intake.troubled(HERE, NOW, "login refused")
    assert store.intake.cursor(HERE) is None


def test_watching_begins_with_history_and_cursor(store: Store) -> None:
    cursor = Cursor(7, 0, NOW)
    store.intake.watch(HERE, "INBOX", cursor, [ref(1), ref(2)], NOW)
    assert store.intake.cursor(HERE) == cursor
    assert store.fates() == {1: Fate.HISTORY, 2: Fate.HISTORY}
    store.intake.advance(HERE, "INBOX", replace(cursor, last_uid=12))
    assert store.intake.cursor(HERE) == Cursor(7, 12, NOW)


def test_watching_begins_whole_or_not_at_all(store: Store) -> None:
    """A cursor that cannot be written leaves no history behind, or the next start would take it for new mail."""
    naive = datetime(2026, 11, 24, 9, 0)  # noqa: DTZ001 - this is what cannot be written
    with pytest.raises(StatementError):
        store.intake.watch(HERE, "INBOX", Cursor(7, 0, naive), [ref(1)], NOW)
    assert store.sizes() == {}


def test_a_change_of_uidvalidity_ends_what_was_never_given(store: Store) -> None:
    """A UID of the old numbering cannot be asked for any more; mail whose bytes are kept is still worked."""
    store.intake.ended([ref(1), ref(1, ELSEWHERE)], Fate.PENDING, NOW)
    store.take([raw(2)], [])
    store.intake.watch(HERE, "INBOX", Cursor(8, 0, NOW), [], NOW)
    assert store.fates() == {1: Fate.VANISHED, 2: Fate.PENDING}
    assert store.fates(ELSEWHERE) == {1: Fate.PENDING}


def test_handled_mail_waits_to_be_filed_where_the_mailbox_files(store: Store) -> None:
    elsewhere = raw(1, mailbox=ELSEWHERE)
    store.take(
        [raw(1), raw(2), raw(3), elsewhere],
        [opening(raw(1), ticket(1)), Plan(ref(2), Fate.MACHINE), Plan(elsewhere.ref, Fate.MACHINE)],
    )
    store.intake.ended([ref(8)], Fate.HISTORY, NOW)
    assert store.intake.to_file(HERE, 7) == [1, 2]
    assert store.intake.to_file(HERE, 8) == []
    assert store.intake.to_file(ELSEWHERE, 7) == []
    store.intake.filed([ref(1)])
    assert store.intake.to_file(HERE, 7) == [2]


def test_polls_that_find_nothing_are_written_together_and_never_over_trouble(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "QUIET_SECONDS", 3600.0)
    monkeypatch.setattr(intake, "MANY", 2)

    def polled(mailbox: str) -> datetime | None:
        return next(view.polled_at for view in store.desk.mailboxes() if view.mailbox == mailbox)

    for mailbox in (HERE, ELSEWHERE):
        store.intake.watch(mailbox, "INBOX", Cursor(7, 0, NOW), [], NOW)
        store.intake.reached(mailbox, NOW, 12)
    store.intake.reached(HERE, NOW + minutes(1), 12)
    store.intake.reached(ELSEWHERE, NOW + minutes(2), 12)
    assert (polled(HERE), polled(ELSEWHERE)) == (NOW, NOW)
    store.intake.reached(ELSEWHERE, NOW + minutes(3), 13)
    assert store.intake.cursor(ELSEWHERE) == Cursor(7, 13, NOW), "what is new is written at once"
    assert (polled(HERE), polled(ELSEWHERE)) == (NOW + minutes(1), NOW + minutes(3))
    store.intake.reached(HERE, NOW + minutes(4), 12)
    store.intake.troubled(HERE, NOW + minutes(5), "no route")
    store.intake.reached(ELSEWHERE, NOW + minutes(6), 14)
    [view] = [view for view in store.desk.mailboxes() if view.mailbox == HERE]
    assert (view.error, view.polled_at) == ("no route", NOW + minutes(1))
    store.intake.reached(HERE, NOW + minutes(7), 12)
    [view] = [view for view in store.desk.mailboxes() if view.mailbox == HERE]
    assert (view.error, view.polled_at) == (None, NOW + minutes(7))
    store.intake.reached(HERE, NOW + minutes(8), 12)
    store.intake.watch(HERE, "INBOX", Cursor(8, 0, NOW), [], NOW)
    store.intake.reached(ELSEWHERE, NOW + minutes(9), 15)
    assert store.intake.cursor(HERE) == Cursor(8, 0, NOW), "the mails of a renumbered folder are not passed over"


def test_what_a_poll_could_not_write_is_written_by_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "QUIET_SECONDS", 3600.0)
    monkeypatch.setattr(intake, "MANY", 2)
    for mailbox in (HERE, ELSEWHERE):
        store.intake.watch(mailbox, "INBOX", Cursor(7, 0, NOW), [], NOW)
        store.intake.reached(mailbox, NOW, 12)
    store.intake.reached(ELSEWHERE, NOW + minutes(1), 12)
    with monkeypatch.context() as broken:
        broken.setattr(intake, "_REACHED", text("UPDATE nothing SET nothing = 1"))
        with pytest.raises(SQLAlchemyError):
            store.intake.reached(HERE, NOW + minutes(2), 13)
    store.intake.reached(HERE, NOW + minutes(3), 13)
    assert store.intake.cursor(HERE) == Cursor(7, 13, NOW)
    assert {view.polled_at for view in store.desk.mailboxes()} == {NOW + minutes(1), NOW + minutes(3)}


def test_trouble_is_remembered_since_it_began_and_forgotten_when_it_ends(store: Store) -> None:
    store.intake.troubled(HERE, NOW, "login refused")
    store.intake.troubled(HERE, NOW + minutes(5), "no route")
    [view] = store.desk.mailboxes()
    assert (view.error, view.error_since, view.polled_at) == ("no route", NOW, None)
    store.intake.watch(HERE, "INBOX", Cursor(7, 0, NOW), [], NOW)
    store.intake.reached(HERE, NOW + minutes(9), 12)
    assert store.intake.cursor(HERE) == Cursor(7, 12, NOW)
    [view] = store.desk.mailboxes()
    assert (view.error, view.error_since, view.polled_at) == (None, None, NOW + minutes(9))
    store.intake.troubled(HERE, NOW + minutes(20), "no route")
    [view] = store.desk.mailboxes()
    assert (view.error_since, view.polled_at) == (NOW + minutes(20), NOW + minutes(9))


def test_trouble_leaves_the_cursor_alone(store: Store) -> None:
    store.intake.watch(HERE, "INBOX", Cursor(7, 12, NOW), [], NOW)
    store.intake.troubled(HERE, NOW + minutes(5), "no route")
    assert store.intake.cursor(HERE) == Cursor(7, 12, NOW)


def test_moments_come_back_aware_and_the_same(store: Store) -> None:
    """Whatever zone they were written in, and to the microsecond."""
    moment = datetime(2026, 11, 24, 23, 59, 59, 123456, tzinfo=NOW.tzinfo)
    written = ticket(1, created_at=moment, updated_at=moment.astimezone(UTC), due_at=moment + timedelta(days=40))
    store.take([replace(raw(1), internaldate=moment)], [opening(raw(1), written, outbound("ack", not_before=moment))])
    store.intake.watch(HERE, "INBOX", Cursor(7, 1, moment), [], moment)
    read = store.desk.ticket(written.number)
    assert read == written
    moments = [
        read.created_at,
        store.rows(schema.ledger)[0].internaldate,
        store.rows(schema.outbox)[0].next_at,
        store.rows(schema.mailbox_state)[0].started_at,
    ]
    assert [(at, at.utcoffset()) for at in moments] == [(moment, timedelta())] * 4


def test_every_known_uid_is_counted(store: Store) -> None:
    store.take([raw(1)], [opening(raw(1), ticket(1))])
    store.intake.ended([ref(2)], Fate.HISTORY, NOW)
    store.intake.ended([MailRef(HERE, 8, 3)], Fate.PENDING, NOW)
    assert store.intake.known_uids(HERE, 7) == {1, 2}


def test_a_changed_ticket_is_changed_and_no_other(store: Store) -> None:
    first, second = ticket(1), ticket(2)
    store.take([], [Plan(opened=first), Plan(opened=second)])
    answered = replace(first, state=State.CLOSED, outcome="desain", answered_by="ani@office.test", closed_at=NOW)
    store.take([], [Plan(changed=(answered,))])
    assert store.desk.ticket(first.number) == answered
    assert store.desk.ticket(second.number) == second
