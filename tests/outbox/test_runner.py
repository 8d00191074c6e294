"""The sender of one mailbox: its order, its connections, its waits, and trouble with its own store."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from loket import outbox
from loket.core.model import FileSegment, Kind, StoredFile
from loket.outbox import look_out
from loket.store import database
from loket.store.database import is_unavailable
from tests.outbox.post import HERE, Post, outbound, story
from tests.outbox.scripted import DROP, Scripted


async def until(what: object, seconds: float = 5.0) -> None:
    """Wait for a condition, given as a function."""
    began = time.monotonic()
    while not what():  # type: ignore[operator]
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.01)


def test_letters_leave_before_digests(post: Post) -> None:
    kinds = [Kind.DIGEST, Kind.ALERT, Kind.ACKNOWLEDGEMENT, Kind.DELIVERY]
    post.write(*(outbound(kind.value, kind=kind) for kind in kinds))

    async def tell() -> None:
        async with Scripted() as server:
            post.to(server.port)
            await post.send()
            assert [name.partition("@")[0] for name in server.envelopes] == [kind.value for kind in reversed(kinds)]
            await post.courier.close()

    story(tell)


def test_as_many_connections_as_allowed_and_each_used_again(post: Post) -> None:
    post.write(*(outbound(f"mail-{count}") for count in range(30)))

    async def tell() -> None:
        async with Scripted({"dot": 0.02}) as server:
            post.to(server.port, connections=3)
            while await post.send():
                continue
            assert (server.connections, server.most) == (3, 3)
            assert sorted(server.envelopes) == sorted(f"mail-{count}@pemohon.test" for count in range(30))
            await post.courier.close()

    story(tell)
    assert set(post.phases().values()) == {"sent"}


def test_mail_that_comes_while_one_is_sent_gets_its_connections(post: Post) -> None:
    """A round that began with one mail goes on with as many connections as there are mails."""
    post.write(outbound("first"))

    async def tell() -> None:
        async with Scripted({"dot": 0.2}) as server:
            post.to(server.port, connections=4)
            running = asyncio.create_task(post.send())
            await until(lambda: len(server.envelopes) == 1)
            await asyncio.to_thread(post.write, *(outbound(f"mail-{count}") for count in range(12)))
            post.runner.ring()
            assert await running == 13
            assert server.most == 4
            await post.courier.close()

    story(tell)
    assert set(post.phases().values()) == {"sent"}


def test_mail_that_comes_while_another_hangs_does_not_wait_for_it(post: Post) -> None:
    """A server may take minutes for its word after the dot; the other connections are free."""
    post.write(outbound("slow"))

    async def tell() -> None:
        async with Scripted({"dot": [3.0, "250 2.0.0 queued"]}) as server:
            post.to(server.port, connections=3)
            sending = asyncio.create_task(post.send())
            await until(lambda: len(server.envelopes) == 1)
            for name in ("a", "b"):
                await asyncio.to_thread(post.write, outbound(name))
                post.runner.ring()
                await until(lambda told=name: post.phases()[told] == "sent", 2)  # type: ignore[misc]
            assert post.phases()["slow"] == "data"
            assert await sending == 3
            await post.courier.close()

    story(tell)
    assert set(post.phases().values()) == {"sent"}


def test_a_server_that_was_shut_is_asked_again_though_a_mail_hangs(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second session was not let in; once that is over, new mail need not wait for the end of the round."""
    monkeypatch.setattr(outbox, "NOT_REACHED_FIRST", timedelta(seconds=0.3))
    post.write(outbound("slow"))

    async def tell() -> None:
        async with Scripted(
            {"dot": [3.0, "250 2.0.0 queued"], "greeting": ["220 x", "421 4.7.0 too busy", "220 x"]}
        ) as server:
            post.to(server.port, connections=3)
            sending = asyncio.create_task(post.send())
            await until(lambda: len(server.envelopes) == 1)
            await asyncio.to_thread(post.write, outbound("a"))
            post.runner.ring()
            await until(lambda: post.rows()["a"].reply is not None, 2)
            await asyncio.sleep(0.8)
            post.later(seconds=1)
            post.runner.ring()
            await until(lambda: post.phases()["a"] == "sent", 2)
            assert post.phases()["slow"] == "data"
            await sending
            await post.courier.close()

    story(tell)


def test_nothing_more_is_looked_for_once_by_each_connection(post: Post) -> None:
    """One look that finds nothing is enough until somebody rings; each is a transaction."""
    post.write(*(outbound(f"mail-{count}") for count in range(8)))

    async def tell() -> None:
        async with Scripted() as server:
            post.to(server.port, connections=8)
            looks = 0

            def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
                nonlocal looks
                looks += "FROM outbox" in statement and "ORDER BY outbox.priority" in statement

            event.listen(post.database.engine, "before_cursor_execute", count)
            assert await post.send() == 8
            assert looks == 2
            await post.courier.close()

    story(tell)


def test_one_recipient_a_transaction(post: Post) -> None:
    post.write(outbound("a"), outbound("b"))

    async def tell() -> None:
        async with Scripted() as server:
            post.to(server.port)
            await post.send()
            verbs = [said.split(" ")[0] for said in server.commands]
            assert verbs == ["EHLO", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA"]
            await post.courier.close()

    story(tell)


@pytest.mark.parametrize("end", ["421 4.7.0 enough for one session", DROP])
def test_a_session_that_has_served_and_ends_costs_the_next_mail_nothing(post: Post, end: str) -> None:
    """Many servers take so many mails on a connection and then hang up, politely or not."""
    post.write(outbound("a"), outbound("b"), outbound("c"))

    async def tell() -> None:
        usual = "250 2.1.0 ok"
        async with Scripted({"MAIL": [usual, end, usual]}) as server:
            post.to(server.port)
            await post.send()
            assert post.phases() == dict.fromkeys("abc", "sent")
            assert {row.attempts for row in post.rows().values()} == {1}
            assert (server.connections, len(server.mails)) == (2, 3)
            await post.courier.close()

    story(tell)


def test_verdicts_of_many_sessions_share_a_commit(post: Post) -> None:
    """A sender's next DATA waits for the commit that keeps its last verdict."""
    post.write(*(outbound(f"m{number}") for number in range(60)))

    async def tell() -> None:
        async with Scripted() as server:
            post.to(server.port, connections=10)
            commits = 0

            def count(_: object) -> None:
                nonlocal commits
                commits += 1

            event.listen(post.database.engine, "commit", count)
            await post.send()
            assert set(post.phases().values()) == {"sent"}
            assert len(server.mails) == 60
            assert commits < 60
            await post.courier.close()

    story(tell)


def test_a_ring_sends_at_once_and_a_stop_ends(post: Post) -> None:
    async def tell() -> None:
        async with Scripted() as server:
            post.to(server.port)
            running = asyncio.create_task(post.runner.run())
            await asyncio.sleep(0.1)
            await asyncio.to_thread(post.write, outbound("ack"))
            post.runner.ring()
            await until(lambda: post.phases() == {"ack": "sent"})
            post.runner.stop()
            await asyncio.wait_for(running, 1)
            await post.courier.close()

    story(tell)


def test_a_stop_finishes_what_is_in_hand_and_gives_back_the_rest(post: Post) -> None:
    """The mail whose verdict is awaited gets it; those behind it are due as if nobody had claimed them."""
    post.write(*(outbound(f"mail-{count}") for count in range(3)))

    async def tell() -> None:
        async with Scripted({"dot": 0.3}) as server:
            post.to(server.port)
            running = asyncio.create_task(post.runner.run())
            await until(lambda: server.count("DATA") == 1)
            post.runner.stop()
            await asyncio.wait_for(running, 2)
            await post.courier.close()

    story(tell)
    rows = post.rows()
    assert {key: (row.phase, row.attempts) for key, row in rows.items()} == {
        "mail-0": ("sent", 1),
        "mail-1": ("due", 0),
        "mail-2": ("due", 0),
    }


def test_while_nobody_is_let_in_new_mail_is_no_reason_to_knock(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """One knock a wait, waits that grow, and all mail goes when the door opens again."""
    monkeypatch.setattr(outbox, "NOT_REACHED_FIRST", outbox.NOT_REACHED_FIRST / 20)
    server = Scripted({"greeting": ["421 busy", "421 busy", "220 welcome"]})

    async def tell() -> None:
        async with server:
            post.to(server.port)
            running = asyncio.create_task(post.runner.run())
            for count in range(10):
                await asyncio.to_thread(post.write, outbound(f"mail-{count}"))
                post.runner.ring()
                await asyncio.sleep(0.01)
            assert server.connections == 1
            for _ in range(200):
                post.later(seconds=0.05)
                await asyncio.sleep(0.01)
                if set(post.phases().values()) == {"sent"}:
                    break
            post.runner.stop()
            await running
            await post.courier.close()

    story(tell)
    assert {(row.phase, row.attempts) for row in post.rows().values()} == {("sent", 1)}
    assert server.connections == 3


def test_a_stored_file_that_cannot_be_read_holds_up_its_own_mail_alone(post: Post) -> None:
    missing = FileSegment(StoredFile("0" * 64, 5), "base64")
    post.write(outbound("letter", kind=Kind.DELIVERY, segments=(missing,)), outbound("ack"))

    async def tell() -> None:
        async with Scripted() as server:
            post.to(server.port)
            await post.send()
            await post.courier.close()

    story(tell)
    assert post.phases() == {"letter": "due", "ack": "sent"}
    assert "stored file" in post.rows()["letter"].reply


class Locked:
    """Another process holds the database's write lock for a while."""

    def __init__(self, path: Path, seconds: float) -> None:
        """Which database, and how long."""
        self.held = threading.Event()
        self._thread = threading.Thread(target=self._hold, args=(path, seconds))

    def take(self) -> None:
        """From now on."""
        self._thread.start()
        assert self.held.wait(5)

    def _hold(self, path: Path, seconds: float) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as own:
            own.execute("BEGIN IMMEDIATE")
            self.held.set()
            time.sleep(seconds)
            own.execute("ROLLBACK")

    def join(self) -> None:
        """Until it is over."""
        self._thread.join()


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Post:
    """A sender whose store gives up waiting for its turn after a moment, and tries again soon."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(outbox, "STORE_SECONDS", 0.05)
    (tmp_path / "impatient").mkdir()
    return Post(tmp_path / "impatient")


@pytest.mark.parametrize("when", [pytest.param("RCPT", id="before DATA"), pytest.param("dot", id="after the dot")])
def test_a_store_in_trouble_costs_no_mail_and_sends_none_twice(impatient: Post, when: str) -> None:
    """Before DATA nothing has left and the mail goes later; after the dot the verdict is held until it is written."""
    post = impatient
    post.write(outbound("first"), outbound("second"))
    lock = Locked(post.path, 0.6)
    server = Scripted()
    if when == "dot":
        server.on_dot = lambda: None if lock.held.is_set() else lock.take()
    else:
        server.script["RCPT"] = "250 2.1.5 ok"
        say = server._say

        async def and_lock(writer: asyncio.StreamWriter, what: str) -> bytes:
            if what == "RCPT" and not lock.held.is_set():
                lock.take()
            return await say(writer, what)

        server._say = and_lock  # type: ignore[method-assign]

    async def tell() -> None:
        async with server:
            post.to(server.port)
            running = asyncio.create_task(post.runner.run())
            await until(lambda: set(post.phases().values()) == {"sent"})
            post.runner.stop()
            await running
            await post.courier.close()

    story(tell)
    lock.join()
    assert len(server.mails) == 2
    assert {row.attempts for row in post.rows().values()} == {1}
    assert post.events() == ["sent", "sent"]
    post.database.close()


def test_a_mistake_of_ours_ends_the_sender_so_that_it_is_seen(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not waited out in silence like a store that is down."""

    def broken(_: object) -> bytes:
        raise LookupError("a mistake")

    post.write(outbound("ack"))

    async def tell() -> None:
        async with Scripted() as server:
            post.to(server.port)
            monkeypatch.setattr(post.runner, "render", broken)
            with pytest.raises(ExceptionGroup) as ended:
                await post.runner.run()
            assert ended.group_contains(LookupError, match="a mistake")

    story(tell)


def test_whether_raw_octets_are_taken_is_asked_of_the_server(post: Post) -> None:
    """And where it cannot be asked, they are not."""

    async def tell() -> None:
        async with Scripted() as server, Scripted(offers=()) as plain, Scripted({"greeting": DROP}) as shut:
            for asked, answer in ((server, True), (plain, False), (shut, False)):
                post.to(asked.port)
                assert await post.courier.eight_bit() is answer
                assert await post.courier.eight_bit() is answer
                assert asked.connections == (2 if asked is shut else 1)
                await post.courier.close()

    story(tell)


def test_mail_that_came_by_another_door_is_found(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Released by a command, say: the runner sleeps without an end, and one look for all mailboxes wakes it."""
    monkeypatch.setattr(outbox, "LOOK_AGAIN_SECONDS", 0.1)

    async def tell() -> None:
        async with Scripted() as server:
            post.to(server.port)
            runners = {HERE: post.runner, "nobody@office.test": post.runner}
            looking = asyncio.create_task(look_out(post.outgoing, post, runners, is_unavailable))
            running = asyncio.create_task(post.runner.run())
            await asyncio.sleep(0.3)
            await asyncio.to_thread(post.write, outbound("late"))
            while post.phases() != {"late": "sent"}:
                await asyncio.sleep(0.02)
            looking.cancel()
            post.runner.stop()
            await running
            await post.courier.close()

    story(tell)
