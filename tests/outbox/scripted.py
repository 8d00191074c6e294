"""A submission server that follows a script: what it says to each command, how late, and where it breaks off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar, Self

DROP = "drop"
# What is said to a command: a reply, nothing but the end of the connection, or the usual reply after some seconds.
Say = str | bytes | float | list["Say"]

USUAL = {
    "greeting": "220 scripted ESMTP",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go ahead",
    "dot": "250 2.0.0 queued",
    "RSET": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye",
}


@dataclass
class Scripted:
    """Listens for the length of an `async with`; a list in the script is used up one entry a time, the last one stays.

    `on_data` and `on_dot` run just before the answers to DATA and to the mail.
    """

    # Whether it takes commands together (RFC 2920), as all large providers do.
    pipelining: ClassVar[bool] = True

    script: dict[str, Say] = field(default_factory=dict)
    offers: tuple[str, ...] = ("8BITMIME", "SIZE 30000000")
    on_data: Callable[[], None] = lambda: None
    on_dot: Callable[[], None] = lambda: None
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    connections: int = 0
    most: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def envelopes(self) -> list[str]:
        """The recipients, in order."""
        return [said.partition("<")[2].partition(">")[0] for said in self.commands if said.startswith("RCPT")]

    def count(self, verb: str) -> int:
        """How often a command was given."""
        return sum(said.partition(" ")[0].upper() == verb for said in self.commands)

    def hang_up(self) -> None:
        """End every connection without a word."""
        for writer in list(self._open):
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        assert self._server is not None
        self._server.close()
        self.hang_up()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        self.most = max(self.most, len(self._open))
        try:
            await self._say(writer, "greeting")
            while line := await reader.readline():
                await self._command(line.decode("utf-8", "replace").rstrip("\r\n"), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _command(self, said: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.commands.append(said)
        verb = said.partition(" ")[0].upper()
        if verb == "EHLO":
            lines = ["scripted", *self.offers, *(["PIPELINING"] if self.pipelining else [])]
            marks = ["-"] * (len(lines) - 1) + [" "]
            await self._write(writer, "\r\n".join(f"250{mark}{line}" for mark, line in zip(marks, lines, strict=True)))
            return
        if verb == "DATA":
            self.on_data()
        reply = await self._say(writer, verb)
        if verb == "DATA" and reply.startswith(b"354"):
            self.mails.append(unstuffed(await reader.readuntil(b"\r\n.\r\n")))
            self.on_dot()
            await self._say(writer, "dot")
        if verb == "QUIT":
            raise ConnectionResetError

    async def _say(self, writer: asyncio.StreamWriter, what: str) -> bytes:
        say = self.script.get(what, USUAL.get(what, "500 5.5.2 what?"))
        if isinstance(say, list):
            say = say.pop(0) if len(say) > 1 else say[0]
        if isinstance(say, float):
            await asyncio.sleep(say)
            say = USUAL[what]
        if say == DROP:
            raise ConnectionResetError
        assert isinstance(say, str | bytes)
        return await self._write(writer, say)

    async def _write(self, writer: asyncio.StreamWriter, say: str | bytes) -> bytes:
        data = say if isinstance(say, bytes) else say.encode()
        writer.write(data + b"\r\n")
        await writer.drain()
        return data


def unstuffed(data: bytes) -> bytes:
    """The mail without what transparency added (RFC 5321 4.5.2)."""
    body = data[: -len(b".\r\n")]
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in body.split(b"\r\n"))
