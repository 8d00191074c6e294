"""The town's IMAP server does what the daemon's client library asks of it, and what real servers do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email import message_from_bytes

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from loket.demo.town import PASSWORD, Town
from tests.demo.in_town import COUNTER, MAIL, hears, idling, in_town, joined, part


def test_delivered_mail_is_fetched_by_uid_with_its_trace_lines_on_top() -> None:
    async def story(town: Town) -> None:
        at = datetime(2026, 1, 14, 3, 0, tzinfo=UTC)
        await town.deliver(MAIL, COUNTER, sender="sari@jamusegar.example", at=at)

        def read() -> None:
            with joined(town) as client:
                [uid] = client.search(["UID", "1:*"])
                data = client.fetch([uid], ["BODY.PEEK[]", "INTERNALDATE", "RFC822.SIZE", "FLAGS"])[uid]
                raw = data[b"BODY[]"]
                assert raw.endswith(MAIL)
                assert raw.startswith(b"Return-Path: <sari@jamusegar.example>\r\nReceived: from jamusegar.example ")
                assert b"for <desainsk.otsk2020@gmail.com>; Wed, 14 Jan 2026 03:00:00 +0000\r\n" in raw
                assert data[b"RFC822.SIZE"] == len(raw)
                assert data[b"INTERNALDATE"].timestamp() == at.timestamp()
                assert b"\\Seen" not in data[b"FLAGS"]

        await asyncio.to_thread(read)
        [kept] = await town.messages(COUNTER)
        assert kept.endswith(MAIL)

    in_town(story)


def test_the_same_mail_at_the_same_time_becomes_the_same_bytes() -> None:
    async def story(town: Town) -> None:
        at = datetime(2026, 1, 14, 3, 0, tzinfo=UTC)
        for _ in range(2):
            await town.deliver(MAIL, COUNTER, sender="sari@jamusegar.example", at=at)
        first, second = await town.messages(COUNTER)
        assert first == second

    in_town(story)


def test_a_large_mail_is_fetched_whole_in_pieces() -> None:
    async def story(town: Town) -> None:
        big = MAIL + b"".join(b"%074d\r\n" % line for line in range(30_000))
        await town.deliver(big, COUNTER, sender="sari@jamusegar.example")

        def read() -> bytes:
            with joined(town) as client:
                [uid] = client.search(["UID", "1:*"])
                size = client.fetch([uid], ["RFC822.SIZE"])[uid][b"RFC822.SIZE"]
                pieces = []
                for offset in range(0, size, 262_144):
                    data = client.fetch([uid], [f"BODY.PEEK[]<{offset}.262144>"])[uid]
                    pieces.append(data[f"BODY[]<{offset}>".encode()])
                past = client.fetch([uid], [f"BODY.PEEK[]<{size}.10>"])[uid][f"BODY[]<{size}>".encode()]
                assert past == b""
                return b"".join(pieces)

        assert await asyncio.to_thread(read) == (await town.messages(COUNTER))[0]

    in_town(story)


def test_idle_tells_of_mail_that_comes_while_waiting() -> None:
    async def story(town: Town) -> None:
        client = await asyncio.to_thread(idling, town)
        heard = []
        for count in (1, 2, 3):
            waiting = asyncio.create_task(asyncio.to_thread(hears, client, count))
            await town.deliver(MAIL, COUNTER, sender="sari@jamusegar.example")
            heard.append(await waiting)
        await asyncio.to_thread(part, client)
        assert heard == [True, True, True]

    in_town(story)


def test_idle_tells_of_mail_that_came_between_select_and_idle() -> None:
    async def story(town: Town) -> None:
        client = await asyncio.to_thread(joined, town)
        await town.deliver(MAIL, COUNTER, sender="sari@jamusegar.example")
        await asyncio.to_thread(client.idle)
        heard = await asyncio.to_thread(hears, client, 1)
        await asyncio.to_thread(part, client)
        assert heard

    in_town(story)


def test_idle_stays_quiet_while_nothing_happens() -> None:
    async def story(town: Town) -> None:
        await town.deliver(MAIL, COUNTER, sender="sari@jamusegar.example")
        client = await asyncio.to_thread(idling, town)
        said = await asyncio.to_thread(client.idle_check, 0.3)
        await asyncio.to_thread(part, client)
        assert said == []

    in_town(story)


def test_a_mail_can_be_flagged_moved_and_expunged_by_uid() -> None:
    async def story(town: Town) -> None:
        for _ in range(2):
            await town.deliver(MAIL, COUNTER, sender="sari@jamusegar.example")

        def tidy() -> None:
            with joined(town) as client:
                assert {b"IDLE", b"MOVE", b"UIDPLUS"} <= set(client.capabilities())
                first, second = client.search(["UID", "1:*"])
                client.create_folder("Selesai")
                client.add_flags([first], [b"\\Seen"])
                client.move([first], "Selesai")
                client.delete_messages([second])
                client.uid_expunge([second])
                assert client.search(["UID", "1:*"]) == []

        await asyncio.to_thread(tidy)
        [moved] = await town.messages(COUNTER, "Selesai")
        assert moved.endswith(MAIL)

    in_town(story)


def test_login_needs_the_password_of_the_town() -> None:
    async def story(town: Town) -> None:
        def talk() -> None:
            with IMAPClient(town.host, town.imap_port, ssl=False, timeout=5) as client, pytest.raises(LoginError):
                client.login(COUNTER, "salah")
            # Anybody may join with the right one, before any mail has come.
            with joined(town, "tamu@kota.example") as client:
                assert client.search(["UID", "1:*"]) == []

        assert town.password == PASSWORD
        await asyncio.to_thread(talk)

    in_town(story)


def test_leaving_the_town_says_bye_to_idle_clients() -> None:
    async def main() -> None:
        async with Town() as town:
            client = await asyncio.to_thread(idling, town)
        said = await asyncio.to_thread(client.idle_check, 5)
        client.shutdown()
        assert said[0][0] == b"BYE"

    asyncio.run(main())


def test_mail_no_parser_likes_is_kept_byte_for_byte() -> None:
    async def story(town: Town) -> None:
        awkward = [
            b"Subject: tanpa isi\r\n",
            b"tanpa kepala\r\n\r\nisi",
            b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n\x00\xff\r\n",
            b"Subject: satu\nbaris LF saja\n\nisi\n",
        ]
        for raw in awkward:
            await town.deliver(raw, COUNTER, sender="aneh@kota.example")
        for raw, kept in zip(awkward, await town.messages(COUNTER), strict=True):
            assert kept.endswith(raw)
            assert message_from_bytes(kept)["Return-Path"] == "<aneh@kota.example>"

    in_town(story)
