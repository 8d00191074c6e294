"""What is taken in and what is left alone: at the first start, afterwards, and when the server numbers anew."""

from __future__ import annotations

from collections import Counter

import pytest

from loket.core.model import Fate
from loket.store import schema
from tests.intake.bureau import Bureau, Slow, at, client, flags, mail
from tests.intake.conftest import OpenBureau, every_server
from tests.servers import ImapHost


@pytest.mark.parametrize(
    ("host", "old"), [("dovecot", 300), ("cyrus", 9), ("courier", 9), ("pymap", 9)], indirect=["host"]
)
def test_old_mails_are_left_alone(bureau: OpenBureau, old: int) -> None:
    """None of them is answered, all of them are in the ledger, and the first new one is a ticket (P5)."""
    office = bureau(history="none")
    office.fill(mail(f"Lama {count}") for count in range(old))
    office.poll()
    assert Counter(office.fates()) == {Fate.HISTORY: old}
    assert office.rows(schema.outbox) == office.rows(schema.ticket) == []
    assert office.app.stores.desk.mailboxes()[0].fates == {"history": old}
    office.put(mail("Baru"))
    office.poll()
    assert Counter(office.fates()) == {Fate.HISTORY: old, Fate.TICKET: 1}
    assert office.subjects() == ["Baru"]
    assert [row.recipient for row in office.rows(schema.outbox)] == ["baru@pemohon.test"]


def test_all_of_history_is_taken_in_where_the_office_says_so(bureau: OpenBureau) -> None:
    office = bureau(history="all", batch={"mails": 70})
    office.fill(mail(f"Lama {count}") for count in range(300))
    office.poll()
    assert office.fates() == [Fate.TICKET] * 300
    assert office.subjects() == [f"Lama {count}" for count in range(300)]
    assert len(office.rows(schema.outbox)) == 300


@every_server
def test_history_since_a_date_is_judged_by_the_day_of_arrival(bureau: OpenBureau) -> None:
    office = bureau(history="2026-01-05")
    office.put(mail("Natal"), when=at(2025, 12, 25))
    office.put(mail("Senin"), when=at(2026, 1, 5))
    office.put(mail("Minggu"), when=at(2026, 1, 4))
    office.poll()
    assert office.fates() == [Fate.HISTORY, Fate.TICKET, Fate.HISTORY]


@every_server
@pytest.mark.parametrize("file_to", [None, "Selesai"], ids=["examined", "selected"])
def test_a_mail_that_somebody_read_is_taken_in_and_no_flag_is_touched(bureau: OpenBureau, file_to: str | None) -> None:
    office = bureau(history="all", file_to=file_to)
    given = [(), ("\\Seen",), ("\\Seen", "\\Flagged", "\\Answered", "$Label1"), ("\\Draft",)]
    for count, set_by_people in enumerate(given):
        office.put(mail(f"Surat {count}"), *set_by_people)
    office.poll()
    assert office.fates() == [Fate.TICKET] * 4
    found = flags(office.servers, office.address, file_to or "INBOX")
    assert list(found.values()) == [{flag.encode() for flag in set_by_people} for set_by_people in given]


@every_server
def test_nothing_is_taken_in_twice(bureau: OpenBureau) -> None:
    """`UID n:*` names the last mail even when n lies past it (RFC 9051 6.4.9)."""
    office = bureau(history="all")
    office.put(mail("Satu"))
    office.put(mail("Dua"))
    office.poll()
    with office.session() as session:
        first, second = session.uids()
        assert session.listing(second) == []
        assert [one.uid for one in session.listing(first)] == [second]
        assert office.watcher().intake.poll(session) == 0
    office.restart()
    office.poll()
    assert office.fates() == [Fate.TICKET, Fate.TICKET]
    assert len(office.rows(schema.outbox)) == 2


@every_server
def test_an_old_mail_that_somebody_moves_in_is_work(bureau: OpenBureau) -> None:
    """Its date lies years before the first start; what counts is that it came after it."""
    office = bureau(history="none")
    office.poll()
    with client(office.servers, office.address) as person:
        person.make("Arsip")
    office.put(mail("Dari arsip"), "\\Seen", when=at(2019, 3, 1), folder="Arsip")
    with client(office.servers, office.address, "Arsip") as person:
        person.put_into("INBOX")
    office.poll()
    assert office.fates() == [Fate.TICKET]


@every_server
def test_mail_that_came_while_the_office_was_closed_is_taken_in(bureau: OpenBureau) -> None:
    office = bureau(history="none")
    office.poll()
    office.close()
    office.put(mail("Malam"), "\\Seen")
    office.configure()
    office.poll()
    assert office.subjects() == ["Malam"]


@every_server
def test_after_new_uidvalidity_the_same_mails_are_duplicates(bureau: OpenBureau) -> None:
    """History stays history, the ticket stays one ticket, and what came meanwhile is new (P3)."""
    office = bureau(history="none", clock=Slow())
    office.put(mail("Lama"), when=at(2020, 1, 1))
    office.poll()
    office.put(mail("Pertama"))
    office.poll()
    number_before = validity(office)
    office.servers.renew(office.address)
    office.put(mail("Lama"), when=at(2020, 1, 1))
    office.fill([mail("Pertama"), mail("Kedua")])
    office.poll()
    assert validity(office) != number_before
    assert {row.uidvalidity for row in office.rows(schema.ledger)} == {number_before, validity(office)}
    assert fates(office, number_before) == [Fate.HISTORY, Fate.TICKET]
    assert fates(office, validity(office)) == [Fate.HISTORY, Fate.DUPLICATE, Fate.TICKET]
    assert office.subjects() == ["Pertama", "Kedua"]
    assert len(office.rows(schema.outbox)) == 2
    duplicate = office.rows(schema.ledger, fate="duplicate")[0]
    assert duplicate.ticket == office.rows(schema.ticket)[0].number


@every_server
@pytest.mark.parametrize("history", ["none", "2026-01-01"])
def test_where_nothing_lay_nothing_is_history_whatever_the_server_numbers_anew(
    bureau: OpenBureau, history: str
) -> None:
    """Courier numbers an empty folder anew at each opening, and an old mail may be the first that is moved in."""
    office = bureau(history=history)
    office.poll()
    office.servers.renew(office.address)
    office.put(mail("Dari arsip"), when=at(2019, 3, 1))
    office.poll()
    assert office.fates() == [Fate.TICKET]


@every_server
def test_a_mailbox_that_was_made_anew_is_recognised_by_its_bytes(bureau: OpenBureau) -> None:
    """Restored from a backup: new UIDVALIDITY, UIDs from 1 again, arrival dates of today."""
    office = bureau(history="all")
    mails = [mail(f"Surat {count}") for count in range(5)]
    for raw in mails:
        office.put(raw)
    office.poll()
    number_before = validity(office)
    office.servers.renew(office.address)
    office.fill([mail("Baru"), *reversed(mails)])
    office.poll()
    assert fates(office, number_before) == [Fate.TICKET] * 5
    assert fates(office, validity(office)) == [Fate.TICKET] + [Fate.DUPLICATE] * 5
    assert office.subjects() == [*(f"Surat {count}" for count in range(5)), "Baru"]


def validity(office: Bureau) -> int:
    """The UIDVALIDITY that the store knows."""
    [state] = office.rows(schema.mailbox_state)
    return int(state.uidvalidity)


def fates(office: Bureau, uidvalidity: int) -> list[Fate]:
    """How the mails under a UIDVALIDITY ended, in the order of their UIDs."""
    return [Fate(row.fate) for row in office.rows(schema.ledger, uidvalidity=uidvalidity)]


@every_server
def test_the_same_bytes_twice_are_a_ticket_and_a_duplicate(bureau: OpenBureau) -> None:
    """Whether both lie in one batch or the second comes later."""
    office = bureau(history="all")
    office.put(mail("Sama"))
    office.put(mail("Sama"))
    office.poll()
    office.put(mail("Sama"))
    office.poll()
    assert office.fates() == [Fate.TICKET, Fate.DUPLICATE, Fate.DUPLICATE]
    assert len(office.rows(schema.ticket)) == len(office.rows(schema.outbox)) == 1


def test_two_mails_with_one_message_id_are_two_tickets(bureau: OpenBureau) -> None:
    """So are two without any."""
    office = bureau(history="all")
    office.put(mail("Satu", message_id="same"))
    office.put(mail("Dua", message_id="same"))
    for subject in ("Tiga", "Empat"):
        office.put(mail(subject).replace(b"Message-ID", b"X-Not-An-ID"))
    office.poll()
    assert office.fates() == [Fate.TICKET] * 4
    assert len(office.rows(schema.outbox)) == 4


@every_server
def test_the_same_bytes_in_two_mailboxes_are_two_tickets(bureau: OpenBureau, host: ImapHost) -> None:
    """Each counter answers for itself."""
    office = bureau(mailboxes={host.unique(name): {"history": "all"} for name in ("a", "b")})
    for address in office.mailboxes:
        office.put(mail("Sama"), address=address)
        office.poll(address)
        assert office.fates(address) == [Fate.TICKET]
