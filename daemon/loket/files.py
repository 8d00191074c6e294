"""Bytes by SHA-256 in a folder; small ones live in the database, and both are read through one door."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Full, Queue

from loket.core.compose import ByteForm, byte_form, encode_base64
from loket.core.model import Buffer, MailRef, Outbound, RawMail, StoredFile
from loket.ports import Contents


class FolderFiles:
    """Large files in a folder, two levels deep by hash, written beside and renamed into place."""

    def __init__(self, root: Path) -> None:
        """Files live under `root`, which is made when the first one is put."""
        self.root = root

    def path(self, sha256: str) -> Path:
        """Where the file of that hash lies."""
        return self.root / sha256[:2] / sha256

    def put(self, chunks: Iterable[bytes]) -> StoredFile:
        """Keep the chunks as one file: fsync of the file, rename, fsync of the folder, then return."""
        if not self.root.is_dir():
            self.root.mkdir(parents=True, exist_ok=True)
            # Else a power cut may take the folder with all that was synced into it.
            _sync_folder(self.root.parent)
        handle, name = tempfile.mkstemp(dir=self.root, prefix="incoming-")
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            target = self.path(digest.hexdigest())
            target.parent.mkdir(exist_ok=True)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
        _sync_folder(self.root)
        return StoredFile(digest.hexdigest(), size)

    def incoming(self) -> Incoming:
        """A file whose pieces are still to come."""
        return Incoming(self.put)

    def map(self, file: StoredFile) -> mmap.mmap:
        """The bytes, mapped until nobody holds them any more; FileNotFoundError where they are not here."""
        with self.path(file.sha256).open("rb") as handle:
            return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)


class Incoming:
    """A file on its way in: a thread of its own writes and syncs while the next piece is fetched, or the next mail."""

    def __init__(self, put: Callable[[Iterable[bytes]], StoredFile]) -> None:
        """One piece waits at the most, so that no more are held."""
        self._pieces: Queue[bytes | BaseException | None] = Queue(1)
        self._kept: Future[StoredFile] = Future()
        threading.Thread(target=self._keep, args=(put,), name="incoming file", daemon=True).start()

    def add(self, piece: bytes) -> None:
        """The next piece; raises why the file cannot be written."""
        self._hand(piece)
        if self._kept.done():
            self._kept.result()

    def end(self, error: BaseException | None = None) -> None:
        """No more comes; with an error, nothing is kept and `stored` raises it."""
        self._hand(error)

    def stored(self) -> StoredFile:
        """Wait until it is as durable as what `FolderFiles.put` has kept, or raise what went wrong."""
        return self._kept.result()

    def over(self) -> None:
        """Wait until nothing is written any more, whatever came of it."""
        self._kept.exception()

    def _hand(self, piece: bytes | BaseException | None) -> None:
        while not self._kept.done():
            with contextlib.suppress(Full):
                self._pieces.put(piece, timeout=0.1)
                return

    def _keep(self, put: Callable[[Iterable[bytes]], StoredFile]) -> None:
        try:
            self._kept.set_result(put(self._come()))
        except BaseException as error:  # noqa: BLE001 - whoever waits for it hears of it
            self._kept.set_exception(error)

    def _come(self) -> Iterator[bytes]:
        while (piece := self._pieces.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece


def let_go(data: Buffer) -> None:
    """What was read of a mapped file leaves the memory; it comes again where it is read again."""
    if isinstance(data, mmap.mmap):
        data.madvise(mmap.MADV_DONTNEED)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class ContentReader:
    """Reads stored bytes wherever they are: the database for small ones, the folder for large ones."""

    def __init__(self, contents: Contents, folder: FolderFiles) -> None:
        """Both homes."""
        self.contents = contents
        self.folder = folder

    @contextmanager
    def open(self, file: StoredFile) -> Iterator[Buffer]:
        """The bytes of a stored file for the length of a block."""
        data = self.contents.small(file.sha256)
        if data is not None:
            yield data
            return
        with self.folder.map(file) as mapped:
            yield mapped

    def load(self, file: StoredFile) -> Buffer:
        """The bytes for as long as they are held: a large file is mapped, a small one read."""
        data = self.contents.small(file.sha256)
        return data if data is not None else self.folder.map(file)

    def form(self, file: StoredFile) -> ByteForm:
        """How an original may be enclosed; one over 8 MB is not looked at and travels as base64."""
        if file.size > 8_000_000:
            return ByteForm(eight_bit=False, unsafe=True)
        with self.open(file) as data:
            return byte_form(bytes(data))

    def render(self, mail: Outbound) -> bytes:
        """The mail as it goes over the wire, the same bytes at every attempt (promise P10)."""
        out: list[bytes] = []
        for segment in mail.segments:
            if isinstance(segment, bytes):
                out.append(segment)
                continue
            with self.open(segment.file) as data:
                out.append(bytes(data) if segment.encoding == "identity" else encode_base64(bytes(data)))
        return b"".join(out)


@dataclass(frozen=True, slots=True)
class Packed:
    """A mail on its way to another process: its bytes, or none where they lie in a file."""

    ref: MailRef
    internaldate: datetime
    stored: StoredFile
    data: bytes | None

    @classmethod
    def of(cls, raw: RawMail) -> Packed:
        """Its moment in UTC, since zones of imapclient's making cannot be pickled; OverflowError at time's ends."""
        return cls(raw.ref, raw.internaldate.astimezone(UTC), raw.stored, None if raw.large else bytes(raw.data))

    def raw(self, files: FolderFiles) -> RawMail:
        """The mail where it has arrived."""
        data: Buffer = files.map(self.stored) if self.data is None else self.data
        return RawMail(self.ref, self.internaldate, data, self.stored)
