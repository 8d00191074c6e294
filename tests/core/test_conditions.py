"""Conditions beside the subject: each kind holds where it should and nowhere else."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from loket.core.conditions import Condition, Facts, explained
from loket.core.model import InboundMail
from tests.core.desk import DESAIN, letter

CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
LISTS = {
    "konsultan.txt": "@konsultan.example   # all of them\nRina@Lain.example\n\n",
    "tte.txt": "Jamu  Kunyit\nCal-95\n",
}


def condition(**said: Any) -> Condition:
    """As a rules file would say it."""
    return CONDITION.validate_python(said, context={"read_list": LISTS.__getitem__})


MAIL = letter(
    "Ambil SK_OT_Jamu Kunyit – mohon JADWAL zoom",
    "Selamat pagi,\nnomor NIE: TR 123456\n",
    author="Sari <sari@jamusegar.example>",
    files=[("Desain Akhir.PDF", b"%PDF" + b"x" * 3000), ("foto.jpg", b"tiny")],
    fields={"X-Priority": "1", "Cc": "rina@lain.example", "List-Id": "=?utf-8?q?Daftar_Jam=C3=BA?= <d.example>"},
)
FACTS = Facts(
    replace(MAIL, raw=replace(MAIL.raw, internaldate=datetime(2026, 11, 24, 8, 59, tzinfo=UTC))),
    {"produk": "jamu kunyit"},
    ZoneInfo("Asia/Jakarta"),
)


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ({"kind": "subject-words", "words": ["zoom"]}, True),
        ({"kind": "subject-words", "words": ["zo"]}, False),
        ({"kind": "subject", "words": ["jad*"]}, True),
        ({"kind": "subject", "words": "mohon jadwal"}, True),
        ({"kind": "subject", "words": "jadwal mohon"}, False),
        ({"kind": "subject", "text": "sk_ot_JAMU"}, True),
        ({"kind": "subject", "text": ["sk_sk", "ambil"]}, True),
        ({"kind": "subject", "regex": r"_(ot|sk)_\w+ k"}, True),
        ({"kind": "subject", "regex": r"^_"}, False),
        ({"kind": "body", "regex": r"\bTR \d{6}\b"}, True),
        ({"kind": "body", "words": ["zoom"]}, False),
        ({"kind": "header", "name": "x-priority", "text": "1"}, True),
        ({"kind": "header", "name": "List-ID", "text": "daftar jamú"}, True),
        ({"kind": "header", "name": "X-Absent", "regex": ".*"}, False),
        ({"kind": "from", "text": "@jamusegar.example"}, True),
        ({"kind": "from", "list": "konsultan.txt"}, False),
        ({"kind": "to", "list": "konsultan.txt"}, True),
        ({"kind": "to", "text": DESAIN}, True),
        ({"kind": "mailbox", "text": DESAIN.upper()}, True),
        ({"kind": "mailbox", "text": "lain@pom.go.id"}, False),
        ({"kind": "field", "name": "produk", "list": "tte.txt"}, True),
        ({"kind": "field", "name": "kategori", "list": "tte.txt"}, False),
        ({"kind": "attachments"}, True),
        ({"kind": "attachments", "min": 2}, True),
        ({"kind": "attachments", "min": 3}, False),
        ({"kind": "attachments", "max": 1}, False),
        ({"kind": "attachments", "name": ["*.pdf"], "min": 1, "max": 1}, True),
        ({"kind": "attachments", "type": ["image/*"]}, False),
        ({"kind": "attachments", "type": ["application/*"], "smaller": "1 KB"}, True),
        ({"kind": "attachments", "larger": "4 KB"}, False),
        ({"kind": "size", "min": 3000}, True),
        ({"kind": "size", "max": "3 KB"}, False),
        ({"kind": "arrival", "within": "Mon-Fri 08:30-16:00"}, True),
        ({"kind": "arrival", "within": "Mon-Fri 08:30-15:59"}, False),
        ({"kind": "arrival", "within": "Sat-Sun 08:30-16:00"}, False),
        ({"kind": "not", "of": {"kind": "subject", "words": ["zoom"]}}, False),
        ({"kind": "all", "of": [{"kind": "attachments"}, {"kind": "body", "text": "nie"}]}, True),
        ({"kind": "all", "of": [{"kind": "attachments"}, {"kind": "body", "text": "xyz"}]}, False),
        ({"kind": "any", "of": [{"kind": "body", "text": "xyz"}, {"kind": "attachments"}]}, True),
        ({"kind": "any", "of": [{"kind": "body", "text": "xyz"}]}, False),
    ],
    ids=str,
)
def test_a_condition_holds_where_it_should(said: dict[str, Any], holds: bool) -> None:
    found = condition(**said)
    assert found.matches(FACTS) is holds
    assert explained(found, FACTS)[0][1] is holds


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"kind": "subject"}, "exactly one of"),
        ({"kind": "subject", "text": "a", "regex": "b"}, "exactly one of"),
        ({"kind": "subject", "text": [" \u200b"]}, "always hold"),
        ({"kind": "subject", "regex": "(?=x)"}, "not an RE2 expression: invalid perl operator"),
        ({"kind": "subject", "regex": "(" * 10}, "not an RE2 expression"),
        ({"kind": "subject", "regex": "x" * 501}, "at most 500"),
        ({"kind": "subject", "regex": "(((a{1,1000}){1,1000}){1,1000})"}, "not an RE2 expression"),
        ({"kind": "size"}, "give `min`"),
        ({"kind": "size", "min": "5 MB", "max": 10}, "larger than"),
        ({"kind": "arrival", "within": "Mon-Fri 16:00-08:30"}, "hours"),
        ({"kind": "all", "of": []}, "at least 1"),
        ({"kind": "sbject", "text": "a"}, "kind"),
    ],
    ids=str,
)
def test_a_condition_that_cannot_mean_anything_is_refused(said: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        condition(**said)


def test_a_list_is_read_only_where_rules_are_loaded() -> None:
    with pytest.raises(ValidationError, match="only where rules are loaded"):
        CONDITION.validate_python({"kind": "from", "list": "konsultan.txt"})


def test_no_expression_makes_a_mail_slow() -> None:
    """RE2 takes time in proportion to the text, whatever the expression."""
    body = letter("x", "a" * 190_000 + "!\n")
    evil = condition(kind="body", regex="(a+)+$")
    begun = time.process_time()
    assert not evil.matches(Facts(body))
    assert time.process_time() - begun < 2


def test_why_names_every_condition_inside() -> None:
    both = condition(
        kind="all", of=[{"kind": "subject", "words": ["zoom"]}, {"kind": "not", "of": {"kind": "attachments"}}]
    )
    assert explained(both, FACTS) == [
        ("all", False),
        ("subject words ['zoom']", True),
        ("not", False),
        ("attachments ", True),
    ]


def test_the_letter_is_read_once_for_all_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[InboundMail] = []
    facts = Facts(MAIL)
    monkeypatch.setattr("loket.core.parse.body_text", lambda mail: reads.append(mail) or "nie")
    asks = condition(kind="body", text="nie")
    assert asks.matches(facts)
    assert asks.matches(facts.about({"produk": "X"}))
    assert len(reads) == 1
