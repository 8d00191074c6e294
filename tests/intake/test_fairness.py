"""Who waits now goes before whoever has waited long already, in one mailbox and between two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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
