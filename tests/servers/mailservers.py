"""Starts and stops the two servers, and gives tests the few words they need: submit, lmtp, messages, wait_for …"""

import atexit
import contextlib
import imaplib
import itertools
import os
import pwd
import re
import secrets
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.servers import certificates

HOST = "127.0.0.1"
PASSWORD = "secret"
_HERE = Path(__file__).parent
_NEEDED = ("dovecot", "doveadm", "postfix", "postconf", "openssl")
# Without a name of its own, smtplib asks the resolver for one, which may take seconds.
_HELO = "client.test"

# Where Postfix keeps what it has taken and not delivered yet.
_IN_HAND = ("maildrop", "incoming", "active")


class ServersUnavailable(Exception):
    """This machine cannot run the servers; the text says what is missing."""


@dataclass
class MailServers:
    """A running Postfix and Dovecot; every user exists, with the password `secret`, and so does every domain.

    Exceptions to that: a user named refused… cannot log in; the recipients refused@… and later@… get 550 and 450.
    """

    root: Path
    ca_file: Path
    imap_port: int
    imaps_port: int
    smtp_port: int
    smtps_port: int
    # Where these servers ask about tokens; whoever wants any accepted listens there.
    oauth_port: int = 0
    _guard: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    @classmethod
    def start(cls) -> Self:
        """Start both servers and return once all four ports answer.

        Raise ServersUnavailable where the machine lacks something, RuntimeError with the log where a server fails.
        """
        _require_machine()
        # Socket paths must stay under 108 bytes (unix(7)), so not below pytest's long folders.
        root = Path(tempfile.mkdtemp(prefix="lk-", dir="/tmp"))
        ports = free_ports(5)
        servers = cls(root, root / "tls/ca.pem", *ports)
        atexit.register(servers.stop)
        try:
            servers._lay_out()
            servers._run()
        except BaseException:
            servers.stop()
            raise
        return servers

    def stop(self) -> None:
        """End both servers and remove their folder; a second call does nothing."""
        atexit.unregister(self.stop)
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait(30)
        # The guard removes the folder too, but a start that failed early has no guard.
        shutil.rmtree(self.root, ignore_errors=True)

    def unique(self, local: str) -> str:
        """Return the local part at a domain that no other test has, so that no two tests share a mailbox."""
        return f"{local}@t{next(self._numbers)}.test"

    def submit(self, raw: bytes, sender: str, recipients: list[str]) -> None:
        """Send through Postfix; raise smtplib.SMTPRecipientsRefused when it refuses any of the recipients."""
        options = [] if raw.isascii() else ["BODY=8BITMIME"]
        with smtplib.SMTP(HOST, self.smtp_port, local_hostname=_HELO, timeout=60) as client:
            refused = client.sendmail(sender, recipients, raw, options)
        if refused:
            raise smtplib.SMTPRecipientsRefused(refused)

    def lmtp(self, raw: bytes, recipient: str, sender: str = "") -> None:
        """Deliver straight to Dovecot, past Postfix and whatever it would cure; the mail is there on return."""
        with smtplib.LMTP(str(self.root / "dc/run/lmtp"), local_hostname=_HELO, timeout=60) as client:
            client.sendmail(sender, [recipient], raw)

    def deliver(self, raw: bytes, address: str) -> None:
        """Mail comes, as from another server."""
        self.lmtp(raw, address, "x@y.test")

    def renew(self, address: str) -> None:
        """The INBOX is gone and made anew: it is empty and has another UIDVALIDITY."""
        with self._session(address) as session:
            _, answer = session.status("INBOX", "(UIDVALIDITY)")
        [before] = re.findall(rb"UIDVALIDITY (\d+)", answer[0])
        shutil.rmtree(self.root / "mail" / address)
        self.doveadm("mailbox", "update", "-u", address, "--uid-validity", str(int(before) + 5), "INBOX")

    def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """Return the folder's mails as stored, in UID order, changing no flag; none when there is no such folder."""
        with self._session(address) as session:
            return _fetch_all(session) if _count(session, folder) else []

    def wait_for(self, address: str, count: int, timeout: float = 15, folder: str = "INBOX") -> list[bytes]:
        """Return the folder's mails once there are at least `count`; raise TimeoutError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._session(address) as session:
            while (found := _count(session, folder)) < count:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{found} of {count} mails in {folder} of {address} in {timeout} s{self.log()}")
                time.sleep(0.05)
            return _fetch_all(session) if found else []

    def settle(self, timeout: float = 15) -> None:
        """Wait until every mail that was handed over is delivered; raise TimeoutError after `timeout` seconds.

        Postfix says yes before it delivers: a mailbox that is looked at in between lacks the mail.
        """
        deadline = time.monotonic() + timeout
        while waiting := [path for part in _IN_HAND for path in (self.root / "pf/queue" / part).rglob("*")]:
            # Once more where one went while the others were listed; folders of the spool stay.
            if not any(path.is_file() for path in waiting):
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"mail is still in hand after {timeout} s{self.log()}")
            time.sleep(0.02)

    def doveadm(self, *args: str) -> str:
        """Run doveadm on these servers and return what it printed; raise RuntimeError with its complaint."""
        return _command("doveadm", "-c", str(self.root / "dc/dovecot.conf"), *args)

    def log(self, lines: int = 20) -> str:
        """Return the last lines of each server's log, for the message of a failing test."""
        text = ""
        for path in (self.root / "pf/log", self.root / "dc/log"):
            if path.exists():
                tail = path.read_text(errors="replace").splitlines()[-lines:]
                text += "\n".join(["", f"--- {path}", *tail])
        return text

    def _lay_out(self) -> None:
        for name in (".", "tls", "mail", "dc", "dc/state", "pf", "pf/etc", "pf/queue", "pf/data"):
            folder = self.root / name
            folder.mkdir(exist_ok=True)
            # Both servers drop root and must still pass through, whatever the umask here.
            folder.chmod(0o755)
        certificates.issue(self.root / "tls")
        nobody = pwd.getpwnam("nobody")
        shutil.chown(self.root / "mail", nobody.pw_uid, nobody.pw_gid)
        shutil.chown(self.root / "pf/data", "postfix")
        words = {
            "root": self.root,
            "uid": nobody.pw_uid,
            "gid": nobody.pw_gid,
            "password": PASSWORD,
            "unknown": secrets.token_hex(),
            "imap_port": self.imap_port,
            "imaps_port": self.imaps_port,
            "smtp_port": self.smtp_port,
            "smtps_port": self.smtps_port,
            "oauth_port": self.oauth_port,
        }
        for name, target in (
            ("dovecot.conf", "dc"),
            ("oauth2.conf", "dc"),
            ("main.cf", "pf/etc"),
            ("master.cf", "pf/etc"),
        ):
            text = re.sub(r"@(\w+)@", lambda match: str(words[match[1]]), (_HERE / "etc" / name).read_text())
            (self.root / target / name).write_text(text)

    def _run(self) -> None:
        configuration = str(self.root / "pf/etc")
        # Makes the queue's folders and finds mistakes, as `postfix start` would.
        _command("postfix", "-c", configuration, "check")
        master = _command("postconf", "-c", configuration, "-h", "daemon_directory").strip() + "/master"
        # A session of its own, so that Ctrl-C reaches the tests first and they take leave of servers that still run.
        with (self.root / "console").open("wb") as console:
            self._guard = subprocess.Popen(
                [_HERE / "guard.sh", self.root, master],
                stdin=subprocess.PIPE,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        # Only the two plain ports say a word before the client does.
        for port, greeting in (
            (self.imap_port, b"* OK"),
            (self.smtp_port, b"220"),
            (self.imaps_port, b""),
            (self.smtps_port, b""),
        ):
            self._await(port, greeting)

    def _await(self, port: int, greeting: bytes) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection((HOST, port), 5) as connection:
                if not greeting or connection.recv(100).startswith(greeting):
                    return
            time.sleep(0.05)
        console = (self.root / "console").read_text(errors="replace")
        raise RuntimeError(f"no mail server answers on port {port}\n{console}{self.log()}")

    @contextlib.contextmanager
    def _session(self, address: str) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4(HOST, self.imap_port, timeout=60) as session:
            session.login(address, PASSWORD)
            yield session


def _require_machine() -> None:
    if os.geteuid() != 0:
        raise ServersUnavailable("Postfix and Dovecot need root to change users")
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing:
        raise ServersUnavailable(f"not installed: {', '.join(missing)} (tests/servers/install.sh installs them)")
    version = _command("dovecot", "--version")
    if not version.startswith("2.3."):
        raise ServersUnavailable(f"the configuration here is written for Dovecot 2.3, this is {version.strip()}")


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody uses at the moment."""
    # All are held until all are known, or the kernel might hand out one twice.
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def _command(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _count(session: imaplib.IMAP4, folder: str) -> int:
    quoted = '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
    answer, data = session.select(quoted, readonly=True)
    return int(data[0] or 0) if answer == "OK" else 0


def _fetch_all(session: imaplib.IMAP4) -> list[bytes]:
    # Sequence numbers ascend with the UIDs (RFC 9051 section 2.3.1.2).
    _, data = session.fetch("1:*", "(BODY.PEEK[])")
    return [part[1] for part in data if isinstance(part, tuple)]
