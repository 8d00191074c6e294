"""The town's IMAP server: pymap with its in-memory backend, started inside the running asyncio loop."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, Identity, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet, Message
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchRequirement
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

if TYPE_CHECKING:
    from datetime import datetime

    from pymap.concurrent import Event
    from pymap.selected import SelectedMailbox
    from pysasl.creds.server import ServerCredentials

HOST = "127.0.0.1"


class _Config(Config):
    @property
    def greeting(self) -> bytes:
        # pymap would ask the resolver for our full name, which can take seconds on a machine without DNS.
        return b"Kota siap"


class _Inbox(MailboxData):
    async def append(self, append_msg: AppendMessage, *, recent: bool = False) -> Message:
        message = await super().append(append_msg, recent=recent)
        if message._content is not None:
            # pymap 0.36 loses the last octet of a mail that ends with its header, without an empty line.
            message._content._raw = memoryview(append_msg.literal)
        return message

    async def update_selected(self, selected: SelectedMailbox, *, wait_on: Event | None = None) -> SelectedMailbox:
        # pymap 0.36 goes to sleep in IDLE even when mail arrived since the client last heard from it (between
        # SELECT and IDLE, or while an update was being written); every other server tells it at once.
        if selected.mod_sequence is not None and self._mod_sequences.highest > selected.mod_sequence:
            wait_on = None
        return await super().update_selected(selected, wait_on=wait_on)


class _Folders(MailboxSet):
    def __init__(self) -> None:
        super().__init__()
        self._inbox = _Inbox(self._content_cache, self._thread_cache)


class _Login(Login):
    def __init__(self, config: _Config, server: ImapServer) -> None:
        super().__init__(config)
        self._server = server

    async def authenticate(self, credentials: ServerCredentials) -> Identity:
        self._server.open(credentials.authcid)
        return await super().authenticate(credentials)


class _WholeResponses:
    """Stands before a StreamWriter and lets each response go out in one piece.

    pymap writes a line in fragments, and imapclient's idle_check takes a fragment for a broken line
    (mjs/imapclient#519). Real servers buffer.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._fragments: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._fragments.append(data)

    async def drain(self) -> None:
        self._writer.write(b"".join(self._fragments))
        self._fragments.clear()
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()


class ImapServer:
    """Mailboxes by mail address (lower case), every one with the same password; nothing is written to disk."""

    def __init__(self, password: str) -> None:
        self._password = password
        # Passwords stay in clear text and in the loop: hashing would cost a thread pool and 0.1 s for each login.
        self._config = _Config(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            host=HOST,
            port=0,
            demo_data=False,
            demo_user="",
            demo_password="",
            tls_enabled=False,
            hash_context=Cleartext(),
            cpu_subsystem=Subsystem.for_asyncio(),
        )
        self._login = _Login(self._config, self)
        self._imap = IMAPServer(self._login, self._config)
        self._sessions: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen on a free loopback port and return it."""
        self._config.apply_context()
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Say BYE to every client and close."""
        if self._server is None:
            return
        self._server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        await self._server.wait_closed()

    def open(self, address: str) -> MailboxSet:
        """The folders of this address, made when it is new."""
        name = address.lower()
        if name not in self._login.users_dict:
            self._login.users_dict[name] = UserMetadata(self._config, name, password=self._password)
            self._config.set_cache[name] = (_Folders(), FilterSet())
        return self._config.set_cache[name][0]

    async def append(self, address: str, raw: bytes, when: datetime) -> None:
        """Put one mail, byte for byte, into the INBOX of this address with `when` as its INTERNALDATE."""
        inbox = await self.open(address).get_mailbox("INBOX")
        await inbox.append(AppendMessage(raw, when), recent=True)

    async def messages(self, address: str, folder: str) -> list[bytes]:
        """Every mail in this folder, oldest first; KeyError when there is no such folder."""
        mailbox = await self.open(address).get_mailbox(folder)
        found: list[bytes] = []
        async for message in mailbox.messages():
            loaded = await message.load_content(FetchRequirement.CONTENT)
            found.append(bytes(loaded.content))
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.current_task()
        if session is None:
            raise RuntimeError("a connection is always served in a task")
        self._sessions.add(session)
        try:
            whole = cast("asyncio.StreamWriter", _WholeResponses(writer))  # the three methods pymap calls
            await self._imap(reader, whole, SocketInfo.get(writer, None))
        finally:
            self._sessions.discard(session)
            with suppress(OSError):
                await writer.wait_closed()
