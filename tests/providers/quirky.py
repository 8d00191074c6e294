"""An IMAP server that plays a provider's quirks: an inbox of its own, and a script for what it says instead.

Loket speaks to it as to any server; what a real one will not do on command stands in the script.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

BYE = "* BYE"


@dataclass
class Said:
    """One command of a client: on which connection it came (from 1), when, and its words without the tag."""

    connection: int
    at: float
    words: str


# What is said instead of the usual answer; `{tag}` is the command's, None leaves the usual one. BYE ends the session.
Say = str | None


@dataclass
class Quirky:
    """Listens for the length of a `with`.

    `script` maps the beginning of a command to what is said the first time, the second, and so on; the usual answer
    follows when it is used up. `mails` are the octets by UID.
    """

    script: dict[str, list[Say]] = field(default_factory=dict)
    capabilities: str = "IMAP4rev1 IDLE UIDPLUS MOVE SPECIAL-USE NAMESPACE"
    before_login: str = "IMAP4rev1"
    folders: tuple[tuple[str, str], ...] = (("", "INBOX"),)
    mails: dict[int, bytes] = field(default_factory=dict)
    uidvalidity: int = 7
    said: list[Said] = field(default_factory=list)
    on_fetch: Callable[[list[int]], Say] = lambda _uids: None
    connections: int = 0
    most: int = 0
    _live: dict[socket.socket, threading.Event] = field(default_factory=dict)
    _listener: socket.socket | None = None
    _speaks: threading.Lock = field(default_factory=threading.Lock)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._listener is not None
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        """Listen."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, with every session."""
        assert self._listener is not None
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def deliver(self, raw: bytes) -> None:
        """A mail comes, and whoever idles hears of it."""
        self.mails[max(self.mails, default=0) + 1] = raw.replace(b"\n", b"\r\n")
        self.tell(f"* {len(self.mails)} EXISTS\r\n")

    def tell(self, *packets: str) -> None:
        """Say something to whoever idles, a moment between packets, and nothing else before it is all said."""
        with self._speaks:
            for number, packet in enumerate(packets):
                time.sleep(0.2 * bool(number))
                for link, idles in list(self._live.items()):
                    # It may just have been hung up.
                    with contextlib.suppress(OSError):
                        if number or idles.is_set():
                            link.sendall(packet.encode())

    def hang_up(self) -> None:
        """End every session without a word."""
        for link in list(self._live):
            _hang_up(link)

    def count(self, beginning: str) -> int:
        """How often a command was given that begins so."""
        return sum(said.words.upper().startswith(beginning) for said in self.said)

    def all_said(self) -> list[str]:
        """The words of all commands."""
        return [said.words for said in self.said]

    def _accept(self) -> None:
        assert self._listener is not None
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(link, self.connections), daemon=True).start()

    def _serve(self, link: socket.socket, number: int) -> None:
        self._live[link] = threading.Event()
        self.most = max(self.most, len(self._live))
        try:
            _send(link, f"* OK [CAPABILITY {self.before_login}] ready")
            with link.makefile("rb") as lines:
                while line := lines.readline():
                    tag, _, words = line.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
                    self.said.append(Said(number, time.monotonic(), words))
                    if tag.upper() == "DONE":
                        self._live[link].clear()
                        with self._speaks:
                            _send(link, f"{self._idling} OK idle ended")
                    elif not self._answer(link, tag, words, number):
                        break
        except OSError:
            return
        finally:
            self._live.pop(link, None)
            _hang_up(link)

    _idling: str = ""

    def _answer(self, link: socket.socket, tag: str, words: str, number: int) -> bool:
        say = self._scripted(words)
        if say is None and words.upper().startswith("UID FETCH") and "BODY.PEEK" in words.upper():
            say = self.on_fetch(self._uids(words.split()[2]))
        if say is None:
            say = self._usual(tag, words, number)
        if say.startswith(BYE):
            _send(link, say)
            return False
        if words.upper().startswith("IDLE") and "+" in say:
            self._idling = tag
            self._live[link].set()
        leaves = words.upper().startswith("LOGOUT")
        if leaves:
            # It is over once it is said so: the next one may come before this thread is at its end.
            self._live.pop(link, None)
        _send(link, say.replace("{tag}", tag))
        return not leaves

    def _scripted(self, words: str) -> Say:
        for beginning, sayings in self.script.items():
            if words.upper().startswith(beginning.upper()) and sayings:
                return sayings.pop(0)
        return None

    def _usual(self, tag: str, words: str, number: int) -> str:
        verb = words.upper()
        if verb.startswith("CAPABILITY"):
            logged_in = any(one.connection == number and _is_login(one.words) for one in self.said)
            return f"* CAPABILITY {self.capabilities if logged_in else self.before_login}\r\n{tag} OK done"
        if verb.startswith("NAMESPACE"):
            return f'* NAMESPACE (("" "/")) NIL NIL\r\n{tag} OK done'
        if verb.startswith("LIST"):
            lines = "".join(f'* LIST ({marks}) "/" "{name}"\r\n' for marks, name in self.folders)
            return f"{lines}{tag} OK done"
        if verb.startswith(("SELECT", "EXAMINE")):
            facts = f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY {self.uidvalidity}] here"
            return f"* FLAGS (\\Seen)\r\n{facts}\r\n{tag} OK [READ-WRITE] selected"
        if verb.startswith("UID SEARCH"):
            match = re.search(r"UID SEARCH UID (\d+):\*", verb)
            assert match, f"searched for something else than UIDs: {words}"
            found = [uid for uid in self.mails if uid >= int(match[1])] or list(self.mails)[-1:]
            return f"* SEARCH {' '.join(map(str, found))}".rstrip() + f"\r\n{tag} OK done"
        if verb.startswith("UID FETCH"):
            return self._fetched(tag, words)
        if verb.startswith("IDLE"):
            return "+ idling"
        if verb.startswith("LOGOUT"):
            return f"* BYE see you\r\n{tag} OK done"
        return f"{tag} OK done"

    def _uids(self, listed: str) -> list[int]:
        found: list[int] = []
        for part in listed.split(","):
            first, _, last = part.partition(":")
            found += [uid for uid in self.mails if int(first) <= uid <= int(last or first)]
        return found

    def _fetched(self, tag: str, words: str) -> str:
        lines = ""
        part = re.search(r"BODY\.PEEK\[\](?:<(\d+)\.(\d+)>)?", words, re.IGNORECASE)
        for number, uid in enumerate(self._uids(words.split()[2]), start=1):
            raw = self.mails[uid]
            if part is None:
                lines += f'* {number} FETCH (UID {uid} RFC822.SIZE {len(raw)} INTERNALDATE "{_DATE}")\r\n'
                continue
            at, octets = int(part[1] or 0), int(part[2] or len(raw))
            piece = raw[at : at + octets].decode("latin-1")
            name = f"BODY[]<{at}>" if part[1] else "BODY[]"
            lines += f"* {number} FETCH (UID {uid} {name} {{{len(piece)}}}\r\n{piece})\r\n"
        return f"{lines}{tag} OK done"


_DATE = "24-Nov-2026 09:00:00 +0700"


def _is_login(words: str) -> bool:
    return words.upper().startswith(("LOGIN", "AUTHENTICATE"))


def _send(link: socket.socket, say: str) -> None:
    link.sendall(say.encode("latin-1") + b"\r\n")


def _hang_up(link: socket.socket) -> None:
    with contextlib.suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
    link.close()
