"""One mailbox from inside: login, what the servers offer, folders, IDLE, sizes."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from loket.config.secrets import SecretError
from loket.config.snapshot import Snapshot
from loket.doctor.finding import Finding, clock
from loket.doors import bounds, imap_door, smtp_door
from loket.files import FolderFiles
from loket.imap import SESSION_ERRORS, ImapSession, Refused
from loket.smtp import SmtpCourier
from loket.wake import Wake

_APP = "with two-step verification on, make an app password at the provider and put that in the secret"
_LOGIN = "is the password right, and may this account use IMAP and SMTP? `login: {user: …}` where it is not the address"
LAST_TURNS_SECONDS = 0.1


def imap(snapshot: Snapshot, address: str) -> Iterator[Finding]:
    """The mailbox is opened as EXAMINE, so that nothing there changes."""
    mailbox = snapshot.config.mailboxes[address]
    try:
        door = replace(imap_door(snapshot, address), folder="INBOX", read_only=True)
        with (
            tempfile.TemporaryDirectory() as spare,
            ImapSession(door, bounds(snapshot), FolderFiles(Path(spare))) as session,
        ):
            yield Finding(address, "imap-login", "ok", f"as {door.user}")
            yield from _offers(session, address, mailbox.file_to, mailbox.poll)
            yield from _folders(session, address, mailbox.folder, mailbox.file_to)
            yield from _newest(session, address)
    except SecretError as error:
        yield _secret(address, "imap-login", error)
    except Refused as error:
        yield Finding(address, "imap-login", "error", str(error), _remedy(snapshot, address))
    except SESSION_ERRORS as error:
        yield Finding(address, "imap", "unreached", str(error), "what the server's own lines here say comes first")


def _remedy(snapshot: Snapshot, address: str) -> str:
    """What lets in who was not."""
    mailbox = snapshot.config.mailboxes[address]
    if mailbox.login.oauth2 is not None:
        return f"loket login {address}"
    return _APP if snapshot.config.servers[mailbox.server].preset else _LOGIN


def _secret(address: str, what: str, error: SecretError) -> Finding:
    return Finding(address, what, "error", str(error), "set it where Loket is started, as its service does")


def _offers(session: ImapSession, address: str, file_to: str | None, poll: int) -> Iterator[Finding]:
    offered = session.capabilities
    known = [name for name in ("IDLE", "MOVE", "UIDPLUS", "NAMESPACE", "SPECIAL-USE", "X-GM-EXT-1") if name in offered]
    yield Finding(address, "capabilities", "ok", ", ".join(known) or "none beyond the basic ones")
    if session.idles:
        wake = Wake()
        wake.set()
        session.wait(wake, 1)
        wake.close()
        yield Finding(address, "idle", "ok", "accepted; --send-test shows whether it pushes")
    else:
        remedy = "a smaller `poll: SECONDS` at the mailbox, or a server with IDLE (RFC 2177)"
        yield Finding(address, "idle", "warning", f"not offered: new mail is seen up to {poll} s later", remedy)
    if file_to is not None and "MOVE" not in offered and "UIDPLUS" not in offered:
        said = "handled mail can be copied and marked as deleted, but not taken out (no MOVE, no UIDPLUS)"
        yield Finding(address, "capabilities", "warning", said, "leave `file_to` out, or have the folder expunged")


def _folders(session: ImapSession, address: str, folder: str, file_to: str | None) -> Iterator[Finding]:
    if folder.upper() == "INBOX" or session.has_folder(folder):
        yield Finding(address, "folder", "ok", f"{folder} is there")
    else:
        there = ", ".join(session.folder_names()[:12])
        yield Finding(address, "folder", "error", f"{folder} is not there", f"folder: one of {there}")
    if file_to is not None:
        said = "is there" if session.has_folder(file_to) else "is not there yet; it is made with the first mail"
        yield Finding(address, "file_to", "ok", f"{file_to} {said}")
    sent = session.sent_folder()
    yield Finding(address, "sent", "ok" if sent else "note", f"sent mail lies in {sent}" if sent else "no Sent folder")


def _newest(session: ImapSession, address: str) -> Iterator[Finding]:
    uids = session.uids()
    yield Finding(address, "mail", "ok", f"{len(uids)} in INBOX")
    for newest in session.facts(uids[-1:]):
        yield clock(address, newest.internaldate, datetime.now(UTC), at_least=True)


def smtp(snapshot: Snapshot, address: str) -> Iterator[Finding]:
    """Login for submission and the size of mail that is taken; no mail is begun."""
    server = snapshot.config.servers[snapshot.config.sending(address)[0]]
    try:
        offered, refused = asyncio.run(_offered(snapshot, address))
    except SecretError as error:
        yield _secret(address, "smtp-login", error)
        return
    if refused is not None:
        login = refused.startswith("login refused")
        remedy = _remedy(snapshot, address) if login else "what the server's own lines here say"
        yield Finding(address, "smtp-login" if login else "smtp", "error" if login else "unreached", refused, remedy)
        return
    yield Finding(address, "smtp-login", "ok", "accepted" if "auth" in offered else "no login asked for")
    size = offered.get("size", "")
    if not size.isdigit() or not int(size):
        yield Finding(address, "size", "ok", "no limit named (RFC 1870)")
    elif int(size) < server.max_size:
        remedy = f"max_size: {size} at the server, or a larger limit there; officers are told of scans too large"
        yield Finding(address, "size", "warning", f"takes mails up to {size} octets, less than max_size", remedy)
    else:
        yield Finding(address, "size", "ok", f"takes mails up to {size} octets")
    if "8bitmime" not in offered:
        yield Finding(address, "smtp", "note", "no 8BITMIME: originals that need it go as .eml attachments")


async def _offered(snapshot: Snapshot, address: str) -> tuple[dict[str, str], str | None]:
    courier = SmtpCourier(lambda: smtp_door(snapshot, address), 1)
    try:
        return await courier.offers()
    finally:
        await courier.close()
        # A refused session's socket is closed by the loop itself, in the turns after this one.
        await asyncio.sleep(LAST_TURNS_SECONDS)
