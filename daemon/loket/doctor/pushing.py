"""A mail to oneself: whether it can be sent, whether its coming is pushed, and what time it was there."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from loket.config.secrets import SecretError
from loket.config.snapshot import Snapshot
from loket.core.model import Kind, Outbound, Receipt, ReceiptKind
from loket.doctor.finding import SKEW_SECONDS, Finding, clock
from loket.doors import bounds, imap_door, smtp_door
from loket.files import FolderFiles
from loket.imap import SESSION_ERRORS, ImapSession, Refused
from loket.smtp import SmtpCourier
from loket.wake import Wake

HEAD_START_SECONDS = 1.0


def pushing(snapshot: Snapshot, address: str, seconds: float) -> Iterator[Finding]:
    """Send and wait; the mail stays, and is a machine's to whoever takes it in (RFC 3834)."""
    what = "send-test"
    try:
        door = replace(imap_door(snapshot, address), read_only=True)
        with (
            tempfile.TemporaryDirectory() as spare,
            ImapSession(door, bounds(snapshot), FolderFiles(Path(spare))) as session,
        ):
            last = max(session.uids(), default=0)
            # The session is in IDLE before the mail leaves, so that its coming is told of or not.
            with ThreadPoolExecutor(1) as hand:
                receipt = hand.submit(_send, snapshot, address)
                took = _wait(session, last, seconds)
            yield from _judged(session, address, receipt.result(), last, took, seconds)
    except (SecretError, Refused, *SESSION_ERRORS) as error:
        yield Finding(address, what, "error", str(error), "mend what is wrong with this mailbox first")


def _wait(session: ImapSession, last: int, seconds: float) -> float:
    """Wait until the server tells of the mail; after how long, which is `seconds` where it did not."""
    began = time.monotonic()
    wake = Wake()
    left = seconds
    while left > 0:
        # Without IDLE nothing ends a wait but its time.
        session.wait(wake, left if session.idles else 1.0)
        left = seconds - (time.monotonic() - began)
        if left > 0 and session.listing(last):
            break
    wake.close()
    return seconds - max(0.0, left)


def _judged(
    session: ImapSession, address: str, receipt: Receipt, last: int, took: float, seconds: float
) -> Iterator[Finding]:
    what = "send-test"
    if receipt.kind is not ReceiptKind.SENT:
        said = f"not taken: {receipt.code} {receipt.text}"
        yield Finding(address, what, "error", said, "may this account send to itself? the server's words say")
        return
    listed = session.listing(last)
    if not listed:
        said = f"sent, and not come within {took:.0f} s"
        yield Finding(address, what, "warning", said, "look for it in the spam folder; --timeout waits longer")
        return
    if not session.idles:
        yield Finding(address, what, "ok", f"sent, and seen after {took:.1f} s; the server does not push")
    elif took < seconds:
        yield Finding(address, what, "ok", f"sent, and its coming pushed after {took:.1f} s")
    else:
        said = "sent and come, but IDLE did not say so"
        yield Finding(address, what, "warning", said, "a smaller `poll: SECONDS` at the mailbox")
    if took < SKEW_SECONDS / 2:
        yield clock(address, listed[-1].internaldate, datetime.now(UTC))


def _send(snapshot: Snapshot, address: str) -> Receipt:
    time.sleep(HEAD_START_SECONDS)
    return asyncio.run(_submit(snapshot, address, datetime.now(UTC)))


async def _submit(snapshot: Snapshot, address: str, now: datetime) -> Receipt:
    message_id = f"<{secrets.token_hex(12)}@{address.rpartition('@')[2]}>"
    head = (
        f"From: {address}",
        f"To: {address}",
        "Subject: Loket doctor: a test mail",
        f"Date: {format_datetime(now)}",
        f"Message-ID: {message_id}",
        "Auto-Submitted: auto-generated",
        "",
        "`loket doctor --send-test` looks how long this takes to come. It may be deleted.",
        "",
    )
    data = "\r\n".join(head).encode()
    mail = Outbound(message_id, Kind.ALERT, address, address, address, message_id, (data,))
    courier = SmtpCourier(lambda: smtp_door(snapshot, address), 1)

    async def begins() -> None:
        """Nothing is kept of it."""

    try:
        return await courier.send(mail, data, begins)
    finally:
        await courier.close()
