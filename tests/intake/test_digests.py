"""Digests are written when they are due, each by itself: one that fails keeps nobody else's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loket.core import notice
from loket.core.model import Plan
from loket.store import schema
from tests.intake.bureau import mail
from tests.intake.conftest import OpenBureau

ANI, BUDI = "ani@bureau.test", "budi@bureau.test"
OFFICE = {
    "officers": {who: {"name": who.partition("@")[0], "queues": ["triase"]} for who in (ANI, BUDI)},
    "digests": [{"for": "officers", "at": "Mon-Fri 08:30"}],
}


@dataclass
class Morning:
    """A Tuesday, 07.00 in Jakarta, until the test says otherwise."""

    at: datetime = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment."""
        return self.at


def test_a_digest_that_fails_keeps_nobody_elses_and_stays_due(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Morning()
    office = bureau(history="all", clock=clock, more=OFFICE)
    office.put(mail("Surat"))
    office.poll()
    healthy = notice.digest

    def broken(post: Any, officer: Any, *args: Any, **named: Any) -> Plan:
        if officer.address == ANI:
            raise LookupError("no such template")
        return healthy(post, officer, *args, **named)

    def told() -> list[str]:
        return [row.recipient for row in office.rows(schema.outbox, kind="digest")]

    clock.at += timedelta(hours=2)
    with monkeypatch.context() as trouble:
        trouble.setattr(notice, "digest", broken)
        office.app.clockwork.timers.tick()
    assert told() == [BUDI]
    office.app.clockwork.timers.tick()
    office.app.clockwork.timers.tick()
    assert told() == [BUDI, ANI]
