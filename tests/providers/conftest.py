"""An office whose mailbox is at a server that plays a provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from loket import watch
from tests.intake.bureau import Bureau
from tests.providers.quirky import Quirky
from tests.servers import ImapHost

HERE = "desain@provider.test"
At = Callable[..., Bureau]


@dataclass
class _Host:
    imap_port: int
    smtp_port: int = 9


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[At]:
    """An office at a Quirky server, with the given settings of its server and mailbox; closed afterwards."""
    monkeypatch.setattr(watch, "FIRST_WAIT", timedelta(seconds=0.05))
    opened: list[Bureau] = []

    def make(
        server: Quirky, imap: dict[str, Any] | None = None, mailboxes: Sequence[str] = (HERE,), **settings: Any
    ) -> Bureau:
        host = cast("ImapHost", _Host(server.port))
        boxes = {address: {"history": "all", **settings} for address in mailboxes}
        made = Bureau(host, tmp_path / f"office-{len(opened)}", boxes, imap or {})
        opened.append(made)
        return made

    yield make
    for one in opened:
        one.close()
