"""What an admin is told of rules that load: conflicts with a witness, lists, translations, self-made loops."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from loket.config.lint import lint
from loket.config.load import load
from loket.config.yamlfile import ConfigError

TOP = Path(__file__).parents[2]
TITLE = "    title: Pengambilan revisi desain kemasan (untuk non-TTE)\n"


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """The shipped configuration."""
    shutil.copy(TOP / "config.yaml", tmp_path)
    shutil.copytree(TOP / "rules", tmp_path / "rules")
    return tmp_path


def add(folder: Path, before: str, more: str) -> None:
    """Put lines after a line of the design counter's rules."""
    file = folder / "rules/loket-d.yaml"
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, before + more))


def said(folder: Path) -> list[str]:
    try:
        found = list(lint(load(folder / "config.yaml")))
    except ConfigError as error:
        found = list(error.problems)
    return [str(problem).replace(f"{folder}/", "") for problem in found]


def test_the_shipped_rules_leave_nothing_to_say(office: Path) -> None:
    assert said(office) == []


def test_overlapping_rules_are_told_with_a_subject_that_names_both(office: Path) -> None:
    add(office, "rules:\n", "  - {name: baru, subject: 'Revisi Desain Baru_{produk}', queue: revisi-desain-ot}\n")
    assert said(office) == [
        "rules/loket-d.yaml:16:5: warning: `Revisi Desain Baru_Contoh` names both and goes to baru, not revisi-desain"
    ]


def test_a_rule_that_never_gets_a_mail_is_told(office: Path) -> None:
    add(
        office,
        '      "Revisi Desain_OT_Jamu Kunyit": null\n',
        "  - {name: lagi, subject: 'Ambil SK_{produk}', queue: ambil-sk-ot}\n",
    )
    # Nor is a misspelled keyword any longer surely the first rule's.
    assert said(office) == [
        "rules/loket-d.yaml:49:7: must be ambil-sk, and is unmatched",
        "rules/loket-d.yaml:56:18: warning: lagi never gets a mail: `Ambil SK_Contoh` names both and goes to ambil-sk",
    ]


def test_a_condition_looks_in_a_list_file_beside_the_rules(office: Path) -> None:
    add(office, TITLE, "    when: {kind: from, list: daftar/konsultan.txt}\n")
    assert said(office) == [
        f"rules/loket-d.yaml:15:24: the list {office}/rules/daftar/konsultan.txt cannot be read: "
        "No such file or directory".replace(f"{office}/", "")
    ]
    (office / "rules/daftar").mkdir()
    (office / "rules/daftar/konsultan.txt").write_text("@konsultan.example\n")
    before = load(office / "config.yaml").office.rules_hash
    (office / "rules/daftar/konsultan.txt").write_text("@konsultan.example\n@lain.example\n")
    assert load(office / "config.yaml").office.rules_hash != before


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("{kind: subject, regex: '(?=x)'}", "not an RE2 expression: invalid perl operator: (?="),
        ("{kind: subject}", "give exactly one of `words`, `text`, `regex` and `list`"),
        ("{kind: size, min: 5 MB, max: 1 MB}", "`min` is larger than `max`"),
        ("{kind: subjek, text: x}", "subjek is not known here; did you mean subject"),
    ],
)
def test_a_condition_that_means_nothing_is_refused_where_it_stands(office: Path, condition: str, why: str) -> None:
    add(office, TITLE, f"    when: {condition}\n")
    [problem] = said(office)
    assert problem.startswith("rules/loket-d.yaml:15:")
    assert why in problem


def test_what_would_stay_untranslated_is_told_once_a_language(office: Path) -> None:
    (office / "rules/templates/en/umum/terima.txt").unlink()
    file = office / "rules/templates/en/words.yaml"
    lines = [line for line in file.read_text().splitlines(keepends=True) if not line.startswith("Nama Produk:")]
    file.write_text("".join(lines))
    letters, words = said(office)
    assert letters == "rules/templates/en:1:1: warning: 1 letters are not there and stay in id: umum/terima.txt"
    assert words == "rules/templates/en/words.yaml:1:1: warning: 1 texts of the rules stay in id: Nama Produk"


def test_a_fault_in_another_languages_letter_is_told_where_it_stands(office: Path) -> None:
    file = office / "rules/templates/en/umum/terima.txt"
    file.write_text("Subject: {{ tiket.number }}\n\nx\n")
    assert said(office) == ["rules/templates/en/umum/terima.txt:1:13: there is no tiket; did you mean ticket?"]
