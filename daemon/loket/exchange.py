"""One mail over a session that aiosmtplib has opened: commands that need no answer first go together (RFC 2920).

The library waits for the answer to each command, which costs a mail four round trips and as many turns of the loop.
Here MAIL and RCPT are written at once where the server takes that, and behind the mail before where there is one (RFC
2920 3.1 lets content be the first in a group), so that a mail costs three round trips or two. DATA always goes alone.
Connecting, TLS, logging in, RSET and QUIT are the library's: as long as nothing is asked here, all that the server says
goes to it.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Container, Sequence
from typing import cast

from aiosmtplib import SMTP, SMTPReadTimeoutError, SMTPResponse, SMTPResponseException, SMTPServerDisconnected
from aiosmtplib.email import quote_address

from loket.core.headers import mailboxes
from loket.core.model import Outbound, Receipt, ReceiptKind

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


class _Asked:
    """Commands that went out together, and what was answered to them so far."""

    __slots__ = ("heard", "replies", "wanted")

    def __init__(self, wanted: int, heard: asyncio.Future[list[SMTPResponse]]) -> None:
        self.wanted = wanted
        self.heard = heard
        self.replies: list[SMTPResponse] = []


class Exchange(asyncio.Protocol):
    """Listens between a session's transport and the library; one at a time asks through it."""

    def __init__(self, client: SMTP) -> None:
        """Take the place of the library's protocol, which gets whatever was not asked for here."""
        transport, library = client.transport, client.protocol
        if transport is None or library is None:
            raise SMTPServerDisconnected("Connection lost")
        self._transport = cast(asyncio.Transport, transport)
        self._library = library
        self.grouped = client.supports_extension("pipelining")
        # What is not answered yet, in the order in which it was asked.
        self._asked: deque[_Asked] = deque()
        # The envelope that went behind the last mail.
        self._ahead: _Asked | None = None
        self._heard = bytearray()
        self._lines: list[bytes] = []
        self._transport.set_protocol(self)

    async def envelope(self, lines: Sequence[bytes], seconds: float) -> list[SMTPResponse]:
        """MAIL and RCPT; the answers to the recipients behind the first, which may be refused without harm.

        SMTPResponseException where the sender or the first recipient is refused.
        """
        if self.grouped:
            return _taken(await self._ask(b"".join(lines), len(lines), seconds))
        replies = []
        for line in lines:
            replies += await self._ask(line, 1, seconds)
            if len(replies) <= len(_ENVELOPE):
                _expect(replies[-1], _ENVELOPE[len(replies) - 1])
        return replies[len(_ENVELOPE) :]

    async def ahead(self, seconds: float) -> list[SMTPResponse]:
        """The same for an envelope that went behind the last mail."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            raise SMTPServerDisconnected("Nothing was asked")
        return _taken(await self._answer(ahead, seconds))

    @property
    def opened(self) -> bool:
        """Whether an envelope has gone ahead that nobody has asked about."""
        return self._ahead is not None

    async def content(
        self, data: bytes, command_seconds: float, data_seconds: float, ahead: Sequence[bytes] = ()
    ) -> SMTPResponse:
        """DATA and the mail, with CRLF at each line's end and its leading dots doubled (RFC 5321 4.5.2).

        The next mail's envelope goes with it, where there is one and the mail is wanted.
        """
        [ready] = await self._ask(b"DATA\r\n", 1, command_seconds)
        _expect(ready, (354,))
        self.check()
        asked = self._expecting(1)
        if ahead:
            self._ahead = self._expecting(len(ahead))
        self._transport.writelines([stuffed(data), *ahead])
        [verdict] = await self._answer(asked, data_seconds)
        _expect(verdict, (250,))
        return verdict

    async def _ask(self, octets: bytes, replies: int, seconds: float) -> list[SMTPResponse]:
        self.check()
        asked = self._expecting(replies)
        self._transport.write(octets)
        return await self._answer(asked, seconds)

    def check(self) -> None:
        """SMTPServerDisconnected where the session has ended."""
        if self._transport.is_closing():
            raise SMTPServerDisconnected("Connection lost")

    def _expecting(self, replies: int) -> _Asked:
        asked = _Asked(replies, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        return asked

    async def _answer(self, asked: _Asked, seconds: float) -> list[SMTPResponse]:
        late = asyncio.get_running_loop().call_later(seconds, _fail, asked)
        try:
            return await asked.heard
        finally:
            late.cancel()

    def data_received(self, data: bytes) -> None:
        """What the server says."""
        if not self._asked:
            self._library.data_received(data)
            return
        self._heard += data
        try:
            self._hear()
        except SMTPResponseException as error:
            # What else was heard may be the answer to something else.
            self._over(error, refusals=False)
        if not self._asked:
            # What was not asked for is no answer to the next command.
            self._heard.clear()
            self._lines.clear()

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
                self._lines.clear()
                self._replied(SMTPResponse(int(line[:3]), said))

    def _replied(self, reply: SMTPResponse) -> None:
        if not self._asked:
            return
        asked = self._asked[0]
        asked.replies.append(reply)
        if len(asked.replies) >= asked.wanted:
            self._asked.popleft()
            if not asked.heard.done():
                asked.heard.set_result(asked.replies)

    def _over(self, error: Exception, *, refusals: bool) -> None:
        """Nothing more is answered; a refusal that came before may be the answer, as 421 announces an end."""
        while self._asked:
            asked = self._asked.popleft()
            if asked.heard.done():
                continue
            if refusals and any(reply.code >= 400 for reply in asked.replies):
                asked.heard.set_result(asked.replies)
            else:
                asked.heard.set_exception(error)
                # Perhaps nobody waits for it.
                asked.heard.exception()

    def _gone(self, cause: BaseException | None, said: str) -> None:
        lost = SMTPServerDisconnected(said)
        lost.__cause__ = cause
        self._over(lost, refusals=True)

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


def envelope(sender: str, recipients: Sequence[str], options: Sequence[str]) -> list[bytes]:
    """MAIL and RCPT as they are written; ValueError for an address that no command line can hold."""
    commands = [" ".join((f"MAIL FROM:{path(sender)}", *options))]
    commands += [f"RCPT TO:{path(recipient)}" for recipient in recipients]
    return [f"{command}\r\n".encode() for command in commands]


def unable(client: SMTP, mail: Outbound, size: int) -> Receipt | None:
    """What this server cannot take at all."""
    for address in (mail.sender, mail.recipient):
        if not is_plain(address):
            # The library would send to what it makes of such an address, which may be somebody else (promise P14).
            return Receipt(ReceiptKind.REFUSED, 553, words(f"{address} is no plain address"))
    if not (mail.recipient.isascii() and mail.sender.isascii()) and not client.supports_extension("smtputf8"):
        return Receipt(ReceiptKind.REFUSED, 553, "the server takes no addresses beyond ASCII (RFC 6531)")
    limit = client.esmtp_extensions.get("size", "")
    if limit.isdigit() and 0 < int(limit) < size:
        return Receipt(ReceiptKind.REFUSED, 552, f"larger than the server's SIZE of {limit} octets")
    if mail.eight_bit and not client.supports_extension("8bitmime"):
        return Receipt(ReceiptKind.REFUSED_NOW, 0, "the server no longer offers 8BITMIME")
    return None


def options(client: SMTP, mail: Outbound, size: int) -> list[str]:
    """What is said behind the sender: the size (RFC 1870), and what the mail needs of the server."""
    said = [f"SIZE={size}"] if client.supports_extension("size") else []
    if mail.eight_bit:
        said.append("BODY=8BITMIME")
    if not (mail.recipient.isascii() and mail.sender.isascii()):
        said.append("SMTPUTF8")
    return said


def words(text: str) -> str:
    """A reply fit to be stored: the library keeps octets that are not UTF-8 as surrogates, which no database takes."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


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


def _taken(replies: Sequence[SMTPResponse]) -> list[SMTPResponse]:
    for reply, codes in zip(replies, _ENVELOPE, strict=False):
        _expect(reply, codes)
    return list(replies[len(_ENVELOPE) :])


def _fail(asked: _Asked) -> None:
    if not asked.heard.done():
        asked.heard.set_exception(SMTPReadTimeoutError("Timed out waiting for server response"))


def _expect(reply: SMTPResponse, codes: Container[int]) -> None:
    if reply.code not in codes:
        raise SMTPResponseException(reply.code, reply.message)
