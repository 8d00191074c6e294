"""The commands by name."""

from __future__ import annotations

import errno
import io
import os
import sys

import typer

from loket.cli import agenda, demo, doctor, dry_run, explain, hands, init, inspect, login, replay, report, run, schema
from loket.cli.common import NO, fail

app = typer.Typer(
    name="loket",
    help="A daemon that works an office's mailboxes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("check")(run.check)
app.command("doctor")(doctor.doctor)
app.command("dry-run")(dry_run.dry_run)
app.command("explain")(explain.explain)
app.command("replay")(replay.replay)
app.command("schema")(schema.schema)
app.command("status")(inspect.status)
app.command("queues")(inspect.queues)
app.command("tickets")(inspect.tickets)
app.command("show")(inspect.show)
app.command("digest")(inspect.digest)
app.command("login")(login.login)
app.command("report")(report.report)
app.command("agenda")(agenda.agenda)
app.command("demo")(demo.demo)
app.add_typer(inspect.quarantine, name="quarantine")
app.add_typer(inspect.outbox, name="outbox")
app.add_typer(hands.ledger, name="ledger")


_CLOSED = (errno.ENOSPC, errno.EPIPE)
_FULL = "what this prints cannot be written: no space is left there"


def main() -> None:
    """The console script; what a terminal cannot show is written as an escape, and a full disk is said in one line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in _CLOSED:
            raise
        # What is still to be written would fail once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Whoever closed the pipe knows.
        raise SystemExit(fail(_FULL).exit_code if error.errno == errno.ENOSPC else NO) from None
