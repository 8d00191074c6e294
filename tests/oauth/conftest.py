"""A sender with an empty outbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.outbox.post import Post


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """Nothing to send yet, and nowhere to send it."""
    made = Post(tmp_path)
    yield made
    made.database.close()
