"""Answers of `loket init`, tried on the servers themselves."""

from __future__ import annotations

import contextlib

from loket.cli.common import console
from loket.cli.doctor_view import show
from loket.config.presets import of_exchangers
from loket.config.servers import Endpoint
from loket.config.snapshot import Snapshot
from loket.doctor.domain import Dns, NoAnswerError
from loket.doctor.examination import connections, examine
from loket.doctor.wire import greet

CANDIDATES = ("imap.{domain}:993", "mail.{domain}:993")
SECONDS = 20.0
GREETING_SECONDS = 4.0


def logs_in(snapshot: Snapshot) -> bool:
    """Whether the mailbox can be read and its mail submitted; what is wrong is shown with its remedy."""
    console().print("Logging in …", markup=False)
    found = examine(connections(snapshot, SECONDS), SECONDS)
    wrong = [one for one in found if one.level in ("error", "unreached")]
    show(wrong or [one for one in found if one.what.endswith("-login")])
    return not wrong


def proposed(domain: str) -> str | None:
    """The provider that takes in the domain's mail, else a usual name that greets as a mail server does."""
    with contextlib.suppress(NoAnswerError):
        provider = of_exchangers(Dns().exchangers(domain))
        if provider is not None:
            return provider
    for name in CANDIDATES:
        at = name.format(domain=domain)
        with contextlib.suppress(OSError):
            greet(Endpoint.model_validate(at), None, "imap", GREETING_SECONDS)
            return at
    return None
