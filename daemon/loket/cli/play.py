"""`loket demo`: a working day of the shipped office, played on the real daemon in a mail town of its own."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from loket import maillog
from loket.cli import demo_view
from loket.cli.common import NO, USAGE, console, fail, out_json, refusals
from loket.config.yamlfile import ConfigError
from loket.demo.checks import checks
from loket.demo.perform import perform
from loket.demo.report import Report
from loket.demo.stage import DemoError
from loket.demo.town import Town


def play(*, stay: bool, keep: Path | None, as_json: bool) -> None:
    """One day; exit 1 if anything went wrong."""
    folder = _folder(keep)
    out = Console(stderr=True) if as_json else console()
    out.print(f"a day at the counters, in {escape(str(folder))}", highlight=False)
    teller = demo_view.Teller(out)
    good = False

    def show(report: Report, town: Town) -> None:
        nonlocal good
        teller.end()
        held = checks(report)
        good = all(check.held for check in held)
        if as_json:
            out_json(demo_view.as_json(report, held, town))
        else:
            demo_view.show(out, report, held)
        _where(out, report)
        if stay:
            _doors(out, town)
        sys.stdout.flush()

    with _log_in(folder), teller, refusals():
        try:
            asyncio.run(perform(folder, stay=stay, tell=teller.tell, show=show))
        except DemoError as error:
            teller.end()
            raise fail(f"{error}; the log is {folder / 'loket.log'}") from None
        except ConfigError as error:
            raise fail(f"the shipped office does not load: {error.problems[0]}") from None
    if stay:
        _say(out, "", "The town is closed.")
    if not good:
        raise typer.Exit(NO)


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="loket-demo-"))
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise fail(f"{keep} is not an empty folder; name a new one", USAGE)
    keep.mkdir(parents=True, exist_ok=True)
    return keep


@contextmanager
def _log_in(folder: Path) -> Iterator[None]:
    """Log lines of daemon and libraries go into the folder, out of the way of the progress."""
    with (folder / "loket.log").open("w", encoding="utf-8") as stream:
        maillog.set_up(as_json=False, stream=stream)
        handler = logging.StreamHandler(stream)
        handler.setLevel(logging.WARNING)
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)


def _where(out: Console, report: Report) -> None:
    _say(
        out,
        "",
        f"{report.files} mails of {report.boxes} mailboxes, as .eml files for any mail client:",
        f"  {report.folder / 'mails'}",
        "Configuration, store and log lie beside them; to look into the store:",
        f"  loket tickets -c {report.folder / 'config.yaml'}",
    )


def _doors(out: Console, town: Town) -> None:
    _say(
        out,
        "",
        "The town stays up. Any mail client can join, without TLS:",
        f"  IMAP      {town.host}:{town.imap_port}",
        f"  SMTP      {town.host}:{town.smtp_port}",
        "  user      any address; applicant sari@jamusegar.example, officer ani@pom.go.id",
        f"  password  {town.password}",
        "Write to a counter, as to desainsk.otsk2020@gmail.com. Officers get a digest",
        "every five minutes. Ctrl-C ends it.",
    )


def _say(out: Console, *lines: str) -> None:
    for line in lines:
        out.print(line, highlight=False, markup=False, soft_wrap=True)
