"""`loket login`."""

from __future__ import annotations

from typing import Annotated

import typer

from loket.cli.common import DEFAULT_CONFIG, ConfigOption, read_config


def login(
    address: Annotated[str, typer.Argument(help="The mailbox.")],
    config: ConfigOption = DEFAULT_CONFIG,
    browser: Annotated[
        bool, typer.Option("--browser", help="By a browser, also where a code for another device would do.")
    ] = False,
    no_open: Annotated[bool, typer.Option("--no-open", help="Show the address, open no browser.")] = False,
) -> None:
    """Log in to a mailbox whose `login` says oauth2, and keep its tokens; the daemon goes on by itself.

    Exit 1 when the login was refused, 3 when a server could not be reached.
    """
    from loket.cli.login_view import log_in  # noqa: PLC0415 - the daemon need not hold it in memory

    log_in(read_config(config), address, browser=browser, no_open=no_open)
