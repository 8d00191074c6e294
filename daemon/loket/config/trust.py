"""What config.yaml says of how an officer is proven: whose word counts at the border, and how codes work."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from loket.core.rules import written
from loket.core.strict import Strict
from loket.core.worktime import Soon

# A star stands for whatever is in its place; alone it would trust anybody.
HostPattern = Annotated[
    str, written(r"(?=.*[a-z0-9])(?:\*[.:])?[a-z0-9_.:-]+(?:\*)?", "write a host in small letters, as in mx.pom.go.id")
]
HostName = Annotated[
    str,
    written(
        r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)+",
        "write a host in small letters, as in mx.pom.go.id, or *.mx.pom.go.id for those below it",
    ),
]


class TrustEntry(Strict):
    """Whose Authentication-Results (RFC 8601) count in a mailbox, and whether Loket verifies DKIM itself."""

    authserv: list[HostName] = Field(default=[], description="authserv-ids, exactly as our border writes them")
    border: list[HostName] = Field(default=[], description="the border's name in Received: by; else the authserv-id")
    hops: list[HostPattern] = Field(default=[], description="our own hosts between the border and the mailbox")
    strips: bool = Field(default=False, description="the border removes fields in its name from incoming mail")
    dkim: bool = Field(default=False, description="verify DKIM signatures here where no border speaks")


class ConfirmEntry(Strict):
    """The codes by which officers confirm letters."""

    window: Soon = Field(default=timedelta(minutes=2), description="how long one waits for more letters to join it")
    life: Soon = Field(default=timedelta(hours=24), description="how long one is good")
    tries: int = Field(default=5, ge=1, le=20, description="wrong codes after which none is good any more")
