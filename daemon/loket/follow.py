"""The configuration's files, followed while the daemon runs: an edit is taken whole or not at all (promise P21)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from loket.config.lint import lint
from loket.config.load import load
from loket.config.models import Config
from loket.config.secrets import SecretError, keys, resolve
from loket.config.snapshot import Snapshot
from loket.config.yamlfile import ConfigError

Signature = tuple[tuple[str, int, int], ...]

# What the running parts were made from; all else is read anew from the snapshot whenever it is needed.
_IN_PLACE: dict[str, Any] = {
    "officers": True,
    "digests": True,
    "waiting": True,
    "escalation": True,
    "reports": True,
    "rules": True,
    "office": {"name", "admin", "hours", "holidays", "language", "related"},
    "mailboxes": {"__all__": {"name", "hours", "fields", "rules"}},
}


@dataclass(frozen=True, slots=True)
class Refused:
    """An edit that does not hold together: every reason as `file:line:column: message`; `edit` names this edit."""

    problems: tuple[str, ...]
    edit: str


@dataclass(slots=True)
class Follower:
    """Looks at the files; what it last judged it does not judge again."""

    running: Snapshot
    _judged: Signature = field(init=False)
    _before: Signature = field(init=False)

    def __post_init__(self) -> None:
        """What runs is what there is."""
        self._judged = self._before = signature(self.running)

    def look(self, *, asked: bool = False) -> Snapshot | Refused | None:
        """The edit there is since the last one judged; None without one, and while files are still being written.

        `asked`: somebody wants an answer, edit or not.
        """
        now = signature(self.running)
        quiet, self._before = now == self._before, now
        if not asked and (now == self._judged or not quiet):
            return None
        self._judged = now
        return self._judge(now)

    def _judge(self, edit: Signature) -> Snapshot | Refused:
        name = hashlib.sha256(repr(edit).encode()).hexdigest()[:12]
        try:
            found = load(self.running.path)
            wrong = [str(problem) for problem in lint(found) if not problem.warning]
            for reference in secrets(found.config):
                resolve(reference, found.root)
            keys(found.config, found.root)
        except ConfigError as error:
            return Refused(tuple(map(str, error.problems)), name)
        except SecretError as error:
            return Refused((str(error),), name)
        if wrong:
            return Refused(tuple(wrong), name)
        self.running = found
        return found


def signature(snapshot: Snapshot) -> Signature:
    """Every file that the configuration was read from or would be, with its time and size."""
    return tuple(_stamps(snapshot))


def _stamps(snapshot: Snapshot) -> Iterator[tuple[str, int, int]]:
    for path in (snapshot.path, *sorted(snapshot.folder.rglob("*"))):
        try:
            found = path.stat()
        except OSError:
            continue  # replaced this very moment
        if path.is_file():
            yield str(path), found.st_mtime_ns, found.st_size


def secrets(config: Config) -> Iterator[str]:
    """The references to passwords and clients' secrets that the running parts will ask for."""
    for address, mailbox in config.mailboxes.items():
        yield from mailbox.login.secrets
        yield from config.sending(address)[1].secrets


def needs_restart(before: Snapshot, after: Snapshot) -> bool:
    """Whether parts that hold connections or the store were made from what has changed."""

    def made_from(config: Config) -> dict[str, Any]:
        return config.model_dump(exclude=_IN_PLACE)

    return made_from(before.config) != made_from(after.config)
