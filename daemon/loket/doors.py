"""Where and as whom each mailbox is read and its mail submitted, from the configuration and its secrets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from loket.bounds import Bounds
from loket.config.login import Login, OAuth2
from loket.config.secrets import SecretError, resolve
from loket.config.servers import Server as MailServer
from loket.config.snapshot import Snapshot
from loket.core.model import Kind
from loket.core.quota import DAY, Limit
from loket.imap import Door
from loket.oauth.server import Server
from loket.oauth.tokenfile import TokenFile
from loket.oauth.tokens import MailboxTokens
from loket.outbox import Account
from loket.ports import Tokens
from loket.submission import SubmissionDoor


def tokens(snapshot: Snapshot, address: str) -> MailboxTokens | None:
    """Whoever has the tokens of a mailbox; None for one with a password. What they remember they do not share."""
    login = snapshot.config.mailboxes[address].login.oauth2
    if login is None:
        return None
    return MailboxTokens(address, TokenFile(token_path(snapshot, address, login)), lambda: _reached(snapshot, login))


def token_path(snapshot: Snapshot, address: str, login: OAuth2) -> Path:
    """The file of a mailbox's tokens: beside the stored files, or where the configuration says."""
    if login.tokens is not None:
        return snapshot.root / login.tokens
    # An address may hold a slash.
    return (snapshot.root / snapshot.config.store.files).parent / "tokens" / f"{quote(address, safe='@+')}.json"


def authorization_server(snapshot: Snapshot, login: OAuth2) -> Server:
    """The client that we are to the authorization server; SecretError where its secret is not there."""
    secret = resolve(login.client_secret, snapshot.root) if login.client_secret else None
    return Server(login.endpoints, login.client_id, secret, str(snapshot.root / login.ca) if login.ca else None)


def _reached(snapshot: Snapshot, login: OAuth2) -> Server:
    try:
        return authorization_server(snapshot, login)
    except SecretError as error:
        # While the secret is being exchanged, the server just cannot be reached.
        raise ConnectionError(str(error)) from error


def _secret(snapshot: Snapshot, address: str, login: Login, bearer: Tokens | None) -> str | Tokens:
    """The password, or whoever has the tokens: `bearer` where all doors share what they remember of them."""
    secret = resolve(login.password, snapshot.root) if login.password else bearer or tokens(snapshot, address)
    if secret is None:
        raise SecretError(f"{address} has no way to log in")
    return secret


def imap_door(snapshot: Snapshot, address: str, bearer: Tokens | None = None) -> Door:
    """Where and as whom a mailbox is read; the secret is resolved at each call, so a changed one is picked up."""
    mailbox = snapshot.config.mailboxes[address]
    server = snapshot.config.servers[mailbox.server]
    at, read_only = server.doors[0], mailbox.file_to is None
    user, secret = mailbox.login.user or address, _secret(snapshot, address, mailbox.login, bearer)
    return Door(at.host, at.port, at.security, user, secret, mailbox.folder, read_only, _ca_file(snapshot, server))


def sent_door(snapshot: Snapshot, address: str, bearer: Tokens | None = None) -> Door:
    """Where and as whom copies of a mailbox's mail are filed; the folder is found there."""
    return replace(imap_door(snapshot, address, bearer), folder="\\Sent", read_only=False)


def smtp_door(snapshot: Snapshot, address: str, bearer: Tokens | None = None) -> SubmissionDoor:
    """Where and as whom a mailbox's mail is submitted."""
    name, login = snapshot.config.sending(address)
    server = snapshot.config.servers[name]
    at = server.doors[1]
    user, secret = login.user or address, _secret(snapshot, address, login, bearer)
    return SubmissionDoor(at.host, at.port, at.security, user, secret, _ca_file(snapshot, server))


def _ca_file(snapshot: Snapshot, server: MailServer) -> str | None:
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
