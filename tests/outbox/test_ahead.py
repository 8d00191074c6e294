"""The next mail's envelope goes with a mail's content (RFC 2920 3.1): a round trip less, and nothing else changes."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections import Counter
from typing import Any, cast

import pytest
from sqlalchemy.exc import OperationalError

from loket import outbox, smtp
from loket.core.model import FileSegment, Kind, Receipt, ReceiptKind, StoredFile
from loket.pen import Pen
from loket.ports import Settlement
from loket.smtp import SmtpCourier, Ways
from loket.submission import SubmissionDoor
from tests.outbox.post import HERE, Post, outbound, story
from tests.outbox.scripted import DROP, Scripted
from tests.outbox.test_exchange import Packets
from tests.outbox.test_runner import until

OK = "250 2.1.0 ok"
ENVELOPE = b"MAIL FROM:<desain@office.test>\r\nRCPT TO:<%s@pemohon.test>\r\n"


def sent(post: Post, server: Scripted, keys: str, connections: int = 1, **given: Any) -> None:
    """Write mails of those names, and send what is due, once."""
    post.write(*(outbound(key) for key in keys))

    async def tell() -> None:
        async with server:
            post.to(server.port, connections, **given)
            await post.send()
            await post.courier.close()

    story(tell)


USUAL = [[b"250 ok\r\n250 ok\r\n"], [b"354 go\r\n"], [b"250 taken\r\n"]]


def packets(post: Post, *bundles: list[list[bytes]]) -> list[bytes]:
    """What the server read, packet by packet, behind EHLO, of the mails a, b and c."""
    post.write(*(outbound(key) for key in "abc"))
    server = Packets("250-here\r\n250 PIPELINING\r\n", [packet for bundle in bundles for packet in bundle])

    async def tell() -> None:
        async with await asyncio.start_server(server, "127.0.0.1", 0) as listening:
            post.to(listening.sockets[0].getsockname()[1])
            await post.send()
            await post.courier.close()

    story(tell)
    assert post.phases() == dict.fromkeys("abc", "sent")
    return server.heard[1:]


def test_an_envelope_goes_with_the_mail_before_it_once_verdicts_come_soon(post: Post) -> None:
    """DATA goes alone, and after the row says so; the first mail of a session tells whether verdicts come soon."""
    [envelopes, wanted, taken] = USUAL
    heard = packets(post, USUAL, [envelopes, wanted, [taken[0] + envelopes[0]]], [wanted, taken])
    a, data, first, b, again, second, last, third, *_ = heard
    assert [a, b] == [ENVELOPE % b"a", ENVELOPE % b"b"]
    assert data == again == last == b"DATA\r\n"
    assert first.endswith(b"\r\n.\r\n")
    assert second.endswith(b"\r\n.\r\n" + ENVELOPE % b"c")
    assert third.endswith(b"\r\n.\r\n")


def test_no_mail_is_asked_for_before_its_row_says_data(post: Post) -> None:
    """P11, whenever its envelope went."""
    said: list[str] = []
    server = Scripted()
    server.on_data = lambda: said.append(post.phases()[server.envelopes[server.count("DATA") - 1].partition("@")[0]])
    sent(post, server, "abcdef")
    assert said == ["data"] * 6
    assert set(post.phases().values()) == {"sent"}


@pytest.mark.parametrize("recipient", [OK, 0.2])
@pytest.mark.parametrize("verdict", ["450 4.2.0 later", "552 5.3.4 too big", "250 2.0.0 ok"])
def test_a_verdict_is_on_its_own_mail(post: Post, verdict: str, recipient: Any) -> None:
    """A mail that is refused after its content does not take along the one whose envelope is open."""
    server = Scripted({"dot": ["250 2.0.0 ok", verdict, "250 2.0.0 ok"], "RCPT": [OK, OK, recipient, OK]})
    sent(post, server, "abc")
    code = int(verdict[:3])
    assert {key: row.code for key, row in post.rows().items()} == {"a": 250, "b": code, "c": 250}
    assert (server.connections, server.count("RSET"), server.count("RCPT")) == (1, 0, 3)


@pytest.mark.parametrize("where", ["MAIL", "RCPT"])
@pytest.mark.parametrize("end", ["550 5.1.1 nobody", "451 4.7.1 later", "421 4.7.0 bye", "503 5.5.1 not so fast", DROP])
def test_what_is_said_of_an_envelope_that_went_ahead_is_no_verdict(post: Post, where: str, end: str) -> None:
    """It is asked once more by itself: a server that wants each command alone must not cost a letter."""
    server = Scripted({where: [OK, OK, end, OK]})
    sent(post, server, "abcd")
    assert post.phases() == dict.fromkeys("abcd", "sent")
    assert {row.attempts for row in post.rows().values()} == {1}
    assert sorted(map(len, server.mails)) == [len(server.mails[0])] * 4


@pytest.mark.parametrize(("end", "phase"), [("550 5.1.1 nobody", "refused"), ("451 4.7.1 later", "due")])
def test_what_is_said_of_it_by_itself_is(post: Post, end: str, phase: str) -> None:
    server = Scripted({"RCPT": [OK, OK, end, end, OK]})
    sent(post, server, "abcd")
    assert post.phases() == {"a": "sent", "b": "sent", "c": phase, "d": "sent"}
    assert post.rows()["c"].reply == end[4:]
    assert post.rows()["c"].attempts == 1
    assert server.connections == 1


def test_a_connection_lost_after_the_dot_leaves_one_mail_in_doubt(post: Post) -> None:
    """Nothing of the one behind it has flowed, whatever was said of its envelope."""
    server = Scripted({"dot": ["250 2.0.0 ok", DROP, "250 2.0.0 ok"]})
    sent(post, server, "abc")
    assert post.phases() == {"a": "sent", "b": "in-doubt", "c": "sent"}


def test_a_server_that_throws_away_what_came_early_is_soon_left_alone(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times in vain, and for a while every mail goes by itself."""
    monkeypatch.setattr(smtp, "AHEAD_SECONDS", 0.2)

    class Deaf(Scripted):
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # What came with a mail was sent without waiting for its answer.
            self.on_dot = cast(Any, reader)._buffer.clear
            await super()._serve(reader, writer)

    server = Deaf()
    sent(post, server, "abcdefghijkl")
    assert set(post.phases().values()) == {"sent"}
    assert sorted(server.envelopes) == sorted(f"{key}@pemohon.test" for key in "abcdefghijkl")
    assert server.connections == smtp.IN_VAIN + 1


def test_a_mail_that_hangs_keeps_no_other(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was to follow it goes by another connection."""
    monkeypatch.setattr(outbox, "KEPT_SECONDS", 0.2)
    post.write(*(outbound(key) for key in "abcdefgh"))

    async def tell() -> None:
        async with Scripted({"dot": ["250 ok", "250 ok", "250 ok", 3.0, "250 ok"]}) as server:
            post.to(server.port, connections=2)
            sending = asyncio.create_task(post.send())
            await until(lambda: sorted(post.phases().values()) == ["data", *["sent"] * 7], 2)
            await sending
            assert set(post.phases().values()) == {"sent"}
            assert len(server.mails) == 8
            await post.courier.close()

    story(tell)


def test_a_stop_gives_back_what_was_to_be_next(post: Post) -> None:
    """Its envelope is forgotten with the session; it waits as if nothing had been."""
    post.write(*(outbound(key) for key in "abcd"))

    async def tell() -> None:
        async with Scripted({"dot": ["250 ok", 0.2]}) as server:
            server.on_dot = lambda: post.runner.stop() if len(server.mails) == 2 else None
            post.to(server.port)
            await post.send()
            assert post.phases() == {"a": "sent", "b": "sent", "c": "due", "d": "due"}
            assert {row.attempts for key, row in post.rows().items() if key in "cd"} == {0}
            await post.courier.close()

    story(tell)


@pytest.mark.parametrize(
    ("last", "ways"),
    [
        pytest.param(outbound("c", "bayu@ün.test"), Ways(), id="beyond ASCII, where that is not offered"),
        pytest.param(outbound("c", "siti <x@y.test>"), Ways(), id="no plain address"),
        pytest.param(outbound("c"), Ways(per_connection=2), id="as many as the server takes on a session"),
        pytest.param(
            outbound("c", segments=(b"Subject: c\r\n\r\n", FileSegment(StoredFile("0" * 64, 3), "identity"))),
            Ways(),
            id="a file that is not there",
        ),
    ],
)
def test_some_mails_go_by_themselves(post: Post, last: Any, ways: Ways) -> None:
    """Each ends as it would without another before it."""
    ends = []
    for company in ("ab", ""):
        post.write(*(outbound(f"{company}{key}") for key in company), last)
        server = Scripted()
        sent(post, server, "", ways=ways)
        row = post.rows()["c"]
        ends.append((row.phase, row.code, row.reply, row.attempts))
        with post.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM outbox")
    assert ends[0] == ends[1]


def test_letters_with_a_copy_to_ourselves_go_ahead_with_both(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy may be refused, and the letter is sent all the same."""
    post.write(*(outbound(key, kind=Kind.DELIVERY) for key in "abc"))

    async def tell() -> None:
        async with Scripted({"RCPT": [OK, OK, OK, OK, OK, "550 5.1.1 no copies"]}) as server:
            post.to(server.port)
            monkeypatch.setattr(post.courier, "_archive", HERE)
            await post.send()
            assert server.envelopes == [f"{key}@pemohon.test" if key else HERE for key in ["a", "", "b", "", "c", ""]]
            await post.courier.close()

    story(tell)
    assert post.phases() == dict.fromkeys("abc", "sent")


def test_slow_verdicts_leave_every_mail_by_itself(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each takes its time, one that hangs would hold two."""
    monkeypatch.setattr(smtp, "QUICK_SECONDS", 0.0)
    heard = packets(post, USUAL, USUAL, USUAL)
    assert [heard[at] for at in (0, 3, 6)] == [ENVELOPE % key for key in (b"a", b"b", b"c")]


class Restless(Scripted):
    """Ends a session in which nothing is said for a while, as a busy Postfix does."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def at_the_longest(line: Any = reader.readline) -> bytes:
            try:
                return cast(bytes, await asyncio.wait_for(line(), 0.3))
            except TimeoutError as error:
                raise ConnectionError from error

        reader.readline = at_the_longest  # type: ignore[method-assign]
        await super()._serve(reader, writer)


def test_a_session_that_ended_meanwhile_leaves_no_mail_in_doubt(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verdict waits for the store, and the server does not wait for DATA: nothing of that mail has flowed."""
    monkeypatch.setattr(outbox, "STORE_SECONDS", 0.6)
    server = Restless()
    settle = Pen.settle
    failures = [sqlite3.OperationalError("database is locked")]

    async def troubled(self: Pen, settlement: Settlement) -> bool:
        if failures:
            raise OperationalError("", {}, failures.pop())
        return await settle(self, settlement)

    monkeypatch.setattr(Pen, "settle", troubled)
    sent(post, server, "abcd")
    assert set(post.phases().values()) == {"sent"}
    assert len(server.mails) == 4


@pytest.mark.parametrize(("fresh", "third"), [(5.0, "sent"), (0.0, "due")])
def test_a_session_that_ended_while_the_row_was_written_is_not_asked(
    post: Post, monkeypatch: pytest.MonkeyPatch, fresh: float, third: str
) -> None:
    """DATA was not written, so another session is asked; where it was a new one, at the next attempt."""
    monkeypatch.setattr(smtp, "FRESH_SECONDS", fresh)
    server = Scripted()
    begins = Pen.begins
    calls: list[int] = []

    async def slow(self: Pen, number: int) -> None:
        await begins(self, number)
        calls.append(number)
        if len(calls) == 3:
            server.hang_up()
            await asyncio.sleep(0.1)

    monkeypatch.setattr(Pen, "begins", slow)
    sent(post, server, "abcd")
    assert post.phases() == {"a": "sent", "b": "sent", "c": third, "d": "sent"}
    assert len(server.mails) == 3 + (third == "sent")


def name(mail: bytes) -> str:
    """Of a mail, as its subject has it."""
    return mail.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()


class Named(Scripted):
    """Says in each verdict which mail it is on."""

    def __post_init__(self) -> None:
        """Each session is a task of its own."""
        self.last: dict[object, str] = {}
        self.on_dot = lambda: self.last.update({asyncio.current_task(): name(self.mails[-1])})

    async def _write(self, writer: asyncio.StreamWriter, say: str | bytes) -> bytes:
        if say in ("250 taken", "250 2.0.0 queued", "552 no", "452 later"):
            say = f"{say} {self.last[asyncio.current_task()]}"
        return await super()._write(writer, say)


@pytest.mark.parametrize("seed", range(30))
def test_each_verdict_is_its_own_mails_whatever_happens(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three who send over two sessions, refused, cut off, kept waiting, called off, and failed by their store."""
    monkeypatch.setattr(smtp, "AHEAD_SECONDS", 0.05)
    monkeypatch.setattr(smtp, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(smtp, "IN_VAIN", 1000)
    chance = random.Random(seed)

    def script(usual: str, *others: str) -> list[Any]:
        return [chance.choice([*[usual] * 9, *others, "421 bye", DROP, 0.02, 0.08]) for _ in range(80)] + [usual]

    refusals = ("550 no", "451 later")
    server = Named(
        {
            "MAIL": script(OK, *refusals),
            "RCPT": script(OK, *refusals),
            "DATA": script("354 go", *refusals),
            "dot": script("250 taken", "552 no", "452 later"),
        }
    )
    ended: dict[str, Receipt] = {}
    begun: set[str] = set()

    async def work(courier: SmtpCourier, who: int) -> None:
        mails = [outbound(f"{who}-{number}") for number in range(15)]
        with courier.seat() as seat:
            for mail, following in zip(mails, [*mails[1:], None], strict=True):

                async def begins(key: str = mail.key) -> None:
                    begun.add(key)
                    if chance.random() < 0.05:
                        raise RuntimeError

                then = chance.choice([None, following, following, following, outbound("another")])
                sending = seat.send(mail, b"".join(map(bytes, mail.segments)), begins, then)
                with contextlib.suppress(TimeoutError, RuntimeError):
                    ended[mail.key] = await asyncio.wait_for(sending, chance.choice([5, 5, 5, 0.02]))

    async def tell() -> None:
        async with server:
            door = SubmissionDoor("127.0.0.1", server.port, "plain", HERE, "")
            courier = SmtpCourier(lambda: door, 2)
            async with asyncio.TaskGroup() as group:
                for who in range(3):
                    group.create_task(work(courier, who))
            await courier.close()
            # Every place is free again.
            assert await asyncio.wait_for(asyncio.gather(courier.limit(), courier.limit()), 5)

    story(tell)
    taken = Counter(map(name, server.mails))
    assert set(taken.values()) <= {1}
    for key, receipt in ended.items():
        if receipt.kind is ReceiptKind.SENT or receipt.code in (452, 552):
            assert receipt.text.split()[-1] == key
            assert taken[key] == 1
        elif key in taken:
            assert receipt.kind is ReceiptKind.IN_DOUBT or receipt.code == 421
        if receipt.kind is ReceiptKind.IN_DOUBT:
            assert key in begun
