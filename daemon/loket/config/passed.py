"""A configuration that was found sound is not looked through again when the same program starts on the same files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from functools import cache
from pathlib import Path

import rapidfuzz

import loket
from loket.config.models import Store
from loket.config.secrets import database_url
from loket.config.storeurl import REFERENCE
from loket.core.letters import ENGINE


class Passed:
    """A note of what passed last; one that is missing, or cannot be kept, only costs the looking.

    It lies beside SQLite's file; a store elsewhere has no place for it here.
    """

    def __init__(self, root: Path, store: Store) -> None:
        """The note of a configuration in `root`; nothing is read yet."""
        self._file: Path | None = None
        if not REFERENCE.search(store.database):
            scheme, _, path = database_url(store, root).partition(":///")
            if scheme == "sqlite" and path != ":memory:":
                self._file = Path(f"{path}.sound")

    def knows(self, rules_hash: str) -> bool:
        """Whether these very files passed by this very program."""
        if self._file is None:
            return False
        try:
            return self._file.read_bytes() == _note(rules_hash)
        except OSError:
            return False

    def keep(self, rules_hash: str) -> None:
        """They did."""
        if self._file is None:
            return
        new = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        # Without space or the right to write there, the store will say so, with more at stake.
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            try:
                new.write_bytes(_note(rules_hash))
                new.replace(self._file)
            finally:
                new.unlink(missing_ok=True)


def _note(rules_hash: str) -> bytes:
    return f"{rules_hash} {_program()}\n".encode()


@cache
def _program() -> str:
    """What decides: this package as it lies here, and what reads its templates and compares its words."""
    digest = hashlib.sha256(f"{sys.version} {ENGINE} RapidFuzz {rapidfuzz.__version__}".encode())
    folder = Path(loket.__file__).parent
    for file in sorted(folder.rglob("*.py")):
        octets = file.read_bytes()
        digest.update(f"\0{file.relative_to(folder)} {len(octets)}\0".encode())
        digest.update(octets)
    return digest.hexdigest()
