"""How the doctor's findings look on a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich.markup import escape
from rich.table import Table

from loket.cli.common import NO, UNREACHABLE, console, out_json
from loket.config.snapshot import Snapshot
from loket.doctor.domain import Dns
from loket.doctor.examination import examine, looks
from loket.doctor.finding import Finding

_MARKS = {
    "ok": "[green]✓[/]",
    "note": "[dim]·[/]",
    "warning": "[yellow]![/]",
    "error": "[red]✗[/]",
    "unreached": "[red]?[/]",
}


def look(snapshot: Snapshot, dns: str | None, timeout: float, *, send: bool, as_json: bool) -> None:
    """Examine, show, and end with the exit code that tells how it is."""
    found = examine(looks(snapshot, Dns(dns), timeout, send=send), timeout)
    levels = {finding.level for finding in found}
    if as_json:
        out_json({"healthy": not levels & {"error", "unreached"}, "findings": [asdict(finding) for finding in found]})
    else:
        show(found)
    if "error" in levels:
        raise typer.Exit(NO)
    if "unreached" in levels:
        raise typer.Exit(UNREACHABLE)


def show(found: Sequence[Finding]) -> None:
    """The findings by what they are about, remedies below them."""
    shown = Table(header_style="bold", show_lines=False)
    for column in ("", "where", "what", "how it is, and what to do"):
        shown.add_column(column, overflow="fold")
    before = None
    for finding in found:
        said = escape(finding.said) + (f"\n[bold]→ {escape(finding.remedy)}[/]" if finding.remedy else "")
        where = escape(finding.where) if finding.where != before else ""
        shown.add_row(_MARKS[finding.level], where, finding.what, said)
        before = finding.where
    console().print(shown)
    counts = {level: sum(finding.level == level for finding in found) for level in ("error", "unreached", "warning")}
    words = {"error": "to mend", "unreached": "not reached", "warning": "to look at"}
    said = ", ".join(f"{count} {words[level]}" for level, count in counts.items() if count)
    console().print(said or "All is well.")
