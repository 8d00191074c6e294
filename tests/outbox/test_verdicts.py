"""What a server says, fails to say, or says too late, and what Loket makes of it (promise P11)."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from loket import smtp, submission
from loket.core.model import Outbound
from tests.outbox.post import Post, outbound, story
from tests.outbox.scripted import DROP, Say, Scripted


@pytest.fixture(params=["commands together", "one by one"], autouse=True)
def _pipelining(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server's words mean the same whether or not it takes commands together."""
    monkeypatch.setattr(Scripted, "pipelining", request.param == "commands together")


def sent_once(post: Post, server: Scripted, *mails: Outbound, connections: int = 1) -> None:
    """Write the mails and send what is due, once."""
    post.write(*mails or (outbound("ack"),))

    async def tell() -> None:
        async with server:
            post.to(server.port, connections)
            await post.send()
            await post.courier.close()

    story(tell)


def sent_for_a_month(post: Post, server: Scripted) -> None:
    """Write one mail and go on sending whatever is due."""
    post.write(outbound("ack"))

    async def tell() -> None:
        async with server:
            post.to(server.port)
            for _ in range(10):
                await post.send()
                post.later(days=3)
            await post.courier.close()

    story(tell)


@pytest.mark.parametrize(
    "say",
    [
        pytest.param(DROP, id="drop"),
        pytest.param("hello there", id="garbage"),
        pytest.param("999 nonsense", id="no such code"),
        pytest.param("251 2.0.0 perhaps", id="a code that means something else"),
        pytest.param(b"\xff\xfe\x00", id="octets"),
    ],
)
def test_no_verdict_after_the_dot_is_in_doubt_and_never_sent_again(post: Post, say: Say) -> None:
    server = Scripted({"dot": say})
    sent_for_a_month(post, server)
    assert post.phases() == {"ack": "in-doubt"}
    assert post.events() == ["in-doubt"]
    assert len(server.mails) == 1


@pytest.mark.parametrize("say", [DROP, "250 what data?", "hm"])
def test_once_data_was_asked_for_only_a_verdict_clears_the_doubt(post: Post, say: Say) -> None:
    """The store had said that DATA begins; whether a byte of it flowed is not worth a second letter."""
    server = Scripted({"DATA": say})
    sent_for_a_month(post, server)
    assert post.phases() == {"ack": "in-doubt"}
    assert server.count("DATA") == 1


@pytest.mark.parametrize("where", ["MAIL", "RCPT"])
@pytest.mark.parametrize("say", [DROP, "hello there", "250-never ends", "299 odd"])
def test_no_verdict_before_data_is_tried_again(
    post: Post, where: str, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the mail has left, so nothing is in doubt."""
    monkeypatch.setattr(smtp, "COMMAND_SECONDS", 0.3)
    server = Scripted({where: [say, "250 2.1.0 ok"]})
    post.write(outbound("ack"))

    async def tell() -> None:
        async with server:
            post.to(server.port)
            await post.send()
            row = post.rows()["ack"]
            assert (row.phase, row.attempts, row.ended_at) == ("due", 1, None)
            assert post.now() < row.next_at <= post.now() + timedelta(seconds=30)
            post.later(seconds=30)
            await post.send()
            await post.courier.close()

    story(tell)
    assert post.phases() == {"ack": "sent"}
    assert len(server.mails) == 1
    assert post.rows()["ack"].attempts == 2


@pytest.mark.parametrize("where", ["MAIL", "RCPT", "DATA", "dot"])
@pytest.mark.parametrize("code", [421, 450, 451, 452])
def test_four_hundreds_mean_later_wherever_they_come(post: Post, where: str, code: int) -> None:
    """After the dot too: a verdict is a verdict, and the mail goes at the next attempt."""
    server = Scripted({where: [f"{code} 4.0.0 later", "354 go" if where == "DATA" else "250 2.0.0 ok"]})
    post.write(outbound("ack"))

    async def tell() -> None:
        async with server:
            post.to(server.port)
            await post.send()
            row = post.rows()["ack"]
            assert (row.phase, row.code, row.reply, row.attempts) == ("due", code, "4.0.0 later", 1)
            post.later(seconds=30)
            await post.send()
            await post.courier.close()

    story(tell)
    assert post.phases() == {"ack": "sent"}
    # 421 announces the end of the connection; any other refusal leaves it of use.
    assert server.connections == (2 if code == 421 else 1)


@pytest.mark.parametrize("where", ["MAIL", "RCPT", "DATA", "dot"])
@pytest.mark.parametrize("code", [550, 552, 554])
def test_five_hundreds_are_final_wherever_they_come(post: Post, where: str, code: int) -> None:
    server = Scripted({where: f"{code} 5.0.0 no"})
    sent_for_a_month(post, server)
    row = post.rows()["ack"]
    assert (row.phase, row.code, row.reply, row.attempts) == ("refused", code, "5.0.0 no", 1)
    assert post.events() == ["refused"]
    assert server.count("MAIL") == 1


@pytest.mark.parametrize("greeting", [DROP, "421 4.3.2 too busy", "554 5.3.2 go away", "hello there", 5.0], ids=str)
def test_a_server_that_does_not_let_us_in_has_not_judged_the_mail(
    post: Post, greeting: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No attempt is counted, the reason is kept, and the mail goes once there is a way."""
    monkeypatch.setattr(submission, "CONNECT_SECONDS", 0.3)
    server = Scripted({"greeting": [greeting, "220 welcome"]})
    post.write(outbound("ack"))

    async def tell() -> None:
        async with server:
            post.to(server.port)
            await post.send()
            row = post.rows()["ack"]
            assert (row.phase, row.attempts) == ("due", 0)
            assert row.reply
            assert post.now() < row.next_at <= post.now() + timedelta(seconds=5)
            post.later(seconds=5)
            await post.send()
            await post.courier.close()

    story(tell)
    row = post.rows()["ack"]
    assert (row.phase, row.attempts) == ("sent", 1)


def test_a_server_that_is_not_there_has_not_judged_the_mail(post: Post) -> None:
    post.write(outbound("ack"))

    async def tell() -> None:
        async with Scripted() as server:
            port = server.port
        post.to(port)
        await post.send()

    story(tell)
    row = post.rows()["ack"]
    assert (row.phase, row.attempts, row.code) == ("due", 0, 0)


def test_a_refused_login_is_tried_once_a_round(post: Post) -> None:
    """However much mail waits: a row of failed logins makes providers lock the account."""
    server = Scripted({"AUTH": "535 5.7.8 no"}, offers=("AUTH PLAIN",))
    sent_once(post, server, *(outbound(f"mail-{count}") for count in range(5)))
    assert server.count("AUTH") == 1
    assert server.count("MAIL") == 0
    rows = post.rows().values()
    assert {(row.phase, row.attempts, row.code) for row in rows} == {("due", 0, 535)}
    assert all("login refused" in row.reply for row in rows)


def test_a_login_comes_before_any_mail(post: Post) -> None:
    server = Scripted(offers=("AUTH PLAIN",))
    sent_once(post, server)
    assert [said.split(" ")[0] for said in server.commands][:3] == ["EHLO", "AUTH", "MAIL"]
    assert post.phases() == {"ack": "sent"}


@pytest.mark.parametrize(("late", "phase"), [(0.05, "sent"), (5.0, "in-doubt")])
def test_a_verdict_may_take_its_time_but_not_for_ever(
    post: Post, late: float, phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes in life (RFC 5321 4.5.3.2.6), half a second here."""
    assert smtp.DATA_SECONDS == 600
    monkeypatch.setattr(smtp, "DATA_SECONDS", 0.5)
    server = Scripted({"dot": late})
    sent_once(post, server)
    assert post.phases() == {"ack": phase}


def test_a_slow_250_after_the_dot_is_waited_for_when_any_other_answer_would_be_too_late(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ninety seconds in life, within the ten minutes; a server as slow at RCPT is given up, and nothing has left."""
    monkeypatch.setattr(smtp, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(smtp, "COMMAND_SECONDS", 0.2)
    server = Scripted({"dot": 0.9, "RCPT": [0.9, "250 2.1.5 ok"]})
    sent_for_a_month(post, server)
    row = post.rows()["ack"]
    assert (row.phase, row.attempts) == ("sent", 2)
    assert len(server.mails) == 1


def test_the_store_says_data_before_the_server_hears_of_it(post: Post) -> None:
    """Read from the database file itself, by a connection of the server's own."""
    seen: list[tuple[str, str]] = []

    def look() -> None:
        with sqlite3.connect(post.path) as own:
            seen.extend(own.execute("SELECT key, phase FROM outbox ORDER BY id").fetchall())
        own.close()

    server = Scripted(on_data=look)
    sent_once(post, server, outbound("first"), outbound("second"))
    assert seen == [("first", "data"), ("second", "claimed"), ("first", "sent"), ("second", "data")]
    assert post.phases() == {"first": "sent", "second": "sent"}


def test_a_mail_over_the_servers_size_is_refused_here(post: Post) -> None:
    """Without a command; the smaller one behind it goes over the same connection."""
    server = Scripted(offers=("SIZE 1000",))
    sent_once(post, server, outbound("large", body=b"x" * 1000), outbound("small"))
    row = post.rows()["large"]
    assert (row.phase, row.code) == ("refused", 552)
    assert "1000 octets" in row.reply
    assert server.envelopes == ["small@pemohon.test"]
    assert server.connections == 1
    size = post.rows()["small"].size
    assert f"SIZE={size}" in next(said for said in server.commands if said.startswith("MAIL"))


@pytest.mark.parametrize(("offers", "phase"), [(("8BITMIME",), "sent"), ((), "due")])
def test_raw_octets_go_only_where_they_are_taken(post: Post, offers: tuple[str, ...], phase: str) -> None:
    server = Scripted(offers=offers)
    sent_once(post, server, outbound("ack", body=b"\xff\r\n", eight_bit=True))
    assert post.phases() == {"ack": phase}
    assert [said.endswith("BODY=8BITMIME") for said in server.commands if said.startswith("MAIL")] == [True] * len(
        offers
    )


def test_an_address_beyond_ascii_is_refused_where_nobody_takes_it(post: Post) -> None:
    server = Scripted()
    sent_once(post, server, outbound("ack", "sité@pemohon.test"))
    row = post.rows()["ack"]
    assert (row.phase, row.code) == ("refused", 553)


@pytest.mark.parametrize("address", ["a b@pemohon.test", "a\rb@pemohon.test", "a,b@pemohon.test", "a(x)@pemohon.test"])
def test_an_address_that_would_be_read_as_another_is_refused(post: Post, address: str) -> None:
    """Nobody but the ticket's own address gets a letter (P14); the sender goes on with the next mail."""
    server = Scripted()
    sent_once(post, server, outbound("bad", address), outbound("good"))
    assert post.phases() == {"bad": "refused", "good": "sent"}
    assert server.envelopes == ["good@pemohon.test"]


@pytest.mark.parametrize(("code", "phase"), [(250, "sent"), (550, "refused"), (450, "due")])
def test_a_reply_in_any_octets_is_kept(post: Post, code: int, phase: str) -> None:
    """Latin-1, NUL: what cannot be stored as it is must not cost the verdict."""
    server = Scripted({"dot": f"{code} diterima ".encode() + b"\xe9\x00 terima kasih"})
    sent_once(post, server)
    row = post.rows()["ack"]
    assert row.phase == phase
    assert row.reply.startswith("diterima ")
    assert row.reply.endswith(" terima kasih")


def test_what_the_server_gets_is_what_was_rendered(post: Post) -> None:
    """Lines that begin with dots, an end without a line break."""
    bodies = [b".\r\n..\r\n.x\r\n", b"no line break at the end", b"", b"\r\n\r\n.\r\n"]
    server = Scripted()
    mails = [outbound(f"mail-{count}", body=body) for count, body in enumerate(bodies)]
    sent_once(post, server, *mails)
    rendered = [post.reader.render(mail) for mail in mails]
    assert server.mails == [raw if raw.endswith(b"\r\n") else raw + b"\r\n" for raw in rendered]
