"""What the documentation shows is true: its YAML loads, its commands exist, its examples come out as said."""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loket.cli.main import app
from loket.config.load import load
from loket.config.yamlfile import Document
from loket.core.rules import CounterFile

TOP = Path(__file__).parents[1]
PAGES = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)


def test_the_rules_page_shows_a_rules_file_that_loads() -> None:
    """The example in docs/rules.md is a whole and sound counter."""
    [block] = blocks(TOP / "docs/rules.md", "yaml")
    counter = CounterFile.model_validate(Document(Path("rules.md"), block).value)
    assert set(counter.concrete_queues()) == {"ambil-sk-ot", "ambil-sk-sk"}


def test_the_readme_shows_a_configuration_that_loads(tmp_path: Path) -> None:
    """Its fragment, put into the shipped file in place of the sections it shows, passes."""
    [block] = blocks(TOP / "README.md", "yaml")
    text = (TOP / "config.yaml").read_text()
    head = text[: text.index("\nservers:")]
    fragment = "\n".join(line[3:] for line in block.splitlines())
    (tmp_path / "config.yaml").write_text(f"{head}\n{fragment}\n")
    (tmp_path / "rules").symlink_to(TOP / "rules")
    assert list(load(tmp_path / "config.yaml").office.desks) == ["loket@example.org"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_shown_exists(page: Path) -> None:
    """Each `loket WORD …` of the pages is a command of the program, and each option one of its options."""
    runner = CliRunner()
    text = page.read_text()
    shown = re.findall(r"(?:`|^ {4})loket ([a-z][^`\n#]*)", text, re.MULTILINE)
    for line in shown:
        words = shlex.split(line)
        names = [word for word in words if re.fullmatch(r"[a-z]+(?:-[a-z]+)*", word)][:2]
        help_text = runner.invoke(app, [names[0], "--help"]).output
        if "COMMAND" in help_text:
            help_text = runner.invoke(app, [*names, "--help"]).output
        assert "Usage" in help_text, line
        for option in (word.partition("=")[0] for word in words if word.startswith("--")):
            assert option in help_text, line


def test_the_readmes_explanation_comes_out_as_said() -> None:
    """The command runs in a clean clone, without any secret."""
    [line] = re.findall(r"^ {4}loket (explain .*)$", (TOP / "README.md").read_text(), re.MULTILINE)
    result = CliRunner().invoke(app, [*shlex.split(line), "--json", "--config", str(TOP / "config.yaml")])
    assert result.exit_code == 0
    said = json.loads(result.output)
    assert (said["outcome"], said["rule"], said["match"]) == ("matched", "revisi-desain", "fuzzy")
    assert said["fields"] == {"kategori": "OT", "produk": "Jamu Kunyit"}


def test_every_test_that_the_promises_page_names_exists() -> None:
    """Each `tests/…::name`, with or without a parameter behind it; and every promise has its row."""
    text = (TOP / "docs/promises.md").read_text()
    named = re.findall(r"`(tests/[^`]*)`", text)
    assert named
    for one in named:
        file, name = re.fullmatch(r"([\w./]+\.py)::(\w+)(?:\[[^\]]+\])?", one).groups()  # type: ignore[union-attr]
        tree = ast.parse((TOP / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, one
    assert re.findall(r"^\| P(\d+) ", text, re.MULTILINE) == [str(number) for number in range(1, 22)]


def test_every_attack_of_the_promises_page_names_its_test_or_says_that_there_is_none() -> None:
    """The last column of each row; what Loket leaves to others says so in words."""
    text = (TOP / "docs/promises.md").read_text()
    rows = re.findall(
        r"^\| (.+) \| (.+) \| (.+) \|$", text.partition("## Attacks")[2].partition("\n## ")[0], re.MULTILINE
    )
    rows = [row for row in rows if row[0] != "attack"]
    assert len(rows) == 17
    for attack, _, tests in rows:
        assert "`tests/" in tests or (attack, tests) == ("malware", "none"), attack
