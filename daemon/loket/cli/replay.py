"""`loket replay`: stored mail against other rules, nothing sent, nothing changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from loket.app import SystemClock
from loket.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    console,
    out_json,
    read_config,
    refusals,
    table,
    when,
)
from loket.cli.explain import as_object
from loket.config.load import Snapshot
from loket.core.headers import clean_text
from loket.core.model import InboundMail, Verdict
from loket.core.office import Office
from loket.core.parse import parse
from loket.core.understand import request_verdict
from loket.store.archive import Archive
from loket.stores import open_stores

# What makes an applicant or an officer see something else.
_COMPARED = ("outcome", "rule", "queue", "fields", "missing", "wrong_mailbox", "use_mailbox", "refusal")


@dataclass(frozen=True, slots=True)
class Replayed:
    """One stored mail under both rules."""

    mail: InboundMail
    old: Verdict
    new: Verdict

    @property
    def differs(self) -> bool:
        """Whether anything but the way of getting there is another."""
        return any(getattr(self.old, name) != getattr(self.new, name) for name in _COMPARED)


def replay(
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Mail that arrived on this day or later.")],
    rules: Annotated[
        Path | None, typer.Option(help="The folder with the other rules; config.yaml stays.", show_default=False)
    ] = None,
    other: Annotated[
        Path | None, typer.Option("--against", help="Another config.yaml with its rules.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show mails that stay as they are, too.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Say what other rules would make of the mail in the store: for each mail the old and the new verdict.

    Each mail is taken by itself: what belongs to a ticket or comes from an officer is judged by its own subject.
    """
    if (rules is None) == (other is None):
        raise typer.BadParameter("give --rules FOLDER or --against CONFIG", param_hint="--rules")
    snapshot = read_config(config)
    new = read_config(other or config, rules)
    counts: Counter[str] = Counter()
    rows = []
    with refusals():
        stores = open_stores(snapshot, SystemClock().now())
        try:
            begin = since.replace(tzinfo=snapshot.office.zone)
            for one in replayed(Archive(stores.database, stores.files.map), begin, snapshot.office, new.office):
                counts["changed" if one.differs else "same"] += 1
                if not (one.differs or every):
                    continue
                if as_json:
                    out_json(_object(one))
                else:
                    rows.append(_row(one, snapshot))
        finally:
            stores.database.close()
    if as_json:
        return
    if rows:
        table(("arrived", "mailbox", "subject", "old", "new"), rows)
    console().print(f"{counts['changed']} of {counts.total()} mails would be understood differently.")


def replayed(archive: Archive, since: datetime, old: Office, new: Office) -> Iterator[Replayed]:
    """Every stored mail with its verdict by either office; mail of a mailbox that one of them has not is left out."""
    both = old.desks.keys() & new.desks.keys()
    for raw in archive.since(since):
        if raw.ref.mailbox in both:
            mail = parse(raw)
            yield Replayed(mail, request_verdict(mail, old), request_verdict(mail, new))


def _object(one: Replayed) -> dict[str, Any]:
    ref = one.mail.raw.ref
    return {
        "mail": str(ref),
        "mailbox": ref.mailbox,
        "arrived": one.mail.raw.internaldate,
        "subject": clean_text(one.mail.subject),
        "changed": one.differs,
        "old": _without_trace(one.old),
        "new": _without_trace(one.new),
    }


def _without_trace(verdict: Verdict) -> dict[str, Any]:
    said = as_object(verdict)
    del said["trace"]
    return said


def _row(one: Replayed, snapshot: Snapshot) -> tuple[object, ...]:
    raw = one.mail.raw
    return when(raw.internaldate, snapshot), raw.ref.mailbox, clean_text(one.mail.subject), *_told(one)


def _told(one: Replayed) -> tuple[str, str]:
    return _short(one.old), _short(one.new)


def _short(verdict: Verdict) -> str:
    parts = [verdict.outcome, verdict.rule or "", f"→ {verdict.queue}" if verdict.queue else ""]
    parts += [f"{name}={value}" for name, value in verdict.fields.items()]
    parts += [f"missing {', '.join(verdict.missing)}" if verdict.missing else ""]
    parts += [f"for {' or '.join(verdict.use_mailbox)}" if verdict.wrong_mailbox else ""]
    parts += [f"no answer: {verdict.refusal.value}" if verdict.refusal else ""]
    return " ".join(part for part in parts if part)
