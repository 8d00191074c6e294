"""What Loket writes, the standard parser reads back: the same words, names and octets, in lines all servers take."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import timedelta, timezone
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr, parsedate_to_datetime
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loket.core import compose
from loket.core.compose import Enclosure, HeaderInjection, byte_form, file_name
from loket.core.headers import clean_text
from loket.core.letters import Letter
from loket.core.mail import Post
from loket.core.model import Kind, Outbound, StoredFile, segment_size
from loket.core.refuse import LOOP_HEADER
from tests.core.desk import DESAIN, KEYS, NOW, PDF, QUIET, SARI, Kept, office, read, standard

WORDS = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
LINES = st.text(WORDS, max_size=200).map(str.rstrip)
BODIES = st.lists(LINES, max_size=6).map(lambda lines: "\n".join(lines) + "\n")
LETTER = Letter("[LKT-2026-000001-4] Sudah kami terima: Jamu Kunyit", "Yth. Sari,\n\nTerima kasih.\n")


def post() -> Post:
    return Post(office(), office().counters[DESAIN], KEYS, NOW)


def write(
    letter: Letter = LETTER, *, kind: Kind = Kind.DELIVERY, key: str = "k", to: str = SARI, **more: Any
) -> Outbound:
    return post().write(kind, key, letter, to, **more)


def stored(content: bytes) -> StoredFile:
    return StoredFile(sha256(content).hexdigest(), len(content))


def enclose(content: bytes, name: str, media_type: str = "application/pdf") -> Enclosure:
    return Enclosure(stored(content), name, media_type)


def original(content: bytes) -> Enclosure:
    return Enclosure(stored(content), "LKT-2026-000001-4.eml", form=byte_form(content))


def assert_fit_to_travel(data: bytes, *, eight_bit: bool = False) -> None:
    """RFC 5322 2.1.1 and RFC 5321 2.3.8: CRLF alone, no NUL, lines of at most 998 octets, ASCII unless announced."""
    rest = data.replace(b"\r\n", b"")
    assert b"\n" not in rest
    assert b"\r" not in rest
    assert b"\0" not in rest
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert eight_bit or data.isascii()
    for word in re.findall(rb"=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?=", data.partition(b"\r\n\r\n")[0]):
        assert len(word) <= 75  # RFC 2047 section 2


def display_name(data: bytes) -> str:
    """By the library's older functions: its newer ones (3.11) put a space between two adjacent encoded words."""
    name, _ = parseaddr(message_from_bytes(data)["To"])
    return str(make_header(decode_header(name)))


def enclosed(message: EmailMessage) -> list[tuple[str | None, str, bytes]]:
    return [
        (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
        for part in message.iter_attachments()
    ]


@given(
    subject=st.text(max_size=300).map(lambda text: clean_text(text, 400)),
    name=st.text(max_size=120),
    body=BODIES,
    markup=BODIES | st.none(),
    files=st.lists(st.tuples(st.text(max_size=150), st.binary(max_size=400)), max_size=3),
)
@example(subject="=?utf-8?q?x?=", name="=?utf-8?q?x?=", body="\n", markup=None, files=[("=?utf-8?q?x?=", b"")])
@example(
    subject="Jamu ™ " * 40, name='Sari "Ibu" \\ Jamu', body="é" * 900 + "\n", markup="<p>é\n", files=[("é" * 150, b"x")]
)
@example(subject="a" * 390, name="漢" * 100, body="a" * 3000 + "\n", markup=None, files=[("漢字" * 75 + ".pdf", b"x")])
@example(subject="From x", name="", body="From x\n.\n..\n\n\n", markup=None, files=[("a'b%c;d=e, f.pdf", b"\r\n.\r\n")])
@QUIET
def test_every_letter_reads_back_word_for_word_and_octet_for_octet(
    subject: str, name: str, body: str, markup: str | None, files: list[tuple[str, bytes]]
) -> None:
    named = [(file_name(said, "scan-1.pdf"), content) for said, content in files]
    mail = write(
        Letter(subject, body),
        to_name=name,
        markup=markup,
        enclosures=[enclose(content, said) for said, content in named],
    )
    data = Kept(*(content for _, content in files)).rendered(mail)
    assert_fit_to_travel(data)
    message = standard(data)
    assert not [defect for part in message.walk() for defect in part.defects]
    assert str(message["Subject"]) == subject
    assert display_name(data) == clean_text(name, 100)
    assert [one.addr_spec for one in message["To"].addresses] == [SARI]
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n") == body
    assert (html.get_content().replace("\r\n", "\n") if html else None) == markup
    assert enclosed(message) == [(said, "application/pdf", content) for said, content in named]


@given(st.lists(st.binary(max_size=500), max_size=3), st.booleans())
@QUIET
def test_the_size_that_is_planned_with_is_the_size_on_the_wire(contents: list[bytes], eight_bit_way: bool) -> None:
    enclosures = [
        original(content) if index % 2 else enclose(content, "x.pdf") for index, content in enumerate(contents)
    ]
    mail = write(enclosures=enclosures, eight_bit_way=eight_bit_way)
    kept = Kept(*contents)
    assert mail.size == len(kept.rendered(mail))
    for segment in mail.segments:
        if not isinstance(segment, bytes):
            content = kept.small(segment.file.sha256) or b""
            encoded = compose.encode_base64(content) if segment.encoding == "base64" else content
            assert segment_size(segment) == len(encoded)


@given(st.binary(max_size=500))
@QUIET
def test_base64_is_folded_as_the_rfc_says(content: bytes) -> None:
    lines = compose.encode_base64(content).split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) == 76 for line in lines[:-1])
    assert base64.b64decode(b"".join(lines), validate=True) == content


# -- Originals (promise P6)

MAIL = b"From: a@b.example\r\nSubject: =?utf-8?q?x?=\r\nX-Odd:  two  spaces\t\r\n\r\n--x\r\nFrom here\r\n.\r\n"
LINE = b"Subject: x\r\n\r\n"


@pytest.mark.parametrize(
    ("content", "eight_bit_way", "travels_as"),
    [
        pytest.param(MAIL, False, "message/rfc822 7bit", id="plain"),
        pytest.param(MAIL[:-2], False, "message/rfc822 7bit", id="no last line break"),
        pytest.param(LINE + b"a" * 998 + b"\r\n", False, "message/rfc822 7bit", id="line of 998"),
        pytest.param(LINE + b"a" * 999 + b"\r\n", False, "application/octet-stream base64", id="line of 999"),
        pytest.param(LINE + b"a\0b", False, "application/octet-stream base64", id="NUL"),
        pytest.param(LINE + b"a\rb", False, "application/octet-stream base64", id="bare CR"),
        pytest.param(LINE + b"a\nb", False, "application/octet-stream base64", id="bare LF"),
        pytest.param(LINE + b"a\r\r\nb", False, "application/octet-stream base64", id="CR before CRLF"),
        pytest.param(LINE + b"h\xe9\r\n", False, "application/octet-stream base64", id="8-bit, 7-bit way"),
        pytest.param(LINE + b"h\xe9\r\n", True, "message/rfc822 8bit", id="8-bit, 8-bit way"),
        pytest.param(LINE + b"h\xe9\0", True, "application/octet-stream base64", id="8-bit and NUL"),
    ],
)
def test_an_original_travels_as_a_mail_where_its_octets_allow_and_comes_out_identical(
    content: bytes, eight_bit_way: bool, travels_as: str
) -> None:
    mail = write(enclosures=[original(content)], eight_bit_way=eight_bit_way)
    data = Kept(content).rendered(mail)
    assert mail.eight_bit == (travels_as == "message/rfc822 8bit")
    assert_fit_to_travel(data, eight_bit=mail.eight_bit)
    part = next(iter(standard(data).iter_attachments()))
    media_type, encoding = travels_as.split()
    assert (part.get_content_type(), part["Content-Transfer-Encoding"]) == (media_type, encoding)
    assert part.get_filename() == "LKT-2026-000001-4.eml"
    assert octets_of(data) == content


def octets_of(data: bytes) -> bytes:
    """The enclosed octets: Loket's own reader finds them whole, and the library's agrees where it keeps octets."""
    mail = read(data)
    part = mail.parts[-1]
    content = data[part.start : part.end]
    if part.encoding == "base64":
        content = base64.b64decode(content)
        assert next(iter(standard(data).iter_attachments())).get_payload(decode=True) == content
    return content


def test_a_multipart_says_that_one_of_its_parts_is_8_bit() -> None:
    """RFC 2045 6.4: an entity without the field is 7-bit, whatever lies inside."""
    content = LINE + b"h\xe9\r\n"
    data = Kept(content).rendered(write(enclosures=[original(content)], eight_bit_way=True))
    assert standard(data)["Content-Transfer-Encoding"] == "8bit"


def test_a_mail_among_an_officers_scans_is_never_base64_as_message_rfc822() -> None:
    """RFC 2046 5.2.1 forbids it, and readers show an empty mail instead."""
    message = standard(Kept(MAIL).rendered(write(enclosures=[enclose(MAIL, "surat.eml", "message/rfc822")])))
    assert enclosed(message) == [("surat.eml", "application/octet-stream", MAIL)]


def test_one_moment_is_written_in_the_zone_it_is_given_in() -> None:
    jakarta = NOW.astimezone(timezone(timedelta(hours=7)))
    assert [compose.date_field(now) for now in (NOW, jakarta, NOW)] == [
        f"Date: {format_datetime(now)}\r\n".encode() for now in (NOW, jakarta, NOW)
    ]


def test_the_mails_of_the_demo_come_back_identical_from_any_enclosure() -> None:
    from loket.demo.mails import mails  # noqa: PLC0415 - only here

    for mail in mails(NOW.astimezone(timezone(timedelta(hours=7)))):
        assert (
            octets_of(Kept(mail.raw).rendered(write(enclosures=[original(mail.raw)], eight_bit_way=True))) == mail.raw
        )


def test_no_enclosed_original_can_close_the_mail_around_it() -> None:
    """Its writer may know an earlier mail of ours to the last octet, boundaries included."""
    inner = Kept(PDF).rendered(write(key="earlier", enclosures=[enclose(PDF, "a.pdf")]))
    mail = write(key="later", markup="<p>x", enclosures=[original(inner), enclose(PDF, "b.pdf")])
    data = Kept(inner, PDF).rendered(mail)
    message = standard(data)
    boundaries = [str(part.get_boundary()) for part in message.walk() if part.get_boundary()]
    assert len(set(boundaries)) == len(boundaries) == 3
    assert message.get_boundary() not in inner.decode()
    assert data.count(f"--{message.get_boundary()}".encode()) == 4
    assert [part.get_filename() for part in message.iter_attachments()] == ["LKT-2026-000001-4.eml", "b.pdf"]
    assert octets_of(data[: data.rindex(b"\r\n--", 0, data.index(b"b.pdf"))]) == inner


# -- Header fields

SIMPLE_FIELDS: list[Callable[[str], bytes]] = [
    lambda value: compose.header("X", value),
    lambda value: compose.unstructured("Subject", value),
]


@pytest.mark.parametrize("field", SIMPLE_FIELDS, ids=["header", "unstructured"])
@given(st.text(max_size=30), st.sampled_from("\r\n\0"), st.text(max_size=30))
@QUIET
def test_a_line_break_or_nul_in_a_field_is_never_written(
    field: Callable[[str], bytes], before: str, evil: str, after: str
) -> None:
    with pytest.raises(HeaderInjection):
        field(before + evil + after)


@pytest.mark.parametrize("evil", ["x\r\nBcc: y@z.example", "x\nBcc: y", "x\rBcc: y", "x\0y"])
@pytest.mark.parametrize("place", ["to", "root", "reply_to", "references"])
def test_no_address_or_reference_smuggles_in_a_field(place: str, evil: str) -> None:
    with pytest.raises(HeaderInjection):
        write(**{place: [evil] if place == "references" else evil})


def test_a_display_name_smuggles_in_nothing_and_is_cleaned_instead() -> None:
    data = Kept().rendered(write(to_name='Sari\r\nBcc: x@y.example" <x@y.example>'))
    message = standard(data)
    assert message["Bcc"] is None
    assert [one.addr_spec for one in message["To"].addresses] == [SARI]


@given(st.lists(st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), max_size=120), max_size=20))
@QUIET
def test_folding_breaks_only_at_spaces_and_never_leaves_an_empty_line(words: list[str]) -> None:
    value = " ".join(" ".join(words).split())
    lines = compose.header("X-Words", value).split(b"\r\n")
    assert lines.pop() == b""
    assert all(line.strip() for line in lines)
    assert all(line.startswith(b" ") for line in lines[1:])
    assert b"".join(lines) == f"X-Words: {value}".encode()


def test_a_subject_beyond_ascii_is_encoded_wholly() -> None:
    """Yahoo's reader drops plain words between encoded words."""
    field = compose.unstructured("Subject", "Sudah kami terima: Jamu Kunyit™ Bu Tini")
    assert re.fullmatch(rb"Subject:(?:\r?\n? =\?utf-8\?[bq]\?[^?\s]+\?=)+\r\n", field)


# -- Names of enclosures


@given(st.text(max_size=400))
@example("../../etc/passwd")
@example("C:\\Users\\x\\scan.pdf")
@example("\u202egnp.exe")
@example("x\0y.pdf")
@example("漢" * 300 + ".pdf")
@example("." * 300)
@QUIET
def test_a_name_offers_no_path_no_control_and_no_direction_mark_and_fits_a_file_system(name: str) -> None:
    clean = file_name(name, "scan-1.pdf")
    assert clean
    assert not set(clean) & set('\\/:*?"<>|')
    assert clean == clean_text(clean)
    assert not clean.startswith(".")
    assert len(clean.encode()) <= 200


def test_a_long_name_keeps_its_ending() -> None:
    assert file_name("desain " * 60 + ".pdf", "x").endswith("desain desain.pdf")
    assert file_name("漢" * 200 + ".pdf", "x").endswith("漢.pdf")
    assert file_name("a." + "b" * 500, "x") == "a." + "b" * 198


def test_a_name_of_nothing_readable_gives_way_to_the_fallback() -> None:
    assert [file_name(name, "scan-1.pdf") for name in ("", " . ", "___", "\u200b", "///")] == ["scan-1.pdf"] * 5


def test_old_readers_get_a_plain_name_beside_the_real_one() -> None:
    data = Kept(PDF).rendered(write(enclosures=[enclose(PDF, "Desain Jamu é.pdf")]))
    assert b'filename="Desain Jamu _.pdf"' in data
    assert b"filename*=UTF-8''Desain%20Jamu%20%C3%A9.pdf" in data


# -- What a mail of ours says about itself


@pytest.mark.parametrize(
    ("kind", "marked"),
    [
        (Kind.ACKNOWLEDGEMENT, "auto-replied"),
        (Kind.CORRECTION, "auto-replied"),
        (Kind.STATUS, "auto-replied"),
        (Kind.RECEIPT, "auto-replied"),
        (Kind.NOTICE, "auto-generated"),
        (Kind.DIGEST, "auto-generated"),
        (Kind.ALERT, "auto-generated"),
        (Kind.DELIVERY, None),
    ],
)
def test_all_but_an_officers_own_letter_is_marked_as_automatic(kind: Kind, marked: str | None) -> None:
    message = standard(Kept().rendered(write(kind=kind)))
    assert message["Auto-Submitted"] == marked
    assert message[LOOP_HEADER] == DESAIN


def test_the_reference_rides_in_the_message_id_and_as_the_root_of_references() -> None:
    root = KEYS.ticket("LKT-2026-000001-4")
    mail = write(
        root=root, reply_to="m1@jamusegar.example", references=["m0@jamusegar.example", "m1@jamusegar.example"]
    )
    message = standard(Kept().rendered(mail))
    assert str(message["Message-ID"]) == f"<{mail.message_id}>"
    assert mail.message_id.startswith(f"{root}.")
    assert message["In-Reply-To"] == "<m1@jamusegar.example>"
    assert str(message["References"]).split() == [
        f"<{root}@gmail.com>",
        "<m0@jamusegar.example>",
        "<m1@jamusegar.example>",
    ]


def test_the_same_key_gives_the_same_octets_and_another_key_another_message_id() -> None:
    """An attempt after a crash is the same mail (promise P10)."""
    one, again, other = (write(key=key, enclosures=[enclose(PDF, "a.pdf")]) for key in ("a", "a", "b"))
    assert Kept(PDF).rendered(one) == Kept(PDF).rendered(again)
    assert one.message_id != other.message_id


def test_a_mail_goes_from_the_counter_to_one_recipient_at_the_offices_time() -> None:
    mail = write(to_name="Sari")
    message = standard(Kept().rendered(mail))
    assert (mail.sender, mail.recipient) == (DESAIN, SARI)
    assert [one.addr_spec for one in message["From"].addresses] == [DESAIN]
    assert [name for name in ("Cc", "Bcc", "Reply-To") if message[name]] == []
    assert parsedate_to_datetime(str(message["Date"])) == NOW
    assert str(message["Date"]).endswith("+0700")
