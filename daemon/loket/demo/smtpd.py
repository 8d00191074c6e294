"""The town's SMTP server: aiosmtpd in the running asyncio loop, handing every accepted mail to a delivery function."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HOST = "127.0.0.1"
NAME = "surat.kota.example"
SIZE_LIMIT = 25 * 1024 * 1024
"""What one mail may weigh here, in octets, as sent (RFC 1870)."""

UNKNOWN = "550 5.1.1 <{address}>: Recipient address rejected: User unknown in local recipient table"


def unknown(address: str) -> bool:
    """Nobody lives at `tidak-ada@` ("does not exist") of any domain."""
    return address.lower().startswith("tidak-ada@")


class _Connection(SMTP):
    def __init__(self, server: SmtpServer) -> None:
        self._town = server
        super().__init__(
            _Hooks(server),
            hostname=NAME,
            ident="ESMTP",
            data_size_limit=SIZE_LIMIT,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=server.authenticate,
            loop=asyncio.get_running_loop(),
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._town.open.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._town.open.discard(self.transport)
        super().connection_lost(error)


class _Hooks:
    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds its hooks by these names
        self,
        _connection: SMTP,
        _session: Any,
        envelope: Any,
        address: str,
        _options: list[str],
    ) -> str:
        if unknown(address):
            return UNKNOWN.format(address=address)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802 - aiosmtpd finds its hooks by these names
        self,
        _connection: SMTP,
        session: Any,
        envelope: Any,
    ) -> str:
        # aiosmtpd keeps the null reverse-path as the two characters it is written with.
        sender = "" if envelope.mail_from == "<>" else envelope.mail_from
        await self._server.accept(sender, tuple(envelope.rcpt_tos), envelope.content, session.host_name)
        return "250 2.0.0 Ok: delivered"


class SmtpServer:
    """Accepts mail for anybody but `tidak-ada@`; AUTH PLAIN and LOGIN are offered and checked, not required."""

    def __init__(self, password: str, accept: Callable[[str, tuple[str, ...], bytes, str], Awaitable[None]]) -> None:
        self.accept = accept
        """Called with reverse-path, recipients, mail and the client's EHLO name, before the mail is answered 250."""
        self.open: set[asyncio.BaseTransport] = set()
        self._password = password.encode()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen on a free loopback port and return it."""
        # aiosmtpd warns about a deprecated attribute of its own at every successful AUTH.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), HOST, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        if self._server is None:
            return
        self._server.close()
        for transport in tuple(self.open):
            transport.close()
        await asyncio.sleep(0)
        await self._server.wait_closed()

    def authenticate(self, _connection: SMTP, _session: Any, _envelope: Any, _mechanism: str, auth: Any) -> AuthResult:
        good = isinstance(auth, LoginPassword) and auth.password == self._password
        return AuthResult(success=good, handled=False)
