"""Commands together, answers in whatever pieces they come (RFC 2920), and mail as it goes behind DATA."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from aiosmtplib.email import quote_address
from aiosmtplib.protocol import PERIOD_REGEX, normalize_message_line_endings
from hypothesis import example, given
from hypothesis import strategies as st

from loket.core.model import Receipt, ReceiptKind
from loket.exchange import MOST_HEARD, is_plain, path, stuffed
from loket.smtp import SmtpCourier
from loket.submission import SubmissionDoor
from tests.outbox.post import HERE, outbound, story

ALL = b"250 2.1.0 sender ok\r\n250-2.1.5 recipient\r\n250 ok\r\n354 go on\r\n250-2.0.0 taken\r\n250 as 4711\r\n"


class Packets:
    """Answers each packet of the client with the next bundle of packets, and notes what came in each."""

    def __init__(self, greeting: str, bundles: Sequence[Sequence[bytes]]) -> None:
        self.heard: list[bytes] = []
        self._bundles = [[b"220 here\r\n"], [greeting.encode()], *bundles]

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session; it ends when there is nothing more to say."""
        bundles = [list(bundle) for bundle in self._bundles]
        try:
            for number, bundle in enumerate(bundles):
                if number:
                    self.heard.append(await reader.read(65536))
                for packet in bundle:
                    writer.write(packet)
                    await writer.drain()
                    await asyncio.sleep(0.002)
        finally:
            writer.close()


def submitted(bundles: Sequence[Sequence[bytes]], offers: str = "PIPELINING") -> tuple[Receipt, list[bytes]]:
    """What became of one mail, and what the server read, packet by packet, behind EHLO."""
    server = Packets(f"250-here\r\n250 {offers}\r\n", bundles)
    receipts: list[Receipt] = []

    async def tell() -> None:
        listening = await asyncio.start_server(server, "127.0.0.1", 0)
        async with listening:
            door = SubmissionDoor("127.0.0.1", listening.sockets[0].getsockname()[1], "plain", HERE, "")
            courier = SmtpCourier(lambda: door, 1)
            mail = outbound("ack")
            receipts.append(await courier.send(mail, b"".join(map(bytes, mail.segments)), begins))
            await courier.close()

    async def begins() -> None:
        return None

    story(tell)
    return receipts[0], server.heard[1:]


def test_sender_and_recipient_go_in_one_packet_and_the_mail_only_when_it_was_asked_for() -> None:
    _, heard = submitted([[b"250 ok\r\n250 ok\r\n"], [b"354 go\r\n"], [b"250 taken\r\n"]])
    assert heard[:2] == [b"MAIL FROM:<desain@office.test>\r\nRCPT TO:<ack@pemohon.test>\r\n", b"DATA\r\n"]
    assert heard[2].endswith(b"Selamat pagi.\r\n.\r\n")


def test_a_server_that_does_not_offer_it_is_asked_one_by_one() -> None:
    _, heard = submitted([[b"250 ok\r\n"], [b"250 ok\r\n"], [b"354 go\r\n"], [b"250 taken\r\n"]], "8BITMIME")
    assert [packet.partition(b" ")[0] for packet in heard[:3]] == [b"MAIL", b"RCPT", b"DATA\r\n"]


@pytest.mark.parametrize("at", range(1, 50))
def test_answers_may_be_cut_anywhere(at: int) -> None:
    envelope = ALL[: ALL.index(b"354")]
    verdict = ALL[ALL.index(b"250-2.0.0") :]
    cut = at % (len(verdict) - 1) + 1
    pieces = [[envelope[:at], envelope[at:]], [b"354", b" go on\r", b"\n"], [verdict[:cut], verdict[cut:]]]
    receipt, _ = submitted(pieces)
    assert receipt == Receipt(ReceiptKind.SENT, 250, "2.0.0 taken\nas 4711")


def test_a_refused_recipient_is_the_verdict_and_nothing_flows() -> None:
    receipt, heard = submitted([[b"250 ok\r\n550 5.1.1 nobody\r\n"], [b"250 reset\r\n"]])
    assert receipt == Receipt(ReceiptKind.REFUSED, 550, "5.1.1 nobody")
    assert b"DATA\r\n" not in heard


def test_of_two_refusals_the_first_is_the_reason() -> None:
    """A recipient behind a refused sender is refused for want of a sender."""
    receipt, _ = submitted([[b"451 4.7.1 come back\r\n503 5.5.1 no sender\r\n"]])
    assert receipt == Receipt(ReceiptKind.REFUSED_NOW, 451, "4.7.1 come back")


def test_a_goodbye_in_the_middle_of_a_group_is_heard() -> None:
    """The server answers MAIL with 421 and ends; RCPT is never answered."""
    receipt, _ = submitted([[b"421 4.3.2 shutting down\r\n"]])
    assert receipt == Receipt(ReceiptKind.REFUSED_NOW, 421, "4.3.2 shutting down")


def test_an_end_without_a_refusal_has_judged_nothing() -> None:
    receipt, _ = submitted([[b"250 ok\r\n"]])
    assert (receipt.kind, receipt.code) == (ReceiptKind.REFUSED_NOW, 0)


def test_an_answer_without_end_is_cut_off() -> None:
    receipt, _ = submitted([[b"250-more\r\n" * (MOST_HEARD // 10 + 10)]])
    assert receipt.kind is ReceiptKind.REFUSED_NOW
    assert "too long" in receipt.text


def test_what_was_not_asked_for_is_no_answer_to_the_next_command() -> None:
    """A third answer to two commands is dropped."""
    receipt, _ = submitted([[b"250 ok\r\n250 ok\r\n554 5.0.0 and this\r\n"], [b"354 go\r\n"], [b"250 taken\r\n"]])
    assert receipt.kind is ReceiptKind.SENT


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"x", b"", b"\xff"])).map(b"".join))
@example(b"")
@example(b".\r\n.\r\n")
@example(b"\r\n.\r\n")
def test_a_mail_goes_behind_data_as_the_library_would_send_it(data: bytes) -> None:
    library = PERIOD_REGEX.sub(b"..", normalize_message_line_endings(data)) + b".\r\n"
    assert stuffed(data) == (library if data else b".\r\n")


@given(st.text('ab.@-_+"<>(),: \\é\r\n\0', max_size=12))
@example("a.b@c.d")
@example('"a b"@c.d')
@example("a..b@c.d")
@example("a@[1.2.3.4]")
def test_an_address_is_written_as_the_library_would_write_it(address: str) -> None:
    """Or refused as it would refuse it."""
    if not is_plain(address):
        return
    try:
        wanted = quote_address(address)
    except ValueError:
        with pytest.raises(ValueError, match=r".+"):
            path(address)
    else:
        assert "\0" in address or path(address) == wanted
