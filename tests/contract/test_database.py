"""The database under the store: its schema, its one daemon, and what counts as being down."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, inspect, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from loket.core.model import Event, Fate, Plan
from loket.store import schema
from loket.store.database import HEAD, Database, StoreBusy, is_unavailable
from tests.contract.conftest import Store
from tests.contract.values import NOW, opening, outbound, raw, ref, ticket

TOP = Path(__file__).parents[2]


def test_the_migrations_make_what_the_queries_expect(store: Store) -> None:
    with store.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []


def test_a_store_is_made_once_and_found_made_afterwards(store: Store) -> None:
    store.write(outbound("ack"))
    said: list[str] = []
    for engine in (store.database.engine, store.database.reader):
        event.listen(engine, "before_cursor_execute", lambda *args: said.append(args[2].upper()))
    store.database.migrate()
    assert said
    assert not [statement for statement in said if statement.startswith(("CREATE", "ALTER", "DROP", "INSERT"))]
    assert store.phases() == {"ack": "due"}


def test_several_may_open_a_new_store_at_once(url: str) -> None:
    """A command beside the daemon at its first start: one makes it, the others find it made."""
    databases = [Database(url) for _ in range(6)]
    with ThreadPoolExecutor(6) as openers:
        list(openers.map(Database.migrate, databases))
    with databases[0].read() as connection:
        assert {table.name for table in schema.metadata.sorted_tables} < set(inspect(connection).get_table_names())
        assert len(connection.exec_driver_sql("SELECT version_num FROM alembic_version").all()) == 1
    for database in databases:
        database.close()


DAEMON = """
import sys, time
from loket.store.database import Database, StoreBusy
try:
    Database(sys.argv[1]).claim()
except StoreBusy as busy:
    sys.exit(str(busy))
print("claimed", flush=True)
time.sleep(60)
"""


def daemon(url: str) -> subprocess.Popen[str]:
    """Another process that wants to be the daemon of this store."""
    return subprocess.Popen(
        [sys.executable, "-c", DAEMON, url], cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_store_has_one_daemon_until_it_dies(store: Store) -> None:
    """A second is refused while the first lives, and let in once it was killed, however hard."""
    with daemon(store.url) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "claimed\n"
        with pytest.raises(StoreBusy, match="another loket already runs"):
            store.database.claim()
        store.write(outbound("ack"))
        first.send_signal(signal.SIGKILL)
    store.database.claim()
    with daemon(store.url) as second:
        _, said = second.communicate(timeout=20)
    assert second.returncode == 1
    assert "another loket already runs" in said


def test_a_daemon_that_closes_its_store_gives_it_free(store: Store) -> None:
    store.database.claim()
    with store.another() as other:
        with pytest.raises(StoreBusy):
            other.database.claim()
        store.database.close()
        other.database.claim()


def test_a_writer_waits_for_its_turn(store: Store) -> None:
    """Two processes write at once and both succeed."""
    with store.another() as other, ThreadPoolExecutor(8) as writers:
        work = [(one, f"{who} {count}") for count in range(20) for who, one in enumerate([store, other])]
        list(writers.map(lambda one: one[0].write(outbound(one[1])), work))
    assert len(store.phases()) == 40


def test_a_full_disk_is_trouble_of_the_store(tmp_path: Path) -> None:
    """It is waited out and leaves nothing half written (promise P19); SQLite only, whose size can be capped."""
    store = Store(f"sqlite:///{tmp_path / 'loket.db'}")

    @event.listens_for(store.database.engine, "connect")
    def _cap(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with store.database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 8
    store.database.engine.dispose()
    before = store.sizes()
    mail = raw(1, b"x" * 100_000)
    with pytest.raises(DBAPIError, match="full") as full:
        store.take([mail], [opening(mail, ticket(1))])
    assert is_unavailable(full.value)
    assert store.sizes() == before
    store.take([raw(2)], [Plan(ref(2), Fate.MACHINE)])
    assert store.fates() == {2: Fate.MACHINE}
    store.database.close()


def test_a_mistake_of_ours_is_no_trouble_of_the_store(store: Store) -> None:
    store.write(outbound("ack"))
    with pytest.raises(IntegrityError) as mistake:
        store.write(outbound("ack"))
    assert not is_unavailable(mistake.value)
    assert not is_unavailable(ValueError())


def test_a_daemon_writes_on_what_it_claimed(store: Store) -> None:
    """Its own writes and those of a command beside it."""
    store.database.claim()
    store.write(outbound("one"))
    store.write(outbound("two"))
    with store.another() as command:
        command.write(outbound("three"))
    store.write(outbound("four"))
    assert len(store.phases()) == 4


def test_what_text_cannot_hold_becomes_a_mark(store: Store) -> None:
    """NUL, which PostgreSQL refuses, and half a surrogate pair, which no database takes; found again as it was said."""
    odd, clean = "nol\0 separuh\ud800 utuh\U0001f600", "nol\ufffd separuh\ufffd utuh\U0001f600"
    store.write(replace(outbound(clean), key=odd))
    told = Event(NOW, "opened", None, odd, odd, "", {"said": odd})
    store.take([], [Plan(opened=ticket(1, subject=odd, fields={"produk": odd}), events=(told,))])
    assert store.phases() == {clean: "due"}
    [found] = store.rows(schema.outbox, key=odd)
    assert found.key == clean
    kept = store.desk.ticket(ticket(1).number)
    assert kept is not None
    assert kept.subject == clean
    assert kept.fields == {"produk": odd.replace("\ud800", "\ufffd")}


def test_words_are_ordered_by_their_code_points(store: Store) -> None:
    """On either database, whatever the locale of the server."""
    keys = ["a", "B", "b-1", "b1", "_", "é", "z"]
    store.write(*(outbound(key) for key in keys))
    with store.database.read() as connection:
        found = connection.execute(select(schema.outbox.c.key).order_by(schema.outbox.c.key)).scalars().all()
    assert found == sorted(keys)


def test_a_reader_sees_one_moment(store: Store) -> None:
    """What is written meanwhile is seen by the next reader."""
    query = select(schema.outbox.c.key)
    with store.database.read() as connection:
        assert connection.execute(query).all() == []
        with store.another() as other:
            other.write(outbound("ack"))
        assert connection.execute(query).all() == []
    assert store.phases() == {"ack": "due"}
    assert store.rows(schema.outbox)[0].created_at == NOW


def test_the_schema_it_works_with_is_the_last_migration() -> None:
    """A store that says so is not looked at any further when it is opened."""
    folder = TOP / "daemon/loket/store/migrations" / "versions"
    steps = re.findall(
        r'^revision = "(\w+)"', "\n".join(file.read_text() for file in folder.glob("v*.py")), re.MULTILINE
    )
    assert max(steps) == HEAD
