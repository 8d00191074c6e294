"""An officer's answers come out as a mail client would compose them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from html import escape
from urllib.parse import quote

import pytest

from loket.demo.attach import document
from loket.demo.officer import Answer, ReadyAnswer, answer, parse_mailto, ready_answers, reply

NOW = datetime(2026, 1, 14, 13, 5, tzinfo=timezone(timedelta(hours=7)))
COUNTER = "desainsk.otsk2020@gmail.com"
TOKEN = "LKT-2026-000123-7 k1.ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
SCAN = document("SK Jamu Kunyit.pdf", "SK NIE")


def mailto(command: str) -> str:
    return (
        f"mailto:{COUNTER}?subject={quote(f'{command} {TOKEN}')}&body={quote(f'{command} {TOKEN}' + chr(13) + chr(10))}"
    )


def digest(*, html: bool = True, text: bool = True) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = f"Loket D <{COUNTER}>"
    message["To"] = "Bu Ani <ani@pom.example>"
    message["Subject"] = "Dua permohonan menunggu"
    message["Message-ID"] = "<digest-1@loket.example>"
    links = [mailto("SK"), mailto("REVISI")]
    plain = "Permohonan:\n" + "".join(f"  Jawab (<{link}>).\n" for link in links)
    message.set_content(plain if text else "Lihat versi HTML.", cte="quoted-printable")
    if html:
        rows = "".join(
            f'<a class="x" HREF="{escape(link)}">Jawab</a> <a href="https://x.example/">x</a>' for link in links
        )
        message.add_alternative(f"<html><body>{rows}</body></html>", subtype="html")
    original = EmailMessage(policy=SMTP)
    original["Subject"] = "Ambil SK_OT_Jamu Kunyit"
    original.set_content(f"mailto:penipu@x.example?subject=SK%20{quote(TOKEN)}&body=SK")
    message.add_attachment(original)
    message.add_attachment("<mailto:penipu@x.example?body=SK>", filename="catatan.txt")
    return message.as_bytes()


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    assert [defect for part in message.walk() for defect in part.defects] == []
    return message


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize(("html", "text"), [(True, True), (True, False), (False, True)])
def test_ready_answers_are_found_in_whichever_part_has_them_and_never_in_an_attached_original(
    html: bool, text: bool
) -> None:
    assert ready_answers(digest(html=html, text=text)) == [
        ReadyAnswer(COUNTER, f"{command} {TOKEN}", f"{command} {TOKEN}\n") for command in ("SK", "REVISI")
    ]


def test_a_link_is_decoded_by_rfc_6068() -> None:
    link = parse_mailto("MAILTO:a%2Bb@x.example?Subject=SK%20a+b%3D%C3%A9&body=SK%0D%0Abaris%26dua&cc=z@x.example")
    assert link == ReadyAnswer("a+b@x.example", "SK a+b=é", "SK\nbaris&dua")
    assert link.command == "SK"
    assert parse_mailto("mailto:?to=a@x.example") == ReadyAnswer("a@x.example", "", "")
    assert parse_mailto("mailto:a@x.example").command == ""


def test_a_link_cannot_bring_its_own_header_lines() -> None:
    link = parse_mailto("mailto:a@x.example%0ABcc:b@x.example?subject=SK%0D%0ABcc:%20b@x.example")
    assert link.subject == "SK Bcc: b@x.example"
    assert "\n" not in link.to


def test_an_answer_is_the_mail_the_link_opens_with_the_scan_attached() -> None:
    def choose(link: ReadyAnswer) -> Answer | None:
        return Answer("Selamat, SK NIE sudah terbit.", (SCAN,)) if link.command == "SK" else None

    [raw] = answer(digest(), choose, now=NOW)
    message = parsed(raw)
    assert str(message["From"]) == "Bu Ani <ani@pom.example>"
    assert str(message["To"]) == COUNTER
    assert str(message["Subject"]) == f"SK {TOKEN}"
    assert message["In-Reply-To"] is None
    assert message["References"] is None
    assert message["Date"].datetime == NOW
    assert str(message["Message-ID"]).endswith("@pom.example>")
    assert text_of(message).splitlines() == [f"SK {TOKEN}", "", "Selamat, SK NIE sudah terbit."]
    [scan] = message.iter_attachments()
    assert (scan.get_filename(), scan.get_content()) == (SCAN.name, SCAN.content)


def test_answers_are_the_same_octets_every_time_and_differ_by_link() -> None:
    def everything(_: ReadyAnswer) -> Answer:
        return Answer()

    written = answer(digest(), everything, now=NOW)
    assert written == answer(digest(), everything, now=NOW)
    assert len({str(parsed(raw)["Message-ID"]) for raw in written}) == 2


def test_an_officer_may_change_the_command_line_and_write_from_elsewhere() -> None:
    def choose(link: ReadyAnswer) -> Answer | None:
        return Answer(line="ALIH ambil-sk-sk") if link.command == "REVISI" else None

    [raw] = answer(digest(), choose, now=NOW, author="ani@rumah.example")
    assert text_of(parsed(raw)).splitlines()[0] == "ALIH ambil-sk-sk"
    assert str(parsed(raw)["From"]) == "ani@rumah.example"


def notice() -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = f'"Loket D, Désain" <{COUNTER}>'
    message["To"] = "Bu Ani <ani@pom.example>"
    message["Subject"] = "Kode untuk surat Jamu Crème [LKT-2026-000123-7]"
    message["Date"] = "Wed, 14 Jan 2026 12:30:00 +0700"
    message["Message-ID"] = "<notice-2@loket.example>"
    message["References"] = "<root@loket.example> <notice-1@loket.example>"
    message.set_content("Kode: 4711\n\nBalas dengan YA 4711.\n")
    message.add_alternative("<p>Kode: 4711</p>", subtype="html")
    return message.as_bytes()


def test_a_reply_threads_and_quotes_as_a_phone_does() -> None:
    message = parsed(reply(notice(), "YA 4711", now=NOW, attachments=[SCAN]))
    assert message["From"].addresses[0].addr_spec == "ani@pom.example"
    assert message["To"].addresses[0].addr_spec == COUNTER
    assert message["To"].addresses[0].display_name == "Loket D, Désain"
    assert str(message["Subject"]) == "Re: Kode untuk surat Jamu Crème [LKT-2026-000123-7]"
    assert str(message["In-Reply-To"]) == "<notice-2@loket.example>"
    assert str(message["References"]).split() == [
        "<root@loket.example>",
        "<notice-1@loket.example>",
        "<notice-2@loket.example>",
    ]
    lines = text_of(message).splitlines()
    assert lines[:2] == ["YA 4711", ""]
    assert lines[2].startswith("Pada 14/01/2026, pukul 12.30, ")
    assert lines[2].endswith(" menulis:")
    assert lines[3:] == ["", "> Kode: 4711", ">", "> Balas dengan YA 4711."]
    assert [part.get_filename() for part in message.iter_attachments()] == [SCAN.name]


def test_a_reply_does_not_stack_prefixes_and_can_use_the_indonesian_one() -> None:
    first = reply(notice(), "YA 4711", now=NOW, prefix="Bls: ")
    assert str(parsed(first)["Subject"]).startswith("Bls: Kode")
    second = reply(first, "Baik", now=NOW, prefix="Bls: ")
    assert str(parsed(second)["Subject"]).startswith("Bls: Kode")
    assert str(parsed(second)["In-Reply-To"]) == str(parsed(first)["Message-ID"])


def test_a_long_token_in_the_references_is_neither_folded_nor_encoded() -> None:
    token = f"<lkt.{'ABCDEFGHIJ234567' * 7}@loket.example>"
    raw = reply(notice().replace(b"<root@loket.example>", token.encode()), "YA 4711", now=NOW)
    assert token.encode() in raw


def test_a_reply_goes_to_the_reply_address_when_the_notice_names_one() -> None:
    raw = notice().replace(b"To: Bu", b"Reply-To: desainsk.otsk2020+tok@gmail.com\r\nTo: Bu")
    assert str(parsed(reply(raw, "SK", now=NOW))["To"]) == "desainsk.otsk2020+tok@gmail.com"
