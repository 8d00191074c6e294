"""`loket doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from loket.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, read_config


def doctor(
    config: ConfigOption = DEFAULT_CONFIG,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for all of it.")] = 40,
    dns: Annotated[
        str | None, typer.Option(metavar="ADDRESS[:PORT]", help="Another resolver than the machine's.")
    ] = None,
    send_test: Annotated[
        bool, typer.Option("--send-test", help="Send each mailbox a mail from itself, and see when it comes.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look at every mailbox, server and domain, change nothing, and say what would mend what is wrong.

    Exit 1 when something is wrong, 3 when nothing is but a server gave no answer.
    """
    from loket.cli.doctor_view import look  # noqa: PLC0415 - the daemon need not hold it in memory

    look(read_config(config), dns, timeout, send=send_test, as_json=as_json)
