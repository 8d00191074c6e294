"""Parsing agrees with the standard library wherever that one is right, and never raises or stalls on anything."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta, timezone
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import Policy
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loket.core import compose, headers, mime, parse
from loket.core.bounce import read_bounce
from loket.core.command import listen
from loket.core.known import hints
from loket.core.model import InboundMail
from loket.demo.mails import mails
from tests.core.desk import DESAIN, NOW, PDF, QUIET, Desk, letter, read

DEMO = mails(NOW.astimezone(timezone(timedelta(hours=7))))


def python_mails() -> list[Path]:
    """The odd mails of CPython's own tests; a Python without its tests (Debian's) has none."""
    spec = importlib.util.find_spec("test.test_email") if importlib.util.find_spec("test") else None
    return sorted(Path(spec.origin).parent.glob("data/msg_*.txt")) if spec and spec.origin else []


@dataclass(frozen=True)
class Leaf:
    """What both parsers must agree on."""

    media_type: str
    content: bytes
    name: str
    charset: str


def ours(mail: InboundMail) -> list[Leaf]:
    return [
        Leaf(part.media_type, mime.content(mail.raw.data, part), part.name, part.charset.lower()) for part in mail.parts
    ]


def theirs(message: Message) -> Iterator[Message]:
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for part in message.get_payload():
            yield from theirs(part)  # type: ignore[arg-type]
    else:
        yield message


def differences(data: bytes, rules: Policy) -> Iterator[str]:
    """Where the two disagree, the accepted differences aside; each of those has its reason here."""
    mail = read(data)
    # A part of nothing but line ends holds nothing. Two delimiters in a row make one here and none there (RFC 2046
    # allows both readings), and which of two line ends belongs to a delimiter is seen differently.
    mine = [leaf for leaf in ours(mail) if leaf.content.strip(b"\r\n") or leaf.name]
    other = [part for part in theirs(BytesParser(policy=rules).parsebytes(data)) if size(part) or part.get_filename()]
    if len(mine) != len(other):
        yield f"{mine} != {[same(part) for part in other]}"
        return
    for leaf, part in zip(mine, other, strict=True):
        yield from leaf_differences(leaf, part, mail, rules)


def size(part: Message) -> int:
    return 1 if part.is_multipart() else len(part.get_payload(decode=True).strip(b"\r\n"))


def leaf_differences(leaf: Leaf, part: Message, mail: InboundMail, rules: Policy) -> Iterator[str]:
    if part.get_content_maintype() == "multipart":
        # A multipart whose boundary is missing or never used: the library keeps the type and a text as its payload.
        # Here the leaf is text, so that what the sender said is read, and the mail has the defect.
        if leaf.media_type != "text/plain" or not [d for d in mail.defects if d.startswith("multipart without")]:
            yield f"{leaf.media_type} for a broken multipart"
    elif leaf.media_type != part.get_content_type():
        yield f"{leaf.media_type} != {part.get_content_type()}"
    if part.is_multipart():
        # The library opens message/*; here it stays one leaf, so that what was forwarded is never taken for what was
        # sent. Its octets must still hold the same mail.
        inner = BytesParser(policy=rules).parsebytes(
            b"Content-Type: " + leaf.media_type.encode() + b"\n\n" + leaf.content
        )
        if [same(one) for one in inner.walk()][1:] != [same(one) for one in part.walk()][1:]:
            yield f"another mail inside {leaf.media_type}"
    elif leaf.content != part.get_payload(decode=True):
        yield f"{leaf.content[-60:]!r} != {part.get_payload(decode=True)[-60:]!r}"
    # Names are cleaned for display: one line, without controls and direction marks.
    if leaf.name != headers.clean_text(part.get_filename() or ""):
        yield f"name {leaf.name!r} != {part.get_filename()!r}"
    if leaf.charset != (part.get_content_charset() or ""):
        yield f"charset {leaf.charset!r} != {part.get_content_charset()!r}"


def same(part: Message) -> tuple[str, object, object]:
    return part.get_content_type(), part.get_filename(), None if part.is_multipart() else part.get_payload(decode=True)


POLICIES = [pytest.param(policy.compat32, id="compat32"), pytest.param(policy.default, id="default")]


@pytest.mark.parametrize("rules", POLICIES)
@pytest.mark.skipif(not python_mails(), reason="this Python was installed without its own tests")
def test_the_odd_mails_of_cpythons_tests_give_the_same_leaves(rules: Policy) -> None:
    found = {path.name: list(differences(path.read_bytes(), rules)) for path in python_mails()}
    assert len(found) > 40
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("rules", POLICIES)
def test_the_mails_of_the_demo_give_the_same_leaves(rules: Policy) -> None:
    found = {mail.note: list(differences(mail.raw, rules)) for mail in DEMO}
    assert {note: wrong for note, wrong in found.items() if wrong} == {}


# The library takes `<x>` for a quoted string and its name for x; here brackets are part of a name.
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Co")), max_size=60).map(
    lambda name: name.strip().lstrip("<")
)


@st.composite
def texts(draw: st.DrawFn) -> EmailMessage:
    charset = draw(st.sampled_from(["utf-8", "us-ascii", "iso-8859-1", "windows-1252", "koi8-r", "gb18030"]))
    words = draw(st.text(st.characters(codec=charset, exclude_categories=("Cs", "Cc", "Zl", "Zp")) | st.just("\n")))
    part = EmailMessage()
    cte = draw(st.sampled_from(["quoted-printable", "base64", None]))
    part.set_content(words, subtype=draw(st.sampled_from(["plain", "html"])), charset=charset, cte=cte)
    return part


@st.composite
def files(draw: st.DrawFn) -> EmailMessage:
    part = EmailMessage()
    kind = draw(st.sampled_from([("application", "pdf"), ("image", "png"), ("application", "octet-stream")]))
    part.set_content(
        draw(st.binary(max_size=300)),
        *kind,
        cte=draw(st.sampled_from(["base64", "quoted-printable"])),
        disposition=draw(st.sampled_from(["attachment", "inline"])),
        filename=draw(NAMES) or None,
        cid=draw(st.sampled_from(["<logo@x>", None])),
    )
    return part


@st.composite
def multiparts(draw: st.DrawFn, children: st.SearchStrategy[EmailMessage]) -> EmailMessage:
    whole = EmailMessage()
    getattr(whole, draw(st.sampled_from(["make_mixed", "make_alternative", "make_related"])))()
    for child in draw(st.lists(children, min_size=1, max_size=4)):
        whole.attach(child)
    return whole


@st.composite
def forwards(draw: st.DrawFn, children: st.SearchStrategy[EmailMessage]) -> EmailMessage:
    inner = draw(children)
    inner["Subject"] = "yang diteruskan"
    part = EmailMessage()
    part.set_content(inner)
    return part


TREES = st.recursive(texts() | files(), lambda inner: multiparts(inner) | forwards(inner), max_leaves=10)


def written(tree: EmailMessage, line_ends: Policy) -> bytes:
    tree["From"], tree["Subject"] = "sari@jamusegar.example", "Berkas_X"
    return tree.as_bytes(policy=line_ends)


@pytest.mark.parametrize("rules", POLICIES)
@given(TREES, st.sampled_from([policy.SMTP, policy.default]))
@QUIET
def test_any_tree_that_the_library_writes_gives_the_same_leaves(
    rules: Policy, tree: EmailMessage, line_ends: Policy
) -> None:
    data = written(tree, line_ends)
    assert list(differences(data, rules)) == [], data


@given(texts())
@QUIET
def test_a_text_part_is_read_in_its_charset(part: EmailMessage) -> None:
    mail = read(written(part, policy.SMTP))
    content = mime.content(mail.raw.data, mail.parts[0])
    text = headers.decode_charset(content, mail.parts[0].charset)
    expected = content.decode(str(part.get_content_charset()))
    # Octets that are sound UTF-8 beyond ASCII are UTF-8 under any single-byte label: nobody writes `Ã©`, and many
    # programs label wrongly. What iso-8859-1 calls C1 controls are the letters of Windows-1252.
    if not content.isascii() and part.get_content_charset() in ("iso-8859-1", "windows-1252", "koi8-r"):
        try:
            expected = content.decode("utf-8")
        except ValueError:
            expected = content.decode(str(part.get_content_charset()).replace("iso-8859-1", "cp1252"), "replace")
    assert text == expected


def everything(data: bytes) -> InboundMail:
    """All that core ever does with a mail."""
    mail = read(data)
    parse.body_text(mail)
    parse.html_source(mail)
    parse.strict_author(mail)
    listen(mail)
    hints([mail])
    read_bounce(mail)
    compose.byte_form(data)
    Desk().take(mail)
    return mail


def assert_sound(mail: InboundMail) -> None:
    """What others rely on, whatever the octets were: offsets in order, text that can be shown and sent."""
    at = 0
    for part in mail.parts:
        assert at <= part.start <= part.end <= len(mail.raw.data)
        at = part.start
        assert isinstance(mime.content(mail.raw.data, part), bytes)
    shown = [mail.subject, *(part.name for part in mail.parts), *(value for _, value in mail.headers)]
    shown += [text for address in (*mail.authors, *mail.recipients) for text in (address.name, address.spec)]
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]", "".join(shown))
    assert len(mail.parts) <= mime.MAX_PARTS


@given(st.binary(max_size=2000))
@example(b"")
@example(b"\r\n")
@example(b"\n\n")
@example(b"From: a@b\nContent-Type: multipart/mixed; boundary=\n\n--\n")
@example(
    b"Subject: =?hex?q?=ff?= =?idna?q?=ff?= =?punycode?q?=ff?= =?utf-7?q?+2AA-?= =?unicode_escape?q?\\ud800\\q?=\n\n"
)
@QUIET
def test_no_octets_make_it_raise(data: bytes) -> None:
    assert_sound(everything(data))


SHARDS = st.sampled_from(
    [
        *(
            b"From: ",
            b"Subject: ",
            b"Content-Type: ",
            b"Content-Disposition: ",
            b"Content-Transfer-Encoding: ",
            b"To: ",
        ),
        *(b"References: ", b"Return-Path: ", b"Auto-Submitted: ", b"Message-ID: ", b"\r\n", b"\n", b"\r", b" ", b"\t"),
        *(b"multipart/mixed; boundary=b", b"multipart/report; report-type=delivery-status; boundary=b", b"--b", b"--"),
        *(b"message/rfc822", b"message/delivery-status", b"text/html", b"text/plain; charset=", b"utf-8", b"hex", b";"),
        *(b"base64", b"quoted-printable", b"name*0*=", b"filename*=", b"utf-8''%e2", b"=?utf-8?b?", b"=?x?q?", b"?="),
        *(b'"', b"\\", b"<", b">", b"(", b")", b"@", b",", b":", b"a", b"\0", b"\xff", b"\xc3\xa9", b"=", b"Berkas_X"),
        *(b"<blockquote>", b"On x wrote:", b"LKT-2026-000001-1", b"Action: failed\nStatus: 5.1.1", b"mailer-daemon@x"),
    ]
)


@given(st.lists(SHARDS, max_size=60).map(b"".join))
@QUIET
def test_no_pile_of_mail_shards_makes_it_raise(data: bytes) -> None:
    assert_sound(everything(data))


@given(st.sampled_from(DEMO), st.data())
@QUIET
def test_no_damage_to_a_real_mail_makes_it_raise(whole: object, data: st.DataObject) -> None:
    octets = bytearray(whole.raw[:20_000])  # type: ignore[attr-defined]
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(octets)))
        end = min(len(octets), start + data.draw(st.integers(0, 200)))
        octets[start:end] = data.draw(
            st.sampled_from([b"", b"\n", b"\r\n\r\n", b"\0", b"=", b'"', bytes(octets[start:end]) * 2])
        )
    assert_sound(everything(bytes(octets)))


HEAD = b"From: Sari <sari@jamusegar.example>\r\nSubject: Berkas_X\r\n"
REPORT = b"From: mailer-daemon@x\r\nReturn-Path: <>\r\nIn-Reply-To: <LKT-2026-000001-1.t.k1.0." + b"a" * 26
REPORT += b"." + b"0" * 20 + b"@x>\r\n\r\n"
HTML = HEAD + b"Content-Type: text/html\r\n\r\n"


def multiparts_in_each_other(depth: int) -> bytes:
    return b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))


POISON = {
    "nested comments": b"From: " + b"(" * 20_000 + b")" * 20_000 + b" a@b\r\n\r\nx",
    "nested message/rfc822": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 2000 + b"x",
    "nested multiparts": HEAD + multiparts_in_each_other(2000) + b"\r\nx",
    "nested multiparts, one boundary": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 2000,
    "encoded words": b"From: a@b\r\nSubject: " + b"\r\n ".join([b"=?utf-8?q?x?="] * 20_000) + b"\r\n\r\nx",
    "encoded words in a name": b"From: " + b" ".join([b"=?utf-8?q?x?="] * 20_000) + b" <a@b>\r\n\r\nx",
    "addresses": b"From: " + b", ".join(b"a%d@b.example" % n for n in range(20_000)) + b"\r\n\r\nx",
    "recipients": HEAD + b"To: " + b",\r\n ".join(b'"x" <a%d@b.example>' % n for n in range(20_000)) + b"\r\n\r\nx",
    "a group of at signs": b"From: x:" + b"@" * 64_000 + b"\r\n\r\nx",
    "spaces in From": b"From: a" + b" " * 60_000 + b"x\r\n\r\nx",
    "From fields": b"From: a@b\r\n" * 20_000 + b"\r\nx",
    "unknown charset": HEAD + b"Content-Type: text/plain; charset=klingon-42\r\n\r\nhal\xe9",
    "charset that is none": HEAD + b"Content-Type: text/plain; charset=hex\r\n\r\nhal\xe9",
    "NULs": HEAD + b"X\0: \0\r\n\r\n" + b"\0" * 1_000_000,
    "a line of 20 MB": HEAD + b"\r\n" + b"a" * 20_000_000,
    "a header line of 20 MB": HEAD + b"X: " + b"a" * 20_000_000,
    "20 MB without any colon": b"a" * 20_000_000,
    "20 MB of header": HEAD + b"X: y\r\n" * 3_300_000,
    "tags that never end": HTML + b"<" * 300_000,
    "divs that never end": HTML + b"<div " * 60_000,
    "breaks that never end": HTML + b"<br " * 75_000,
    "comments that never end": HTML + b"<!--" * 250_000,
    "attributions": HEAD + b"\r\n" + b"On x\r\n" * 150_000,
    "Outlook heads": HEAD + b"\r\n" + b"From: x\r\n" * 100_000,
    "links": HEAD + b"\r\n" + b"https://" + b"a." * 500_000,
    "damaged base64": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * 5_000_000,
    "delimiters": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"\n--b" * 1_000_000,
    "parameters": HEAD + b"Content-Type: text/plain" + b"; name*1=b" * 400 + b"\r\n\r\n",
    "references": HEAD + b"References: " + b"<a@b>" * 12_000 + b"\r\nIn-Reply-To: " + b"<" * 60_000 + b"\r\n\r\n",
    "a bounce of one word": REPORT + b"a" * 250_000,
}


@pytest.mark.parametrize("data", POISON.values(), ids=POISON.keys())
def test_no_poison_keeps_the_mails_behind_it_waiting(data: bytes, within: None) -> None:
    assert_sound(everything(data))


def test_a_mail_without_the_line_between_header_and_body_keeps_its_words_and_its_scan() -> None:
    data = b"From: a@b\nSubject: X\nContent-Type: multipart/mixed; boundary=b\n\n"
    data += b"--b\nContent-Type: text/plain\nTolong\n\n--b\nContent-Type: application/pdf; name=scan.pdf\n"
    data += b"Content-Transfer-Encoding: base64\nJVBERi0xLjQK\n--b--\n"
    mail = read(data)
    assert parse.body_text(mail) == "Tolong\n"
    assert [(part.name, parse.attachment_bytes(mail, part)) for part in mail.attachments] == [
        ("scan.pdf", b"%PDF-1.4\n")
    ]
    assert mail.defects == ("header line that is no field",)


def test_a_stray_line_between_fields_is_passed_over_with_its_folds() -> None:
    mail = read(b"From: a@b\nX: one\nthis is no field\n nor is this\nSubject: Berkas_X\n\nx")
    assert (mail.subject, mail.header("x"), parse.body_text(mail)) == ("Berkas_X", "one", "x")


def test_a_mail_of_too_many_parts_is_read_as_far_as_the_limit() -> None:
    data = (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\n\r\nx\r\n" * (mime.MAX_PARTS + 200)
        + b"--b--"
    )
    mail = read(data)
    assert len(mail.parts) == mime.MAX_PARTS
    assert parse.body_text(mail).startswith("x\nx")
    assert f"more than {mime.MAX_PARTS} parts" in mail.defects


def test_of_parts_whose_headers_are_most_of_the_mail_only_the_first_fields_are_read_in_the_end() -> None:
    """A thousand of them cost seconds; what names a part stands first as mail programs write it."""
    fields = b"Content-Type: application/pdf; name=scan.pdf\r\n" + b"X: y\r\n" * 1200
    behind = b"X: y\r\n" * 1200 + b"Content-Type: application/pdf; name=late.pdf\r\n"
    data = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    data += b"".join(b"--b\r\n" + each + b"\r\nx\r\n" for each in [behind, *[fields] * 300, behind]) + b"--b--"
    parts = read(data).parts
    assert [part.name for part in parts[:2]] == ["late.pdf", "scan.pdf"]
    assert [part.name for part in parts[-2:]] == ["scan.pdf", ""]
    assert f"header block over {mime.FIRST_FIELDS} octets" in read(data).defects


def test_of_several_from_fields_all_authors_are_seen_and_none_is_the_author() -> None:
    mail = read(b"From: a@b.example\nfrom : c@d.example\nSubject: x\n\n")
    assert [author.spec for author in mail.authors] == ["a@b.example", "c@d.example"]
    assert (mail.from_fields, mail.author) == (2, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("<>", ""), ("< >", ""), ("", ""), ("<Sari@X.example>", "sari@x.example"), ("sari@x.example", "sari@x.example")],
)
def test_a_null_reverse_path_is_not_a_missing_one(value: str, expected: str) -> None:
    assert read(f"Return-Path: {value}\nFrom: a@b\n\n".encode()).return_path == expected
    assert read(b"From: a@b\n\n").return_path is None


def test_the_topmost_return_path_is_the_one_of_final_delivery() -> None:
    assert read(b"Return-Path: <>\nReturn-Path: <a@b>\nFrom: a@b\n\n").return_path == ""


def test_logos_and_signatures_are_no_attachments_and_a_phones_inline_photograph_is() -> None:
    message = EmailMessage()
    message.make_mixed()
    related = EmailMessage()
    related.make_related()
    for child in ("<p>Halo <img src=cid:logo></p>", None):
        part = EmailMessage()
        if child:
            part.set_content(child, subtype="html")
        else:
            part.set_content(b"png", "image", "png", disposition="inline", filename="logo.png", cid="<logo>")
        related.attach(part)
    photo = EmailMessage()
    photo.set_content(b"jpg", "image", "jpeg", disposition="inline", filename="IMG_1.jpg")
    signed = EmailMessage()
    signed.set_content(b"sig", "application", "pgp-signature", filename="signature.asc")
    for part in (related, photo, signed):
        message.attach(part)
    mail = read(written(message, policy.SMTP))
    assert [part.name for part in mail.attachments] == ["IMG_1.jpg"]


def test_a_forwarded_mails_attachments_are_its_own_and_the_forward_is_one() -> None:
    inner = letter("Ambil SK_OT_X", files=[("desain.pdf", PDF)])
    outer = EmailMessage()
    outer["From"], outer["Subject"] = "a@b.example", "Fwd: x"
    outer.set_content("Mohon diproses\n")
    outer.add_attachment(standard_of(inner))
    mail = read(written_as_is(outer))
    assert [part.media_type for part in mail.attachments] == ["message/rfc822"]
    assert b"desain.pdf" in parse.attachment_bytes(mail, mail.attachments[0])


def standard_of(mail: InboundMail) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(bytes(mail.raw.data))
    assert isinstance(message, EmailMessage)
    return message


def written_as_is(message: EmailMessage) -> bytes:
    return message.as_bytes(policy=policy.SMTP)


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>SK<br>Terlampir.</p>", "SK\nTerlampir."),
        ("SK<blockquote>lama</blockquote>", "SK\n> lama"),
        ("<blockquote>lama</blockquote><p>SK</p>", "> lama\nSK"),
        (
            'SK<div class="gmail_quote">Pada x menulis:<blockquote>lama</blockquote></div>',
            "SK\n> Pada x menulis:\n> lama",
        ),
        ("<html><head><title>x</title><style>p{}</style></head><body>SK</body>", "SK"),
        ("<head><meta charset=utf-8><body><p>SK</p>", "SK"),
        ("<script>var a='<b>';</script>SK<!-- SK2 -->", "SK"),
        ("1 &lt; 2 &amp; 3&nbsp;x", "1 < 2 & 3 x"),
        ("a < b", "a < b"),
    ],
)
def test_html_becomes_lines_with_quotations_marked(markup: str, expected: str) -> None:
    mail = letter("x", markup=markup, to=DESAIN)
    assert [line for line in parse.body_text(mail).split("\n") if line] == expected.split("\n")


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("siti@x.example <siti@x.example>", ["siti@x.example"]),
        ("Siti [PT Jamu] <siti@x.example>", ["siti@x.example"]),
        ("Siti <siti@x.example>;", ["siti@x.example"]),
        ("<<siti@x.example>>", ["siti@x.example"]),
        ("pt@jamu.example <siti@x.example>", ["pt@jamu.example", "siti@x.example"]),
    ],
)
def test_a_from_that_phones_write_names_somebody_on_every_python(field: str, found: list[str]) -> None:
    """Newer Pythons by themselves would read nobody in these, and nobody would be answered."""
    read, _ = headers.addresses(field.encode())
    assert list(dict.fromkeys(one.spec for one in read)) == found


@pytest.mark.parametrize(
    "field", ["siti@x.example [PT Jamu]", "a@[b, <victim@x.example>]", "x@[,victim@y.example,]", "a@b@c.example"]
)
def test_half_a_sentence_is_nobodys_address(field: str) -> None:
    read, sound = headers.addresses(field.encode())
    assert (read, sound) == ((), False)


@pytest.mark.parametrize("spec", ['"siti aisyah"@x.example', "siti@[192.0.2.1]", "siti@[ipv6:2001:db8::1]", "siti@x"])
def test_rare_addresses_are_addresses(spec: str) -> None:
    read, sound = headers.addresses(f"{spec}, <{spec}>".encode())
    assert ({one.spec for one in read}, sound) == ({spec}, True)
