"""The office on real servers, fresh for each story."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.office import FlowOffice
from tests.servers import MailServers


@pytest.fixture
def office(servers: MailServers, tmp_path: Path) -> FlowOffice:
    """The shipped configuration, empty mailboxes, an empty store, a clock at 09.00 WIB."""
    made = FlowOffice(servers, tmp_path)
    made.set_up()
    return made
