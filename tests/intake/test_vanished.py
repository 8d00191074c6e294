"""Another client takes mails away while they are looked at: recorded, and nothing else is held up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from loket.core.model import Fate
from loket.imap import ImapSession
from loket.ports import Listed
from loket.store import schema
from tests.intake.bureau import Bureau, client, mail
from tests.intake.conftest import OpenBureau, every_server


def expunge(office: Bureau, place: int) -> None:
    """A person deletes a mail for good."""
    with client(office.servers, office.address, "INBOX") as person:
        person.throw_away(place)


@every_server
@pytest.mark.parametrize("at_once", [100, 1], ids=["in one batch", "each alone"])
def test_a_mail_that_goes_between_listing_and_fetching_has_vanished(bureau: OpenBureau, at_once: int) -> None:
    office = bureau(history="all", batch={"mails": at_once})
    office.fill(mail(f"Surat {count}") for count in range(3))

    class Interrupted(ImapSession):
        def batches(self, listed: Sequence[Listed]) -> Iterator[list[Listed]]:
            expunge(office, 2)
            # Some servers go on giving a mail that another session expunged until they could say so.
            self._client.noop()
            return super().batches(listed)

    with office.session(Interrupted) as session:
        office.watcher().intake.poll(session)
    assert office.fates() == [Fate.TICKET, Fate.VANISHED, Fate.TICKET]
    office.poll()
    assert office.fates() == [Fate.TICKET, Fate.VANISHED, Fate.TICKET]


@every_server
def test_a_mail_that_goes_while_it_is_listed_has_vanished(bureau: OpenBureau) -> None:
    """The search named it, so the ledger does too."""
    office = bureau(history="all")
    office.poll()
    office.fill(mail(f"Surat {count}") for count in range(3))

    class Interrupted(ImapSession):
        def facts(self, uids: Sequence[int]) -> list[Listed]:
            if len(uids) == 3:
                expunge(office, 2)
                # The server keeps a mail in its answers until it could say that it is gone.
                self._client.noop()
            return super().facts(uids)

    with office.session(Interrupted) as session:
        office.watcher().intake.poll(session)
    assert office.fates() == [Fate.TICKET, Fate.VANISHED, Fate.TICKET]


@every_server
def test_a_large_mail_that_goes_has_vanished(bureau: OpenBureau) -> None:
    office = bureau(history="all", batch={"piece": 65_536})
    office.fill([mail("Besar", body="x" * 70 + "\r\n" + ("x" * 70 + "\r\n") * 2000), mail("Kecil")])

    class Interrupted(ImapSession):
        def batches(self, listed: Sequence[Listed]) -> Iterator[list[Listed]]:
            expunge(office, 1)
            # Some servers go on giving a mail that another session expunged until they could say so.
            self._client.noop()
            return super().batches(listed)

    with office.session(Interrupted) as session:
        office.watcher().intake.poll(session)
    assert office.fates() == [Fate.VANISHED, Fate.TICKET]


def test_a_large_mail_that_goes_between_two_pieces_has_vanished(bureau: OpenBureau) -> None:
    """It was seen, so it has an end; the half that came is thrown away."""
    office = bureau(history="all", batch={"piece": 65_536})
    office.fill([mail("Besar", body="x" * 70 + "\r\n" + ("x" * 70 + "\r\n") * 2000), mail("Kecil")])

    class Interrupted(ImapSession):
        def _piece(self, uid: int, at: int) -> bytes | None:
            if at:
                expunge(office, 1)
                self._client.noop()
            return super()._piece(uid, at)

    with office.session(Interrupted) as session:
        office.watcher().intake.poll(session)
    assert office.fates() == [Fate.VANISHED, Fate.TICKET]
    assert [path for path in office.app.stores.files.root.rglob("*") if path.is_file()] == []


@every_server
def test_what_a_person_moves_out_and_in_again_is_one_ticket(bureau: OpenBureau) -> None:
    """It comes back under a new UID and is known by its bytes."""
    office = bureau(history="all")
    office.put(mail("Surat"))
    office.poll()
    with client(office.servers, office.address, "INBOX") as person:
        person.make("Sementara")
        person.put_into("Sementara")
    office.poll()
    with client(office.servers, office.address, "Sementara") as person:
        person.put_into("INBOX")
    office.poll()
    assert office.fates() == [Fate.TICKET, Fate.DUPLICATE]
    assert len(office.rows(schema.outbox)) == 1
