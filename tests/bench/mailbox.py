"""Puts mails where Dovecot finds them: straight into the Maildir for a backlog, by LMTP for a delivery that counts."""

import os
import shutil
import smtplib
import socket
from collections.abc import Iterable
from pathlib import Path

from tests.bench.corpus import Letter
from tests.servers import MailServers


def fill(servers: MailServers, address: str, letters: Iterable[Letter]) -> tuple[int, int]:
    """Make the mailbox hold exactly these mails, indexed; returns how many and how many octets."""
    home = servers.root / "mail" / address
    shutil.rmtree(home, ignore_errors=True)
    for name in ("cur", "new", "tmp"):
        (home / name).mkdir(parents=True)
    count = octets = 0
    for letter in letters:
        # Name and fields as Dovecot's own delivery leaves them: S the size here, W with CRLF line ends.
        wire = len(letter.raw) + letter.raw.count(b"\n")
        (home / "cur" / f"1795000000.M{count:06}P1.bench,S={len(letter.raw)},W={wire}:2,").write_bytes(letter.raw)
        count, octets = count + 1, octets + wire
    owner = (servers.root / "mail").stat()
    for path in (home, *home.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    servers.doveadm("index", "-u", address, "INBOX")
    return count, octets


def empty(servers: MailServers, address: str) -> None:
    """Make the mailbox empty, under a new UIDVALIDITY."""
    shutil.rmtree(servers.root / "mail" / address, ignore_errors=True)


class Delivery:
    """One standing LMTP session with Dovecot."""

    def __init__(self, servers: MailServers) -> None:
        path: Path = servers.root / "dc/run/lmtp"
        self._client = smtplib.LMTP(str(path), local_hostname="client.test", timeout=30)
        self._client.ehlo_or_helo_if_needed()

    def deliver(self, letter: Letter, recipient: str) -> None:
        """Hand over one mail; it lies in the mailbox on return."""
        self._client.sendmail(letter.sender, [recipient], letter.raw)

    def close(self) -> None:
        """Take leave."""
        self._client.quit()


class PlainImap:
    """The little IMAP it takes to be a bound for others: bytes in, no parsing."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.command(f'LOGIN "{user}" "{password}"')
        self.command("EXAMINE INBOX")

    def command(self, words: str) -> int:
        """Send one command and throw its answer away; returns how many octets came."""
        self.socket.sendall(f"x {words}\r\n".encode())
        buffer, octets, tail = bytearray(1 << 20), 0, b"\r\n"
        while True:
            got = self.socket.recv_into(buffer)
            if not got:
                raise ConnectionError(f"the server hung up on {words.split(maxsplit=1)[0]}")
            octets += got
            tail = (tail + buffer[max(0, got - 4096) : got])[-4096:]
            last = tail.rstrip(b"\r\n").rpartition(b"\r\n")[2]
            if tail.endswith(b"\r\n") and last.startswith(b"x "):
                if not last.startswith(b"x OK"):
                    raise RuntimeError(f"{words.split(maxsplit=1)[0]}: {last.decode(errors='replace')}")
                return octets

    def idle(self) -> None:
        """Begin to IDLE."""
        self.socket.sendall(b"x IDLE\r\n")
        self.socket.recv(1000)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()
