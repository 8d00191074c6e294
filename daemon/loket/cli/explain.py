"""`loket explain`: what would be understood, and why."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from loket.cli.common import (
    DEFAULT_CONFIG,
    NO,
    USAGE,
    ConfigOption,
    JsonOption,
    console,
    fail,
    out_json,
    read_config,
    table,
)
from loket.core.model import MailRef, RawMail, StoredFile, Verdict
from loket.core.office import Office
from loket.core.parse import parse, subject_only
from loket.core.understand import request_verdict, subject_verdict


def explain(
    mailbox: Annotated[str, typer.Option(help="The mailbox the mail came to.")],
    files: Annotated[list[Path] | None, typer.Argument(help="Mails as .eml files.", metavar="FILE.eml")] = None,
    subject: Annotated[list[str] | None, typer.Option(help="A subject alone.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Say what would be understood, every rule tried, and which condition decided; nothing is changed."""
    if not files and not subject:
        raise fail("give --subject TEXT or FILE.eml", USAGE)
    office = read_config(config).office
    address = mailbox.strip().lower()
    if address not in office.desks:
        raise fail(f"{mailbox} is no mailbox of this configuration; there are {', '.join(sorted(office.desks))}")
    failed = False
    for said, verdict in [
        *((text, subject_verdict(subject_only(text, address), office, thorough=True)) for text in subject or []),
        *((str(file), _of_file(file, address, office)) for file in files or []),
    ]:
        if isinstance(verdict, str):
            print(f"loket: {verdict}", file=sys.stderr)
            failed = True
        elif as_json:
            out_json(as_object(verdict))
        else:
            _show(said, verdict)
    if failed:
        raise typer.Exit(NO)


def _of_file(file: Path, mailbox: str, office: Office) -> Verdict | str:
    try:
        data = file.read_bytes()
    except OSError as error:
        return f"{file} cannot be read: {error.strerror}"
    raw = RawMail(MailRef(mailbox, 0, 0), datetime.fromtimestamp(0, UTC), data, StoredFile("", len(data)))
    return request_verdict(parse(raw), office, thorough=True)


def as_object(verdict: Verdict) -> dict[str, Any]:
    """The verdict as the one object that programs read."""
    use = verdict.use_mailbox
    return {
        "outcome": verdict.outcome,
        "rule": verdict.rule,
        "queue": verdict.queue,
        "match": verdict.match,
        "fields": dict(verdict.fields),
        "missing": list(verdict.missing),
        "wrong_mailbox": verdict.wrong_mailbox,
        "use_mailbox": (use[0] if len(use) == 1 else list(use)) if use else None,
        "refusal": verdict.refusal.value if verdict.refusal else None,
        "trace": [{"rule": step.rule, "held": step.held, "why": step.why} for step in verdict.trace],
    }


def _show(said: str, verdict: Verdict) -> None:
    shown = as_object(verdict)
    trace = shown.pop("trace")
    fields = ", ".join(f"{name}={value}" for name, value in shown.pop("fields").items())
    console().print(f"[bold]{escape(said)}[/bold]")
    rows = [("fields", fields), *((key, value) for key, value in shown.items())]
    table(("", "understood"), [(key, _cell(value)) for key, value in rows if value not in (None, [], "", False)])
    table(
        ("rule tried", "held", "why"), [(step["rule"], "yes" if step["held"] else "no", step["why"]) for step in trace]
    )


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
