"""Where and as whom each mailbox is read and its mail submitted, from the configuration and its secrets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from loket.config.models import Server
from loket.config.secrets import resolve
from loket.config.snapshot import Snapshot
from loket.core.model import Kind
from loket.core.quota import DAY, Limit
from loket.imap import Bounds, Door
from loket.outbox import Account
from loket.smtp import SubmissionDoor


def imap_door(snapshot: Snapshot, address: str) -> Door:
    """Where and as whom a mailbox is read; the secret is resolved at each call, so a changed one is picked up."""
    mailbox = snapshot.config.mailboxes[address]
    server = snapshot.config.servers[mailbox.server]
    at, read_only = server.doors[0], mailbox.file_to is None
    user, password = mailbox.login.user or address, resolve(mailbox.login.password, snapshot.root)
    return Door(at.host, at.port, at.security, user, password, mailbox.folder, read_only, _ca_file(snapshot, server))


def sent_door(snapshot: Snapshot, address: str) -> Door:
    """Where and as whom copies of a mailbox's mail are filed; the folder is found there."""
    return replace(imap_door(snapshot, address), folder="\\Sent", read_only=False)


def smtp_door(snapshot: Snapshot, address: str) -> SubmissionDoor:
    """Where and as whom a mailbox's mail is submitted."""
    name, login = snapshot.config.sending(address)
    server = snapshot.config.servers[name]
    at = server.doors[1]
    user, password = login.user or address, resolve(login.password, snapshot.root)
    return SubmissionDoor(at.host, at.port, at.security, user, password, _ca_file(snapshot, server))


def _ca_file(snapshot: Snapshot, server: Server) -> str | None:
    return str(snapshot.root / server.ca) if server.ca else None


def bounds(snapshot: Snapshot) -> Bounds:
    """How much is held at once."""
    batch = snapshot.config.batch
    return Bounds(batch.mails, batch.octets, batch.piece)


def account(snapshot: Snapshot, address: str) -> Account:
    """The login that a mailbox submits with, and what it may send; mailboxes with the same one share it."""
    config = snapshot.config

    def login(of: str) -> tuple[str, str]:
        name, by = config.sending(of)
        return name, by.user or of

    mailbox, server = config.mailboxes[address], config.servers[login(address)[0]]
    copies = config.servers[mailbox.server].sent == "append"
    sharing = tuple(other for other in config.mailboxes if login(other) == login(address))
    limits = [Limit(server.per_minute, timedelta(minutes=1))] if server.per_minute else []
    limits += [Limit(server.per_day, DAY)] if server.per_day else []
    return Account(sharing, tuple(limits), Kind.DELIVERY if mailbox.archive else None, copies)
