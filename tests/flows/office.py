"""The shipped office on the tests' own servers, with a clock that the story sets."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import compat32, default
from email.utils import parseaddr
from hashlib import sha256
from pathlib import Path

from loket.app import App
from loket.config.load import Snapshot, load
from loket.demo.officer import confirm
from loket.signatures import Lookup, ask_dns
from loket.stores import Stores, open_stores
from tests.servers import PASSWORD, MailServers

TOP = Path(__file__).parents[2]
MORNING = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # Tuesday, 09.00 WIB
NEW_LINE = re.compile(r"\r?\n")
SETTLED = "2027-03-10, 2027-03-11, 2027-05-17"
SECRET = "a secret for stories, long enough"


@dataclass(slots=True)
class StoryClock:
    """Time that moves only when the story says so."""

    at: datetime = MORNING

    def now(self) -> datetime:
        """The story's moment."""
        return self.at

    def wib(self, hour: int, minute: int = 0, days: int = 0) -> None:
        """Set the time of day, in Jakarta, so many days after the story began."""
        self.at = (MORNING + timedelta(days=days)).replace(hour=hour - 7, minute=minute)


@dataclass(slots=True)
class FlowOffice:
    """Submit as an applicant or officer, let the daemon work, read what arrived."""

    servers: MailServers
    folder: Path
    clock: StoryClock = field(default_factory=StoryClock)
    lookup: Lookup = ask_dns

    def set_up(self, *changes: tuple[str, str]) -> None:
        """Write the office's configuration with the tests' servers in it, and empty the mailboxes it names."""
        text = (TOP / "config.yaml").read_text()
        doors = f'imap: "127.0.0.1:{self.servers.imap_port}", smtp: "127.0.0.1:{self.servers.smtp_port}"'
        text = re.sub(r"^  (pom|yahoo|gmail): \{.*$", rf"  \1: {{{doors}}}", text, flags=re.MULTILINE)
        text = text.replace("history: none", "history: all")
        text = re.sub(r"\$\{env:LOKET_\w+_PASSWORD\}", "${file:password}", text)
        text = text.replace("${env:LOKET_SECRET}", "${file:secret}")
        # What the registry of holidays only reckons is settled here: the admin has nothing to be told of it.
        text = text.replace("    add: []  ", f"    add: [{SETTLED}]  ")
        # Stories of other things are not told of what becomes late in them.
        text = re.sub(r"^escalation: (\{.*\})", r"escalation: {} # \1", text, flags=re.MULTILINE)
        text = re.sub(r"^reports:\n  - (\{.*\})", r"reports: [] # \1", text, flags=re.MULTILINE)
        for before, after in changes:
            assert before in text, f"{before!r} is not in config.yaml"
            text = text.replace(before, after)
        (self.folder / "config.yaml").write_text(text)
        (self.folder / "password").write_text(PASSWORD)
        (self.folder / "secret").write_text(SECRET)
        if not (self.folder / "rules").exists():
            shutil.copytree(TOP / "rules", self.folder / "rules")
        self.empty(re.findall(r"[\w.]+@[\w.]+", text))

    def empty(self, addresses: Iterable[str]) -> None:
        """Leave nothing of an earlier story in these mailboxes."""
        for address in set(addresses):
            shutil.rmtree(self.servers.root / "mail" / address, ignore_errors=True)

    @property
    def snapshot(self) -> Snapshot:
        """The configuration as it is on disk now."""
        return load(self.folder / "config.yaml")

    def submit(self, raw: bytes) -> None:
        """Send a mail by SMTP from its From to its To, and wait until it lies in the mailbox."""
        message = message_from_bytes(raw, policy=default)
        sender, recipient = parseaddr(str(message["From"]))[1], parseaddr(str(message["To"]))[1]
        before = len(self.servers.messages(recipient))
        self.servers.submit(raw, sender, [recipient])
        self.servers.wait_for(recipient, before + 1)

    def work(self) -> None:
        """One pass of the daemon: take in, tick, send."""

        async def once() -> None:
            trouble = await App(self.snapshot, self.clock, self.lookup).once()
            assert trouble == {}

        asyncio.run(once())
        self.servers.settle()

    def confirm(self, officer: str) -> Mail:
        """The officer sends back the code of the last mail that told one, once that has left; returns that mail."""
        self.clock.at += timedelta(minutes=2)
        self.work()
        said = [(raw, confirm(raw, now=self.clock.now())) for raw in self.servers.messages(officer)]
        told, word = [(raw, word) for raw, word in said if word][-1]
        self.submit(word)
        self.work()
        return Mail(told)

    def stores(self) -> Stores:
        """The store, for looking."""
        return open_stores(self.snapshot, self.clock.now())

    def mails(self, address: str, count: int) -> list[Mail]:
        """The mailbox's mails, once there are exactly so many."""
        found = self.servers.wait_for(address, count)
        assert len(found) == count, [Mail(raw).subject for raw in found]
        return [Mail(raw) for raw in found]


@dataclass(frozen=True, slots=True)
class Mail:
    """A delivered mail as its reader sees it."""

    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """Parsed by the standard library, which Loket's own composer never uses."""
        return message_from_bytes(self.raw, policy=default)  # type: ignore[return-value]

    @property
    def subject(self) -> str:
        """The decoded subject."""
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """The plain text."""
        body = self.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")

    @property
    def markup(self) -> str:
        """The HTML alternative; empty where there is none."""
        body = self.message.get_body(("html",))
        return str(body.get_content()) if body is not None else ""

    def attachments(self) -> list[tuple[str, str, bytes]]:
        """Name, media type and bytes of each attachment; an enclosed mail's bytes exactly as they travelled."""
        found = []
        for part in self.message.iter_attachments():
            if part.get_content_type() == "message/rfc822":
                content = self._enclosed(part.get_filename() or "")
            else:
                content = part.get_payload(decode=True) or b""
            found.append((part.get_filename() or "", part.get_content_type(), content))
        return found

    def _enclosed(self, name: str) -> bytes:
        """The octets between an enclosed mail's header and the next boundary: parsing it again could change it."""
        boundary = self.message.get_boundary()
        for section in self.raw.split(f"--{boundary}\r\n".encode())[1:]:
            head, _, body = section.partition(b"\r\n\r\n")
            if name.encode() in head:
                return body.partition(f"\r\n--{boundary}".encode())[0]
        raise AssertionError(f"{name} is not enclosed")

    def shown(self) -> str:
        """The mail as text for comparing with a literal: what changes with every run is put out of the way."""
        # Not by policy `default`: some releases of Python put a space between the encoded words of a folded name.
        plain = message_from_bytes(self.raw, policy=compat32)
        lines = [
            f"{name}: {make_header(decode_header(re.sub(NEW_LINE, '', plain[name])))}"
            for name in ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted")
            if plain[name]
        ]
        lines += ["", self.text.rstrip()]
        for name, media_type, content in self.attachments():
            digest = "" if media_type == "message/rfc822" else f" sha256={sha256(content).hexdigest()}"
            lines.append(f"\n[{name}, {media_type}{digest}]")
        text = "\n".join(lines) + "\n"
        text = re.sub(r"\.[0-9a-f]{20}@", ".NONCE@", text)
        text = re.sub(r"YA( |%20)[A-Z2-7]{5}-[A-Z2-7]{5}", r"YA\1CODE", text)
        text = re.sub(r"\.(\d+)\.[a-z2-7]{26}%5D", r".\1.MAC%5D", text)
        return re.sub(r"\.(\d+)\.[a-z2-7]{26}", r".\1.MAC", text)
