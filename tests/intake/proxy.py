"""A TCP proxy between Loket and a server: it cuts, swallows, refuses, and can hide what the server offers."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(eq=False)
class _Link:
    inside: socket.socket
    outside: socket.socket
    stalled: threading.Event = field(default_factory=threading.Event)
    idling: bool = False

    def cut(self) -> None:
        for side in (self.inside, self.outside):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


class Proxy:
    """Listens on a port of its own until the block ends."""

    def __init__(self, host: str, port: int) -> None:
        """Where the server is."""
        self._server = (host, port)
        self._links: list[_Link] = []
        self._threads: list[threading.Thread] = []
        self._hidden: list[bytes] = []
        self._up = True
        self._quiet = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0

    def hide(self, capability: str) -> None:
        """Clients do not see that the server offers this."""
        self._hidden.append(f" {capability}".encode())

    def keep_quiet(self) -> None:
        """What the server says while a client is in IDLE does not pass."""
        self._quiet = True

    def cut(self) -> None:
        """Every connection breaks off; new ones are served."""
        for link in self._links:
            link.cut()

    def down(self) -> None:
        """The server is gone: connections break off, and new ones end before a word is said."""
        self._up = False
        self.cut()

    def up(self) -> None:
        """The server is back."""
        self._up = True

    def stall(self) -> None:
        """The connections there are stay, but nothing passes on them any more; new ones are served."""
        for link in self._links:
            link.stalled.set()

    def __enter__(self) -> Self:
        """Open for clients."""
        self._start(threading.Thread(target=self._accept))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cut what is left and wait for the threads."""
        # Closing alone would not wake the thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def _start(self, thread: threading.Thread) -> None:
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                inside, _ = self._listener.accept()
                self.accepted += 1
                if not self._up:
                    inside.close()
                    continue
                link = _Link(inside, socket.create_connection(self._server))
                self._links.append(link)
                self._start(threading.Thread(target=self._to_server, args=(link,)))
                self._start(threading.Thread(target=self._to_client, args=(link,)))

    def _to_server(self, link: _Link) -> None:
        # Each thread closes only what it alone reads, so that no descriptor is closed twice.
        with link.inside, contextlib.suppress(OSError):
            while data := link.inside.recv(65536):
                link.idling = b" IDLE\r\n" in data
                if not link.stalled.is_set():
                    link.outside.sendall(data)
        with contextlib.suppress(OSError):
            link.outside.shutdown(socket.SHUT_RDWR)

    def _to_client(self, link: _Link) -> None:
        with link.outside, contextlib.suppress(OSError):
            while data := link.outside.recv(65536):
                for hidden in self._hidden:
                    data = data.replace(hidden, b" X" + hidden[2:])
                if self._quiet and link.idling and data.startswith(b"* "):
                    continue
                if not link.stalled.is_set():
                    link.inside.sendall(data)
        with contextlib.suppress(OSError):
            link.inside.shutdown(socket.SHUT_RDWR)
