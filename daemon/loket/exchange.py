"""One mail over a session that aiosmtplib has opened: commands that need no answer first go together (RFC 2920).

The library waits for the answer to each command, which costs a mail four round trips and as many turns of the loop.
Here MAIL and RCPT are written at once where the server takes that, so that a mail costs three. Connecting, TLS, logging
in, RSET and QUIT are the library's: as long as nothing is asked here, all that the server says goes to it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Container, Sequence
from typing import cast

from aiosmtplib import SMTP, SMTPReadTimeoutError, SMTPResponse, SMTPResponseException, SMTPServerDisconnected
from aiosmtplib.email import quote_address

from loket.core.headers import mailboxes

# As much as the library takes of one answer; a server without end must not fill the memory.
MOST_HEARD = 32768
# A dot-atom with a domain (RFC 5322 3.4.1), which every mail but a few in a thousand is for.
_PLAIN = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", re.ASCII
)
# What MAIL and the first RCPT are to be answered with (RFC 5321 4.3.2).
_ENVELOPE = ((250,), (250, 251))
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BREAKS = re.compile(rb"\r\n|\n|\r")


class Exchange(asyncio.Protocol):
    """Listens between a session's transport and the library; one at a time asks through it."""

    def __init__(self, client: SMTP) -> None:
        """Take the place of the library's protocol, which gets whatever was not asked for here."""
        transport, library = client.transport, client.protocol
        if transport is None or library is None:
            raise SMTPServerDisconnected("Connection lost")
        self._transport = cast(asyncio.Transport, transport)
        self._library = library
        self._grouped = client.supports_extension("pipelining")
        self._waiter: asyncio.Future[list[SMTPResponse]] | None = None
        self._wanted = 0
        self._heard = bytearray()
        self._lines: list[bytes] = []
        self._replies: list[SMTPResponse] = []
        self._transport.set_protocol(self)

    async def envelope(
        self, sender: str, recipients: Sequence[str], options: Sequence[str], seconds: float
    ) -> list[SMTPResponse]:
        """MAIL and RCPT; the answers to the recipients behind the first, which may be refused without harm.

        SMTPResponseException where the sender or the first recipient is refused; ValueError for an address that no
        command line can hold.
        """
        commands = [" ".join((f"MAIL FROM:{path(sender)}", *options))]
        commands += [f"RCPT TO:{path(recipient)}" for recipient in recipients]
        lines = [f"{command}\r\n".encode() for command in commands]
        if self._grouped:
            replies = await self._ask(b"".join(lines), len(lines), seconds)
        else:
            replies = []
            for line in lines:
                replies += await self._ask(line, 1, seconds)
                if len(replies) <= len(_ENVELOPE):
                    _expect(replies[-1], _ENVELOPE[len(replies) - 1])
        for reply, codes in zip(replies, _ENVELOPE, strict=False):
            _expect(reply, codes)
        return replies[len(_ENVELOPE) :]

    async def content(self, data: bytes, command_seconds: float, data_seconds: float) -> SMTPResponse:
        """DATA and the mail, with CRLF at each line's end and its leading dots doubled (RFC 5321 4.5.2)."""
        [ready] = await self._ask(b"DATA\r\n", 1, command_seconds)
        _expect(ready, (354,))
        [verdict] = await self._ask(stuffed(data), 1, data_seconds)
        _expect(verdict, (250,))
        return verdict

    async def _ask(self, octets: bytes, replies: int, seconds: float) -> list[SMTPResponse]:
        if self._transport.is_closing():
            raise SMTPServerDisconnected("Connection lost")
        loop = asyncio.get_running_loop()
        self._waiter, self._wanted, self._replies = loop.create_future(), replies, []
        late = loop.call_later(seconds, self._fail, SMTPReadTimeoutError("Timed out waiting for server response"))
        try:
            self._transport.write(octets)
            return await self._waiter
        finally:
            late.cancel()
            self._waiter = None
            self._heard.clear()
            self._lines.clear()

    def data_received(self, data: bytes) -> None:
        """What the server says."""
        if self._waiter is None:
            self._library.data_received(data)
            return
        self._heard += data
        try:
            self._hear()
        except SMTPResponseException as error:
            self._fail(error)
            return
        if len(self._replies) >= self._wanted and not self._waiter.done():
            self._waiter.set_result(self._replies[: self._wanted])

    def _hear(self) -> None:
        """Take whole lines from what was heard, and whole replies from these (RFC 5321 4.2.1)."""
        *lines, rest = self._heard.split(b"\n")
        if len(self._heard) + sum(map(len, self._lines)) > MOST_HEARD:
            raise SMTPResponseException(-1, "Response too long")
        self._heard = bytearray(rest)
        for line in lines:
            if not line[:3].isdigit():
                raise SMTPResponseException(
                    -1, f"Malformed SMTP response line: {line[:200].decode('utf-8', 'replace')}"
                )
            self._lines.append(bytes(line[4:].strip()))
            if line[3:4] != b"-":
                said = b"\n".join(self._lines).decode("utf-8", "surrogateescape")
                self._replies.append(SMTPResponse(int(line[:3]), said))
                self._lines.clear()

    def _fail(self, error: BaseException) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    def _gone(self, error: BaseException | None, said: str) -> None:
        """The session has ended; a refusal that came before its end is the answer, as 421 announces one."""
        if self._waiter is None or self._waiter.done():
            return
        if any(reply.code >= 400 for reply in self._replies):
            self._waiter.set_result(self._replies)
            return
        lost = SMTPServerDisconnected(said)
        lost.__cause__ = error
        self._waiter.set_exception(lost)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._gone(exc, "Connection lost")
        self._library.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """The server says nothing more."""
        self._gone(None, "Unexpected EOF received")
        return self._library.eof_received()

    def pause_writing(self) -> None:
        """More waits to be sent than the transport likes to hold; a mail is bounded already."""
        self._library.pause_writing()

    def resume_writing(self) -> None:
        """It holds less again."""
        self._library.resume_writing()


def is_plain(address: str) -> bool:
    """Whether the library would send to this very address, and not to what it makes of another (promise P14)."""
    return _PLAIN.fullmatch(address) is not None or [spec for _, spec in mailboxes(address)] == [address]


def path(address: str) -> str:
    """An address in angle brackets (RFC 5321 4.1.2); ValueError where it would end the command or begin another."""
    if _PLAIN.fullmatch(address):
        return f"<{address}>"
    if _CONTROL.search(address):
        raise ValueError(f"{address!r} holds a control character")
    return quote_address(address)


def stuffed(data: bytes) -> bytes:
    """A mail as it goes behind DATA, with the dot that ends it."""
    ends = data.count(b"\r\n")
    if data.count(b"\n") != ends or data.count(b"\r") != ends:
        data = _BREAKS.sub(b"\r\n", data)
    dot = b"." if data.startswith(b".") else b""
    end = b".\r\n" if data.endswith(b"\r\n") or not data else b"\r\n.\r\n"
    return b"".join((dot, data.replace(b"\r\n.", b"\r\n.."), end))


def _expect(reply: SMTPResponse, codes: Container[int]) -> None:
    if reply.code not in codes:
        raise SMTPResponseException(reply.code, reply.message)
