"""Handled mail is moved on the server only once its end is durable, and a move that fails changes nothing else."""

from __future__ import annotations

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from loket.core.model import Fate
from loket.store import schema
from loket.store.database import is_unavailable
from tests.intake.bureau import HOST, client, mail
from tests.intake.conftest import OpenBureau, every_server
from tests.intake.proxy import Proxy

DONE = "Sudah diproses"


@every_server
def test_handled_mail_is_moved_and_the_folder_is_made(bureau: OpenBureau) -> None:
    """The bytes are the same there, history stays where it was, and the folder there already is used again."""
    office = bureau(history="none", file_to=DONE)
    office.put(mail("Lama"))
    office.poll()
    office.fill([mail("Satu"), mail("Dua")])
    office.poll()
    office.put(mail("Tiga"))
    office.poll()
    assert office.servers.messages(office.address) == [mail("Lama")]
    assert office.servers.messages(office.address, DONE) == [mail("Satu"), mail("Dua"), mail("Tiga")]
    assert [row.filed for row in office.rows(schema.ledger)] == [None, True, True, True]


@every_server
@pytest.mark.parametrize("missing", [["MOVE"], ["MOVE", "UIDPLUS"]])
def test_a_server_without_move_is_asked_to_copy(bureau: OpenBureau, proxy: Proxy, missing: list[str]) -> None:
    """Then mark as deleted, and expunge those alone; without UIDPLUS a plain EXPUNGE would take others' mail too."""
    for capability in missing:
        proxy.hide(capability)
    office = bureau(history="all", file_to=DONE, imap={"imap": f"imap://{HOST}:{proxy.port}"})
    office.put(mail("Satu"))
    office.put(mail("Milik orang lain"), "\\Deleted", when=None)
    with office.session() as session:
        session.file(session.uids()[:1], DONE)
    assert office.servers.messages(office.address, DONE) == [mail("Satu")]
    kept = [mail("Milik orang lain")] if "UIDPLUS" not in missing else [mail("Satu"), mail("Milik orang lain")]
    assert office.servers.messages(office.address) == kept


def test_a_move_that_is_refused_is_tried_again(bureau: OpenBureau) -> None:
    """The mail stays and is answered once; when an admin has mended the folder's name, it goes there."""
    office = bureau(history="all", file_to="Arsip//2026")
    office.put(mail("Satu"))
    office.poll()
    office.put(mail("Dua"))
    office.poll()
    assert office.servers.messages(office.address) == [mail("Satu"), mail("Dua")]
    assert office.fates() == [Fate.TICKET, Fate.TICKET]
    assert len(office.rows(schema.outbox)) == 2
    office.restart(file_to="Arsip/2026")
    office.poll()
    assert office.servers.messages(office.address) == []
    assert office.servers.messages(office.address, "Arsip/2026") == [mail("Satu"), mail("Dua")]
    assert len(office.rows(schema.outbox)) == 2


@pytest.mark.parametrize(("where", "rights"), [(f".{DONE}", "lr"), ("", "lrws")], ids=["into there", "out of here"])
def test_a_move_that_the_servers_acl_forbids_is_tried_again(bureau: OpenBureau, where: str, rights: str) -> None:
    """The mail stays where it is, has its one ticket and answer, and goes there once it is allowed (RFC 4314)."""
    office = bureau(history="all", file_to=DONE)
    with client(office.servers, office.address) as person:
        person.make(DONE)
    rule = office.servers.root / "mail" / office.address / where / "dovecot-acl"
    office.put(mail("Satu"))
    rule.write_text(f"owner {rights}\n")
    for _ in range(2):
        office.poll()
        assert office.servers.messages(office.address) == [mail("Satu")]
    assert [row.filed for row in office.rows(schema.ledger)] == [False]
    rule.unlink()
    office.poll()
    assert office.servers.messages(office.address) == []
    assert office.servers.messages(office.address, DONE) == [mail("Satu")]
    assert office.fates() == [Fate.TICKET]
    assert len(office.rows(schema.outbox)) == 1


def test_a_mail_that_somebody_else_moved_first_is_filed(bureau: OpenBureau) -> None:
    office = bureau(history="all", file_to="Arsip//2026")
    office.put(mail("Satu"))
    office.poll()
    with client(office.servers, office.address, "INBOX") as person:
        person.throw_away(1)
    office.restart(file_to=DONE)
    office.poll()
    assert [row.filed for row in office.rows(schema.ledger)] == [True]


def test_a_store_that_is_full_moves_nothing_and_goes_on_when_there_is_room(bureau: OpenBureau) -> None:
    """No flag, no move, no report of success (P2, P19); then the same mail is taken in once."""
    office = bureau(history="all", file_to=DONE)
    office.poll()
    database = office.app.stores.database
    with database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    room = {"pages": pages + 5}

    @event.listens_for(database.engine, "connect")
    def _cap(connection: object, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {room['pages']}")  # type: ignore[attr-defined]

    database.engine.dispose()
    raw = mail("Penuh", body="x" * 70 + ("\r\n" + "x" * 70) * 2000)
    office.put(raw)
    with pytest.raises(DBAPIError) as full:
        office.watcher().once()
    assert is_unavailable(full.value)
    assert office.servers.messages(office.address) == [raw]
    assert office.fates() == []
    room["pages"] = pages + 5000
    database.engine.dispose()
    office.poll()
    assert office.fates() == [Fate.TICKET]
    assert office.servers.messages(office.address, DONE) == [raw]
