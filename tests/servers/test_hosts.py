"""The servers beside Dovecot leave nothing behind, however the tests end."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.servers import ServersUnavailable
from tests.servers.courier import Courier
from tests.servers.cyrus import Cyrus
from tests.servers.test_servers import TOP, processes_of


@pytest.mark.parametrize("kind", [Cyrus, Courier])
def test_a_server_ends_with_the_process_that_started_it(kind: type[Cyrus] | type[Courier]) -> None:
    """Also when that one is killed while somebody is logged in, for whom Courier has a watcher of folders running."""
    program = f"""
import os, signal
from {kind.__module__} import {kind.__name__} as Server
server = Server(25)
with server.session(server.unique("ani")) as client:
    client.select_folder("INBOX")
    print(server.root, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    child = subprocess.run([sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, check=False)
    if ServersUnavailable.__name__ in child.stderr:
        missing(kind.__name__, ServersUnavailable(child.stderr.splitlines()[-1]))
    root = Path(child.stdout.strip())
    deadline = time.monotonic() + 10
    while (root.exists() or processes_of(root)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not root.exists()
    assert processes_of(root) == []
