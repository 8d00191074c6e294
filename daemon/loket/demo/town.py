"""The mail town itself: one IMAP and one SMTP server on loopback, and mail that moves from the one to the other."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Self

from loket.demo.imapd import HOST, ImapServer
from loket.demo.smtpd import NAME, SmtpServer, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PASSWORD = "loket-demo"  # noqa: S105 - no secret: the town lives on loopback for as long as the demo runs


class UnknownRecipientError(Exception):
    """Nobody lives at this address; over SMTP the same is said with 550 5.1.1."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail the SMTP server accepted, as it came over the wire; an empty sender is the null reverse-path."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    at: datetime


class Town:
    """An async context manager; its methods belong to the loop it was entered in, its ports to everybody.

    Every address has a mailbox as soon as it gets mail or logs in; user names are mail addresses. `name+detail@` is
    delivered to `name@`, as Gmail and most others do.
    """

    def __init__(
        self,
        addresses: Iterable[str] = (),
        *,
        password: str = PASSWORD,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.host = HOST
        self.password = password
        self.imap_port = 0
        self.smtp_port = 0
        self.sent: list[Envelope] = []
        self._clock = clock
        self._imap = ImapServer(password)
        self._smtp = SmtpServer(password, self._accept)
        self._addresses = tuple(addresses)

    async def __aenter__(self) -> Self:
        self.imap_port = await self._imap.start()
        self.smtp_port = await self._smtp.start()
        for address in self._addresses:
            self._imap.open(address)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._smtp.stop()
        await self._imap.stop()

    async def deliver(self, raw: bytes, recipient: str, *, sender: str, at: datetime | None = None) -> None:
        """Deliver one mail past the SMTP server, as if it had come from the world outside at `at` (or now).

        The same mail at the same time becomes the same bytes. Raises UnknownRecipientError for `tidak-ada@`.
        """
        if unknown(recipient):
            raise UnknownRecipientError(recipient)
        when = at or self._clock()
        trace = trace_lines(sender, recipient, _helo(sender), raw, when)
        await self._imap.append(_mailbox(recipient), trace + raw, when)

    async def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """Every mail in a folder of this address as it lies there, trace lines included, oldest first."""
        return await self._imap.messages(address, folder)

    async def wait_for(self, predicate: Callable[[Town], bool], timeout: float) -> None:
        """Return when `predicate(town)` holds, looked at every 20 ms; TimeoutError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not predicate(self):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout:g} s; the town has sent {len(self.sent)} mails")
            await asyncio.sleep(0.02)

    async def _accept(self, sender: str, recipients: tuple[str, ...], raw: bytes, helo: str) -> None:
        now = self._clock()
        for recipient in recipients:
            trace = trace_lines(sender, recipient, helo, raw, now)
            await self._imap.append(_mailbox(recipient), trace + raw, now)
        # Last, so that whoever waits for an envelope finds its mail delivered.
        self.sent.append(Envelope(sender, recipients, raw, now))


def trace_lines(sender: str, recipient: str, helo: str, raw: bytes, when: datetime) -> bytes:
    """What a final delivery puts on top (RFC 5321 section 4.4); the id follows from the mail, so it can repeat."""
    queue_id = sha256(raw + recipient.encode() + when.isoformat().encode()).hexdigest()[:12].upper()
    lines = (
        f"Return-Path: <{sender}>",
        f"Received: from {helo} (localhost [{HOST}])",
        f"\tby {NAME} with ESMTP id {queue_id}",
        f"\tfor <{recipient}>; {format_datetime(when)}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def _helo(sender: str) -> str:
    return sender.rpartition("@")[2] or "localhost"


def _mailbox(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
