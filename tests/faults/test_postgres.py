"""PostgreSQL goes away in the middle of work, or exactly at a COMMIT: nothing is lost and nothing happens twice."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import ColumnElement, Table, delete, func, select
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import DBAPIError

from loket import outbox, watch
from loket.app import App
from loket.config.load import Snapshot
from loket.demo.officer import Answer, answer
from loket.store import schema
from loket.store.database import Database, is_unavailable
from loket.stores import Stores, open_stores
from tests.faults.lane import SMALL, START, Lane, differences
from tests.faults.wire import Moment, Wire
from tests.flows.letters import mail, scan
from tests.servers import MailServers, Postgres

HOST = "127.0.0.1"


class Commits:
    """Counts the commits of writers, and tells the wire when one that is to be cut is about to be said."""

    def __init__(self, wire: Wire, patch: pytest.MonkeyPatch) -> None:
        """Put the counter around every commit that goes over the wire."""
        self._wire = wire
        self.count = 0
        self.cuts: dict[int, Moment] = {}
        # Which function of ours committed, and where it was cut, if it was.
        self.sites: set[tuple[str, Moment | None]] = set()
        commit = DefaultDialect.do_commit

        def counted(dialect: DefaultDialect, connection: Any) -> None:
            session = connection.dbapi_connection
            if session.info.port == self._wire.port and not session.read_only:
                moment = self.cuts.get(self.count)
                self.sites.add((_site(), moment))
                if moment is not None:
                    self._wire.cut_next(moment)
                self.count += 1
            commit(dialect, connection)

        patch.setattr(DefaultDialect, "do_commit", counted)

    def start(self, cuts: dict[int, Moment]) -> None:
        """Count from zero."""
        self.count, self.cuts = 0, cuts


def _site() -> str:
    frame = sys._getframe(2)
    while True:
        module, name = frame.f_globals["__name__"], frame.f_code.co_name
        if module.startswith("loket.") and module != "loket.store.database" and name != "begin":
            return name
        assert frame.f_back is not None
        frame = frame.f_back


class Town(Lane):
    """A lane on PostgreSQL, worked by one daemon that lives through the whole story."""

    def __init__(self, servers: MailServers, folder: Path, url: str, straight: str) -> None:
        """`url` is the store as the daemon reaches it, `straight` as the test does."""
        domain = servers.unique("x").partition("@")[2]
        super().__init__(
            {
                "root": str(servers.root),
                "imap": servers.imap_port,
                "smtp": servers.smtp_port,
                "folder": str(folder),
                "domain": domain,
            }
        )
        self.more = 'store: {database: "${file:database}", files: var/files}'
        self.url = url
        self.straight_url = straight
        self.straight = Database(straight)
        self.straight.migrate()

    def fresh(self) -> None:
        """Mailboxes nobody has used, an empty store."""
        super().fresh()
        with self.straight.write() as connection:
            for table in schema.metadata.sorted_tables:
                connection.execute(delete(table))

    def _config(self, url: str) -> Snapshot:
        (self.folder / "database").write_text(url)
        return self.snapshot

    def _stores(self) -> Stores:
        return open_stores(self._config(self.straight_url), self.at)

    def waiting(self) -> int:
        """Outgoing mails without an end."""
        return self.count(schema.outbox, schema.outbox.c.phase.in_(("due", "claimed", "data")))

    def count(self, table: Table, *which: ColumnElement[bool]) -> int:
        """Rows there are; none while the server is down."""
        try:
            with self.straight.read() as connection:
                return connection.execute(select(func.count()).select_from(table).where(*which)).scalar_one()
        except DBAPIError:
            return -1

    def state(self) -> dict[str, Any]:
        """What is left at the end, and how often a mail was said to be sent, which a crash may leave unsaid."""
        return super().state() | {"said to be sent": self.count(schema.event, schema.event.c.kind == "sent")}

    def app(self) -> App:
        """The daemon; at its start the store must be there, or it ends and is started again."""
        while True:
            try:
                return App(self._config(self.url), self)
            except Exception as error:
                if not is_unavailable(error):
                    raise

    def life(self) -> None:
        """A short story: request, acknowledgement, digest, answer, letter."""
        with asyncio.Runner() as runner:
            app = self.app()
            app.loop = runner.get_loop()

            def turn() -> None:
                runner.run(self._turn(app))

            raw = mail(f"Siti <{self.applicant}>", self.counter, "Ambil SK_OT_Jamu Kunyit", enclosed=SMALL)
            self.servers.lmtp(raw, self.counter, self.applicant)
            turn()
            self.at = START + timedelta(hours=4)
            turn()
            given = Answer("Selamat.", (scan("SK NIE"),))
            for said in answer(self._digest(), lambda link: given if link.command == "REVISI" else None, now=self.at):
                self.servers.lmtp(said, self.counter, self.officer)
            turn()
            for courier in app._couriers.values():
                runner.run(courier.close())
            app.stores.database.close()

    async def _turn(self, app: App) -> None:
        """What the daemon's threads and tasks do until nothing is left to do, each coming back after trouble."""
        [watcher] = app.watchers
        await again(lambda: asyncio.to_thread(watcher.once))
        for _ in range(2):
            # A digest that fails stays due until the next tick.
            await asyncio.to_thread(app.clockwork.timers.tick)
        sender = app._runners[self.counter] = app._runner(self.counter)
        sending = asyncio.create_task(sender.run())
        await until(lambda: self.waiting() == 0 or sending.done())
        sender.stop()
        await sending


async def again(work: Callable[[], Awaitable[Any]]) -> None:
    """As often as the store is in trouble."""
    while True:
        try:
            await work()
        except Exception as error:
            if not is_unavailable(error):
                raise
        else:
            return


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for it, without keeping the loop."""
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trouble is waited out for moments."""
    monkeypatch.setattr(outbox, "STORE_SECONDS", 0.02)
    monkeypatch.setattr(watch, "FIRST_WAIT", timedelta(seconds=0.1))
    monkeypatch.setattr(watch, "LONGEST_WAIT", timedelta(seconds=0.3))


@pytest.fixture
def town(servers: MailServers, postgres: Postgres, tmp_path: Path) -> Iterator[tuple[Town, Wire]]:
    """A daemon whose every word to its store goes over the wire."""
    straight = postgres.database(migrated=True)
    with Wire(HOST, postgres.port) as wire:
        made = Town(servers, tmp_path / "town", straight.replace(f":{postgres.port}/", f":{wire.port}/"), straight)
        yield made, wire
        made.straight.close()


def test_a_connection_cut_at_any_commit_changes_nothing(
    town: tuple[Town, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the server heard it, and after it happened but before the answer: the end is that of the clean run.

    Each run is cut twice, half a story apart.
    """
    lane, wire = town
    commits = Commits(wire, monkeypatch)

    def run(cuts: dict[int, Moment]) -> dict[str, Any]:
        lane.fresh()
        commits.start(cuts)
        lane.life()
        return lane.state()

    clean = run({})
    total = commits.count
    sites = {site for site, _ in commits.sites}
    assert sites >= {"founded", "watch", "decide", "advance", "apply", "claim", "record"}
    assert list(differences(clean, clean)) == []
    assert set(clean["phases"].values()) == {"sent"}
    wrong = []
    # What is done again moves the second cut forward by a few commits, so the last ones come later.
    for count in range(total + 4):
        cuts: dict[int, Moment] = {count: "before the answer", (count + total // 2) % (total + 4): "before the server"}
        found = run(cuts)
        left = [phase for phase in found["phases"].values() if phase != "sent"]
        if found["said to be sent"] != clean["said to be sent"]:
            left.append(f"{found['said to be sent']} times said to be sent")
        wrong += [f"commits cut at {cuts}: {what}" for what in (*differences(clean, found), *left)]
    assert not wrong, "\n".join(wrong)
    # Senders share commits, so their number differs from run to run, and with it which of two cuts a commit gets.
    cut = {(site, moment) for site, moment in commits.sites if moment in get_args(Moment)}
    assert {site for site, _ in cut} >= sites
    assert {moment for _, moment in cut} == set(get_args(Moment))


def test_a_server_that_restarts_in_the_middle_of_work_loses_and_repeats_nothing(
    town: tuple[Town, Wire], postgres: Postgres
) -> None:
    """The daemon stays up; each time the server comes back it takes in, files, sends and settles as if nothing were."""
    lane, _ = town
    mails = 24
    lane.fresh()

    async def life() -> None:
        app = lane.app()
        working = asyncio.create_task(app.run())
        await until(lambda: lane.count(schema.mailbox_state) == 1)
        for number in range(mails):
            raw = mail(f"Siti <{lane.applicant}>", lane.counter, f"Ambil SK_OT_Jamu {number}", enclosed=SMALL)
            await asyncio.to_thread(lane.servers.lmtp, raw, lane.counter, lane.applicant)
            if number % 8 == 5:
                await asyncio.to_thread(postgres.down)
                await asyncio.sleep(0.3)
                await asyncio.to_thread(postgres.up)
        await until(lambda: lane.count(schema.ticket) == mails and not lane.waiting())
        await until(lambda: len(lane.servers.messages(lane.counter, "Selesai")) == mails)
        assert not working.done()
        app.stop()
        await working

    asyncio.run(life())
    found = lane.state()
    assert len(found["tickets"]) == mails
    assert found["fates"] == {"ticket": mails}
    assert (found["inbox"], found["filed"]) == (0, mails)
    assert list(found["phases"].values()) == ["sent"] * mails
    assert found["received"] == dict.fromkeys(found["phases"], 1)
    assert found["said to be sent"] == mails
    assert len(found["events"]) == mails
