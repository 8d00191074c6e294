"""`loket demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loket.cli.common import JsonOption


def demo(
    stay: Annotated[bool, typer.Option("--stay", help="Keep town and daemon up for a mail client of yours.")] = False,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Where everything goes; must be empty or new.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The town in a box: mail in, tickets, digests, officers' scans out, in seconds; exit 1 if anything went wrong."""
    from loket.cli.play import play  # noqa: PLC0415 - the daemon need not hold a town in memory

    play(stay=stay, keep=keep, as_json=as_json)
