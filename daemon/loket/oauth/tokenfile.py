"""One mailbox's tokens in a file of mode 600: read with suspicion, written whole, locked against other processes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loket.ports import NotLoggedIn

LOCK_SECONDS = 45.0
# Room that is taken on the disk before tokens are asked for: what cannot be kept must not be asked for.
_ROOM = 65_536


@dataclass(frozen=True, slots=True)
class Grant:
    """What a login brought and refreshes renewed; times are seconds since the epoch."""

    access: str
    expires_at: float
    lifetime: float
    refresh: str
    # Names the login that all of this comes from: refreshes leave it, another login is another.
    login: str

    def __repr__(self) -> str:
        """Without a token: this may end in a log."""
        return f"Grant(login={self.login!r})"


class Exposed(NotLoggedIn):
    """Others could read or change the tokens, so they are not used."""


@dataclass(frozen=True, slots=True)
class TokenFile:
    """Where the tokens are; `lock` is held around whatever is written."""

    path: Path

    def read(self) -> Grant | None:
        """The tokens; None where nobody has logged in yet, Exposed where others could read them."""
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with open(handle, "rb") as file:  # noqa: PTH123 - a descriptor
            self._private(os.fstat(handle), self.path)
            data = file.read(_ROOM)
        self._private(self.path.parent.stat(), self.path.parent)
        return _grant(self.path, data)

    @staticmethod
    def _private(found: os.stat_result, path: Path) -> None:
        """Nobody else may read the file, nor put another in its place."""
        folder = stat.S_ISDIR(found.st_mode)
        others = stat.S_IWGRP | stat.S_IWOTH if folder else stat.S_IRWXG | stat.S_IRWXO
        if found.st_uid not in (os.geteuid(), 0) or found.st_mode & others:
            mode = f"{stat.S_IMODE(found.st_mode):o}"
            mend = f"chmod {700 if folder else 600} {path}"
            said = f"{path} (mode {mode}) is open to others and not used: {mend}, and if it was read, log in again"
            raise Exposed(said, f"exposed {mode}")

    @contextlib.contextmanager
    def lock(self, seconds: float = LOCK_SECONDS) -> Iterator[None]:
        """Alone among all threads and processes of this machine; TimeoutError when others are for too long."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(self.path.with_name(f"{self.path.name}.lock"), flags, 0o600)
        try:
            until = time.monotonic() + seconds
            while not _locked(handle):
                if time.monotonic() > until:
                    raise TimeoutError(f"{self.path} is locked by another process")
                time.sleep(0.05)
            yield
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def writing(self) -> Iterator[_Draft]:
        """A file beside this one, with room on the disk; it takes this one's place once it is written whole."""
        draft = self.path.with_name(f".{self.path.name}.new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(handle, 0o600)
            os.posix_fallocate(handle, 0, _ROOM)
            yield _Draft(handle, draft, self.path)
        finally:
            os.close(handle)
            draft.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Draft:
    handle: int
    draft: Path
    path: Path

    def keep(self, grant: Grant) -> None:
        """Durable on return (fsync of file and folder)."""
        data = json.dumps(asdict(grant)).encode()
        os.pwrite(self.handle, data, 0)
        os.ftruncate(self.handle, len(data))
        os.fsync(self.handle)
        self.draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _grant(path: Path, data: bytes) -> Grant:
    try:
        found: dict[str, Any] = json.loads(data)
        return Grant(
            access=str(found["access"]),
            expires_at=float(found["expires_at"]),
            lifetime=float(found["lifetime"]),
            refresh=str(found["refresh"]),
            login=str(found["login"]),
        )
    except (ValueError, KeyError, TypeError):
        # Never with its content.
        raise NotLoggedIn(f"{path} holds no tokens that can be read: log in again", "unreadable") from None
