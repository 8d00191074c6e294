"""Rules in each other's way are found, with a subject that really names both; the shipped rules have none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.core.classify import Compiled, Desk, classify
from loket.core.conflicts import conflicts
from loket.core.normal import normal
from loket.core.parse import subject_only
from loket.core.rules import CounterFile
from loket.core.subject import starts
from tests.core.desk import QUIET, lines, office

FIELDS = {"kategori": {"OT": ["Obat Tradisional"], "SK": ["Suplemen"]}}


def desk(*rules: dict[str, Any]) -> Desk:
    """A mailbox with these rules, in this order."""
    counter = CounterFile.model_validate(
        {"counter": "Uji", "fields": FIELDS, "rules": [{"queue": "uji", **rule} for rule in rules]}
    )
    return Desk("uji@pom.go.id", tuple(Compiled.of(rule, counter) for rule in counter.rules))


def found(*rules: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Kind and the two rules of each conflict, once the witness has been tried on both."""
    office_desk = desk(*rules)
    said = []
    for conflict in conflicts(office_desk):
        for compiled in (conflict.first, conflict.second):
            text = normal(conflict.witness)
            if compiled.pattern is not None:
                assert compiled.pattern.at_start(text, starts(text)), (conflict.witness, compiled.rule.name)
        winner = classify(subject_only(conflict.witness, office_desk.address), office_desk)
        assert winner.rule == conflict.first.rule.name
        said.append((conflict.kind, conflict.first.rule.name, conflict.second.rule.name))
    return said


A = {"name": "a", "subject": "Berkas_{produk}"}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([A, {"name": "b", "subject": "Berkas_{kategori}_{produk}"}], [("shadowed", "a", "b")]),
        ([A, {"name": "b", "subject": "Berkas Baru_{produk}"}], [("shadowed", "a", "b")]),
        ([{"name": "b", "subject": "Berkas Baru_{produk}"}, A], [("overlap", "b", "a")]),
        ([A, {"name": "b", "subject": "Ambil_{produk}", "aliases": ["Berkas Ambil"]}], [("overlap", "a", "b")]),
        ([A, {"name": "b", "subject": "Ambil_{produk}"}], []),
        ([A, {"name": "b", "subject": "Berkasan_{produk}"}], []),
        (
            [{"name": "a", "subject": "Ambil_{kategori}_{produk}"}, {"name": "b", "subject": "Ambil SK_{produk}"}],
            [("shadowed", "a", "b")],
        ),
        (
            [
                {**A, "when": {"kind": "subject-words", "words": ["mendesak"]}},
                {"name": "b", "subject": "Berkas_{kategori}_{produk}"},
            ],
            [],
        ),
        (
            [A, {**A, "name": "b", "when": {"kind": "attachments", "min": 2}}],
            [("shadowed", "a", "b")],
        ),
        ([{"name": "a"}, {"name": "b"}], [("shadowed", "a", "b")]),
        (
            [{"name": "a"}, {"name": "b", "when": {"kind": "subject-words", "words": ["zoom"]}}],
            [("shadowed", "a", "b")],
        ),
        ([{"name": "a", "when": {"kind": "subject-words", "words": ["zoom"]}}, {"name": "b"}], []),
        (
            [
                {"name": "a", "when": {"kind": "subject-words", "words": ["zoom*"]}},
                {"name": "b", "when": {"kind": "subject", "text": ["jadwal"]}},
            ],
            [("overlap", "a", "b")],
        ),
    ],
    ids=range(13),
)
def test_a_planted_conflict_is_found_with_its_witness(
    rules: list[dict[str, Any]], expected: list[tuple[str, str, str]]
) -> None:
    assert found(*rules) == expected


def test_the_shipped_rules_have_no_conflict() -> None:
    assert [conflict for desk in office().desks.values() for conflict in conflicts(desk)] == []


def many(count: int) -> Desk:
    """So many rules that differ in their second word."""
    return desk(
        *({"name": f"r{n}", "subject": f"Berkas Jenis{n}_{{produk}}", "aliases": [f"Kirim J{n}"]} for n in range(count))
    )


@given(st.sampled_from([line["subject"] for line in lines("subjects.jsonl")]), st.sampled_from(sorted(office().desks)))
@QUIET
def test_the_index_changes_no_verdict(subject: str, mailbox: str) -> None:
    mail, at = subject_only(subject, mailbox), office().desks[mailbox]
    quick, thorough = classify(mail, at), classify(mail, at, thorough=True)
    assert [getattr(quick, name) for name in VERDICT] == [getattr(thorough, name) for name in VERDICT]


VERDICT = ("outcome", "rule", "queue", "match", "fields", "missing", "wrong_mailbox", "use_mailbox", "refusal")


@given(
    st.sampled_from(["Berkas Jenis{}_X", "Kirim  j{} - X", "Re: kirim_J{}_X", "Berkas Jnis{}_X", "Mohon Kirim J{}_X"])
)
@QUIET
def test_among_a_thousand_rules_the_right_one_is_found(form: str) -> None:
    at = THOUSAND
    for number in (0, 7, 500, 999):
        verdict = classify(subject_only(form.format(number), at.address), at)
        assert verdict.rule in (f"r{number}", None)
        assert verdict == classify(subject_only(form.format(number), at.address), at)
    assert classify(subject_only("Berkas Jenis500_X", at.address), at).rule == "r500"


THOUSAND = many(1000)
