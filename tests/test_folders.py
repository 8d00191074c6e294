"""A folder's name as people write it becomes the name by which a server knows it."""

from __future__ import annotations

import pytest

from loket.folders import translated


@pytest.mark.parametrize(
    ("wanted", "prefix", "delimiter", "named"),
    [
        ("Arsip/2026", "", "/", "Arsip/2026"),
        ("Arsip/2026", "", ".", "Arsip.2026"),
        ("Arsip/2026", "INBOX.", ".", "INBOX.Arsip.2026"),
        ("Arsip", "INBOX/", "/", "INBOX/Arsip"),
        ("INBOX.Arsip", "INBOX.", ".", "INBOX.Arsip"),
        ("INBOX/Arsip", "INBOX.", ".", "INBOX.Arsip"),
        ("Arsip.2026", "INBOX/", "/", "INBOX/Arsip.2026"),
        ("Arsip/2026", "", None, "Arsip/2026"),
        ("#shared.kantor", "INBOX.", ".", "#shared.kantor"),
        ("user/ani/Arsip", "INBOX/", "/", "user/ani/Arsip"),
    ],
)
def test_names_follow_the_servers_namespaces(wanted: str, prefix: str, delimiter: str | None, named: str) -> None:
    assert translated(wanted, prefix, delimiter, ["#shared.", "user/", ""]) == named
