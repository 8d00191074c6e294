"""A TCP proxy in front of PostgreSQL that cuts a session at COMMIT, before the server hears it or before its answer."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Literal, Self

Moment = Literal["before the server", "before the answer"]

# PostgreSQL's protocol, message formats: a simple Query, and the CommandComplete that answers it.
QUERY = b"Q\x00\x00\x00\x0bCOMMIT\x00"
ANSWER = b"C\x00\x00\x00\x0bCOMMIT\x00"


class Wire:
    """Listens on a port of its own until the block ends."""

    def __init__(self, host: str, port: int) -> None:
        """Where the server is."""
        self._server = (host, port)
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._moment: Moment | None = None
        self.cuts = 0

    def cut_next(self, moment: Moment) -> None:
        """The session that says the next COMMIT is cut there; all others go on."""
        self._moment = moment

    def cut_all(self) -> None:
        """Every session breaks off; new ones are served."""
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

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
        self.cut_all()
        for thread in self._threads:
            thread.join(5)

    def _start(self, thread: threading.Thread) -> None:
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._server)
                except OSError:
                    # It is restarting; the client hears that nobody is there.
                    client.close()
                    continue
                for side in (client, server):
                    side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets += [client, server]
                answered = threading.Event()
                self._start(threading.Thread(target=self._to_server, args=(client, server, answered)))
                self._start(threading.Thread(target=self._to_client, args=(server, client, answered)))

    def _to_server(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        # Each thread closes only what it alone reads, so that no descriptor is closed twice.
        with client, contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self._moment is not None and data.endswith(QUERY):
                    moment, self._moment = self._moment, None
                    self.cuts += 1
                    if moment == "before the server":
                        break
                    cut.set()
                server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR if not cut.is_set() else socket.SHUT_WR)

    def _to_client(self, server: socket.socket, client: socket.socket, cut: threading.Event) -> None:
        with server, contextlib.suppress(OSError):
            while data := server.recv(65536):
                if cut.is_set() and ANSWER in data:
                    break
                client.sendall(data)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
