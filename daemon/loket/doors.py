"""Where and as whom each mailbox is read and its mail submitted, from the configuration and its secrets."""

from __future__ import annotations

from datetime import timedelta

from loket.config.models import Endpoint
from loket.config.secrets import resolve
from loket.config.snapshot import Snapshot
from loket.core.model import Kind
from loket.core.quota import DAY, Limit
from loket.imap import Bounds, Door
from loket.outbox import Account
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


def account(snapshot: Snapshot, address: str) -> Account:
    """The login that a mailbox submits with, and what it may send; mailboxes with the same one share it."""
    config = snapshot.config
    mailbox = config.mailboxes[address]
    server = config.servers[mailbox.server]

    def login(of: str) -> tuple[str, str]:
        return config.mailboxes[of].server, config.mailboxes[of].login.user or of

    sharing = tuple(other for other in config.mailboxes if login(other) == login(address))
    limits = [Limit(server.per_minute, timedelta(minutes=1))] if server.per_minute else []
    limits += [Limit(server.per_day, DAY)] if server.per_day else []
    return Account(sharing, tuple(limits), Kind.DELIVERY if mailbox.archive else None)
