"""Subjects as people really write them, through the shipped configuration."""

from __future__ import annotations

import base64
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.cli.explain import as_object
from loket.core import headers, normal
from loket.core.model import Verdict
from loket.core.normal import CLOSING, OPENING, SEPARATORS, SPACES
from loket.core.parse import subject_only
from loket.core.understand import subject_verdict
from tests.core.desk import DESAIN, OT, QUIET, SM, letter, lines, office

SUBJECTS = lines("subjects.jsonl")
HEADERS = lines("headers.jsonl")


def verdict(subject: str, mailbox: str) -> Verdict:
    return subject_verdict(subject_only(subject, mailbox), office())


@pytest.mark.parametrize("mailbox", sorted({line["mailbox"] for line in SUBJECTS}))
def test_every_labelled_subject_is_understood_as_a_clerk_would(mailbox: str) -> None:
    wrong = []
    for line in SUBJECTS:
        if line["mailbox"] == mailbox:
            got = as_object(verdict(line["subject"], mailbox))
            differing = {key: got[key] for key, value in line["expect"].items() if got[key] != value}
            wrong += [(line["subject"], line["why"], line["expect"], differing)] if differing else []
    assert wrong == []


def test_the_labelled_subjects_reach_every_counter_outcome_and_level() -> None:
    """The test above proves nothing about what its lines do not hold."""
    assert len(SUBJECTS) >= 700
    assert {line["mailbox"] for line in SUBJECTS} == set(office().desks)
    assert {line["expect"]["outcome"] for line in SUBJECTS} == {"matched", "incomplete", "unmatched"}
    assert {line["expect"].get("match") for line in SUBJECTS} == {"exact", "normalized", "fuzzy", None}


def test_every_labelled_header_is_decoded_as_a_good_client_shows_it() -> None:
    wrong = [
        (line["why"], line["text"], got)
        for line in HEADERS
        if (got := headers.decode_words(base64.b64decode(line["raw_b64"]))) != line["text"]
    ]
    assert len(HEADERS) >= 100
    assert wrong == []


PLACEHOLDERS = ("nama produk",)
TAKEN = [
    word.casefold()
    for desk in office().desks.values()
    for compiled in desk.own
    if compiled.pattern is not None
    for word in (
        *(keyword.plain for keyword in compiled.pattern.keywords),
        *(spelled for choice in compiled.pattern.choices for spelled in choice.canonical),
    )
]


def is_plain_product(text: str) -> bool:
    """A name that a reader takes as it stands: nothing to trim, no blank form, no keyword or value in front."""
    compared = normal.normal(text).text
    ends = SEPARATORS + SPACES + OPENING + CLOSING + "*"
    words = " ".join(compared.replace("_", " ").split())
    return (
        normal.visible(text) == text != ""
        and all(normal.normal(end).text for end in (text[0], text[-1]))
        and not {text[0], text[-1], compared[0], compared[-1]} & set(ends)
        and not words.startswith((*PLACEHOLDERS, *TAKEN))
    )


PRODUCTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp")) | st.sampled_from("aJ9 _-.,/&+()'™é₂"),
    min_size=1,
    max_size=60,
).filter(is_plain_product)

FORMS = [
    (DESAIN, "Revisi Desain_OT_", "revisi-desain", "revisi-desain-ot", {"kategori": "OT"}),
    (DESAIN, "Revisi Desain_SK_", "revisi-desain", "revisi-desain-sk", {"kategori": "SK"}),
    (DESAIN, "Ambil SK_OT_", "ambil-sk", "ambil-sk-ot", {"kategori": "OT"}),
    (DESAIN, "Ambil SK_SK_", "ambil-sk", "ambil-sk-sk", {"kategori": "SK"}),
    (OT, "Berkas_", "berkas", "berkas-ot", {"kategori": "OT"}),
    (SM, "Berkas_", "berkas", "berkas-sk", {"kategori": "SK"}),
]


@given(PRODUCTS, st.sampled_from(FORMS))
@QUIET
def test_any_product_in_the_prescribed_form_survives_unchanged(
    product: str, form: tuple[str, str, str, str, dict[str, str]]
) -> None:
    mailbox, start, rule, queue, fields = form
    got = verdict(start + product, mailbox)
    assert (got.outcome, got.match, got.rule, got.queue) == ("matched", "exact", rule, queue)
    assert got.fields == {**fields, "produk": product}


@given(PRODUCTS, st.sampled_from(FORMS))
@QUIET
def test_a_product_survives_the_way_through_a_mail_client_too(
    product: str, form: tuple[str, str, str, str, dict[str, str]]
) -> None:
    mailbox, start, rule, *_ = form
    # A client may fold between words; text that needs folding in several places is composed by it as it likes.
    mail = letter(start + product, to=mailbox, files=[("desain.pdf", b"%PDF")])
    got = subject_verdict(mail, office())
    assert (got.rule, got.fields["produk"]) == (rule, product)


PREFIXES = ["Re: ", "RE:", "Re[2]: ", "Re (3): ", "Re^2: ", "Fwd: ", "FW : ", "Bls: ", "Balas: ", "Trs: "]
PREFIXES += ["Teruskan: ", "AW: ", "WG: ", "SV: ", "[External] ", "[loket] ", '"', "“", "Odp: "]


@given(st.sampled_from(SUBJECTS), st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=8))
@QUIET
def test_reply_and_forward_marks_in_any_stack_change_nothing_but_the_level(
    line: dict[str, str], prefixes: list[str]
) -> None:
    bare, marked = (verdict(text, line["mailbox"]) for text in (line["subject"], "".join(prefixes) + line["subject"]))
    same = ("outcome", "rule", "queue", "fields", "missing", "wrong_mailbox", "use_mailbox")
    assert {name: getattr(marked, name) for name in same} == {name: getattr(bare, name) for name in same}
    assert marked.match in (bare.match, "normalized")


@given(st.text(max_size=200), st.sampled_from(sorted(office().desks)))
@QUIET
def test_no_subject_whatever_raises_or_invents_a_value(subject: str, mailbox: str) -> None:
    got = verdict(subject, mailbox)
    assert got.fields.get("kategori", "OT") in ("OT", "SK")
    assert got.queue is None or got.queue in office().queues
    # A product is cut from what was written, never made up.
    visible = normal.visible(subject)
    assert normal.visible(got.fields.get("produk", "")) in visible


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
@QUIET
def test_positions_of_the_compared_text_point_into_what_was_written(text: str) -> None:
    compared = normal.normal(text)
    assert len(compared.text) == len(compared.at)
    assert list(compared.at) == sorted(compared.at)
    assert compared.cut(0) == text[compared.at[0] :] if compared.at else compared.text == ""
    for char, at in zip(compared.text, compared.at, strict=True):
        plain = unicodedata.normalize("NFKD", text[at]).casefold()
        assert char in plain or char == " "


@pytest.mark.parametrize(
    "subject",
    [
        "Revisi Desain_x" + "_ " * 7000 + "x",
        "Revisi Desain" + "_" * 15000,
        "Berkas_" * 2300,
        "Revisi Desain_" + "OT_" * 5000,
        "Re: " * 4000,
        "[" * 16000,
        "status LKT-2026" + "0 -" * 5000,
    ],
    ids=lambda subject: subject[:20],
)
def test_no_subject_keeps_a_mailbox_waiting(subject: str, within: None) -> None:
    for mailbox in office().desks:
        verdict(subject, mailbox)
