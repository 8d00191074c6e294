"""A backlog is read and thought through by a second process, and comes to the same whatever becomes of that."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from loket import clerk as clerks
from loket import line, maillog
from loket.clerk import Clerk, Reading, fork, hire
from loket.config.load import Snapshot, load
from loket.config.secrets import database_url, keys
from loket.core import batch
from loket.core.model import Fate, MailRef, RawMail, StoredFile
from loket.files import FolderFiles
from loket.sheet import Sheet
from loket.store import schema
from loket.store.batch import Batch
from loket.store.sheets import dialect_of, write_down
from tests.bench import corpus
from tests.intake.bureau import OFFICER, TOP, Bureau, eventually, mail
from tests.intake.conftest import OpenBureau

MAILS = 60


class Standing:
    """A clock that stands, so that two offices write the same."""

    def now(self) -> datetime:
        return datetime(2026, 11, 27, 3, 0, tzinfo=UTC)


def hiring(snapshot: Snapshot, idle: float = 60.0) -> Clerk | None:
    """As `loket run` does it at its start."""
    files = FolderFiles(snapshot.root / snapshot.config.store.files)
    dialect = dialect_of(database_url(snapshot.config.store, snapshot.root))
    return fork(snapshot.office, keys(snapshot.config, snapshot.root), files, partial(write_down, dialect), idle)


@pytest.fixture(autouse=True)
def _few_are_a_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerks, "BACKLOG", 10)
    monkeypatch.setattr(clerks, "PIECE", 5)
    monkeypatch.setattr(line, "LOT_LEAST", 20)
    monkeypatch.setattr(line, "LOT_MOST", 20)


@pytest.fixture
def thought(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many plans came from the clerk, piece by piece."""
    pieces: list[int] = []
    honest = Reading.plans

    def counted(self: Reading, *given: Any) -> Generator[Sheet]:
        for piece in honest(self, *given):
            pieces.append(len(piece.endings))
            yield piece

    monkeypatch.setattr(Reading, "plans", counted)
    return pieces


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Why the clerk could not say what comes of a lot."""
    said: list[str] = []
    monkeypatch.setattr(maillog, "unread", lambda _first, _mails, why: said.append(why))
    return said


def everything(office: Bureau) -> dict[str, list[Any]]:
    """Every row of every table."""
    return {table.name: [tuple(row) for row in office.rows(table)] for table in schema.metadata.sorted_tables}


def varied(address: str) -> list[bytes]:
    """Small, large and encoded mails; the same bytes and the same words twice; machines', an officer's, odd ones."""
    letters = [letter.raw.replace(b"\n", b"\r\n") for letter in corpus.mixed(MAILS, 7, address)]
    machine = b"From: a@b.test\r\nAuto-Submitted: auto-replied\r\nSubject: Out of office\r\n\r\nx\r\n"
    odd = b"From: c@d.test\r\nSubject: " + b"=?utf-8?q?a?= " * 400 + b"\r\n\r\nx\r\n"
    thread = mail("Status LKT-2026-000003-1", "ani@pemohon.test")
    return [*letters, letters[3], letters[40], machine, odd, thread, b"\xff\xfe no mail", *letters[5:9]]


def test_a_backlog_comes_to_the_same_with_and_without(
    bureau: OpenBureau, thought: list[int], unread: list[str]
) -> None:
    """Every row is the same, to the last byte of the last letter."""
    settings: dict[str, Any] = {"history": "all", "clock": Standing(), "batch": {"mails": 7, "piece": 200_000}}
    alone = bureau(**settings)
    alone.fill(varied(alone.address))
    alone.poll()
    del settings["history"]
    beside = bureau(mailboxes=alone.mailboxes, hiring=hiring, **settings)
    beside.poll()
    assert sum(thought) >= MAILS
    assert unread == []
    assert everything(beside) == everything(alone)
    assert set(alone.fates()) >= {Fate.TICKET, Fate.DUPLICATE, Fate.MACHINE}


def test_an_officers_mail_in_a_backlog_is_examined_as_always(
    bureau: OpenBureau, thought: list[int], unread: list[str]
) -> None:
    """Its lot is thought through here, where it can be looked into; the others are not."""
    office = bureau(history="all", hiring=hiring, batch={"mails": 10})
    office.fill(mail(f"Surat {number}", sender=OFFICER if number == 33 else "") for number in range(MAILS))
    office.poll()
    assert len(office.fates()) == MAILS
    assert office.fates().count(Fate.TICKET) >= MAILS - 1
    assert 0 < sum(thought) < MAILS
    assert unread == []


def test_a_mail_that_raises_there_raises_here_and_is_set_aside_alone(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch, unread: list[str]
) -> None:
    healthy: Callable[..., Any] = batch.decide

    def fail(given: Any, *others: Any) -> Any:
        if b"Racun" in bytes(given.raw.data):
            raise RecursionError
        return healthy(given, *others)

    monkeypatch.setattr(batch, "decide", fail)
    office = bureau(history="all", hiring=hiring, batch={"mails": 10})
    office.fill(mail("Racun" if number == 25 else f"Surat {number}") for number in range(MAILS))
    for _ in range(3):
        office.poll()
    assert office.fates() == [Fate.QUARANTINE if number == 25 else Fate.TICKET for number in range(MAILS)]
    assert unread == ["RecursionError"]


@pytest.mark.parametrize("when", ["before", "between", "while it thinks"])
def test_a_clerk_that_is_killed_costs_time_alone(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch, unread: list[str], when: str
) -> None:
    """Nothing is lost and nothing happens twice, whatever had been written before."""
    office = bureau(history="all", hiring=hiring, batch={"mails": 10})
    office.fill(mail(f"Surat {number}") for number in range(MAILS))
    clerk = office.app.taker.clerk
    assert clerk is not None
    [child] = [int(one) for one in Path("/proc/self/task", str(os.getpid()), "children").read_text().split()][-1:]
    honest, pieces = Reading.plans, 0

    def cut_short(self: Reading, *given: Any) -> Generator[Sheet]:
        nonlocal pieces
        if when == "between" and self.number == 2:
            os.kill(child, signal.SIGKILL)
        for piece in honest(self, *given):
            pieces += 1
            if when == "while it thinks" and pieces == 6:
                os.kill(child, signal.SIGKILL)
            yield piece

    monkeypatch.setattr(Reading, "plans", cut_short)
    if when == "before":
        os.kill(child, signal.SIGKILL)
        eventually(clerk.ended)
    office.poll()
    assert office.fates() == [Fate.TICKET] * MAILS
    assert sorted(office.subjects()) == sorted(f"Surat {number}" for number in range(MAILS))
    assert len(office.rows(schema.outbox)) == MAILS
    assert bool(unread) == (when != "before")
    office.put(mail("Kemudian"))
    office.poll()
    assert office.fates() == [Fate.TICKET] * (MAILS + 1)


def test_a_clerk_that_says_nothing_is_not_waited_for(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch, unread: list[str]
) -> None:
    office = bureau(history="all", hiring=hiring, batch={"mails": 10})
    office.fill(mail(f"Surat {number}") for number in range(MAILS))
    clerk = office.app.taker.clerk
    assert clerk is not None
    monkeypatch.setattr(clerk, "_patience", 0.5)
    [child] = [int(one) for one in Path("/proc/self/task", str(os.getpid()), "children").read_text().split()][-1:]
    os.kill(child, signal.SIGSTOP)
    office.poll()
    assert office.fates() == [Fate.TICKET] * MAILS
    assert unread[0] == "TimeoutError: no answer within 0.5 s"
    eventually(clerk.ended)


def test_a_clerk_that_takes_nothing_is_not_waited_for(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch, unread: list[str]
) -> None:
    """More than fits on the way to it."""
    monkeypatch.setattr(clerks, "PATIENCE_SECONDS", 1.0)
    office = bureau(history="all", hiring=hiring, batch={"mails": 10})
    office.fill(mail(f"Surat {number}", body="Panjang sekali. " * 4000) for number in range(30))
    clerk = office.app.taker.clerk
    assert clerk is not None
    [child] = [int(one) for one in Path("/proc/self/task", str(os.getpid()), "children").read_text().split()][-1:]
    os.kill(child, signal.SIGSTOP)
    office.poll()
    assert office.fates() == [Fate.TICKET] * 30
    assert "unavailable" in unread[0]
    eventually(clerk.ended)


def test_a_clerk_that_stops_in_the_middle_of_a_word_is_not_waited_for(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch, unread: list[str]
) -> None:
    """Part of an answer is there, and the rest does not come."""
    monkeypatch.setattr(clerks, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(clerks, "PIECE", 200)
    monkeypatch.setattr(line, "LOT_LEAST", 200)
    monkeypatch.setattr(line, "LOT_MOST", 200)
    office = bureau(history="all", hiring=hiring, batch={"mails": 200})
    office.fill(mail(f"Revisi Desain_OT_Jamu {number}") for number in range(200))
    [child] = [int(one) for one in Path("/proc/self/task", str(os.getpid()), "children").read_text().split()][-1:]
    answering = Connection.poll

    def stopped(self: Connection, *given: Any) -> bool:
        there = answering(self, *given)
        # The length of a long word comes by itself, a moment before the word.
        deadline = time.monotonic() + 0.2
        while there and time.monotonic() < deadline:
            size = fcntl.ioctl(self.fileno(), termios.FIONREAD, b"\0" * 4)
            if int.from_bytes(size, sys.byteorder) > 100_000:
                os.kill(child, signal.SIGSTOP)
                break
            time.sleep(0.005)
        return there

    monkeypatch.setattr(Connection, "poll", stopped)
    office.poll()
    assert office.fates() == [Fate.TICKET] * 200
    assert [why.partition(":")[0] for why in unread] == ["BlockingIOError"]


def test_under_other_rules_nobody_asks_the_clerk(bureau: OpenBureau, thought: list[int]) -> None:
    """It knows those of the start; an edit that is taken meanwhile counts from the next batch on."""
    office = bureau(history="all", hiring=hiring, batch={"mails": 10})
    office.fill(mail(f"Surat {number}") for number in range(MAILS))
    office.app.snapshot = load(office.folder / "config.yaml", TOP / "rules")
    office.poll()
    assert office.fates() == [Fate.TICKET] * MAILS
    assert thought == []


def test_one_mailbox_has_the_clerk_at_a_time(bureau: OpenBureau) -> None:
    office = bureau(hiring=hiring)
    clerk = office.app.taker.clerk
    assert clerk is not None
    with clerk.lent(office.app.office(), 10) as first, clerk.lent(office.app.office(), 10) as second:
        assert (first, second) == (clerk, None)
    with clerk.lent(office.app.office(), 9) as few:
        assert few is None
    with clerk.lent(office.app.office(), 10) as again:
        assert again is clerk


def test_with_nothing_to_do_it_goes_home(bureau: OpenBureau) -> None:
    """A daemon at rest is one process."""
    office = bureau(hiring=lambda snapshot: hiring(snapshot, idle=0.2))
    clerk = office.app.taker.clerk
    assert clerk is not None
    assert eventually(clerk.ended) > 0.1
    with clerk.lent(office.app.office(), 10) as gone:
        assert gone is None


def test_the_next_lot_is_heard_while_one_is_read_and_answered_for_after_it(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a pipe holds is taken at once, and who asks about the first lot does not wait for the second."""
    honest = clerks._read

    def slowly(lot: Any, handed: Any, files: FolderFiles) -> None:
        time.sleep(1.5 if handed[0].ref.uid == 1 else 6)
        honest(lot, handed, files)

    monkeypatch.setattr(clerks, "_read", slowly)
    office = bureau(hiring=hiring)
    raws = [
        RawMail(
            MailRef(office.address, 1, uid),
            datetime(2026, 11, 27, tzinfo=UTC),
            data,
            StoredFile(sha256(data).hexdigest(), len(data)),
        )
        for uid, data in enumerate([mail("Satu"), *(mail(f"{uid}") + b"x" * 300_000 for uid in range(4))], 1)
    ]
    clerk = office.app.taker.clerk
    assert clerk is not None
    began = time.monotonic()
    with clerk.lent(office.app.office(), 10) as lent:
        assert lent is not None
        first, second = lent.hand(raws[:1]), lent.hand(raws[1:])
        assert time.monotonic() - began < 1.3
        assert first is not None
        assert second is not None
        assert first.hints() is not None
        assert time.monotonic() - began < 5


def test_nobody_is_hired_where_it_would_not_help_or_would_harm(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = bureau()
    snapshot = office.app.snapshot
    files = FolderFiles(office.folder)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert hire(snapshot.office, office.app.keys, files, office.app.taker.write_down) is None
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(clerks.threading, "active_count", lambda: 2)
    assert hire(snapshot.office, office.app.keys, files, office.app.taker.write_down) is None

    def none_left() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", none_left)
    assert fork(snapshot.office, office.app.keys, files, office.app.taker.write_down) is None


def test_what_goes_wrong_in_the_store_is_heard_at_the_end(bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the cursor stays before what was not taken in."""
    office = bureau(history="all", hiring=hiring, batch={"mails": 10})
    office.fill(mail(f"Surat {number}") for number in range(MAILS))
    taken = 0
    take = Batch.take

    def full(*given: Any) -> None:
        nonlocal taken
        taken += 1
        if taken == 4:
            raise PoolTimeout
        take(*given)

    monkeypatch.setattr(Batch, "take", full)
    with pytest.raises(PoolTimeout):
        office.poll()
    [state] = office.rows(schema.mailbox_state)
    assert office.fates() == [Fate.TICKET] * 15
    assert state.last_uid <= 15
    monkeypatch.undo()
    office.poll()
    assert office.fates() == [Fate.TICKET] * MAILS
