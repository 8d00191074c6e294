"""Submission (RFC 6409) through aiosmtplib: connections kept, mail, rcpt and data as separate steps, typed verdicts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
)

from loket import maillog, tls
from loket.core.model import Kind, Outbound, Receipt, ReceiptKind

CONNECT_SECONDS = 30
COMMAND_SECONDS = 300
# RFC 5321 4.5.3.2.6: a server may need ten minutes after the dot.
DATA_SECONDS = 600
# A session that answered so lately is not asked first whether it still does.
FRESH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SubmissionDoor:
    """Where and as whom to submit."""

    host: str
    port: int
    security: str
    user: str
    password: str
    ca_file: str | None = None


class SmtpCourier:
    """Up to `connections` reused sessions with one submission server; every attempt ends in a Receipt."""

    def __init__(self, door: Callable[[], SubmissionDoor], connections: int, archive: str | None = None) -> None:
        """Nothing is connected before the first mail.

        `archive` is an address of our own that gets a copy of each letter in the letter's own transaction: when it
        comes home, a letter in doubt is known to have been taken.
        """
        self._door = door
        self._archive = archive
        # With each when it last answered; 0 where its transaction may still be open.
        self._idle: list[tuple[SMTP, float]] = []
        self._places = asyncio.Semaphore(connections)

    async def send(self, mail: Outbound, data: bytes, begins: Callable[[], Awaitable[None]]) -> Receipt:
        """Submit one mail to its one recipient; `begins` is awaited just before DATA (promise P11)."""
        async with self._places:
            while True:
                try:
                    client, reused = await self._client()
                except (SMTPException, OSError, TimeoutError) as error:
                    return _not_tried(error)
                receipt = await self._submit(client, mail, data, begins, reused=reused)
                if receipt is not None:
                    return receipt

    async def eight_bit(self) -> bool:
        """Whether the server takes 8-bit bodies (RFC 6152); False where it cannot be asked."""
        async with self._places:
            try:
                client, _ = await self._client()
            except (SMTPException, OSError, TimeoutError):
                return False
            offered = client.supports_extension("8bitmime")
            self._idle.append((client, time.monotonic()))
            return offered

    async def limit(self) -> int | None:
        """The octets of a mail that the server takes (RFC 1870); None where it names none or cannot be asked."""
        async with self._places:
            try:
                client, _ = await self._client()
            except (SMTPException, OSError, TimeoutError):
                return None
            said = client.esmtp_extensions.get("size", "")
            self._idle.append((client, time.monotonic()))
            return int(said) or None if said.isdigit() else None

    async def offers(self) -> tuple[dict[str, str], str | None]:
        """What the server offers to whom it let in, in small letters; or none, and why it could not be asked."""
        async with self._places:
            try:
                client, _ = await self._client()
            except (SMTPException, OSError, TimeoutError) as error:
                return {}, _not_tried(error).text
            self._idle.append((client, time.monotonic()))
            return dict(client.esmtp_extensions), None

    async def _client(self) -> tuple[SMTP, bool]:
        """A session that still answers, else a new one; and whether it has served before."""
        while self._idle:
            client, since = self._idle.pop()
            if time.monotonic() - since < FRESH_SECONDS and client.is_connected:
                return client, True
            try:
                # One that a firewall forgot never answers: better to connect anew than to wait long for it.
                await client.rset(timeout=CONNECT_SECONDS)
            except (SMTPException, OSError, TimeoutError):
                client.close()
                continue
            return client, True
        door = self._door()
        client = SMTP(
            hostname=door.host,
            port=door.port,
            use_tls=door.security == "tls",
            start_tls=door.security == "starttls",
            tls_context=tls.context(door.ca_file) if door.security != "plain" else None,
            timeout=CONNECT_SECONDS,
        )
        await client.connect()
        try:
            await client.ehlo()
            if client.supports_extension("auth"):
                await client.login(door.user, door.password)
        except (SMTPException, OSError, TimeoutError):
            client.close()
            raise
        return client, False

    async def _submit(
        self, client: SMTP, mail: Outbound, data: bytes, begins: Callable[[], Awaitable[None]], *, reused: bool
    ) -> Receipt | None:
        """The verdict; None where a session that had served before has gone, and another is to be asked."""
        flowing = False
        try:
            unable = _unable(client, mail, len(data))
            if unable:
                self._idle.append((client, time.monotonic()))
                return unable
            options = _options(client, mail, len(data))
            await client.mail(mail.sender, options=options, encoding="utf-8", timeout=COMMAND_SECONDS)
            await client.rcpt(mail.recipient, encoding="utf-8", timeout=COMMAND_SECONDS)
            await self._copy(client, mail)
            await begins()
            flowing = True
            response = await client.data(data, timeout=DATA_SECONDS)
        except SMTPResponseException as error:
            if error.code == 421 and reused and not flowing:
                # It ends the session, not the mail: many servers take so many mails on one, and say so like this.
                client.close()
                return None
            # 4xx and 5xx are verdicts, before and after the dot; anything else is no answer to what was asked.
            if 400 <= error.code < 600:
                self._keep(client, error.code)
                kind = ReceiptKind.REFUSED if error.code >= 500 else ReceiptKind.REFUSED_NOW
                return Receipt(kind, error.code, _words(error.message))
            client.close()
            return _cut_off(flowing, f"{error.code} {error.message}")
        except (SMTPException, OSError, TimeoutError) as error:
            client.close()
            return None if reused and not flowing else _cut_off(flowing, f"{type(error).__name__}: {error}")
        except ValueError as error:
            # An address with what no command line may hold: it will be the same tomorrow.
            client.close()
            return _cut_off(flowing, str(error)) if flowing else Receipt(ReceiptKind.REFUSED, 553, _words(str(error)))
        except BaseException:
            client.close()
            raise
        self._idle.append((client, time.monotonic()))
        return Receipt(ReceiptKind.SENT, response.code, _words(response.message))

    async def _copy(self, client: SMTP, mail: Outbound) -> None:
        """Our own address as a second recipient; a server that refuses it still gets the letter."""
        if self._archive is None or mail.kind is not Kind.DELIVERY:
            return
        try:
            await client.rcpt(self._archive, encoding="utf-8", timeout=COMMAND_SECONDS)
        except SMTPResponseException as error:
            maillog.not_archived(mail, error.code, _words(error.message))

    def _keep(self, client: SMTP, code: int) -> None:
        """A session survives a refusal, except 421, which announces its end (RFC 5321 3.8)."""
        if code == 421 or not client.is_connected:
            client.close()
        else:
            self._idle.append((client, 0.0))

    async def close(self) -> None:
        """Say goodbye on idle sessions."""
        while self._idle:
            client, _ = self._idle.pop()
            try:
                await client.quit(timeout=5)
            except (SMTPException, OSError, TimeoutError):
                client.close()


def _not_tried(error: BaseException) -> Receipt:
    """The server was not reached or did not let us in: the mail itself was never judged."""
    code = error.code if isinstance(error, SMTPResponseException) else 0
    refused = "login refused: " if isinstance(error, SMTPAuthenticationError) else ""
    return Receipt(ReceiptKind.NOT_TRIED, code, _words(f"{refused}{type(error).__name__}: {error}"))


def _words(text: str) -> str:
    """A reply fit to be stored: the library keeps octets that are not UTF-8 as surrogates, which no database takes."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def _cut_off(flowing: bool, said: str) -> Receipt:
    """Without a verdict: before DATA nothing has happened, after it nobody knows."""
    return Receipt(ReceiptKind.IN_DOUBT if flowing else ReceiptKind.REFUSED_NOW, 0, _words(said))


def _unable(client: SMTP, mail: Outbound, size: int) -> Receipt | None:
    """What this server cannot take at all."""
    for address in (mail.sender, mail.recipient):
        if not _is_plain(address):
            # The library would send to what it makes of such an address, which may be somebody else (promise P14).
            return Receipt(ReceiptKind.REFUSED, 553, _words(f"{address} is no plain address"))
    if not (mail.recipient.isascii() and mail.sender.isascii()) and not client.supports_extension("smtputf8"):
        return Receipt(ReceiptKind.REFUSED, 553, "the server takes no addresses beyond ASCII (RFC 6531)")
    limit = client.esmtp_extensions.get("size", "")
    if limit.isdigit() and 0 < int(limit) < size:
        return Receipt(ReceiptKind.REFUSED, 552, f"larger than the server's SIZE of {limit} octets")
    if mail.eight_bit and not client.supports_extension("8bitmime"):
        return Receipt(ReceiptKind.REFUSED_NOW, 0, "the server no longer offers 8BITMIME")
    return None


@lru_cache(maxsize=4096)
def _is_plain(address: str) -> bool:
    return parseaddr(address)[1] == address


def _options(client: SMTP, mail: Outbound, size: int) -> list[str]:
    options = [f"SIZE={size}"] if client.supports_extension("size") else []
    if mail.eight_bit:
        options.append("BODY=8BITMIME")
    if not (mail.recipient.isascii() and mail.sender.isascii()):
        options.append("SMTPUTF8")
    return options
