"""Thousands of mails at once: old ones answer nobody (P5), forged ones make Loket a nuisance to nobody (P9)."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from loket.core.model import Fate
from loket.store import schema
from tests.faults.poison import drop
from tests.intake.bureau import mail
from tests.intake.conftest import OpenBureau

OLD = 5_000
FORGED = 10_000
AN_HOUR = 150
WORDS = "Beli sekarang di toko.example"


def test_five_thousand_old_mails_are_left_alone_and_said_so(bureau: OpenBureau) -> None:
    office = bureau(history="none")
    for number in range(OLD):
        drop(office.servers, office.address, mail(f"Lama {number}"))
    office.poll()
    drop(office.servers, office.address, mail("Baru"))
    office.poll()
    assert Counter(office.fates()) == {Fate.HISTORY: OLD, Fate.TICKET: 1}
    assert office.subjects() == ["Baru"]
    assert [row.recipient for row in office.rows(schema.outbox)] == ["baru@pemohon.test"]
    assert office.app.stores.desk.mailboxes()[0].fates == {"history": OLD, "ticket": 1}


def test_ten_thousand_forged_senders_get_so_many_answers_an_hour_and_nothing_of_what_was_written(
    bureau: OpenBureau,
) -> None:
    """Every mail is a ticket and none of the answers is dropped; what is due now is the cap, and no more leaves."""
    office = bureau(history="all", more={"responses": {"total": AN_HOUR}})
    for number in range(FORGED):
        raw = mail("Penawaran", f"korban{number}@{office.address.partition('@')[2]}", f"{WORDS} {number}")
        drop(office.servers, office.address, raw)
    office.poll()
    assert Counter(office.fates()) == {Fate.TICKET: FORGED}
    rows = office.rows(schema.outbox)
    assert len(rows) == len({row.recipient for row in rows}) == FORGED
    began = min(row.next_at for row in rows)
    hours = Counter((row.next_at - began) // timedelta(hours=1) for row in rows)
    assert hours[0] == AN_HOUR
    assert max(hours.values()) <= 2 * AN_HOUR
    late = sorted(row.next_at for row in rows)
    window = zip(late, late[AN_HOUR:], strict=False)
    assert all(after - before >= timedelta(hours=1) for before, after in window)
    assert asyncio.run(office.app.once()) == {}
    office.configure()
    assert Counter(row.phase for row in office.rows(schema.outbox)) == {"sent": AN_HOUR, "due": FORGED - AN_HOUR}
    [answer] = office.servers.wait_for(rows[0].recipient, 1)
    assert b"toko.example" not in answer
    assert b"Content-Disposition: attachment" not in answer
