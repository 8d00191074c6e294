"""Stands between the daemon and Dovecot and notes two things that pass: IDLE began, and mail was announced."""

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass, field

_EXISTS = re.compile(rb"^\* (\d+) EXISTS\r$", re.MULTILINE)
_IDLE = re.compile(rb"^\S+ IDLE\r$", re.MULTILINE)


@dataclass(slots=True)
class Relay:
    """Passes bytes both ways; `announced` holds (time, how many mails there are) of one user's sessions."""

    to_port: int
    user: str
    announced: list[tuple[float, int]] = field(default_factory=list)
    first_idle: float | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session."""
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        session = _Session(self)
        there = asyncio.create_task(_pass(reader, to_writer, session.from_client))
        back = asyncio.create_task(_pass(to_reader, writer, session.from_server))
        self._tasks |= {there, back}
        await asyncio.wait((there, back))
        self._tasks -= {there, back}

    def announced_at(self, count: int) -> float:
        """When the server first said that there are at least so many mails."""
        return next((at for at, exists in self.announced if exists >= count), float("inf"))


@dataclass(slots=True)
class _Session:
    relay: Relay
    watched: bool = False

    def from_client(self, data: bytes) -> None:
        if b" LOGIN " in data.upper() and self.relay.user.encode() in data:
            self.watched = True
        if self.relay.first_idle is None and _IDLE.search(data):
            self.relay.first_idle = time.time()

    def from_server(self, data: bytes) -> None:
        # The announcement is a line by itself, and a short one: Dovecot writes it in one piece.
        if self.watched and len(data) < 2000:
            self.relay.announced += [(time.time(), int(count)) for count in _EXISTS.findall(data)]


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, look: object) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            look(data)  # type: ignore[operator]
            writer.write(data)
            await writer.drain()
    writer.close()
