"""Letters are rendered with their parts written out, and read as if they were not."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from loket.core import context
from loket.core.letters import LetterError
from tests.core.desk import office


def _sample(rng: random.Random) -> dict[str, Any]:
    """Some variables of letters, each of a kind that a letter may have, empty as often as not."""
    item: dict[str, Any] = {
        "number": "LKT-2026-000001-1",
        "about": "Jamu",
        "links": [{"label": "SK", "href": "mailto:x"}],
        "late": True,
    }
    kinds: list[Callable[[], Any]] = [lambda: "", lambda: "kata", lambda: 0, lambda: 3, lambda: []]
    found: dict[str, Any] = {name: rng.choice(kinds)() for name in context.WORDS}
    for name, parts in context.WORDS.items():
        if parts:
            found[name] = {part: rng.choice(["", "x", "OT/SK Nama Produk"]) for part in parts}
    lists = (
        "channels",
        "notes",
        "fields",
        "attachments",
        "linked",
        "wrong",
        "files",
        "missing",
        "send",
        "forms",
        "asked",
    )
    for name in (*lists, "commands", "queues", "problems"):
        if rng.random() < 0.8:
            element = {"label": "L", "value": "v", "subject": "S_Nama Produk", "address": "a@b.example", "hint": "OT"}
            element |= {"name": "n", "at": "x", "hours": "h", "note": "", "title": "T", "command": "SK"}
            element |= {"size": "1 KB", "sha256": "0", "total": 1, "late": 0, "items": [item]}
            found[name] = (
                ["kata"] if name in ("notes", "attachments", "linked", "wrong", "asked", "missing") else [element]
            )
    return found


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_letter_reads_the_same_with_its_parts_written_out(language: str) -> None:
    """Rendering writes includes out beforehand; what a reader sees is to the letter what the parts give."""
    letters = office().speaking(language).letters
    rng = random.Random(7)
    same = 0
    for name in sorted(letters.names):
        for _ in range(40):
            said = _sample(rng)
            try:
                expected = letters.by_parts(name, said)
            except LetterError:
                continue
            assert letters._render(name, said) == expected
            same += 1
    assert same > 500
