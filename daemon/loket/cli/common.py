"""What all commands share: finding the configuration, exit codes, tables, errors in one line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loket.app import SystemClock
from loket.config.load import Snapshot, load
from loket.config.secrets import SecretError
from loket.config.snapshot import store_of
from loket.config.yamlfile import ConfigError
from loket.core.gate import Caps
from loket.store.database import StoreBusy, StoreTaken, StoreUnfit, is_unavailable
from loket.stores import Stores, open_store, open_stores

DONE, NO, USAGE, UNREACHABLE = 0, 1, 2, 3

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="LOKET_CONFIG", help="The configuration.", show_default="config.yaml"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: JSON.")]
DEFAULT_CONFIG = Path("config.yaml")


def fail(message: str, code: int = NO) -> typer.Exit:
    """Say in one line on standard error what is wrong and what to do; raise what this returns."""
    print(f"loket: {message}", file=sys.stderr)
    return typer.Exit(code)


def read_config(path: Path, rules: Path | None = None, *, trusting: bool = False) -> Snapshot:
    """The configuration, or its errors on standard error and exit 1."""
    with problems_told():
        return load(path, rules, trusting=trusting)


@contextmanager
def problems_told() -> Iterator[None]:
    """The errors of a configuration on standard error, then exit 1."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        raise typer.Exit(NO) from None


@contextmanager
def opened(path: Path) -> Iterator[tuple[Snapshot, Stores]]:
    """The configuration and its store, for reading."""
    snapshot = read_config(path)
    with refusals():
        stores = open_stores(snapshot, SystemClock().now())
        try:
            yield snapshot, stores
        finally:
            stores.database.close()


@contextmanager
def opened_anyhow(path: Path) -> Iterator[tuple[Snapshot | None, Stores, list[str]]]:
    """The store, also while the files are being edited and do not hold together; then why, and no configuration.

    What runs has its own configuration, and must not be called ill for an edit that it refused.
    """
    snapshot, problems = None, list[str]()
    try:
        snapshot = load(path)
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
    with refusals():
        now = SystemClock().now()
        if snapshot is not None:
            stores = open_stores(snapshot, now)
        else:
            stores = open_store(store_of(path), path.resolve().parent, now, files_to={}, caps=Caps())
        try:
            yield snapshot, stores, problems
        finally:
            stores.database.close()


@contextmanager
def refusals() -> Iterator[None]:
    """Errors that a person can do something about, in one line each."""
    try:
        yield
    except Exception as caught:
        error = _first(caught)
        if isinstance(error, SecretError | StoreTaken | StoreUnfit):
            raise fail(str(error)) from None
        if isinstance(error, StoreBusy):
            raise fail(f"{error}; stop it first, or use its commands") from None
        if is_unavailable(error):
            raise fail(f"the store cannot be used: {str(error).splitlines()[0]}", UNREACHABLE) from None
        if isinstance(error, OSError):
            raise fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), UNREACHABLE) from None
        raise


def _first(error: Exception) -> Exception:
    """Of several that tasks raised together the first: they have one cause."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def out_json(value: object) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """A table as wide as the terminal; cells are text, never markup."""
    shown = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    console().print(shown)


def console() -> Console:
    """Standard output; a pipe gets lines wide enough not to be cut."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160
    return Console(width=width, highlight=False)


def when(moment: datetime | None, snapshot: Snapshot | None) -> str:
    """A moment in the office's zone, short; in UTC where there is no office."""
    zone = snapshot.office.zone if snapshot is not None else UTC
    return "" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"
