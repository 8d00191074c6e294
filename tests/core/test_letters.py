"""Templates into letters: nothing undefined, nothing out of the sandbox, no stranger's text in a header or as HTML."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.core import context, notice
from loket.core.compose import ByteForm
from loket.core.letters import Letter, LetterError, Letters
from loket.core.mail import Post
from loket.core.model import Occurrence, Outbound
from loket.core.notice import DigestItem
from tests.core.desk import ANI, DESAIN, KEYS, NOW, OT, PDF, QUIET, SARI, Desk, Kept, letter, office, raw, standard
from tests.core.desk import read as parsed

SAID = {"ticket": {"number": "1", "tag": "[1]"}, "words": "Kata", "files": ["a.pdf"]}


def render(source: str, **more: object) -> Letter:
    return Letters({"x.txt": source}).render("x", {**SAID, **more})


def refused(source: str, **parts: str) -> tuple[str, int, str]:
    with pytest.raises(LetterError) as error:
        Letters({"x.txt": source, **parts}).render("x", SAID)
    return error.value.name, error.value.line, str(error.value)


def test_the_first_line_is_the_subject_and_the_rest_the_body() -> None:
    found = render(
        "Subject: {{ ticket.tag }} Halo\n\n\nSatu  \n{% if words %}\n{{ words }}\n{% endif %}\n\n\n\nDua\n\n"
    )
    assert found == Letter("[1] Halo", "Satu\nKata\n\nDua\n")


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("Subject: x\n\n{{ aplicant }}\n", 3, "there is no aplicant"),
        ("Subject: {{ ticket.nama }}\n", 1, "there is no nama here, but number, tag"),
        ("Subject: x\n\n\n{% if nothing %}{% endif %}\n", 4, "there is no nothing"),
        ("Subject: x\n{% for a in nothing %}{% endfor %}\n", 2, "there is no nothing"),
        ("Subject: x\n{% include 'y.txt' %}\n", 2, "there is no template y.txt"),
        ("Subject: x\n{{ 1 / 0 }}\n", 2, "division by zero"),
        ("Subject: x\n{{ words + 1 }}\n", 2, 'can only concatenate str (not "int") to str'),
        ("Halo\n", 1, "the first line must be `Subject: …`"),
        ("", 1, "the first line must be `Subject: …`"),
        ("Subject: x\n{% if %}\n", 2, "Expected an expression, got 'end of statement block'"),
    ],
)
def test_what_cannot_be_rendered_says_where(source: str, line: int, message: str) -> None:
    assert refused(source) == ("x.txt", line, message)


def test_a_fault_in_an_included_part_is_found_there() -> None:
    assert refused("Subject: x\n\n{% include 'y.txt' %}\n", **{"y.txt": "a\n{{ b }}\n"}) == (
        "y.txt",
        2,
        "there is no b",
    )


def test_a_template_that_includes_itself_is_refused() -> None:
    name, line, _ = refused("Subject: x\n{% include 'x.txt' %}\n")
    assert (name, line) == ("x.txt", 2)


@pytest.mark.parametrize(
    "expression",
    [
        "words.__class__.__mro__",
        "words['__class__']",
        "words|attr('__class__')|string",
        "ticket.__init__.__globals__",
        "files.append('b')",
        "ticket.update({})",
        "ticket.clear()",
        "'{0.__class__}'.format(words)",
        "range(10 ** 9)|list",
        "lipsum.__globals__",
        "cycler.__init__.__globals__",
    ],
)
def test_no_template_reaches_out_of_its_sandbox(expression: str) -> None:
    assert refused(f"Subject: x\n{{{{ {expression} }}}}\n")[:2] == ("x.txt", 2)
    assert SAID["files"] == ["a.pdf"]


def test_what_a_mapping_has_of_its_own_is_not_hidden_by_what_is_in_it() -> None:
    """As in any template of that engine."""
    source = "Subject: x\n{{ ticket.items()|list|length }} {{ ticket.number }} {{ ticket['items'] }}\n"
    assert Letters({"x.txt": source}).render("x", {"ticket": {"number": "1", "items": "a"}}).body == "2 1 a\n"


def test_every_variable_and_letter_of_the_program_is_known_to_the_check() -> None:
    """The shipped letters use no word that is not listed, and every word listed is used or documented."""
    letters = office().letters
    assert list(letters.faults(context.WORDS)) == []
    assert set(context.LETTERS) <= letters.names
    fewer = {name: parts for name, parts in context.WORDS.items() if name != "forms"}
    assert "umum/petunjuk.txt" in {fault.name for fault in letters.faults(fewer)}


def faults(source: str) -> list[tuple[int, int, str]]:
    found = Letters({"x.txt": source, "y.txt": ""}).faults({"ticket": ("number", "tag"), "words": (), "files": ()})
    return [(fault.line, fault.column, str(fault)) for fault in found]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("{{ words }} {{ ticket.tag }} {% include 'y.txt' %} {{ range(3) }}", []),
        ("{{ word }}", [(1, 4, "there is no word; did you mean words?")]),
        (
            "\n{{ word }} {{ word }}\n{{ word }}",
            [(2, 4, "there is no word; did you mean words?")] * 1 + [(3, 4, "there is no word; did you mean words?")],
        ),
        ("{{ ticket.nomor }}", [(1, 11, "there is no nomor of ticket")]),
        ("{% include 'z.txt' %}", [(1, 13, "there is no z.txt; did you mean x.txt?")]),
        # Names that the template makes are there, but not outside of what makes them.
        ("{% for file in files %}{{ file }}{{ loop.index }}{% endfor %}", []),
        ("{% for file in files %}{{ file }}{% endfor %}{{ file }}", [(1, 8, "there is no file; did you mean files?")]),
        ("{% set a = words %}{{ a }}{{ b }}", [(1, 30, "there is no b")]),
        ("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(words) }}", []),
        ("{% with ticket = words %}{{ ticket.nomor }}{% endwith %}", []),
        ("{{ words|uper }}", [(1, 1, "there is no filter uper")]),
        ("\n{% if words is strng %}{% endif %}", [(2, 1, "there is no test strng")]),
        ("{% if words is lower %}{{ words|lower }}{% endif %}", []),
        ("{% extends 'y.txt' %}", []),
        ("{% block a %}{% endblock %}{% block a %}{% endblock %}", [(1, 1, "block 'a' defined twice")]),
    ],
)
def test_what_is_wrong_with_a_template_is_found_without_rendering_it(
    source: str, wanted: list[tuple[int, int, str]]
) -> None:
    assert faults(source) == wanted


@given(st.text(max_size=500), st.text(max_size=60))
@QUIET
def test_a_subject_is_one_line_without_controls_whatever_was_put_in(words: str, name: str) -> None:
    found = render("Subject: {{ words }} {{ name }}\n\n{{ words }}\n", words=words, name=name)
    assert found.subject.isprintable() or all(char.isprintable() or not char.isspace() for char in found.subject)
    assert len(found.subject.splitlines()) <= 1
    assert len(found.subject) <= 400


EVIL = "Jamu\r\nBcc: korban@lain.example\r\n\r\n<script>alert(1)</script>\0\u202e\u2028X-Evil: 1"
FIELDS = {"From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "X-Loket-Loop"}
FIELDS |= {"MIME-Version", "Content-Type", "Content-Transfer-Encoding"}


def sound(mail: Outbound, *contents: bytes) -> EmailMessage:
    """No field but ours, each once, all recipients the one intended, no line too long or bare."""
    data = Kept(*contents).rendered(mail)
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 998
    read = standard(data)
    assert set(read.keys()) <= FIELDS
    assert len(read.keys()) == len(set(read.keys()))
    assert [address.addr_spec for address in read["To"].addresses] == [mail.recipient]
    assert "\u202e" not in f"{read['Subject']}{read['To']}"
    assert not read.defects
    return read


@pytest.mark.parametrize("mailbox", [DESAIN, OT])
def test_nothing_in_a_mail_brings_a_field_into_the_answer(mailbox: str) -> None:
    """Whatever a sender controls: name, subject, product, attachment names, identifiers."""
    encoded = "=?utf-8?B?SmFtdQ0KQmNjOiB4QHkuZXhhbXBsZQ0KDQp4?="
    for subject in (
        f"Revisi Desain_OT_{encoded}",
        f"Berkas_{encoded}",
        f"{encoded}",
        "Ambil SK_OT_=?utf-8?Q?a=00b=0Ac?=",
    ):
        data = (
            f'From: "{encoded}" <{SARI}>\r\nTo: {mailbox}\r\nSubject: {subject}\r\nMessage-ID: <a{encoded}@x>\r\n'
            "In-Reply-To: <b\r\n Bcc: x@y.example>\r\nReferences: <c@d> <e\x00f@g>\r\n"
            'Content-Type: application/pdf; name="a\\"\r\n Bcc: x@y.example;.pdf"\r\n\r\n%PDF\r\n'
        ).encode()
        desk = Desk()
        plan = desk.take(parsed(data, mailbox))
        assert plan.outbox
        for mail in plan.outbox:
            sound(mail)


def evil_ticket(desk: Desk) -> str:
    """A ticket whose applicant wrote markup and marks wherever one can."""

    def word(text: str) -> str:
        return f"=?utf-8?B?{b64encode(text.encode()).decode()}?="

    head = f"From: {word(EVIL)} <{SARI}>\r\nMessage-ID: <m1@x>\r\nSubject: {word('Revisi Desain_OT_' + EVIL)}\r\n\r\n"
    plan = desk.take(parsed(head.encode(), DESAIN))
    assert plan.opened is not None
    assert "<script>" in plan.opened.fields["produk"]
    assert "<script>" in plan.opened.applicant_name
    return plan.opened.number


class Tags(HTMLParser):
    """The tags and link targets of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.targets += [value or "" for name, value in attrs if name in ("href", "src", "style", "background")]
        assert not [name for name, _ in attrs if name.startswith("on")]


def test_a_digest_shows_a_strangers_markup_as_words_in_text_and_in_html() -> None:
    desk = Desk()
    number = evil_ticket(desk)
    content = b"From: a@b\r\n\r\nx\r\n"
    original = raw(content).stored
    post = Post(office(), office().counters[DESAIN], KEYS, NOW)
    items = [DigestItem(desk.ticket(number), ((original, ByteForm(eight_bit=False, unsafe=False)),))]
    plan = notice.digest(post, office().officers[ANI], items, Occurrence("digest", ANI, NOW))
    read = sound(plan.outbox[0], content)
    page = read.get_body(("html",))
    assert page is not None
    markup = page.get_content()
    seen = Tags()
    seen.feed(markup)
    assert not seen.tags & {"script", "b", "i", "img", "iframe", "form", "link", "object"}
    assert "&lt;script&gt;" in markup
    assert all(target.startswith("mailto:") or ("url(" not in target and ":" in target) for target in seen.targets)
    assert not [target for target in seen.targets if re.match(r"\s*(https?|javascript|data):", target)]
    for part in (markup, text_of_plain(read)):
        assert "\u202e" not in part


def text_of_plain(read: EmailMessage) -> str:
    body = read.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_an_officers_answer_about_an_evil_ticket_brings_no_field_into_the_letter() -> None:
    desk = Desk()
    number = evil_ticket(desk)
    plan = desk.from_officer(number, f"DESAIN\n\n{EVIL}\n", files=[("a\u202efdp.exe", PDF)])
    assert {mail.recipient for mail in plan.outbox} == {SARI, ANI}
    for mail in plan.outbox:
        assert "Bcc" not in sound(mail, PDF)
        assert "\u202e" not in text_of_plain(sound(mail, PDF))


@given(st.text(max_size=120), st.text(max_size=60))
@QUIET
def test_any_name_and_product_give_a_sound_answer(product: str, name: str) -> None:
    desk = Desk()
    verdict_mail = letter("Revisi Desain_OT_x")
    author = replace(verdict_mail.authors[0], name=name)
    plan = desk.take(replace(verdict_mail, subject=f"Revisi Desain_OT_{product}", authors=(author,)))
    for mail in plan.outbox:
        sound(mail)
