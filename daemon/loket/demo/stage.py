"""The demo's stage: a folder with the shipped office on the town's ports, and a clock that can be moved."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import yaml

from loket.config.shipped import ShippedMissing, shipped_office
from loket.demo.town import Town

if TYPE_CHECKING:
    from loket.config.load import Snapshot

DIGESTS = "08:30, 13:00"
# While the town stays up nobody wants to wait for the next morning's digest.
STAY_DIGESTS = "08:30, " + ", ".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(13 * 60, 24 * 60, 5))


class DemoError(Exception):
    """The demo cannot be played, or did not go on; the message says why."""


class DemoClock:
    """Runs as the machine's clock does, but from another moment; `move` sets it forward."""

    def __init__(self) -> None:
        self.zone = ZoneInfo("Asia/Jakarta")
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The demo's moment, in the office's zone."""
        return (datetime.now(UTC) + self._ahead).astimezone(self.zone)

    def open_day(self, day: date, at: time, zone: ZoneInfo) -> None:
        """Begin a day."""
        self.zone = zone
        self._ahead = datetime.combine(day, at, zone) - datetime.now(UTC)

    def move(self, hour: int, minute: int) -> None:
        """To this time of the same day, or a little later when it is past already: never back."""
        now = self.now()
        self._ahead += max(timedelta(), now.replace(hour=hour, minute=minute, second=0, microsecond=0) - now)


def set_up(folder: Path, town: Town, needed: Iterable[str], *, stay: bool) -> Path:
    """Write the shipped office into the folder with the town as its mail provider; returns its config.yaml.

    Other commands work on it too (`loket tickets -c …`): secrets stand in files beside it.
    """
    try:
        shipped = shipped_office()
    except ShippedMissing as error:
        raise DemoError(str(error)) from None
    written: dict[str, Any] = yaml.safe_load((shipped / "config.yaml").read_text(encoding="utf-8"))
    known = {*written.get("mailboxes", {}), *written.get("officers", {})}
    if missing := sorted(set(needed) - known):
        raise DemoError(f"the demo plays the shipped office, and {shipped / 'config.yaml'} lacks {', '.join(missing)}")
    doors = {"imap": f"imap://{town.host}:{town.imap_port}", "smtp": f"smtp://{town.host}:{town.smtp_port}"}
    written["servers"] = dict.fromkeys(written["servers"], doors)
    written["office"]["secret"] = "${file:secret}"  # noqa: S105 - a reference
    written["store"] = {"database": "sqlite:///var/loket.db", "files": "var/files"}
    written["rules"] = "rules"
    # Nobody waits for a mail that might gather more letters.
    written["confirm"] = {"window": "0 minutes"}
    for mailbox in written["mailboxes"].values():
        mailbox.update(login={"password": "${file:password}"}, history="all")
    written["digests"] = [{"for": "officers", "at": STAY_DIGESTS if stay else DIGESTS}]
    shutil.copytree(shipped / "rules", folder / "rules")
    (folder / "var").mkdir()
    (folder / "secret").write_text(secrets.token_hex(32))
    (folder / "password").write_text(town.password)
    config = folder / "config.yaml"
    text = yaml.dump(written, Dumper=_NoAliases, allow_unicode=True, sort_keys=False, width=120)
    config.write_text(f"# The shipped office, on the mail town of `loket demo`.\n{text}", encoding="utf-8")
    return config


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, _data: Any) -> bool:
        return True


def working_day(snapshot: Snapshot, today: date) -> date:
    """Today, or the next day on which every counter works."""
    calendars = [counter.calendar for counter in snapshot.office.counters.values()]
    days = (today + timedelta(days=ahead) for ahead in range(60))
    found = next((day for day in days if all(calendar.works(day) for calendar in calendars)), None)
    if found is None:
        raise DemoError("no counter of the shipped office works within 60 days")
    return found
