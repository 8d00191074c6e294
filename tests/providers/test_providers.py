"""The page about providers, held to the tests it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.intake.bureau import mail
from tests.providers.conftest import At
from tests.providers.quirky import Quirky

TOP = Path(__file__).parents[2]
ROWS = [line for line in (TOP / "docs/providers.md").read_text().splitlines() if line.startswith("|")][2:]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_of_the_page_has_a_test_that_exists(row: str) -> None:
    [file, name] = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)` \|$", row)[0]
    assert f"def {name}(" in (TOP / file).read_text()


def test_nothing_is_appended_unasked(at: At) -> None:
    """Gmail replaces or doubles its own Sent copy where a client appends another (zone-eu/wildduck, Gmail sending)."""
    with Quirky(folders=(("", "INBOX"), ("\\Sent", "[Gmail]/Sent Mail"))) as server:
        server.deliver(mail("Revisi Desain_OT_Jamu Kunyit", "siti@x.test"))
        office = at(server, file_to="Selesai")
        office.poll()
        office.poll()
        assert server.count("UID FETCH") > 0
        assert server.count("APPEND") == 0
