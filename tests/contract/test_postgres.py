"""What PostgreSQL alone can do to a store: sessions that break off, servers that refuse, databases that do not fit."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from loket.store import postgres as particular
from loket.store.database import Database, StoreBusy, StoreTaken, StoreUnfit, is_unavailable
from tests.contract.conftest import Store
from tests.contract.values import NOW, outbound
from tests.servers import Postgres


@pytest.fixture
def store(postgres: Postgres) -> Iterator[Store]:
    """An empty store, claimed."""
    made = Store(postgres.database(migrated=True))
    made.database.claim()
    yield made
    made.database.close()


def break_off(postgres: Postgres, what: str = "true") -> None:
    """The server ends the sessions of Loket, as when it is restarted or a network forgets them."""
    with postgres.admin() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(a.pid, 5000) FROM pg_stat_activity a LEFT JOIN pg_locks l "
            f"ON l.pid = a.pid AND l.locktype = 'advisory' WHERE a.usename = 'loket' AND {what}"
        )


CLAIM = "l.objid = 1"


def test_a_claim_that_broke_off_is_renewed_and_the_work_goes_on(store: Store, postgres: Postgres) -> None:
    store.write(outbound("before"))
    break_off(postgres)
    store.write(outbound("after"))
    break_off(postgres, CLAIM)
    store.write(outbound("again"))
    with store.another() as other, pytest.raises(StoreBusy):
        other.database.claim()
    assert len(store.phases()) == 3


def test_a_daemon_that_was_cut_off_while_another_took_over_writes_nothing_more(
    store: Store, postgres: Postgres
) -> None:
    """Whether the other still lives or has gone again: what this one has in hand is not its own any more (P20)."""
    store.write(outbound("before"))
    break_off(postgres, CLAIM)
    with store.another() as other:
        other.database.claim()
        other.write(outbound("other"))
        with pytest.raises(StoreTaken) as taken:
            store.write(outbound("after"))
        assert not is_unavailable(taken.value)
    with pytest.raises(StoreTaken):
        store.write(outbound("after"))
    assert set(store.phases()) == {"before", "other"}


def test_a_claim_that_is_not_free_yet_is_waited_for(store: Store, postgres: Postgres) -> None:
    """The server may be the last to notice that a session is gone; nothing is written meanwhile, and nothing ends."""
    store.write(outbound("before"))
    break_off(postgres, CLAIM)
    with store.another() as ghost:
        ghost.database.claim()
        with pytest.raises(particular.ClaimLost) as lost:
            store.write(outbound("after"))
        assert is_unavailable(lost.value)
    store.write(outbound("after"))
    assert set(store.phases()) == {"before", "after"}


PASSING = ("08006", "28P01", "40001", "42501", "53100", "53300", "57014", "57P01", "57P03", "58030", "XX001", "55P03")
OURS = ("22001", "22021", "22P02", "23505", "42601", "42P01", "54000", "0A000")


@pytest.mark.parametrize("code", [*PASSING, *OURS])
def test_an_error_is_the_stores_trouble_or_our_mistake_by_its_code(store: Store, code: str) -> None:
    """Disk full, shutdown, a lock not had: waited out. Bad data, a broken constraint, too long for an index: not."""
    with pytest.raises(DBAPIError) as raised, store.database.write() as connection:
        connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'odd' USING ERRCODE = '{code}'; END $$"))
    assert is_unavailable(raised.value) == (code in PASSING)


def test_a_store_that_is_read_only_is_waited_for(store: Store, postgres: Postgres) -> None:
    """As on a standby: nothing is written, and when it may be, it is."""
    name = make_url(store.url).database
    with postgres.admin() as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        break_off(postgres)
        with pytest.raises(DBAPIError) as refused:
            store.write(outbound("one"))
        assert is_unavailable(refused.value)
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    break_off(postgres)
    store.write(outbound("one"))
    assert store.phases() == {"one": "due"}


def test_a_server_that_is_not_there_is_waited_for(postgres: Postgres) -> None:
    database = Database(postgres.url("loket", port=1))
    with pytest.raises(DBAPIError) as gone:
        database.migrate()
    assert is_unavailable(gone.value)
    assert "wo/rd" not in str(gone.value)
    database.close()


def test_a_database_that_would_change_the_text_is_refused(postgres: Postgres) -> None:
    database = Database(postgres.database(encoding="LATIN1"))
    with pytest.raises(StoreUnfit, match="UTF8"):
        database.migrate()
    database.close()


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql+psycopg://u@db.office.test/loket", "verify-full"),
        ("postgresql+psycopg://u@db.office.test/loket?sslmode=require", None),
        ("postgresql+psycopg://u@127.0.0.1/loket", None),
        ("postgresql+psycopg://u@/loket?host=/run/postgresql", None),
        ("postgresql+psycopg:///loket", None),
    ],
)
def test_a_server_elsewhere_is_reached_by_verified_tls(url: str, mode: str | None) -> None:
    """Unless the URL says how."""
    found = particular.arguments(make_url(url))
    assert found.get("sslmode") == mode
    assert found.get("sslrootcert") == ("system" if mode else None)
    assert found["connect_timeout"] == 10
    assert "connect_timeout" not in particular.arguments(
        make_url(f"{url}{'&' if '?' in url else '?'}connect_timeout=3")
    )


def test_the_store_remembers_its_beginning_under_a_claim(store: Store) -> None:
    """The claim's own row in `meta` is not in the way."""
    store.desk.founded(NOW)
    assert store.desk.since() == NOW


def test_without_its_driver_a_person_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreUnfit, match=r"pip install 'loket\[postgres\]'"):
        Database("postgresql+psycopg:///loket")
