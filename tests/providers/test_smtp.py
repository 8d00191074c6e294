"""What submission servers of providers do, a dialogue each; their words are those of their pages and of bug reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from loket import smtp
from loket.config.servers import Server
from loket.core.model import Event, Kind, Occurrence, Plan, Sent, Ticket
from loket.core.quota import DAY, Limit
from loket.core.waits import Delay
from loket.smtp import Ways
from tests.outbox.post import START, Post, outbound, story
from tests.outbox.scripted import Say, Scripted

OVER = "550 5.4.5 Daily user sending quota exceeded. o65sm25351206pga.71 - gsmtp"
HOUR = timedelta(hours=1)


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """A sender with an empty outbox."""
    made = Post(tmp_path)
    yield made
    made.database.close()


def ways(preset: str) -> Ways:
    """A provider's, as its preset says."""
    server = Server.model_validate({"preset": preset})
    return Ways(server.per_connection, tuple(entry.reply for entry in server.replies))


def told(delay: Delay, waiting: Sequence[tuple[Sent, Ticket | None]]) -> Sequence[Plan]:
    """Each mail has one event when it first waits."""
    return [
        Plan(
            events=(Event(START, "waits", None, sent.mailbox, None, "", {"mail": sent.message_id}),),
            occurrence=Occurrence("waits", sent.message_id, START),
        )
        for sent, _ in waiting
    ]


@pytest.mark.parametrize("where", ["MAIL", "RCPT", "DATA", "dot"])
def test_over_the_days_quota_means_later_and_never_no(post: Post, where: str) -> None:
    """Gmail says it with 550, the code for never. All that is due waits an hour, and one mail asks then."""
    usual = "354 go" if where == "DATA" else "250 2.0.0 ok"
    server = Scripted({where: [OVER, OVER, usual]})
    post.write(*(outbound(f"mail-{number}") for number in range(4)), outbound("letter", kind=Kind.DELIVERY))

    async def tell() -> None:
        async with server:
            post.to(server.port, ways=ways("gmail"), waiting=told)
            for asked in (1, 2):
                await post.send()
                await post.send()
                assert server.count("MAIL") == asked
                rows = post.rows().values()
                assert {(row.phase, row.attempts, row.next_at) for row in rows} == {("due", 0, post.now() + HOUR)}
                assert all(row.reply == OVER for row in rows)
                post.later(hours=1)
            await post.send()
            await post.courier.close()

    story(tell)
    assert set(post.phases().values()) == {"sent"}
    # Each was told of once, though they waited twice; and the letter went first.
    assert post.events().count("waits") == 5
    assert post.events().count("refused") == 0
    assert [row.attempts for row in post.rows().values()] == [1] * 5
    assert server.envelopes[-5:][0] == "letter@pemohon.test"


def test_mail_that_comes_while_the_quota_is_used_up_waits_with_the_rest(post: Post) -> None:
    """Without a knock of its own."""
    server = Scripted({"RCPT": OVER})
    post.write(outbound("first"))

    async def tell() -> None:
        async with server:
            post.to(server.port, ways=ways("gmail"), waiting=told)
            await post.send()
            post.later(minutes=10)
            post.write(outbound("second"))
            await post.send()
            await post.courier.close()

    story(tell)
    assert server.envelopes == ["first@pemohon.test"]
    assert {row.next_at for row in post.rows().values()} == {START + HOUR}
    assert post.events() == ["waits", "waits"]


@pytest.mark.parametrize(
    ("preset", "say"),
    [
        ("gmail", "421 4.7.0 Try again later, closing connection."),
        ("gmail", "450 4.2.1 The user you are trying to contact is receiving mail too quickly."),
        ("gmail", "452 4.5.3 Your message has too many recipients."),
        ("yahoo", "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints"),
        ("yahoo", "553 5.7.2 [TSS04] Messages from 192.0.2.1 temporarily deferred"),
        ("yahoo", "554 6.6.0 Error sending message for delivery."),
        ("microsoft", "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException"),
    ],
)
def test_a_refusal_that_passes_costs_no_mail(post: Post, preset: str, say: str) -> None:
    server = Scripted({"dot": [say, "250 2.0.0 ok"]})
    post.write(outbound("ack"))

    async def tell() -> None:
        async with server:
            post.to(server.port, ways=ways(preset))
            await post.send()
            assert post.phases() == {"ack": "due"}
            post.later(seconds=30)
            await post.send()
            await post.courier.close()

    story(tell)
    assert post.phases() == {"ack": "sent"}
    assert len(server.mails) == 2


@pytest.mark.parametrize("where", ["greeting", "MAIL", "dot"])
def test_too_many_sessions_become_fewer(post: Post, where: str) -> None:
    """Microsoft's `432 4.3.2`: nothing is held against the mail, and for ten minutes one session fewer is opened."""
    crowded = "432 4.3.2 Concurrent connections limit exceeded."
    usual = "220 ready" if where == "greeting" else "250 2.0.0 ok"
    server = Scripted({where: [crowded, usual], "RCPT": 0.05})
    post.write(outbound("first"))

    async def tell() -> None:
        async with server:
            post.to(server.port, connections=2, ways=ways("microsoft"))
            await post.send()
            [row] = post.rows().values()
            assert (row.phase, row.attempts) == ("due", 0)
            post.write(*(outbound(f"mail-{number}") for number in range(3)))
            post.later(minutes=1)
            server.most = 0
            await post.send()
            assert server.most == 1
            await post.courier.close()

    story(tell)
    assert set(post.phases().values()) == {"sent"}


def test_a_session_that_was_given_up_comes_back(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "CROWDED_SECONDS", 0.05)
    server = Scripted({"MAIL": ["432 4.3.2 Concurrent connections limit exceeded.", "250 2.1.0 ok"], "RCPT": 0.1})
    post.write(outbound("first"))

    async def tell() -> None:
        async with server:
            post.to(server.port, connections=2, ways=ways("microsoft"))
            await post.send()
            post.write(*(outbound(f"mail-{number}") for number in range(3)))
            post.later(minutes=1)
            await post.send()
            await post.send()
            assert server.most == 2
            await post.courier.close()

    story(tell)
    assert set(post.phases().values()) == {"sent"}


@pytest.mark.parametrize("say", ["530 5.7.0 Authentication Required.", "535 5.7.3 Authentication unsuccessful"])
def test_a_login_that_has_run_out_costs_no_mail(post: Post, say: Say) -> None:
    """In the middle of a session, with its token: the next session logs in anew, and at once."""
    server = Scripted({"MAIL": ["250 2.1.0 ok", say, "250 2.1.0 ok"]}, offers=("AUTH PLAIN",))

    async def tell() -> None:
        async with server:
            post.to(server.port)
            post.write(outbound("first"))
            await post.send()
            post.write(outbound("second"))
            await post.send()
            await post.courier.close()

    story(tell)
    assert post.phases() == {"first": "sent", "second": "sent"}
    assert server.count("AUTH") == 2
    assert [row.attempts for row in post.rows().values()] == [1, 1]


def test_yahoo_gets_twenty_mails_on_a_session(post: Post) -> None:
    server = Scripted()
    post.write(*(outbound(f"mail-{number:02}") for number in range(45)))

    async def tell() -> None:
        async with server:
            post.to(server.port, ways=ways("yahoo"))
            while await post.send():
                pass
            await post.courier.close()

    story(tell)
    assert len(server.mails) == 45
    assert server.connections == 3
    assert server.count("QUIT") == 3


def test_thirty_a_minute_and_no_more(post: Post) -> None:
    """Microsoft's rate, counted from the outbox: another sender on the same store, after a restart say, knows of it."""
    server = Scripted()
    post.write(*(outbound(f"mail-{number:02}") for number in range(70)))
    limits = (Limit(30, timedelta(minutes=1)),)

    async def tell() -> None:
        async with server:
            for minute in range(3):
                for _ in range(2):
                    post.to(server.port, limits=limits)
                    while await post.send():
                        pass
                    await post.courier.close()
                assert len(server.mails) == min(70, 30 * (minute + 1))
                wait = await post.runner._idle_seconds()
                assert wait is None if minute == 2 else wait is not None and wait > 25
                post.later(minutes=1)

    story(tell)
    assert set(post.phases().values()) == {"sent"}


def test_what_the_day_allows_is_kept_for_letters(post: Post) -> None:
    """A hundred a day: digests get eighty of them, answers ninety; what waits goes when the window frees, none lost."""
    server = Scripted()
    limits = (Limit(100, DAY),)
    post.write(*(outbound(f"digest-{number:03}", kind=Kind.DIGEST) for number in range(120)))

    async def sent() -> int:
        post.to(server.port, limits=limits, waiting=told)
        while await post.send():
            pass
        await post.courier.close()
        return len(server.mails)

    async def tell() -> None:
        async with server:
            assert await sent() == 80
            waiting = [row for row in post.rows().values() if row.phase == "due"]
            assert {(row.attempts, row.next_at) for row in waiting} == {(0, START + DAY)}
            assert "100 recipients in 24 hours" in waiting[0].reply
            post.later(hours=1)
            post.write(*(outbound(f"ack-{number:02}") for number in range(20)))
            assert await sent() == 90
            post.write(*(outbound(f"letter-{number:02}", kind=Kind.DELIVERY) for number in range(12)))
            assert await sent() == 100
            assert sum(one.startswith("letter") for one in server.envelopes[-10:]) == 10
            post.later(hours=23)
            assert await sent() == 120 + 20 + 12

    story(tell)
    assert set(post.phases().values()) == {"sent"}
    assert post.events().count("refused") == 0
