"""The demo's IMAP server (pymap) as one more server of the suite, in a loop of its own."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

from pymap.user import UserMetadata

from loket.demo.imapd import ImapServer
from tests.servers.hosts import Host, welcome
from tests.servers.mailservers import PASSWORD


class Pymap(Host):
    """Started on construction."""

    def __init__(self, smtp_port: int) -> None:
        """Run it in a thread."""
        super().__init__(smtp_port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pymap", daemon=True)
        self._thread.start()
        self._server = _Choosy(PASSWORD)
        self.imap_port = self._do(self._server.start())

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def deliver(self, raw: bytes, address: str) -> None:
        """Straight into the INBOX."""
        self._do(self._server.append(address, raw, datetime.now(UTC)))

    def renew(self, address: str) -> None:
        """Other folders under the same name."""

        async def forget() -> None:
            self._server.forget(address)

        self._do(forget())

    def stop(self) -> None:
        """Say goodbye to clients and end the thread."""
        self._do(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


class _Choosy(ImapServer):
    """Lets in whom the other servers of the tests let in."""

    def open(self, address: str) -> Any:
        """A user named refused… has a password that nobody knows."""
        folders = super().open(address)
        if not welcome(address, PASSWORD):
            name = address.lower()
            self._login.users_dict[name] = UserMetadata(self._config, name, password=secrets.token_hex())
        return folders

    def forget(self, address: str) -> None:
        """The next login finds empty folders."""
        self._login.users_dict.pop(address.lower(), None)
