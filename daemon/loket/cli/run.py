"""`loket run` and `loket check`."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from loket import maillog
from loket.app import App
from loket.clerk import Clerk, hire
from loket.cli.common import DEFAULT_CONFIG, NO, UNREACHABLE, ConfigOption, JsonOption, out_json, read_config, refusals
from loket.config.asks import protections
from loket.config.daysoff import look_ahead
from loket.config.lint import lint
from loket.config.load import load
from loket.config.passed import Passed
from loket.config.secrets import database_url, keys
from loket.config.snapshot import Snapshot
from loket.config.yamlfile import ConfigError, Problem
from loket.files import FolderFiles
from loket.store.sheets import dialect_of, write_down

# As malloc.h has it.
M_ARENA_MAX = -8


def run(
    config: ConfigOption = DEFAULT_CONFIG,
    once: Annotated[bool, typer.Option("--once", help="Take in what is there, send what is due, end.")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log lines as JSON.")] = False,
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "INFO",
) -> None:
    """Work the mailboxes until stopped."""
    level = log_level.upper()
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise typer.BadParameter("one of DEBUG, INFO, WARNING, ERROR", param_hint="--log-level")
    snapshot = read_config(config, trusting=True)
    passed = Passed(snapshot.root, snapshot.config.store)
    if not passed.knows(snapshot.office.rules_hash):
        problems = [problem for problem in lint(snapshot) if not problem.warning]
        if problems:
            _print(problems)
            raise typer.Exit(NO)
        passed.keep(snapshot.office.rules_hash)
    maillog.set_up(as_json=log_json or not sys.stderr.isatty(), level=level)
    _share_memory()
    with refusals():
        # Before anything is there that a fork would tear apart.
        clerk = None if once else _clerk(snapshot)
        trouble = uvloop.run(_work(snapshot, once, clerk))
    for mailbox, error in trouble.items():
        print(f"loket: {mailbox} could not be reached: {error}", file=sys.stderr)
    if trouble:
        raise typer.Exit(UNREACHABLE)


def _share_memory() -> None:
    """Let all threads take memory from one heap (mallopt(3), M_ARENA_MAX), where the C library has several.

    One thread fetches, another writes, a third sends: with a heap for each, what one has freed serves no other.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def _clerk(snapshot: Snapshot) -> Clerk | None:
    files = FolderFiles(snapshot.root / snapshot.config.store.files)
    dialect = dialect_of(database_url(snapshot.config.store, snapshot.root))
    return hire(snapshot.office, keys(snapshot.config, snapshot.root), files, partial(write_down, dialect))


async def _work(snapshot: Snapshot, once: bool, clerk: Clerk | None) -> dict[str, str]:
    app = App(snapshot, clerk=clerk)
    if once:
        return await app.once()
    await app.run()
    while app.successor is not None:
        app = App(app.successor)
        await app.run()
    return {}


def check(
    config: Annotated[Path, typer.Argument(envvar="LOKET_CONFIG", help="The configuration.")] = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Load configuration, rules and templates, run every rule's examples, and say what is wrong."""
    open_: list[tuple[str, str]] = []
    try:
        snapshot = load(config)
        today = datetime.now(snapshot.office.zone).date()
        problems = [*lint(snapshot), *look_ahead(snapshot, today)]
        open_ = list(protections(snapshot))
    except ConfigError as error:
        problems = list(error.problems)
    errors = sum(not problem.warning for problem in problems)
    if as_json:
        out_json(
            [
                {
                    "file": str(problem.file),
                    "line": problem.line,
                    "column": problem.column,
                    "level": "warning" if problem.warning else "error",
                    "message": problem.message,
                }
                for problem in problems
            ]
        )
    else:
        _print(problems)
        if not errors:
            print(f"{config}: {'sound' if not problems else f'sound, {len(problems)} to look at'}")
            for address, said in open_:
                print(f"{address}: note: {said}")
    if errors:
        raise typer.Exit(NO)


def _print(problems: list[Problem]) -> None:
    for problem in problems:
        print(problem, file=sys.stderr)
        if problem.source.strip():
            print(f"    {problem.source}", file=sys.stderr)
            print(f"    {' ' * (problem.column - 1)}^", file=sys.stderr)
