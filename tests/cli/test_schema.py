"""What an editor is told of config.yaml and rules files agrees with what Loket reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from loket.cli.main import app
from loket.cli.schema import What, described

TOP = Path(__file__).parents[2]


def faults(what: What, value: Any) -> list[str]:
    """What a JSON Schema validator says, as an editor shows it."""
    Draft202012Validator.check_schema(described(what))
    # Dates and the like as an editor's YAML 1.2 reader has them: text.
    found = Draft202012Validator(described(what)).iter_errors(json.loads(json.dumps(value, default=str)))
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


@pytest.mark.parametrize("file", sorted((TOP / "rules").glob("*.yaml")), ids=lambda file: file.name)
def test_the_shipped_rules_are_as_the_schema_says(file: Path) -> None:
    assert faults(What.RULES, yaml.safe_load(file.read_text())) == []


def test_the_shipped_configuration_is_as_the_schema_says() -> None:
    assert faults(What.CONFIG, yaml.safe_load((TOP / "config.yaml").read_text())) == []


CONDITIONS = {
    "kind": "all",
    "of": [
        {"kind": "from", "list": "konsultan.txt"},
        {"kind": "subject", "words": "zoom"},
        {"kind": "not", "of": {"kind": "attachments", "larger": "5 MB"}},
    ],
}


def rules(**more: Any) -> dict[str, Any]:
    return {"counter": "Uji", "rules": [{"name": "uji", "subject": "Berkas_{produk}", "queue": "uji", **more}]}


@pytest.mark.parametrize(
    "written",
    [
        rules(when=CONDITIONS),
        {"counter": "Uji", "fields": {"kategori": {"OT": ["Obat Tradisional"], "SK": []}}},
        {"counter": "Uji", "queues": {"uji": {"title": "Uji", "due": "1-3 working days", "notices": "yes"}}},
    ],
    ids=["conditions", "field shorthand", "days and yes"],
)
def test_every_short_form_is_known(written: dict[str, Any]) -> None:
    assert faults(What.RULES, written) == []


@pytest.mark.parametrize(
    ("written", "at"),
    [
        (rules(sbject="x"), "rules/0"),
        (rules(queue="Tidak Boleh"), "rules/0/queue"),
        (rules(when={"kind": "zubject"}), "rules/0/when"),
        (rules(needs={"attachments": "two"}), "rules/0/needs/attachments"),
        ({"rules": []}, ""),
        ({"counter": "Uji", "queues": {"uji": {"title": "Uji", "due": "soon"}}}, "queues/uji/due"),
        ({"counter": "Uji", "queues": {"uji": {"title": "Uji", "notices": "maybe"}}}, "queues/uji/notices"),
    ],
    ids=["unknown key", "a queue's name", "kind of condition", "type", "missing", "days", "yes or no"],
)
def test_an_editor_points_at_what_loket_refuses(written: dict[str, Any], at: str) -> None:
    assert [fault.partition(":")[0] for fault in faults(What.RULES, written)] == [at]


@pytest.mark.parametrize("what", ["config", "rules"])
def test_the_command_prints_one_json_document(what: str) -> None:
    found = CliRunner().invoke(app, ["schema", what])
    assert found.exit_code == 0
    assert json.loads(found.stdout)["$schema"].endswith("2020-12/schema")
