"""Through a real Postfix to a real mailbox."""

from __future__ import annotations

import random
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from loket.core.model import FileSegment, Kind, NewFile, Outbound, StoredFile
from loket.submission import SubmissionDoor
from tests.intake.proxy import Proxy
from tests.outbox.post import HERE, Post, outbound, story
from tests.servers import PASSWORD, MailServers, certificates

SCAN = random.Random(2).randbytes(300_000)
ORIGINAL = b"From: siti@jamu.test\r\n\r\n.\r\n..dots\r\n" + "Jamu “Kunyit”\r\n".encode() + b"\xff raw\r\n"


def plain(servers: MailServers, user: str = HERE) -> SubmissionDoor:
    """Postfix without TLS."""
    return SubmissionDoor("127.0.0.1", servers.smtp_port, "plain", user, PASSWORD)


def letter(recipient: str) -> tuple[Outbound, tuple[NewFile, ...]]:
    """A mail of all kinds of segments, and the files it is made of."""
    kept = [NewFile(StoredFile(sha256(data).hexdigest(), len(data)), data) for data in (ORIGINAL, SCAN)]
    segments = (
        f"From: {HERE}\r\nTo: {recipient}\r\nSubject: Surat\r\n\r\n.begins with a dot\r\n".encode(),
        FileSegment(kept[0].file, "identity"),
        b"--\r\n",
        FileSegment(kept[1].file, "base64"),
        b"..\r\n.",
        b"end\r\n",
    )
    return outbound("letter", recipient, kind=Kind.DELIVERY, segments=segments, eight_bit=True), tuple(kept)


def test_what_arrives_is_what_was_rendered(post: Post, servers: MailServers) -> None:
    """To the byte, after the trace fields that servers put in front: dots, raw octets, files and all."""
    mail, files = letter(servers.unique("siti"))
    post.write(mail, files=files)

    async def tell() -> None:
        post.to(plain(servers))
        assert await post.send() == 1
        await post.courier.close()

    story(tell)
    [arrived] = servers.wait_for(mail.recipient, 1)
    rendered = post.reader.render(mail)
    assert arrived.endswith(b"\r\n" + rendered)
    trace = arrived.removesuffix(rendered)
    assert trace.startswith(f"Return-Path: <{HERE}>\r\nDelivered-To: {mail.recipient}\r\n".encode())
    row = post.rows()["letter"]
    assert (row.phase, row.code, row.attempts) == ("sent", 250, 1)
    assert "queued as" in row.reply
    assert post.events() == ["sent"]


def test_a_refused_recipient_is_final(post: Post, servers: MailServers) -> None:
    post.write(outbound("ack", servers.unique("refused")), outbound("fine", servers.unique("siti")))

    async def tell() -> None:
        post.to(plain(servers))
        await post.send()
        post.later(days=30)
        assert await post.send() == 0
        await post.courier.close()

    story(tell)
    row = post.rows()["ack"]
    assert (row.phase, row.code) == ("refused", 550)
    assert "No such person here" in row.reply
    assert sorted(post.events()) == ["refused", "sent"]


def test_a_busy_mailbox_is_tried_again_later(post: Post, servers: MailServers) -> None:
    """At first after half a minute, then twice as long, up to two hours; after five days it is given up."""
    post.write(outbound("ack", servers.unique("later")))
    waits: list[float] = []

    async def tell() -> None:
        post.to(plain(servers))
        while await post.send():
            row = post.rows()["ack"]
            if row.phase != "due":
                break
            assert (row.code, row.attempts) == (450, len(waits) + 1)
            waits.append((row.next_at - post.now()).total_seconds())
            post.later(seconds=waits[-1] - 1)
            assert await post.send() == 0
            post.later(seconds=1 if len(waits) < 12 else 40 * 3600)
        await post.courier.close()

    story(tell)
    assert 24 <= waits[0] <= 30
    assert all(second > first for first, second in pairwise(waits[:8]))
    assert max(waits) <= 7200
    assert post.phases() == {"ack": "refused"}


def test_one_connection_carries_many_mails(post: Post, servers: MailServers) -> None:
    """Refused ones among them, and over several rounds."""
    siti = servers.unique("siti")
    with Proxy("127.0.0.1", servers.smtp_port) as proxy:

        async def tell() -> None:
            post.to(SubmissionDoor("127.0.0.1", proxy.port, "plain", HERE, PASSWORD))
            for turn in range(3):
                post.write(*(outbound(f"mail-{turn}-{count}", siti) for count in range(4)))
                post.write(outbound(f"refused {turn}", servers.unique("refused")))
                assert await post.send() == 5
            await post.courier.close()

        story(tell)
        assert proxy.accepted == 1
    assert len(servers.wait_for(siti, 12)) == 12


def test_a_connection_that_broke_while_it_rested_costs_nothing(post: Post, servers: MailServers) -> None:
    """A firewall or the server's own patience ended it: the next mail goes over a new one, at its first attempt."""
    siti = servers.unique("siti")
    with Proxy("127.0.0.1", servers.smtp_port) as proxy:

        async def tell() -> None:
            post.to(SubmissionDoor("127.0.0.1", proxy.port, "plain", HERE, PASSWORD))
            post.write(outbound("first", siti))
            await post.send()
            proxy.cut()
            post.write(outbound("second", siti))
            await post.send()
            await post.courier.close()

        story(tell)
        assert proxy.accepted == 2
    assert {key: (row.phase, row.attempts) for key, row in post.rows().items()} == {
        "first": ("sent", 1),
        "second": ("sent", 1),
    }
    assert len(servers.wait_for(siti, 2)) == 2


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("known", [True, False], ids=["own authority", "another's"])
def test_tls_is_verified(post: Post, servers: MailServers, security: str, known: bool, tmp_path: Path) -> None:
    """With the office's own authority mail goes; a certificate of another's gets neither password nor mail."""
    (tmp_path / "stranger").mkdir()
    authority = servers.ca_file if known else certificates.issue(tmp_path / "stranger")
    port = servers.smtps_port if security == "tls" else servers.smtp_port
    siti = servers.unique("siti")
    post.write(outbound("ack", siti))

    async def tell() -> None:
        post.to(SubmissionDoor("127.0.0.1", port, security, HERE, PASSWORD, str(authority)))
        await post.send()
        await post.courier.close()

    story(tell)
    row = post.rows()["ack"]
    if known:
        assert (row.phase, row.attempts) == ("sent", 1)
    else:
        assert (row.phase, row.attempts) == ("due", 0)
        assert "certificate verify failed" in row.reply


def test_a_refused_login_is_no_verdict_on_the_mail(post: Post, servers: MailServers) -> None:
    """It stays due with no attempt counted, and says why; with the right password it goes."""
    siti = servers.unique("siti")
    post.write(outbound("ack", siti))

    async def tell() -> None:
        post.to(plain(servers, user=servers.unique("refused")))
        await post.send()
        row = post.rows()["ack"]
        assert (row.phase, row.attempts, row.code) == ("due", 0, 535)
        assert "login refused" in row.reply
        post.to(plain(servers))
        post.later(minutes=10)
        await post.send()
        await post.courier.close()

    story(tell)
    assert post.phases() == {"ack": "sent"}


def test_an_address_beyond_ascii_is_reached(post: Post, servers: MailServers) -> None:
    """RFC 6531, where the server offers it."""
    siti = servers.unique("sité")
    post.write(outbound("ack", siti))

    async def tell() -> None:
        post.to(plain(servers))
        await post.send()
        await post.courier.close()

    story(tell)
    row = post.rows()["ack"]
    assert (row.phase, row.code) == ("sent", 250), row.reply
