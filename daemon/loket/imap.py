"""One IMAP session (RFC 9051) through imapclient: listing, fetching, filing, and waiting for news."""

from __future__ import annotations

import hashlib
import imaplib
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError

from loket import folders, sasl, tls
from loket.bounds import Bounds, chunks
from loket.core import patience, placeholder
from loket.core.model import MailRef, RawMail, StoredFile
from loket.files import FolderFiles, Incoming
from loket.ports import Listed, NotLoggedIn, Tokens
from loket.wake import Wake

CONNECT_SECONDS = 20
READ_SECONDS = 90
# What servers say into an IDLE every few minutes, so that no router forgets the connection.
_ALIVE = b"* OK "

# A search answers in one line, which imaplib cuts off at about 150,000 mails by default.
imaplib._MAXLINE = 100_000_000  # type: ignore[attr-defined] # there is no public way

# So many mails are asked for their facts by one command.
LISTED_AT_ONCE = 500

# What a lost, refused or confused session can raise.
SESSION_ERRORS = (IMAPClientError, imaplib.IMAP4.error, OSError, ssl.SSLError)


class Refused(Exception):
    """The server will not let us in, or has not the folder: a person must change something."""


class LoggedOut(Refused):
    """There is no token to log in with: `which` names the login that is over."""

    def __init__(self, said: str, which: str) -> None:
        super().__init__(said)
        self.which = which


class _VanishedError(Exception):
    """A mail was expunged between two of its pieces."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where and as whom to connect."""

    host: str
    port: int
    security: str
    user: str
    # A password, or whose tokens speak for the user.
    secret: str | Tokens = field(repr=False)
    folder: str
    read_only: bool
    ca_file: str | None = None


class ImapSession:
    """A selected folder. Reading never sets a flag: BODY.PEEK, and EXAMINE where nothing is to be moved."""

    def __init__(self, door: Door, bounds: Bounds, files: FolderFiles) -> None:
        """Connect, log in, select; Refused where only a person can help, else a SESSION_ERROR."""
        self._door = door
        self._bounds = bounds
        self._files = files
        self._client = self._connect()
        try:
            self._log_in()
            # After login the server may say more than before it.
            self._capabilities = {bytes(name).upper() for name in self._client.capabilities()}
            self.uidvalidity = self._select()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> Any:
        door = self._door
        context = tls.context(door.ca_file) if door.security != "plain" else None
        client = IMAPClient(
            door.host,
            door.port,
            ssl=door.security == "tls",
            ssl_context=context,
            timeout=SocketTimeout(CONNECT_SECONDS, READ_SECONDS),
        )
        # The library asks imaplib to format every literal for its debug log, which costs four fifths of the time.
        client._imap.debug = 0
        # It writes some commands in two pieces; by Nagle's algorithm the second waits 40 ms for the first one's ACK.
        client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.normalise_times = False
        if door.security == "starttls":
            try:
                client.starttls(context)
            except BaseException:
                self._client = client
                self._drop()
                raise
        return client

    def _log_in(self) -> None:
        secret = self._door.secret
        try:
            if isinstance(secret, str):
                self._client.login(self._door.user, secret)
            else:
                self._by_token(secret)
        except LoginError as error:
            raise Refused(f"login refused for {self._door.user}: {_words(error)}") from error
        except NotLoggedIn as error:
            raise LoggedOut(str(error), error.which) from error

    def _by_token(self, tokens: Tokens) -> None:
        """A token that was refused may have been revoked before its time: it is exchanged for another, once."""
        token = tokens.access()
        try:
            self._bear(token)
        except LoginError as error:
            if patience.asked(str(error)):
                raise
            another = tokens.access(token)
            if another == token:
                raise
            # Some servers hear no second attempt on a connection.
            self._drop()
            self._client = self._connect()
            self._bear(another)

    def _bear(self, token: str) -> None:
        door = self._door
        offered = [bytes(name).decode("latin-1").upper() for name in self._client.capabilities()]
        # After login the server may offer more: the library must not remember what it offered before.
        self._client._cached_capabilities = None
        ways = [name.removeprefix("AUTH=") for name in offered if name.startswith("AUTH=")]
        way = sasl.chosen(ways)
        if way is None:
            raise Refused(f"{door.host} takes no tokens (AUTH=OAUTHBEARER or XOAUTH2), but {', '.join(ways) or 'none'}")
        exchange = sasl.Exchange(way, door.user, token, door.host, door.port)
        try:
            self._client.sasl_login(way, exchange)
        except LoginError as error:
            raise LoginError(f"{_words(error)} ({exchange.said})" if exchange.said else _words(error)) from error

    def _select(self) -> int:
        try:
            folder = folders.named(self._client, self._door.folder)
            answer = self._client.select_folder(folder, readonly=self._door.read_only)
        except IMAPClientError as error:
            if isinstance(error, imaplib.IMAP4.abort):
                raise
            raise Refused(f"folder {self._door.folder} cannot be opened: {_words(error)}") from error
        return int(answer[b"UIDVALIDITY"])

    @property
    def idles(self) -> bool:
        """Whether the server pushes news (RFC 2177)."""
        return b"IDLE" in self._capabilities

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server offers after login, in capitals."""
        return frozenset(name.decode("ascii", "replace") for name in self._capabilities)

    def has_folder(self, folder: str) -> bool:
        """Whether there is such a folder, by the name that people give it."""
        return bool(self._client.folder_exists(folders.named(self._client, folder)))

    def folder_names(self) -> list[str]:
        """Every folder, by the server's own names."""
        return sorted(str(name) for _, _, name in self._client.list_folders())

    def sent_folder(self) -> str | None:
        """The folder of sent mail, by its SPECIAL-USE (RFC 6154) or a usual name."""
        found = self._client.find_special_folder(b"\\Sent")
        return str(found) if found else None

    def listing(self, after_uid: int) -> list[Listed]:
        """Mails above `after_uid`, ascending."""
        return self.listed(self.above(after_uid))

    def above(self, after_uid: int) -> list[int]:
        """UIDs above `after_uid`, ascending.

        `n:*` names the last mail even when n lies past it (RFC 9051 6.4.9), so what is not above is left out.
        """
        # What was announced until here is in the answer; only what comes from here on is news to `wait`.
        self._client._imap.untagged_responses.pop("EXISTS", None)
        return sorted(int(uid) for uid in self._client.search(["UID", f"{after_uid + 1}:*"]) if uid > after_uid)

    def listed(self, uids: Sequence[int]) -> list[Listed]:
        """Mails that a search has named, ascending.

        One that was expunged since needs an end, which fetching it in vain will give it.
        """
        found = self.facts(uids)
        found += [Listed(uid, 0, _aware(None)) for uid in set(uids).difference(one.uid for one in found)]
        return sorted(found, key=lambda one: one.uid)

    def uids(self) -> list[int]:
        """Every UID in the folder, for the count against the ledger."""
        return sorted(int(uid) for uid in self._client.search(["UID", "1:*"]))

    def facts(self, uids: Sequence[int]) -> list[Listed]:
        """Size and date of those of the mails that are still there, ascending."""
        found: list[Listed] = []
        for chunk in chunks(uids, LISTED_AT_ONCE):
            answer = self._client.fetch(chunk, ["RFC822.SIZE", "INTERNALDATE"])
            found += [
                Listed(uid, int(facts[b"RFC822.SIZE"]), _aware(facts.get(b"INTERNALDATE")))
                for uid, facts in answer.items()
                if b"RFC822.SIZE" in facts
            ]
        return sorted(found, key=lambda one: one.uid)

    def batches(self, listed: Sequence[Listed]) -> Iterator[list[Listed]]:
        """The listing in batches, bounded in count and octets."""
        return self._bounds.batches(listed)

    def fetch(self, mailbox: str, batch: Sequence[Listed]) -> list[RawMail]:
        """The raw mails of a batch; those expunged meanwhile are left out. A server's NO for one mail raises."""
        large: dict[int, Incoming | None] = {}
        try:
            for one in batch:
                if one.size > self._bounds.piece:
                    large[one.uid] = self._incoming(one.uid)
            # While those are written.
            small = [one.uid for one in batch if one.uid not in large]
            answer = self._client.fetch(small, ["BODY.PEEK[]"]) if small else {}
        except BaseException:
            for incoming in filter(None, large.values()):
                incoming.over()
            raise
        raws = []
        for one in batch:
            if one.uid in large:
                raw = self._kept(mailbox, one, large[one.uid])
            else:
                raw = self._raw(mailbox, one, answer.get(one.uid, {}).get(b"BODY[]"))
            if raw is not None:
                raws.append(raw)
        return raws

    def _raw(self, mailbox: str, one: Listed, data: bytes | None) -> RawMail | None:
        if data is None:
            return None
        if placeholder.stands_in(data, one.internaldate, datetime.now(UTC)):
            raise IMAPClientError("the server gave a placeholder and not the mail")
        stored = StoredFile(hashlib.sha256(data).hexdigest(), len(data))
        return RawMail(MailRef(mailbox, self.uidvalidity, one.uid), one.internaldate, data, stored)

    def _incoming(self, uid: int) -> Incoming | None:
        """A mail in pieces into a file, so that its size does not matter to memory; None of one that has gone."""
        piece = self._piece(uid, 0)
        if piece is None:
            return None
        incoming, at = self._files.incoming(), 0
        try:
            while piece:
                incoming.add(piece)
                at += len(piece)
                if len(piece) < self._bounds.piece:
                    break
                piece = self._piece(uid, at)
        except BaseException as error:
            incoming.end(error)
            incoming.over()
            raise
        incoming.end(_VanishedError() if piece is None else None)
        return incoming

    def _kept(self, mailbox: str, one: Listed, incoming: Incoming | None) -> RawMail | None:
        try:
            stored = incoming.stored() if incoming is not None else None
        except _VanishedError:
            return None
        if stored is None:
            return None
        ref = MailRef(mailbox, self.uidvalidity, one.uid)
        return RawMail(ref, one.internaldate, self._files.map(stored), stored)

    def _piece(self, uid: int, at: int) -> bytes | None:
        answer = self._client.fetch([uid], [f"BODY.PEEK[]<{at}.{self._bounds.piece}>"])
        facts = answer.get(uid)
        if facts is None:
            return None
        data = next((value for key, value in facts.items() if key.startswith(b"BODY[]")), None)
        return bytes(data) if data is not None else None

    def file(self, uids: Sequence[int], folder: str) -> None:
        """Move mails to a folder (RFC 6851), which is made where it is missing; never a plain EXPUNGE."""
        folder = folders.named(self._client, folder)
        if not self._client.folder_exists(folder):
            self._client.create_folder(folder)
        for chunk in chunks(list(uids), 500):
            if b"MOVE" in self._capabilities:
                self._client.move(chunk, folder)
                continue
            self._client.copy(chunk, folder)
            self._client.delete_messages(chunk, silent=True)
            if b"UIDPLUS" in self._capabilities:
                self._client.uid_expunge(chunk)

    def wait(self, wake: Wake, seconds: float) -> None:
        """Wait for news of the folder or for `wake`, at most `seconds`.

        In IDLE the descriptor is watched, and news is left to the end of IDLE: the library's own check breaks on a
        line that arrives in two packets. News may have come before IDLE began, so that is asked first.
        """
        if not self.idles or not self._idle():
            # It may offer what it does not do: from here on we look now and then, as where it offers nothing.
            self._capabilities.discard(b"IDLE")
            wake.wait(seconds)
            # A search need not find what was not announced yet, and Dovecot's does not (RFC 9051 6.1.2).
            self._client.noop()
            return
        until = time.monotonic() + (0 if self._news_already() else seconds)
        while (left := until - time.monotonic()) > 0:
            if wake.wait(left, self._client.socket()) or self._news():
                break
        self._client.idle_done()

    def _idle(self) -> bool:
        """Begin IDLE, if the server lets us; news may come before its `+`, where the library would give up."""
        imap = self._client._imap
        tag = self._client._idle_tag = imap._command("IDLE")
        while imap._get_response() is not None:
            if imap.tagged_commands.get(tag):
                del imap.tagged_commands[tag]
                return False
        return True

    def _news_already(self) -> bool:
        announced = self._client._imap.untagged_responses.pop("EXISTS", None)
        return bool(announced or (self._said() and self._news()))

    def _news(self) -> bool:
        """Whether what the server said is more than a sign of life; nothing at all means that it may have gone."""
        said = self._said()
        while said.endswith(b"\n") and all(line.startswith(_ALIVE) for line in said.split(b"\n")[:-1]):
            for _ in range(said.count(b"\n")):
                self._client._imap._get_line()
            said = self._said()
            if not said:
                return False
        return True

    def _said(self) -> bytes:
        """What has come and was not read yet; empty too where the connection is over."""
        sock = self._client.socket()
        timeout = sock.gettimeout()
        sock.setblocking(False)
        try:
            return bytes(self._client._imap.file.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return b""
        finally:
            sock.settimeout(timeout)

    def close(self) -> None:
        """Log out if the server still listens, else just let go."""
        try:
            self._client.logout()
        except SESSION_ERRORS:
            self._drop()

    def _drop(self) -> None:
        try:
            self._client.shutdown()
        except SESSION_ERRORS:
            return  # the socket is gone already, which is what was wanted

    def __enter__(self) -> Self:
        """The session itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """A session that failed is dropped, not asked to log out."""
        if kind is None:
            self.close()
        else:
            self._drop()


def _aware(moment: datetime | None) -> datetime:
    """INTERNALDATE with its zone; the epoch where a server gives none."""
    if moment is None:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _words(error: BaseException) -> str:
    said = error.args[0] if error.args else error
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
