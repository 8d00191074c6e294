"""Secrets are looked up only where something is opened, and what is missing is named without being shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from loket.config.load import load
from loket.config.secrets import SecretError, keys, resolve

TOP = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("${env:LOKET_SECRET}", "the environment variable LOKET_SECRET is not set"),
        ("${env:EMPTY}", "the secret env:EMPTY is empty"),
        ("${file:nowhere}", "the secret file nowhere cannot be read"),
        ("${file:empty}", "the secret file:empty is empty"),
        ("${file:.}", "the secret file . cannot be read"),
        ("${file:binary}", "the secret file binary cannot be read"),
    ],
)
def test_a_secret_that_is_not_there_is_named(tmp_path: Path, reference: str, message: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(SecretError) as refused:
        resolve(reference, tmp_path, {"EMPTY": ""})
    assert str(refused.value).startswith(message)


def test_a_secret_is_taken_without_the_last_line_break_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "one").write_text(" p w \r\n")
    assert resolve("${file:one}", tmp_path, {}) == " p w "
    assert resolve(f"${{file:{tmp_path}/one}}", Path("/"), {}) == " p w "
    assert resolve("${env:PW}", tmp_path, {"PW": " p w "}) == " p w "


def test_a_short_key_is_refused_without_being_shown() -> None:
    config = load(TOP / "config.yaml").config
    with pytest.raises(SecretError, match="shorter than 16 characters") as refused:
        keys(config, TOP, {"LOKET_SECRET": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_the_first_of_several_keys_signs(tmp_path: Path) -> None:
    text = (TOP / "config.yaml").read_text(encoding="utf-8")
    several = 'secret: [{id: k2, key: "${env:NEW}"}, {id: k1, key: "${env:OLD}"}]'
    (tmp_path / "config.yaml").write_text(text.replace('secret: "${env:LOKET_SECRET}"', several), encoding="utf-8")
    config = load(tmp_path / "config.yaml", TOP / "rules").config
    found = keys(config, tmp_path, {"NEW": "n" * 16, "OLD": "o" * 16})
    assert (found.signing, found.keys) == ("k2", {"k2": b"n" * 16, "k1": b"o" * 16})
