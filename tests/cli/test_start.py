"""What a start looks through: all of a configuration that is new to this program, and no other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from loket.cli import run
from loket.cli.main import app
from loket.config import letters, passed
from loket.config import load as config_load
from loket.config.lint import lint
from loket.config.snapshot import Snapshot
from loket.config.yamlfile import Problem

TOP = Path(__file__).parents[2]
OFFICE = """
office: {name: Kantor, secret: "${file:secret}"}
servers: {nowhere: {imap: "127.0.0.1:1", smtp: "127.0.0.1:1"}}
mailboxes: {desain@x.test: {server: nowhere, login: {password: "${file:secret}"}, rules: [loket-d]}}
officers: {ani@x.test: {name: Ani, queues: [ambil-sk-ot, ambil-sk-sk, revisi-desain-ot, revisi-desain-sk, triase]}}
"""


class Office:
    """A folder with a configuration whose mailbox cannot be reached: a start ends with 3, or with 1 before it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.looked, self.read = 0, 0
        shutil.copytree(TOP / "rules", folder / "rules")
        (folder / "secret").write_text("a secret that is long enough")
        (folder / "config.yaml").write_text(OFFICE)

        def counting(snapshot: Snapshot) -> Iterator[Problem]:
            self.looked += 1
            return lint(snapshot)

        def reading(tongue: letters.Tongue) -> Iterator[Problem]:
            self.read += 1
            return letters.faults(tongue)

        monkeypatch.setattr(run, "lint", counting)
        monkeypatch.setattr(config_load, "faults", reading)

    @property
    def note(self) -> Path:
        return self.folder / "var/loket.db.sound"

    def start(self) -> Result:
        # As in a process of its own, which remembers no template.
        letters._letters.cache_clear()
        letters._faults.cache_clear()
        self.looked = self.read = 0
        return CliRunner().invoke(app, ["run", "--once", "-c", str(self.folder / "config.yaml")])


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    made = Office(tmp_path, monkeypatch)
    assert (made.start().exit_code, made.looked) == (3, 1)
    return made


def test_what_passed_is_not_looked_through_again(office: Office) -> None:
    assert office.read == 2, "two languages"
    assert (office.start().exit_code, office.looked, office.read) == (3, 0, 0)


TEMPLATE = ("Subject:", "Subject:{% if false %}{{ nonsens }}{% endif %}", "there is no nonsens")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("rules/templates/id/umum/terima.txt", *TEMPLATE),
        ("rules/templates/en/umum/terima.txt", *TEMPLATE),
        ("rules/loket-d.yaml", "produk: Jamu Kunyit}", "produk: Jamu Kunyip}", "not kategori: OT, produk: Jamu Kunyip"),
    ],
)
def test_an_edit_is_looked_through_though_the_file_keeps_its_time(
    office: Office, file: str, old: str, new: str, said: str
) -> None:
    path = office.folder / file
    before, text = path.stat(), path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    for _ in range(2):
        refused = office.start()
        assert refused.exit_code == 1
        assert said in refused.output


def test_a_part_that_moves_with_its_text_is_missed(office: Office) -> None:
    """Where it was included it is not found any more, though not a letter has changed."""
    templates = office.folder / "rules/templates/id"
    # It keeps its own name, and its place among all: what is read is the same from the first letter to the last.
    (templates / "u").mkdir()
    (templates / "umum/_antrean.txt").rename(templates / "u/_antrean.txt")
    refused = office.start()
    assert refused.exit_code == 1
    assert "there is no umum/_antrean.txt" in refused.output


def test_another_program_looks_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passed, "_program", lambda: "another")
    assert (office.start().exit_code, office.looked) == (3, 1)


@pytest.mark.parametrize("octets", [b"", b"\xff\x00", b"x" * 10_000])
def test_a_damaged_note_costs_a_look(office: Office, octets: bytes) -> None:
    office.note.write_bytes(octets)
    assert (office.start().exit_code, office.looked) == (3, 1)
    assert (office.start().exit_code, office.looked) == (3, 0)


def test_a_note_that_cannot_be_kept_stops_nothing(office: Office) -> None:
    office.note.unlink()
    office.note.mkdir()
    for _ in range(2):
        assert (office.start().exit_code, office.looked) == (3, 1)
