"""Another client takes mails away while they are looked at: recorded, and nothing else is held up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from loket.core.model import Fate
from loket.imap import ImapSession
from loket.ports import Listed
from loket.store import schema
from tests.intake.bureau import Bureau, client, mail
from tests.intake.conftest import OpenBureau


def expunge(office: Bureau, uid: int) -> None:
    """A person deletes a mail for good."""
    with client(office.servers, office.address, "INBOX") as person:
        person.delete_messages([uid])
        person.expunge()


@pytest.mark.parametrize("at_once", [100, 1], ids=["in one batch", "each alone"])
def test_a_mail_that_goes_between_listing_and_fetching_has_vanished(bureau: OpenBureau, at_once: int) -> None:
    office = bureau(history="all", batch={"mails": at_once})
    office.fill(mail(f"Surat {count}") for count in range(3))

    class Interrupted(ImapSession):
        def batches(self, listed: Sequence[Listed]) -> Iterator[list[Listed]]:
            expunge(office, 2)
            return super().batches(listed)

    with office.session(Interrupted) as session:
        office.watcher().intake.poll(session)
    assert office.fates() == [Fate.TICKET, Fate.VANISHED, Fate.TICKET]
    office.poll()
    assert office.fates() == [Fate.TICKET, Fate.VANISHED, Fate.TICKET]


def test_a_mail_that_goes_while_it_is_listed_has_vanished(bureau: OpenBureau) -> None:
    """The search named it, so the ledger does too."""
    office = bureau(history="all")
    office.poll()
    office.fill(mail(f"Surat {count}") for count in range(3))

    class Interrupted(ImapSession):
        def facts(self, uids: Sequence[int]) -> list[Listed]:
            if 2 in uids:
                expunge(office, 2)
                # The server keeps a mail in its answers until it could say that it is gone.
                self._client.noop()
            return super().facts(uids)

    with office.session(Interrupted) as session:
        office.watcher().intake.poll(session)
    assert office.fates() == [Fate.TICKET, Fate.VANISHED, Fate.TICKET]


def test_a_large_mail_that_goes_has_vanished(bureau: OpenBureau) -> None:
    office = bureau(history="all", batch={"piece": 65_536})
    office.fill([mail("Besar", body="x" * 70 + "\r\n" + ("x" * 70 + "\r\n") * 2000), mail("Kecil")])

    class Interrupted(ImapSession):
        def batches(self, listed: Sequence[Listed]) -> Iterator[list[Listed]]:
            expunge(office, 1)
            return super().batches(listed)

    with office.session(Interrupted) as session:
        office.watcher().intake.poll(session)
    assert office.fates() == [Fate.VANISHED, Fate.TICKET]


def test_what_a_person_moves_out_and_in_again_is_one_ticket(bureau: OpenBureau) -> None:
    """It comes back under a new UID and is known by its bytes."""
    office = bureau(history="all")
    office.put(mail("Surat"))
    office.poll()
    with client(office.servers, office.address, "INBOX") as person:
        person.create_folder("Sementara")
        person.move([1], "Sementara")
    office.poll()
    with client(office.servers, office.address, "Sementara") as person:
        person.move([1], "INBOX")
    office.poll()
    assert office.fates() == [Fate.TICKET, Fate.DUPLICATE]
    assert len(office.rows(schema.outbox)) == 1
