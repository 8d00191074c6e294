"""A town for the length of one story, and the clients that visit it."""

from __future__ import annotations

import asyncio
import smtplib
import time
from collections.abc import Awaitable, Callable

from imapclient import IMAPClient

from loket.demo.town import Town

COUNTER = "desainsk.otsk2020@gmail.com"
MAIL = b"From: sari@jamusegar.example\r\nSubject: Ambil SK_OT_Jamu\r\nMessage-ID: <a@x.example>\r\n\r\nSelamat pagi\r\n"


def in_town(story: Callable[[Town], Awaitable[None]]) -> None:
    async def main() -> None:
        async with Town([COUNTER]) as town:
            await asyncio.wait_for(story(town), 20)

    asyncio.run(main())


def joined(town: Town, user: str = COUNTER) -> IMAPClient:
    client = IMAPClient(town.host, town.imap_port, ssl=False, timeout=5)
    client.login(user, town.password)
    client.select_folder("INBOX")
    return client


def idling(town: Town) -> IMAPClient:
    client = joined(town)
    client.idle()
    return client


def hears(client: IMAPClient, exists: int) -> bool:
    """Whether the idling client is told within five seconds; other news (flags) may come before it."""
    deadline = time.monotonic() + 5
    # imapclient polls the socket and never sees what came in one packet with the answer to IDLE.
    while _is_buffered(client):
        if client._imap.readline().startswith(f"* {exists} EXISTS".encode()):
            return True
    while time.monotonic() < deadline:
        if (exists, b"EXISTS") in client.idle_check(deadline - time.monotonic()):
            return True
    return False


def _is_buffered(client: IMAPClient) -> bool:
    client.socket().setblocking(False)
    try:
        return bool(client._imap.file.peek(1))
    except BlockingIOError:
        return False
    finally:
        client.socket().settimeout(5)


def part(client: IMAPClient) -> None:
    client.idle_done()
    client.logout()


def submit(town: Town, sender: str, recipients: list[str], raw: bytes, options: tuple[str, ...] = ()) -> None:
    with smtplib.SMTP(town.host, town.smtp_port, timeout=5) as client:
        client.login(COUNTER, town.password)
        client.sendmail(sender, recipients, raw, options)
