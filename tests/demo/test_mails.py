"""The demo's mails are varied, dated, repeatable, and survive the town's own delivery."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from functools import cache

import pytest

from loket.demo.attach import document
from loket.demo.counters import AKUN, COUNTERS, DESAIN, DITLAI, IKLAN, IT, OT, SM
from loket.demo.letter import DemoMail, PostBox, compose, envelope_of
from loket.demo.mails import mails
from loket.demo.mails_asks import next_monday, status_question
from loket.demo.town import Town

WIB = timezone(timedelta(hours=7))
NOW = datetime(2026, 1, 14, 10, 0, tzinfo=WIB)
ALL = mails(NOW)


@cache  # one of them takes the standard parser a quarter of a second
def parsed(mail: DemoMail) -> EmailMessage:
    message = message_from_bytes(mail.raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def by_subject(part: str) -> list[DemoMail]:
    return [mail for mail in ALL if part in str(parsed(mail)["Subject"])]


def attachments(mail: DemoMail) -> list[tuple[str | None, bytes]]:
    return [(part.get_filename(), part.get_content()) for part in parsed(mail).iter_attachments()]


def test_the_same_moment_gives_the_same_octets() -> None:
    assert mails(NOW) == ALL
    assert mails(NOW + timedelta(days=1)) != ALL


def test_some_forty_mails_reach_every_counter_in_order_of_time() -> None:
    assert 40 <= len(ALL) <= 50
    assert {mail.recipient for mail in ALL} == set(COUNTERS)
    assert [mail.at for mail in ALL] == sorted(mail.at for mail in ALL)
    assert all(NOW - timedelta(hours=25) <= mail.at <= NOW for mail in ALL)
    assert all(mail.note for mail in ALL)


def test_every_mail_uses_crlf_alone_and_lines_a_server_takes() -> None:
    for mail in ALL:
        assert mail.raw.replace(b"\r\n", b"").count(b"\n") == mail.raw.replace(b"\r\n", b"").count(b"\r") == 0
        assert max(map(len, mail.raw.split(b"\r\n"))) <= 998


def test_message_ids_are_all_different_but_for_the_mail_sent_twice() -> None:
    counts = Counter(str(parsed(mail)["Message-ID"]) for mail in ALL)
    twice = [message_id for message_id, count in counts.items() if count > 1]
    assert twice == ["<revisi-kunyit@jamusegar.example>"]
    assert len({mail.raw for mail in ALL}) == len(ALL) - 1


def test_nobody_outside_the_notice_has_a_real_address() -> None:
    office = {*COUNTERS, "ani@pom.go.id"}
    for mail in ALL:
        for field in ("From", "To", "Reply-To"):
            for address in parsed(mail)[field].addresses if parsed(mail)[field] else ():
                assert address.addr_spec in office or address.domain.endswith(".example")
        assert not mail.sender or mail.sender.endswith(".example")


def test_dates_are_the_moments_of_arrival_in_office_time() -> None:
    strange = by_subject("Habis Bersalin")
    for mail in ALL:
        if mail not in strange:
            written = parsedate_to_datetime(str(parsed(mail)["Date"]))
            assert written == mail.at
            assert written.utcoffset() == timedelta(hours=7)


@pytest.mark.parametrize(
    ("counter", "subject"),
    [
        (OT, "Berkas_Jamu Kunyit Asam Segar"),
        (OT, "Bekas_Minyak Gosok Nusantara"),
        (OT, "Berkas_Nama Produk"),
        (OT, "Beras Kencur Instan sudah kami upload"),
        (SM, "Fwd: BERKAS : Propolis Madu Hutan"),
        (SM, "Revisi Desain_OT_Jamu Pegal Linu Asli"),
        (AKUN, ""),
        (DITLAI, "Permohonan konsultasi via Zoom"),
        (DITLAI, "jadwal zoom hari rabu bisa?"),
        (DITLAI, "Surat permohonan pembatalan nomor izin edar"),
        (IKLAN, "Konsultasi naskah iklan radio"),
        (IT, "Tidak bisa login ASROT"),
        (DESAIN, 'RE: revisi disain - OT - "Jamu Gendong Bu Tini" '),
        (DESAIN, "Revisi Desain_OT/SK*_Nama Produk"),
        (DESAIN, "Revisi Desain_SK_Vitamin H₂O™"),
        (DESAIN, "Revisi Desain – OT – Jamu Sirih Wangi"),
        (DESAIN, "Ambli SK_SK_Zinc Anak"),
        (OT, "Status LKT-2026-000001-7"),
    ],
)
def test_the_counter_gets_this_subject(counter: str, subject: str) -> None:
    assert any(mail.recipient == counter and str(parsed(mail)["Subject"]) == subject for mail in ALL)


def test_the_collection_with_its_design_has_a_pdf_and_the_other_has_none() -> None:
    [(name, content)] = attachments(by_subject("Ambil SK_OT_Jamu Kunyit")[0])
    assert name == "Desain Kunyit Asam rev2.pdf"
    assert content.startswith(b"%PDF-")
    assert attachments(by_subject("Ambil SK_SK_Cal-95")[0]) == []
    [drive] = by_subject("Parem Kocok")
    assert attachments(drive) == []
    assert b"https://drive.google.com/" in drive.raw


def test_the_logo_of_a_signature_is_inline() -> None:
    message = parsed(by_subject("Ambli SK")[0])
    assert message.get_content_type() == "multipart/related"
    [picture] = [part for part in message.walk() if part.get_content_maintype() == "image"]
    assert picture["Content-ID"] == "<logo@zincanak.example>"
    assert picture.get_content_disposition() == "inline"


def test_the_oversize_scan_makes_a_mail_of_sixteen_megabytes() -> None:
    [big] = [mail for mail in ALL if len(mail.raw) > 1_000_000]
    assert 16_000_000 < len(big.raw) < 17_000_000
    [(name, content)] = attachments(big)
    assert name == "scan desain 600dpi.pdf"
    assert len(content) > 12_000_000


def test_a_file_name_that_is_not_ascii_survives() -> None:
    names = [name for mail in ALL if mail.recipient == DITLAI for name, _ in attachments(mail)]
    assert "Tanggapan – PT Nusa Herbal.pdf" in names


def test_the_split_character_and_the_raw_subject_are_what_they_claim() -> None:
    [split] = by_subject("H₂O")
    words = decode_header(message_from_bytes(split.raw)["Subject"])
    assert [charset for _, charset in words] == ["utf-8"]
    assert b"?=\r\n =?utf-8?B?" in split.raw
    [raw] = by_subject("Sirih Wangi")
    assert "Subject: Revisi Desain – OT".encode() in raw.raw


def test_machines_are_recognisable_as_machines() -> None:
    null = [mail for mail in ALL if mail.sender == ""]
    assert {str(parsed(mail)["From"].addresses[0].username) for mail in null} == {"MAILER-DAEMON", "dewi"}
    reports = [parsed(mail) for mail in ALL if parsed(mail).get_content_type() == "multipart/report"]
    kinds = {report["Content-Type"].params["report-type"] for report in reports}
    assert kinds == {"delivery-status", "disposition-notification"}
    assert sum("List-Id" in parsed(mail) for mail in ALL) == 1
    assert any(mail.raw.startswith(b"From: Promo Server <no-reply@") for mail in ALL)


def test_the_unknown_charset_is_unknown_and_the_broken_mail_is_broken() -> None:
    [odd] = by_subject("Madu Hitam Pahit")
    with pytest.raises(LookupError):
        parsed(odd).get_content()
    [broken] = by_subject("Habis Bersalin")
    assert b"--batas--" not in broken.raw
    defects = {type(defect).__name__ for part in parsed(broken).walk() for defect in part.defects}
    assert "CloseBoundaryNotFoundDefect" in defects
    assert "MissingHeaderBodySeparatorDefect" in defects


def test_an_html_only_mail_has_no_text_part() -> None:
    [mail] = by_subject("naskah iklan radio")
    assert parsed(mail).get_content_type() == "text/html"
    assert "{" not in str(parsed(mail)["Date"])


def test_one_applicant_writes_from_an_address_that_refuses_mail() -> None:
    assert [mail.recipient for mail in ALL if mail.sender.startswith("tidak-ada@")] == [AKUN]


def test_the_next_monday_is_never_today() -> None:
    assert next_monday(NOW) == "Senin, 19 Januari 2026"
    assert next_monday(datetime(2026, 1, 19, tzinfo=WIB)) == "Senin, 26 Januari 2026"
    assert next_monday(datetime(2026, 1, 31, tzinfo=WIB)) == "Senin, 2 Februari 2026"


def test_a_status_question_asks_for_a_given_ticket() -> None:
    mail = status_question(PostBox(NOW), "LKT-2026-000123-7", "Sari <sari@jamusegar.example>", DESAIN)
    assert str(parsed(mail)["Subject"]) == "Status LKT-2026-000123-7"
    assert envelope_of(mail.raw) == ("sari@jamusegar.example", DESAIN)


def test_a_long_or_foreign_text_travels_quoted_printable() -> None:
    for text in ("Jamu “Sehat” — sekali\nteh", "x" * 1200):
        raw = compose([("From", "Réza <r@x.example>"), ("Subject", "Crème"), ("Message-ID", "<1@x>")], text)
        message = message_from_bytes(raw, policy=default)
        assert raw.isascii()
        assert max(map(len, raw.split(b"\r\n"))) <= 78
        assert "\n".join(message.get_content().splitlines()) == text
        assert message["From"].addresses[0].display_name == "Réza"
        assert str(message["Subject"]) == "Crème"


def test_a_composed_mail_parses_without_a_defect() -> None:
    headers = [("From", "a@x.example"), ("To", "b@x.example"), ("Subject", "s"), ("Message-ID", "<1@x>")]
    message = message_from_bytes(compose(headers, "isi\n", [document("a.pdf"), document("b.pdf")]), policy=default)
    assert [defect for part in message.walk() for defect in part.defects] == []


def test_the_whole_day_is_delivered_and_read_back_within_two_seconds() -> None:
    async def main() -> None:
        start = time.monotonic()
        async with Town(COUNTERS) as town:
            for mail in ALL:
                await town.deliver(mail.raw, mail.recipient, sender=mail.sender, at=mail.at)
            assert time.monotonic() - start < 2
            for counter in COUNTERS:
                expected = [mail.raw for mail in ALL if mail.recipient == counter]
                kept = await town.messages(counter)
                assert len(kept) == len(expected)
                assert all(one.endswith(other) for one, other in zip(kept, expected, strict=True))

    asyncio.run(main())
