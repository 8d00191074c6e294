"""Two officers answer one ticket at the same moment, a hundred times, on real servers and a threaded daemon (P16)."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

from sqlalchemy import select

from loket.core.token import Keys
from loket.store import schema
from loket.store.database import Database
from tests.faults.daemon import Office, until
from tests.flows.letters import mail
from tests.flows.office import Mail
from tests.servers import MailServers, Postgres

ROUNDS = 100
KEYS = Keys("k1", {"k1": b"a secret for tests, long enough"})


def rows(database: Database, *columns: object, **wanted: str) -> list[tuple[str, ...]]:
    with database.read() as connection:
        asked = select(*columns).where(*(schema.outbox.c[name] == value for name, value in wanted.items()))
        return [tuple(row) for row in connection.execute(asked)]


# Seconds by which one lets the other go first: not at all, hardly, and clearly.
LEADS: tuple[dict[str, float], ...] = ({}, {"dewi": 0.002}, {"gita": 0.002}, {"dewi": 0.03}, {"gita": 0.03})


def test_two_officers_answer_at_once_a_hundred_times_and_one_answer_leaves_each_time(
    servers: MailServers, postgres: Postgres, tmp_path: Path
) -> None:
    """They write to two mailboxes of one office, so that two threads take the two answers in while a third sends."""
    here = servers.unique("iklan")
    domain = here.partition("@")[2]
    # The requests lie in a third one, or the fuller of two would be the slower.
    one, other, dewi, gita = (f"{name}@{domain}" for name in ("satu", "dua", "dewi", "gita"))
    url = postgres.database()
    (tmp_path / "url").write_text(url)
    office = Office(
        servers,
        tmp_path / "office",
        {address: {"rules": ["iklan"]} for address in (here, one, other)},
        more={
            "officers": {
                who: {"name": who[:4].title(), "queues": ["konsultasi-iklan", "triase"]} for who in (dewi, gita)
            },
            "store": {"database": f"${{file:{tmp_path}/url}}", "files": "var/files"},
        },
    )
    applicants = [f"p{at}@{domain}" for at in range(ROUNDS)]
    for at, who in enumerate(applicants):
        servers.lmtp(mail(who, here, f"Iklan {at}"), here, who)
    with office.running() as daemon:
        until(lambda: all(office.arrived(who) for who in applicants), 60)
        database = Database(url)
        numbers = dict(rows(database, schema.ticket.c.applicant, schema.ticket.c.number))
        assert len(numbers) == ROUNDS
        start, now = Barrier(2), datetime.now(UTC)

        def deliver(who: str, counter: str, at: int) -> None:
            token = KEYS.officer(numbers[applicants[at]], who, now)
            said = mail(who, counter, f"Re: {at}", f"JAWAB\n\nDari {who[:4]}.\n")
            servers.lmtp(f"In-Reply-To: <{token}.0a@{domain}>\r\n".encode() + said, counter, who)

        def answer(who: str, counter: str, at: int) -> None:
            start.wait()
            # One of two threads is always a little faster: each is given the start as often as the other.
            time.sleep(LEADS[at % len(LEADS)].get(who[:4], 0.0))
            deliver(who, counter, at)

        # Either is surely first once; a busy machine may take all of one mailbox before it looks into the other.
        for at, ((first, its), (second, others)) in enumerate(
            (((dewi, one), (gita, other)), ((gita, other), (dewi, one)))
        ):
            deliver(first, its, at)
            until(lambda by=first: (by,) in rows(database, schema.ticket.c.answered_by), 30)  # type: ignore[misc]
            deliver(second, others, at)
        with ThreadPoolExecutor(2) as pool:
            for at in range(2, ROUNDS):
                for done in [pool.submit(answer, dewi, one, at), pool.submit(answer, gita, other, at)]:
                    done.result()
        until(lambda: len(rows(database, schema.outbox.c.id, kind="receipt", phase="sent")) == 2 * ROUNDS, 60)
        until(lambda: len(rows(database, schema.outbox.c.id, kind="delivery", phase="sent")) == ROUNDS, 30)
        daemon.terminate()
        assert daemon.wait(15) == 0
    servers.settle()
    letters = [[Mail(raw) for raw in office.arrived(who)] for who in applicants]
    assert [len(each) for each in letters] == [2] * ROUNDS, "an acknowledgement and one answer"
    held = Counter(ticket for (ticket,) in rows(database, schema.outbox.c.ticket, kind="delivery", phase="held"))
    assert held == Counter(numbers.values()), "and the other's answer is kept back"
    told = [Mail(raw).text for who in (dewi, gita) for raw in office.arrived(who)]
    assert sum("sudah dijawab oleh" in text for text in told) == ROUNDS, "whoever was second is told who was first"
    first_of = Counter(by for (by,) in rows(database, schema.ticket.c.answered_by))
    database.close()
    assert set(first_of) == {dewi, gita}, "either order was seen"
