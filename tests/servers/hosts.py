"""IMAP servers beside Dovecot, so that one suite of intake tests is tried on each: what all of them can do."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from imapclient import IMAPClient

from tests.servers.mailservers import HOST, PASSWORD, ServersUnavailable, free_ports

# Cyrus and Courier exclude Dovecot and each other as packages, so tests/servers/install.sh only unpacks them, here.
ASIDE = Path(os.environ.get("LOKET_TESTS_CACHE", "/var/cache/loket-tests"))
_HERE = Path(__file__).parent


class ImapHost(Protocol):
    """An IMAP server of the tests; every user exists, with the password `secret`, save those named refused…"""

    imap_port: int
    smtp_port: int

    def unique(self, local: str) -> str:
        """An address that no other test has."""

    def deliver(self, raw: bytes, address: str) -> None:
        """Mail comes, as from another server; its bytes may get trace lines on top."""

    def renew(self, address: str) -> None:
        """The INBOX is gone and made anew: it is empty and has another UIDVALIDITY."""

    def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """The folder's mails as stored, in UID order, changing no flag; none when there is no such folder."""


class Host(ABC):
    """A server started for the tests, and what is asked of it by IMAP."""

    def __init__(self, smtp_port: int) -> None:
        """`smtp_port` is where an office that reads here submits."""
        self.smtp_port = smtp_port
        [self.imap_port] = free_ports(1)
        self._numbers: Iterator[int] = itertools.count(1)

    def unique(self, local: str) -> str:
        """An address that no other test has."""
        return f"{local}@t{next(self._numbers)}.test"

    @abstractmethod
    def deliver(self, raw: bytes, address: str) -> None:
        """Mail comes, as from another server."""

    @abstractmethod
    def renew(self, address: str) -> None:
        """The INBOX is gone and made anew, under another UIDVALIDITY."""

    @abstractmethod
    def stop(self) -> None:
        """End the server and leave nothing behind."""

    def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """The folder's mails as stored, in UID order, changing no flag; none when there is no such folder."""
        with self.session(address) as client:
            name = as_named(client, folder)
            if not client.folder_exists(name):
                return []
            client.select_folder(name, readonly=True)
            found = client.fetch(client.search(), ["BODY.PEEK[]"])
            return [found[uid][b"BODY[]"] for uid in sorted(found)]

    @contextmanager
    def session(self, user: str) -> Iterator[IMAPClient]:
        """A client that is logged in."""
        with IMAPClient(HOST, self.imap_port, ssl=False, timeout=10) as client:
            client.login(user, PASSWORD)
            yield client


class Guarded(Host):
    """A server that is a program from Debian: it has a folder of its own, and ends with the tests however they end."""

    def __init__(self, smtp_port: int, parent: str = "/tmp") -> None:
        """Make the folder; `run` starts the program."""
        super().__init__(smtp_port)
        # Socket paths must stay under 108 bytes (unix(7)), so not below pytest's long folders.
        self.root = Path(tempfile.mkdtemp(prefix="lk-", dir=parent))
        self.root.chmod(0o755)
        self._guard: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)

    def run(self, *command: str | Path, env: dict[str, str]) -> None:
        """Start the program and return once it greets; RuntimeError with what it said where it does not."""
        with (self.root / "console").open("wb") as console:
            self._guard = subprocess.Popen(
                [_HERE / "guard-one.sh", self.root, *command],
                stdin=subprocess.PIPE,
                stdout=console,
                stderr=console,
                start_new_session=True,
                env=env,
            )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection((HOST, self.imap_port), 5) as connection:
                if connection.recv(100).startswith(b"* OK"):
                    return
            time.sleep(0.05)
        raise RuntimeError(f"no IMAP server answers:\n{(self.root / 'console').read_text(errors='replace')}")

    def stop(self) -> None:
        """End the server and remove its folder; a second call does nothing."""
        atexit.unregister(self.stop)
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait(30)
        shutil.rmtree(self.root, ignore_errors=True)


class Doorkeeper:
    """Answers a server that asks, over a Unix socket, whether somebody may log in."""

    def __init__(self, path: Path, answer: Callable[[BinaryIO], bytes]) -> None:
        """Listens until this process ends; `answer` reads one question and says what to reply."""
        self._answer = answer
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        path.chmod(0o777)
        self._listener.listen(50)
        threading.Thread(target=self._serve, daemon=True, name="doorkeeper").start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                asked, _ = self._listener.accept()
                with suppress(OSError), asked, asked.makefile("rb") as question:
                    asked.sendall(self._answer(question))

    def close(self) -> None:
        """Ask nothing more."""
        # Closing alone would not wake the thread that waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def welcome(user: str, password: str) -> bool:
    """Who is let in, on every server of the tests."""
    return password == PASSWORD and not user.startswith("refused")


def require(program: Path) -> None:
    """Raise ServersUnavailable where the server is not unpacked, or may not change users."""
    if os.geteuid() != 0:
        raise ServersUnavailable("these servers need root to change users")
    if not program.exists():
        raise ServersUnavailable(f"{program} is not there (tests/servers/install.sh unpacks it)")


def as_named(client: IMAPClient, folder: str) -> str:
    """A folder's name as a mail program asks this server for it (RFC 2342)."""
    if folder.upper() == "INBOX" or not client.has_capability("NAMESPACE"):
        return folder
    prefix, delimiter = client.namespace().personal[0]
    return f"{prefix}{folder.replace('/', delimiter)}"
