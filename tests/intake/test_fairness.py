"""Who waits now goes before whoever has waited long already, in one mailbox and between two."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loket.core import batch
from loket.core.model import Fate
from loket.store import schema
from tests.intake.bureau import eventually, mail
from tests.intake.conftest import OpenBureau
from tests.servers import MailServers


def test_a_new_mail_is_answered_before_the_backlog(bureau: OpenBureau) -> None:
    """What has lain in the mailbox for days is taken in first, and its answers leave last."""
    office = bureau(history="all")
    long_ago = datetime.now(UTC) - timedelta(days=3)
    for number in range(3):
        office.put(mail(f"Revisi Desain_OT_Jamu {number}", f"p{number}@x.test"), when=long_ago)
    office.put(mail("Revisi Desain_OT_Jamu Baru", "baru@x.test"))
    office.poll()
    claimed = office.app.stores.outgoing.claim(datetime.now(UTC), 10, [office.address])
    assert [one.mail.recipient for one in claimed] == ["baru@x.test", "p0@x.test", "p1@x.test", "p2@x.test"]


@pytest.mark.parametrize("poison", [None, 20])
def test_the_first_of_a_burst_do_not_wait_for_the_last(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch, poison: int | None
) -> None:
    """What a server announces together is written some at a time; a mail that raises changes nothing of it."""
    office = bureau(history="all")
    thinking: list[tuple[int, int]] = []
    healthy: Callable[..., Any] = batch.decide

    def noted(given: Any, *others: Any) -> Any:
        thinking.append((given.raw.ref.uid, office.fates().count(Fate.TICKET)))
        if given.raw.ref.uid == poison:
            raise RecursionError
        return healthy(given, *others)

    monkeypatch.setattr(batch, "decide", noted)
    office.fill(mail(f"Revisi Desain_OT_Jamu {number}", f"p{number}@x.test") for number in range(26))
    office.poll()
    ended = dict(reversed(thinking))
    assert [ended[uid] for uid in (1, 8, 9)] == [0, 0, 8]
    assert ended[26] >= 24
    assert office.fates().count(Fate.TICKET) == 26 - (poison is not None)
    assert len(office.rows(schema.ticket)) == 26 - (poison is not None)


def test_a_mailbox_does_not_wait_for_anothers_backlog(bureau: OpenBureau, servers: MailServers) -> None:
    """One mail to a mailbox is taken in while six hundred others to another still are."""
    names = [servers.unique("penuh"), servers.unique("sepi")]
    office = bureau(mailboxes={name: {"history": "all"} for name in names})
    full, quiet = names
    office.fill(mail(f"Revisi Desain_OT_Jamu {number}", f"p{number}@x.test") for number in range(600))
    office.watcher(quiet).start()
    eventually(lambda: len(office.rows(schema.mailbox_state, mailbox=quiet)) == 1)
    office.watcher(full).start()
    eventually(lambda: len(office.fates(full)) > 0)
    office.put(mail("Revisi Desain_OT_Jamu Kunyit", "siti@x.test"), address=quiet)
    office.watcher(quiet).poke()
    eventually(lambda: Fate.TICKET in office.fates(quiet))
    assert office.fates(full).count(Fate.TICKET) < 600
    eventually(lambda: office.fates(full).count(Fate.TICKET) == 600, 30)
