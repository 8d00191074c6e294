"""Offices on the tests' servers, closed when the test is over; on Dovecot unless a test asks for every server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from loket.app import SystemClock
from loket.clerk import Clerk
from loket.config.load import Snapshot
from loket.ports import Clock
from tests.conftest import missing
from tests.intake.bureau import Bureau
from tests.intake.proxy import Proxy
from tests.servers import Host, ImapHost, MailServers, ServersUnavailable
from tests.servers.courier import Courier
from tests.servers.cyrus import Cyrus
from tests.servers.pymaphost import Pymap

OpenBureau = Callable[..., Bureau]

_KINDS: dict[str, type[Host]] = {"cyrus": Cyrus, "courier": Courier, "pymap": Pymap}
# Before a test that is tried on each IMAP server there is.
every_server = pytest.mark.parametrize("host", ["dovecot", *_KINDS], indirect=True)


@pytest.fixture(scope="session")
def hosts(servers: MailServers) -> Iterator[Callable[[str], ImapHost]]:
    """The servers by name, each started when a test first asks for it."""
    running: dict[str, Host] = {}
    with ExitStack() as stack:

        def host(name: str) -> ImapHost:
            if name == "dovecot":
                return servers
            if name not in running:
                try:
                    running[name] = _KINDS[name](servers.smtp_port)
                except ServersUnavailable as reason:
                    missing(name, reason)
                stack.callback(running[name].stop)
            return running[name]

        yield host


@pytest.fixture
def host(request: pytest.FixtureRequest, hosts: Callable[[str], ImapHost]) -> ImapHost:
    """The server that this test is on."""
    return hosts(getattr(request, "param", "dovecot"))


@pytest.fixture
def bureau(host: ImapHost, tmp_path: Path) -> Iterator[OpenBureau]:
    """Opens an office of one mailbox with the given settings, or of several with `mailboxes`."""
    opened: list[Bureau] = []

    def make(
        *,
        mailboxes: dict[str, dict[str, Any]] | None = None,
        imap: dict[str, Any] | None = None,
        batch: dict[str, int] | None = None,
        clock: Clock | None = None,
        more: dict[str, Any] | None = None,
        hiring: Callable[[Snapshot], Clerk | None] = lambda _: None,
        **settings: Any,
    ) -> Bureau:
        own = mailboxes or {host.unique("desain"): settings}
        made = Bureau(
            host,
            tmp_path / f"office-{len(opened)}",
            own,
            imap or {},
            batch or {},
            clock or SystemClock(),
            more or {},
            hiring,
        )
        opened.append(made)
        return made

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def proxy(host: ImapHost) -> Iterator[Proxy]:
    """A way to the server that can be cut, stalled and closed."""
    with Proxy("127.0.0.1", host.imap_port) as between:
        yield between
