"""A session with a submission server: connected, secured, and logged in by password or token (RFC 4954)."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64decode, b64encode
from concurrent.futures import Future
from dataclasses import dataclass, field

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException

from loket import sasl, tls
from loket.ports import NotLoggedIn, Tokens

CONNECT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class SubmissionDoor:
    """Where and as whom to submit."""

    host: str
    port: int
    security: str
    user: str
    # A password, or whose tokens speak for the user.
    secret: str | Tokens = field(repr=False)
    ca_file: str | None = None


async def connected(door: SubmissionDoor) -> SMTP:
    """A session that is logged in, where the server asks for that; SMTPException or OSError where there is none.

    A token that was refused may have been revoked before its time: it is exchanged for another, once.
    """
    if isinstance(door.secret, str):
        return await _entered(door, door.secret)
    token = await _token(door.secret)
    try:
        return await _entered(door, token, bearer=True)
    except SMTPAuthenticationError as error:
        # 4yz is no word about the token.
        another = await _token(door.secret, token) if error.code >= 500 else token
        if another == token:
            raise
    return await _entered(door, another, bearer=True)


async def _entered(door: SubmissionDoor, secret: str, *, bearer: bool = False) -> SMTP:
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
            await (_bear(client, door, secret) if bearer else client.login(door.user, secret))
    except (SMTPException, OSError, TimeoutError):
        client.close()
        raise
    return client


async def _bear(client: SMTP, door: SubmissionDoor, token: str) -> None:
    """Log in with a token (RFC 4954); an error comes as a challenge, to which the answer ends the exchange."""
    way = sasl.chosen(client.server_auth_methods)
    if way is None:
        said = f"{door.host} takes no tokens (OAUTHBEARER or XOAUTH2), but {', '.join(client.server_auth_methods)}"
        raise SMTPAuthenticationError(504, said)
    exchange = sasl.Exchange(way, door.user, token, door.host, door.port)
    code, said = await client.execute_command(b"AUTH", way.encode(), b64encode(exchange(b"")))
    if code == 334:
        code, said = await client.execute_command(b64encode(exchange(_decoded(said))))
    if code != 235:
        raise SMTPAuthenticationError(code, f"{said} ({exchange.said})" if exchange.said else said)


def _decoded(challenge: str) -> bytes:
    try:
        return b64decode(challenge)
    except ValueError:
        return b""


async def _token(tokens: Tokens, refused: str | None = None) -> str:
    """A token, asked for in a thread of its own: the daemon's end must not wait for an authorization server."""
    asked: Future[str] = Future()
    asked.set_running_or_notify_cancel()

    def ask() -> None:
        try:
            asked.set_result(tokens.access(refused))
        except Exception as error:  # noqa: BLE001 - raised again where it is awaited
            asked.set_exception(error)

    threading.Thread(target=ask, name="token", daemon=True).start()
    try:
        return await asyncio.wrap_future(asked)
    except NotLoggedIn as error:
        raise SMTPAuthenticationError(530, str(error)) from error
