"""Fixtures that more than one folder of tests needs."""

import os
from collections.abc import Iterator

import pytest

from tests.servers import MailServers, ServersUnavailable


@pytest.fixture(scope="session")
def servers() -> Iterator[MailServers]:
    """One Postfix and one Dovecot for the whole session; take addresses from `servers.unique`."""
    try:
        running = MailServers.start()
    except ServersUnavailable as reason:
        # On a laptop the other tests are worth running; under CI a missing server would hide untested promises.
        if os.environ.get("CI"):
            pytest.fail(f"mail servers: {reason}")
        pytest.skip(f"mail servers: {reason}")
    yield running
    running.stop()
