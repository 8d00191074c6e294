"""Fixtures that more than one folder of tests needs."""

import os
from collections.abc import Iterator
from typing import NoReturn

import pytest
import structlog

from tests.servers import MailServers, Postgres, ServersUnavailable


@pytest.fixture(scope="session")
def servers() -> Iterator[MailServers]:
    """One Postfix and one Dovecot for the whole session; take addresses from `servers.unique`."""
    try:
        running = MailServers.start()
    except ServersUnavailable as reason:
        missing("mail servers", reason)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the whole session; each test takes a database of its own."""
    try:
        running = Postgres.start()
    except ServersUnavailable as reason:
        missing("PostgreSQL", reason)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """A command that is run in the tests' own process logs to a stream that is closed behind it."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def missing(what: str, reason: ServersUnavailable) -> NoReturn:
    """End a test whose server cannot run here."""
    # On a laptop the other tests are worth running; under CI a missing server would hide untested promises.
    if os.environ.get("CI"):
        pytest.fail(f"{what}: {reason}")
    pytest.skip(f"{what}: {reason}")
