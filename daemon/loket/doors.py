"""Where and as whom each mailbox is read and its mail submitted, from the configuration and its secrets."""

from __future__ import annotations

from loket.config.models import Endpoint
from loket.config.secrets import resolve
from loket.config.snapshot import Snapshot
from loket.imap import Bounds, Door
from loket.smtp import SubmissionDoor


def _endpoint(snapshot: Snapshot, address: str, door: int) -> tuple[Endpoint, str, str, str | None]:
    mailbox = snapshot.config.mailboxes[address]
    server = snapshot.config.servers[mailbox.server]
    ca_file = str(snapshot.root / server.ca) if server.ca else None
    user, password = mailbox.login.user or address, resolve(mailbox.login.password, snapshot.root)
    return server.doors[door], user, password, ca_file


def imap_door(snapshot: Snapshot, address: str) -> Door:
    """Where and as whom a mailbox is read; the secret is resolved at each call, so a changed one is picked up."""
    at, user, password, ca_file = _endpoint(snapshot, address, 0)
    mailbox = snapshot.config.mailboxes[address]
    read_only = mailbox.file_to is None
    return Door(at.host, at.port, at.security, user, password, mailbox.folder, read_only, ca_file)


def smtp_door(snapshot: Snapshot, address: str) -> SubmissionDoor:
    """Where and as whom a mailbox's mail is submitted."""
    at, user, password, ca_file = _endpoint(snapshot, address, 1)
    return SubmissionDoor(at.host, at.port, at.security, user, password, ca_file)


def bounds(snapshot: Snapshot) -> Bounds:
    """How much is held at once."""
    batch = snapshot.config.batch
    return Bounds(batch.mails, batch.octets, batch.piece)
