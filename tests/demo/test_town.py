"""The town carries submitted mail to its mailboxes as a real final delivery does."""

from __future__ import annotations

import asyncio
import smtplib
import time

import pytest

from loket.demo.smtpd import SIZE_LIMIT
from loket.demo.town import Envelope, Town, UnknownRecipientError
from tests.demo.in_town import COUNTER, MAIL, in_town, submit


def test_a_town_is_up_and_down_again_in_well_under_two_seconds() -> None:
    async def nothing(town: Town) -> None:
        assert town.imap_port != town.smtp_port

    start = time.monotonic()
    in_town(nothing)
    assert time.monotonic() - start < 1


def test_submitted_mail_reaches_every_recipient_and_is_recorded() -> None:
    async def story(town: Town) -> None:
        people = ["Sari@jamusegar.example", "budi@suplemen.example"]
        await asyncio.to_thread(submit, town, COUNTER, people, MAIL)
        assert town.sent == [Envelope(COUNTER, tuple(people), MAIL, town.sent[0].at)]
        for person in people:
            [raw] = await town.messages(person)
            assert raw.endswith(MAIL)
            assert raw.startswith(f"Return-Path: <{COUNTER}>\r\nReceived: from ".encode())
            assert f"for <{person}>;".encode() in raw

    in_town(story)


def test_the_null_reverse_path_stays_null() -> None:
    async def story(town: Town) -> None:
        await asyncio.to_thread(submit, town, "", [COUNTER], MAIL)
        assert town.sent[0].sender == ""
        [raw] = await town.messages(COUNTER)
        assert raw.startswith(b"Return-Path: <>\r\n")

    in_town(story)


def test_detail_after_a_plus_is_delivered_to_the_plain_address() -> None:
    async def story(town: Town) -> None:
        await asyncio.to_thread(submit, town, "ani@pom.example", ["desainsk.otsk2020+token@gmail.com"], MAIL)
        [raw] = await town.messages(COUNTER)
        assert b"for <desainsk.otsk2020+token@gmail.com>;" in raw

    in_town(story)


def test_nobody_lives_at_tidak_ada() -> None:
    async def story(town: Town) -> None:
        def refused() -> dict[str, tuple[int, bytes]]:
            with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
                submit(town, COUNTER, ["Tidak-Ada@toko.example"], MAIL)
            return caught.value.recipients

        code, text = (await asyncio.to_thread(refused))["Tidak-Ada@toko.example"]
        assert code == 550
        assert text.startswith(b"5.1.1 <")
        with pytest.raises(UnknownRecipientError):
            await town.deliver(MAIL, "tidak-ada@toko.example", sender=COUNTER)
        assert town.sent == []

    in_town(story)


def test_smtp_offers_what_the_daemon_asks_for_and_holds_its_size_limit() -> None:
    async def story(town: Town) -> None:
        def talk() -> None:
            with smtplib.SMTP(town.host, town.smtp_port, timeout=5) as client:
                client.ehlo("uji.example")
                assert client.esmtp_features["size"] == str(SIZE_LIMIT) == "26214400"
                assert {"8bitmime", "smtputf8", "auth"} <= set(client.esmtp_features)
                assert {"PLAIN", "LOGIN"} <= set(client.esmtp_features["auth"].split())
                assert client.mail("a@kota.example", ["SIZE=26214401"])[0] == 552
                with pytest.raises(smtplib.SMTPAuthenticationError):
                    client.login(COUNTER, "salah")

        await asyncio.to_thread(talk)

    in_town(story)


def test_an_internationalised_address_is_delivered() -> None:
    async def story(town: Town) -> None:
        raw = MAIL.replace(b"Jamu", "Jamu Crème".encode())
        await asyncio.to_thread(
            submit, town, "réza@jamu.example", ["kopi-lués@jamu.example"], raw, ("SMTPUTF8", "BODY=8BITMIME")
        )
        [kept] = await town.messages("kopi-lués@jamu.example")
        assert kept.endswith(raw)
        assert kept.startswith("Return-Path: <réza@jamu.example>\r\n".encode())

    in_town(story)


def test_waiting_ends_with_the_news_or_with_the_time() -> None:
    async def story(town: Town) -> None:
        sending = asyncio.create_task(asyncio.to_thread(submit, town, COUNTER, ["sari@jamusegar.example"], MAIL))
        await town.wait_for(lambda t: len(t.sent) == 1, 5)
        assert len(await town.messages("sari@jamusegar.example")) == 1
        await sending
        with pytest.raises(TimeoutError, match="sent 1 mails"):
            await town.wait_for(lambda t: len(t.sent) == 2, 0.05)

    in_town(story)
