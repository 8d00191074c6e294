"""Offices on the tests' Dovecot, closed when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loket.app import SystemClock
from loket.ports import Clock
from tests.intake.bureau import Bureau
from tests.intake.proxy import Proxy
from tests.servers import MailServers

OpenBureau = Callable[..., Bureau]


@pytest.fixture
def bureau(servers: MailServers, tmp_path: Path) -> Iterator[OpenBureau]:
    """Opens an office of one mailbox with the given settings, or of several with `mailboxes`."""
    opened: list[Bureau] = []

    def make(
        *,
        mailboxes: dict[str, dict[str, Any]] | None = None,
        imap: dict[str, Any] | None = None,
        batch: dict[str, int] | None = None,
        clock: Clock | None = None,
        more: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Bureau:
        own = mailboxes or {servers.unique("desain"): settings}
        made = Bureau(
            servers,
            tmp_path / f"office-{len(opened)}",
            own,
            imap or {},
            batch or {},
            clock or SystemClock(),
            more or {},
        )
        opened.append(made)
        return made

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def proxy(servers: MailServers) -> Iterator[Proxy]:
    """A way to Dovecot that can be cut, stalled and closed."""
    with Proxy("127.0.0.1", servers.imap_port) as between:
        yield between
