"""A broken configuration is refused whole, and says where and what was expected, in words for whoever edits it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from loket.cli import run
from loket.config.lint import lint
from loket.config.load import load
from loket.config.yamlfile import ConfigError, Document, Problem
from tests.config.broken_appointments import APPOINTMENTS
from tests.config.broken_files import FILES
from tests.config.broken_letterbook import REGISTERS
from tests.config.broken_login import LOGINS
from tests.config.broken_names import NAMES
from tests.config.broken_office import OFFICE
from tests.config.broken_rules import RULES_AND_LETTERS
from tests.config.broken_turns import TURNS
from tests.config.mistakes import Broken
from tests.core.desk import QUIET

TOP = Path(__file__).parents[2]


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """The shipped configuration, to be broken."""
    shutil.copy(TOP / "config.yaml", tmp_path)
    shutil.copytree(TOP / "rules", tmp_path / "rules")
    return tmp_path


def change(folder: Path, file: str, old: str | None, new: str | bytes | None) -> None:
    """Replace a text that stands there once, or the whole file; None takes the file away."""
    path = folder / file
    if old is None:
        path.unlink()
        if new is not None:
            path.write_bytes(new if isinstance(new, bytes) else new.encode())
        return
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    assert isinstance(new, str)
    path.write_text(text.replace(old, new), encoding="utf-8")


def problems(folder: Path) -> list[Problem]:
    try:
        return list(lint(load(folder / "config.yaml")))
    except ConfigError as error:
        return list(error.problems)


def said(folder: Path) -> list[str]:
    return [str(problem).replace(f"{folder}/", "") for problem in problems(folder)]


@dataclass(frozen=True)
class Checked:
    """How `loket check` ended and what it said."""

    status: int
    out: str
    err: str


def check(folder: Path) -> Checked:
    """`loket check` as a person runs it, without a single secret in the environment."""
    command = [sys.executable, "-m", "loket", "check", str(folder / "config.yaml")]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(TOP / "daemon")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=folder)
    return Checked(done.returncode, done.stdout, done.stderr)


def check_here(folder: Path, capsys: pytest.CaptureFixture[str], *, as_json: bool = False) -> Checked:
    """The same without a new process."""
    try:
        run.check(folder / "config.yaml", as_json)
        status = 0
    except typer.Exit as end:
        status = end.exit_code
    return Checked(status, *capsys.readouterr())


@pytest.mark.parametrize(
    "broken",
    [*FILES, *NAMES, *RULES_AND_LETTERS, *APPOINTMENTS, *REGISTERS, *TURNS, *OFFICE, *LOGINS],
    ids=lambda broken: broken.name,
)
def test_each_mistake_is_named_where_it_stands(office: Path, broken: Broken) -> None:
    for file, old, new in broken.changes:
        change(office, file, old, new)
    assert said(office) == list(broken.said)


def test_the_shipped_configuration_has_nothing_to_say(office: Path) -> None:
    assert problems(office) == []


def test_files_as_windows_writes_them_are_read_the_same(office: Path) -> None:
    """With a byte order mark and CR LF, as Notepad does; places are counted as the editor shows them."""
    for file in ("config.yaml", "rules/loket-d.yaml", "rules/templates/id/loket-d/desain.txt"):
        path = office / file
        text = path.read_text(encoding="utf-8")
        path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert problems(office) == []
    plain = load(TOP / "config.yaml")
    assert load(office / "config.yaml").config == plain.config
    path = office / "config.yaml"
    path.write_bytes(path.read_bytes().replace(b"  prefix: LKT ", b"  prefix: lkt "))
    assert said(office) == ["config.yaml:16:3: write two to eight capitals, as in LKT"]


def test_all_mistakes_of_all_files_are_reported_together(office: Path) -> None:
    change(office, "config.yaml", "  prefix: LKT ", "  prefix: lkt ")
    change(office, "config.yaml", "    name: Fajar\n", "    nama: Fajar\n")
    change(office, "rules/loket-d.yaml", "command: DESAIN", "command: desain")
    change(office, "rules/loket-c.yaml", "counter: Loket C\n", "")
    assert said(office) == [
        "config.yaml:16:3: write two to eight capitals, as in LKT",
        "config.yaml:113:3: name is missing",
        "config.yaml:114:5: nama is not known here; did you mean name?",
        "rules/loket-c.yaml:1:1: counter is missing",
        "rules/loket-d.yaml:64:9: write one word in capitals, as in REVISI",
    ]


def test_mistakes_of_rules_letters_and_addresses_are_reported_together(office: Path) -> None:
    change(office, "config.yaml", "  penilaian_sm_kuasi@pom.go.id:", "  Penilaian_OT@pom.go.id:")
    change(office, "config.yaml", "rules: [loket-c]", "rules: [loket-cc]")
    change(office, "rules/loket-d.yaml", "command: DESAIN", "command: desain")
    change(office, "rules/templates/id/akun/aktif.txt", None, "Subject: {{ tiket.tag }}\n\nHalo\n")
    assert [line.partition(": ")[0] for line in said(office)] == [
        "config.yaml:51:3",
        "rules/loket-d.yaml:64:9",
        "config.yaml:83:13",
        "rules/templates/id/akun/aktif.txt:1:13",
    ]


def test_check_ends_with_1_and_shows_the_line_of_each_mistake(office: Path) -> None:
    change(office, "config.yaml", "    server: gmail\n", "    server: gmial\n")
    change(office, "config.yaml", "queues: [persuratan, triase]", "queues: [persuratan, triasse]")
    done = check(office)
    assert (done.status, done.out) == (1, "")
    config = office / "config.yaml"
    assert done.err.splitlines() == [
        f"{config}:88:5: there is no server gmial; did you mean gmail?",
        "        server: gmial",
        "        ^",
        f"{config}:115:26: there is no queue triasse; did you mean triase?",
        "        queues: [persuratan, triasse]",
        "                             ^",
    ]


def test_check_ends_with_0_on_the_shipped_configuration_without_any_secret(office: Path) -> None:
    """Beside what nobody can know yet of the days off to come, which depends on the day of the test."""
    change(office, "config.yaml", "    country: ID  ", "    country: null")
    done = check(office)
    assert (done.status, done.out.splitlines()[0], done.err) == (0, f"{office / 'config.yaml'}: sound", "")
    change(office, "config.yaml", "    country: null", "    country: ID  ")
    done = check(office)
    assert done.status == 0
    told = [line for line in done.err.splitlines() if ": warning: " in line]
    assert all("days off of 20" in line or "no joint leave yet" in line for line in told)
    said = f"sound, {len(told)} to look at" if told else "sound"
    assert done.out.splitlines()[0] == f"{office / 'config.yaml'}: {said}"


def test_check_says_where_nobody_vouches_for_an_officer(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each mailbox without a border, and what leaves on what there; none once a border is named."""
    notes = [line for line in check_here(office, capsys).out.splitlines() if ": note: " in line]
    assert len(notes) == len(load(office / "config.yaml").config.mailboxes)
    [design] = [line for line in notes if line.startswith("desainsk.")]
    said = "no border is trusted here, so answers leave on less"
    assert said in design
    assert "(sk-terbit: the officer's code; desain, masih-revisi: address and token alone)" in design
    change(
        office, "config.yaml", "gmail: {preset: gmail} ", "gmail: {preset: gmail, trust: {authserv: [mx.google.com]}} "
    )
    notes = [line for line in check_here(office, capsys).out.splitlines() if ": note: " in line]
    assert not [line for line in notes if line.startswith("desainsk.")]


def test_a_language_that_was_only_begun_is_told_in_one_line(office: Path) -> None:
    """English letters to applicants ship, those to officers do not: an office in English writes them first."""
    change(office, "config.yaml", "  language: id ", "  language: en ")
    told = [line for line in said(office) if line.startswith("config.yaml:10:3: ")]
    assert len(told) == 1
    assert "templates are not in rules/templates/en, petugas/aturan-ditolak.txt the first" in told[0]


def test_warnings_alone_are_no_reason_to_refuse(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(office, "config.yaml", "    name: Fajar\n", "    name: Fajar\n    active: no\n")
    change(office, "config.yaml", "    country: ID  ", "    country: null")
    done = check_here(office, capsys, as_json=True)
    assert done.status == 0
    assert [(entry["level"], entry["line"], entry["message"]) for entry in json.loads(done.out)] == [
        ("warning", 97, "no active officer serves the queue persuratan"),
        ("warning", 97, "no active officer serves the queue triase"),
    ]


def test_check_of_a_file_that_is_not_there_says_so(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(office, "config.yaml", None, None)
    said = f"{office / 'config.yaml'}:1:1: cannot be read: No such file or directory\n"
    assert check_here(office, capsys) == Checked(1, "", said)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('secret: "${env:LOKET_SECRET}" ', "secret: hunter2-hunter2 "),
        ('secret: "${env:LOKET_SECRET}" ', "secret: [{id: k1, key: hunter2-hunter2}] "),
        ('login: {password: "${env:LOKET_DESAIN_PASSWORD}"}', "login: hunter2-hunter2"),
        ('login: {password: "${env:LOKET_DESAIN_PASSWORD}"}', 'login: {password: "hunter2-hunter2"}'),
        ('login: {password: "${env:LOKET_DESAIN_PASSWORD}"}', "login: {password: [hunter2-hunter2]}"),
    ],
)
def test_a_secret_written_in_the_clear_is_refused_and_never_repeated(
    office: Path, capsys: pytest.CaptureFixture[str], old: str, new: str
) -> None:
    change(office, "config.yaml", old, new)
    done = check_here(office, capsys)
    assert done.status == 1
    assert "${env:NAME}" in done.err
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "Yes", "08:30", "0o17", "1e3", "2026-01-05", "'true'"])
def test_only_the_words_of_yaml_1_2_are_more_than_words(word: str) -> None:
    assert Document(Path("x"), f"a: {word}\n").value == {"a": word.strip("'")}


@given(st.text(max_size=80) | st.text(st.sampled_from("ab:-[]{}&*!|>'\"#%@`,? \n\t0"), max_size=40))
@QUIET
def test_no_text_whatever_is_more_than_refused(text: str) -> None:
    try:
        document = Document(Path("x.yaml"), text)
    except ConfigError as error:
        refused = error.problems
    else:
        refused = ()
        assert document.place(("nowhere", 3)) == (1, 1)
    for problem in refused:
        assert 1 <= problem.line <= text.count("\n") + 2
        assert problem.column >= 1
        assert "\n" not in problem.message


@pytest.mark.parametrize("text", ["[" * 200_000, "{a: " * 100_000, "- " * 50_000, "a: &x [*x]\n", "a: &x {b: *x}\n"])
def test_what_is_nested_without_end_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"nested deeper|inside itself|not YAML"):
        Document(Path("x.yaml"), text)
