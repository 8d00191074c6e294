"""How the demo's day looks on a terminal, in a pipe, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

from loket.demo.counters import COUNTERS
from loket.demo.smtpd import unknown

if TYPE_CHECKING:
    from loket.demo import story
    from loket.demo.checks import Check
    from loket.demo.report import Report, Row, Sent
    from loket.demo.town import Town

# Why no automatic response went out (RFC 3834 section 2), for a reader who has not read it.
UNANSWERED = {
    "dsn": "a bounce",
    "mdn": "a read receipt",
    "auto-submitted": "an automatic reply",
    "own-mail": "our own mail",
    "own-address": "from one of the counters",
    "null-reverse-path": "no return path",
    "list": "a mailing list",
    "bulk": "bulk mail",
    "no-reply": "a no-reply sender",
    "no-author": "no author",
}
SAID = {
    "acknowledgement": "acknowledged",
    "correction": "corrected",
    "status": "status told",
    "offer": "appointments offered",
}


class Teller:
    """Progress: live bars on a terminal, one line for each finished part in a pipe."""

    def __init__(self, console: Console) -> None:
        """Nothing is shown before the first part begins."""
        self._console = console
        self._bars = Progress(
            TextColumn("{task.fields[at]}"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("[dim]{task.fields[count]}"),
            console=console,
        )
        self._parts: dict[tuple[str, str], TaskID] = {}
        self._last: story.Progress | None = None

    def __enter__(self) -> Self:
        """Show bars from here on, where there is a terminal."""
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the bars as they are."""
        self.end()

    def end(self) -> None:
        """The last part is over."""
        if self._console.is_terminal:
            self._bars.stop()
        elif self._last is not None:
            self._line(self._last)
        self._last = None

    def tell(self, now: story.Progress) -> None:
        """A part of the day has come so far."""
        key = (now.at, now.text)
        if self._console.is_terminal:
            if key not in self._parts:
                self._parts[key] = self._bars.add_task(now.text, at=now.at, count=now.count)
            self._bars.update(self._parts[key], completed=now.done, total=now.total, count=now.count)
        elif self._last is not None and (self._last.at, self._last.text) != key:
            self._line(self._last)
        self._last = now

    def _line(self, part: story.Progress) -> None:
        self._console.print(f"{part.at}  {part.text}: {part.count}", highlight=False)


def show(console: Console, report: Report, held: list[Check]) -> None:
    """The closing tables, the counts, the checks, and where the mails lie."""
    for counter in COUNTERS:
        rows = [row for row in report.requests if row.counter == counter]
        cells = [(row.author, row.subject or "(no subject)", understood(row), went_back(report, row)) for row in rows]
        console.print()
        console.print(_table(counter, ("who wrote", "subject", "understood", "what went back"), (4, 7, 6, 7), cells))
    console.print()
    answers = [(row.author, _about(row), _command(row), _effect(row)) for row in report.answers]
    title = "officers' answers"
    console.print(_table(title, ("officer", "item", "answer", "what came of it"), (2, 6, 7, 8), answers))
    console.print()
    for line in _counts(counts(report)):
        console.print(line, highlight=False)
    console.print()
    for check in held:
        mark = "[green]✓[/green]" if check.held else "[red]✗[/red]"
        console.print(f"{mark} {escape(check.sentence)}", highlight=False)
        for wrong in check.wrong:
            console.print(f"    [red]{escape(wrong)}[/red]", highlight=False)


def _table(title: str, columns: Sequence[str], ratios: Sequence[int], rows: Sequence[Sequence[str]]) -> Table:
    shown = Table(
        title=f"[bold]{escape(title)}[/bold]",
        title_justify="left",
        title_style="",
        header_style="dim",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        expand=True,
    )
    for column, ratio in zip(columns, ratios, strict=True):
        shown.add_column(column, ratio=ratio, overflow="fold")
    for row in rows:
        shown.add_row(*map(escape, row))
    return shown


def understood(row: Row) -> str:
    """Rule, queue and match level, or what else the mail was."""
    if opened := row.event("opened"):
        rule, queue = opened.get("rule"), opened.get("queue")
        way = f"{rule or 'unmatched'} → {queue}" if rule != queue else f"{rule}"
        missing = ", ".join(opened.get("missing") or ())
        return ", ".join(filter(None, (way, opened.get("match"), f"lacks {missing}" if missing else "")))
    if doubted := row.event("officer-doubted"):
        return f"in an officer's name: {doubted['reason']}"
    if completed := row.event("completed"):
        return f"completes its ticket → {completed['queue']}"
    if asked := row.event("status-asked"):
        return f"status, {'its own applicant' if asked['told'] else 'a stranger'} asks"
    return {"machine": "machine mail", "duplicate": "the same mail once more"}.get(row.fate or "", row.fate or "no end")


def went_back(report: Report, row: Row) -> str:
    """What Loket said by itself, then the officers' letters; or why nothing was said."""
    if row.fate == "quarantine":
        told = [sent.recipient for sent in row.replies if sent.kind == "alert"]
        return f"set aside; {', '.join(told)} told" if told else "set aside"
    if row.fate == "duplicate":
        return "nothing more"
    if row.refusal:
        return f"nothing: {UNANSWERED.get(row.refusal, row.refusal)}"
    commands = [
        f"{answer.errand.command}{_scan_count(answer)}{_trouble(sent)}"
        for sent in report.letters_of(row)
        for answer in report.answers
        if answer.errand and sent in answer.replies
    ]
    said = [f"{sent.ticket or ''} {SAID[sent.kind]}".strip() + _trouble(sent) for sent in row.responses]
    return ", ".join([*said, *commands])


def _scan_count(answer: Row) -> str:
    return f" + {len(answer.scans)} scan{'s' * (len(answer.scans) > 1)}" if answer.scans else ""


def _trouble(sent: Sent) -> str:
    return "" if sent.phase == "sent" else f" ({sent.phase}: {sent.code})"


def _about(row: Row) -> str:
    return f"{row.errand.about} ({row.errand.queue})" if row.errand else row.subject


def _command(row: Row) -> str:
    errand = row.errand
    if errand is None:
        return ""
    line = errand.answer.line or errand.command
    words = " ".join(errand.answer.sentence.split())
    names = ", ".join(scan.name for scan in row.scans)
    return line + (f": {words}" if words else "") + (f" [{names}]" if names else "")


def _effect(row: Row) -> str:
    refused = row.event("command-refused")
    if refused and row.event("code-written") is None:
        return f"not done, {refused['reason']}: the officer is told, nothing left"
    if moved := row.event("moved"):
        return f"moved to {moved['queue']}"
    letters = [sent for sent in row.replies if sent.kind == "delivery"]
    verified = [scan for scan in row.scans if scan.verified]
    scans = f", {len(verified)} of {len(row.scans)} scans verified" if row.scans else ""
    scans += ", confirmed by code" if row.event("code-written") else ""
    return ", ".join(f"letter to {sent.recipient}{_trouble(sent)}" for sent in letters) + scans


def counts(report: Report) -> dict[str, Any]:
    """The day in figures."""
    kinds = Counter(sent.kind for sent in report.sent)
    scans = [scan for row in report.answers for scan in row.scans]
    return {
        "mails_in": len(report.requests),
        "tickets": sum(row.fate == "ticket" for row in report.requests),
        "responses": {kind: kinds[kind] for kind in SAID},
        "unanswered": dict(Counter(filter(None, map(_why_unanswered, report.requests)))),
        "digests": kinds["digest"],
        "invitations": kinds["invitation"],
        "officer_answers": len(report.answers),
        "codes": len(report.codes),
        "letters": sum(sent.kind == "delivery" and sent.phase == "sent" for sent in report.sent),
        "scans": len(scans),
        "scans_verified": sum(scan.verified for scan in scans),
        "receipts": kinds["receipt"],
        "alerts": kinds["alert"],
        "undeliverable": sum(unknown(sent.recipient) for sent in report.sent),
        "mail_files": report.files,
    }


def _why_unanswered(row: Row) -> str | None:
    if row.fate in ("duplicate", "quarantine"):
        return {"duplicate": "sent twice", "quarantine": "set aside"}[row.fate]
    return UNANSWERED.get(row.refusal, row.refusal) if row.refusal else None


def _counts(of: dict[str, Any]) -> list[str]:
    said = of["responses"]
    why = ", ".join(f"{reason}{f' ({count})' if count > 1 else ''}" for reason, count in of["unanswered"].items())
    return [
        f"{of['mails_in']} mails in, {of['tickets']} tickets, {said['acknowledgement']} acknowledgements, "
        f"{said['correction']} corrections, {said['status']} status answers, "
        f"{said['offer']} offers of appointments, {of['invitations']} invitations",
        f"{sum(of['unanswered'].values())} left unanswered: {why}",
        f"{of['digests']} digests, {of['officer_answers']} officers' answers, {of['codes']} codes sent back, "
        f"{of['letters']} letters delivered, "
        f"{of['undeliverable']} mails refused by their recipient's server",
        f"{of['scans']} scans sent, {of['scans_verified']} verified: the file in the applicant's mailbox has the "
        "SHA-256 of the officer's",
    ]


def as_json(report: Report, held: list[Check], town: Town) -> dict[str, Any]:
    """The whole result for a program."""
    return {
        "ok": all(check.held for check in held),
        "folder": str(report.folder),
        "town": {"host": town.host, "imap": town.imap_port, "smtp": town.smtp_port, "password": town.password},
        "mails": [_object(row) for row in report.rows],
        "counts": counts(report),
        "checks": [{"sentence": check.sentence, "held": check.held, "wrong": list(check.wrong)} for check in held],
    }


def _object(row: Row) -> dict[str, Any]:
    return {
        "counter": row.counter,
        "uid": row.uid,
        "author": row.author,
        "address": row.address,
        "subject": row.subject,
        "fate": row.fate,
        "ticket": row.ticket,
        "refusal": row.refusal,
        "events": [{"kind": kind, **detail} for kind, detail in row.events],
        "sent": [
            {"kind": sent.kind, "to": sent.recipient, "ticket": sent.ticket, "phase": sent.phase, "code": sent.code}
            for sent in row.replies
        ],
        "officer": row.errand.officer if row.errand else None,
        "command": row.errand.command if row.errand else None,
        "about": row.errand.about if row.errand else None,
        "scans": [
            {"name": scan.name, "sha256": scan.sha256, "arrived": scan.arrived, "verified": scan.verified}
            for scan in row.scans
        ],
    }
