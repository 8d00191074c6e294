"""What is at home: the configuration's weak places, secrets and who can read them, the store, the disk."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from loket.config.asks import protections
from loket.config.lint import lint
from loket.config.secrets import SecretError, database_url, keys, resolve
from loket.config.snapshot import Snapshot
from loket.config.storeurl import REFERENCE
from loket.doctor.finding import Finding, Level
from loket.store.standing import standing

LOW, LITTLE = 4_000_000, 500_000_000

_STANDINGS: dict[str, tuple[Level, str]] = {
    "ready": ("ok", ""),
    "new": ("note", ""),
    "other": ("error", "run the version of Loket that made it, or start this one to bring it up to date"),
    "gone": ("unreached", "start the database, or mend `store.database`"),
    "unfit": ("error", "docs/operations.md says what a store needs"),
}


def configuration(snapshot: Snapshot) -> Iterator[Finding]:
    """What `loket check` says: letters that leave without proof among it, and where nobody vouches for an officer."""
    clean = True
    for problem in lint(snapshot):
        clean = False
        level: Level = "warning" if problem.warning else "error"
        where = f"{problem.file}:{problem.line}"
        yield Finding(where, "configuration", level, problem.message, "edit it there, then `loket check`")
    if clean:
        yield Finding(str(snapshot.path), "configuration", "ok", "sound")
    for address, said in protections(snapshot):
        yield Finding(address, "proof", "note", said, "name its border under `trust` (docs/operations.md)")


def secrets(snapshot: Snapshot) -> Iterator[Finding]:
    """Whether each secret is there, and kept from others where it is a file."""
    try:
        keys(snapshot.config, snapshot.root)
        yield Finding("office.secret", "secret", "ok", "there, and long enough")
    except SecretError as error:
        remedy = "32 random bytes: openssl rand -hex 32; keep it, or old references stop being known"
        yield Finding("office.secret", "secret", "error", str(error), remedy)
    for reference in sorted(set(_references(snapshot.document.value))):
        if reference.startswith("${file:"):
            yield from _file(reference, snapshot.root)


def _references(value: Any) -> Iterator[str]:
    """Every reference in the YAML, wherever it stands."""
    if isinstance(value, str):
        yield from REFERENCE.findall(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _file(reference: str, root: Path) -> Iterator[Finding]:
    path = root / reference.removeprefix("${file:").removesuffix("}")
    try:
        resolve(reference, root)
        mode = path.stat().st_mode
    except (SecretError, OSError) as error:
        yield Finding(str(path), "secret", "error", str(error), "write the secret there, in one line, mode 600")
        return
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        said = f"others can read or change it: mode {stat.S_IMODE(mode):o}"
        yield Finding(str(path), "secret", "warning", said, f"chmod 600 {path}")
    else:
        yield Finding(str(path), "secret", "ok", f"mode {stat.S_IMODE(mode):o}")


def store(snapshot: Snapshot) -> Iterator[Finding]:
    """Whether the store can be opened and is of this version, and how much room is left; it is not made or migrated."""
    try:
        found = standing(database_url(snapshot.config.store, snapshot.root))
    except SecretError as error:
        yield Finding("store", "store", "error", str(error), "set it where Loket is started")
        return
    level, remedy = _STANDINGS[found.state]
    yield Finding("store", "store", level, found.said, remedy)
    yield _room("store.files", snapshot.root / snapshot.config.store.files)
    if found.place is not None:
        yield _room("store.database", found.place)


def _room(where: str, place: Path) -> Finding:
    there = next(path for path in (place, *place.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    said = f"{free // 1_000_000:,} MB free"
    if free < LOW:
        return Finding(where, "disk", "error", said, "make room: intake and sending stop until there is some")
    if free < LITTLE:
        return Finding(where, "disk", "warning", said, "make room: every mail and scan is kept")
    return Finding(where, "disk", "ok", said)
