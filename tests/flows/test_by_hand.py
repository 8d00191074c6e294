"""What a person decides: mails in doubt, mails in quarantine, and the count of the ledger against the server."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from loket import taker
from loket.app import App
from loket.core.parse import parse
from loket.demo.officer import Answer, answer
from tests.flows.letters import DESIGN, SITI, mail, scan
from tests.flows.office import FlowOffice
from tests.flows.test_conversations import PDF, digest_of, only
from tests.flows.test_daemon import command
from tests.flows.test_undelivered import phase_of, sent_letter

APPLICANT = "siti@jamusari.example"


def interrupted(office: FlowOffice) -> int:
    """A mail whose handing over was cut off by a kill: taken in, claimed, and the row says that DATA had begun."""
    office.empty([APPLICANT, "admin.loket@pom.go.id"])
    office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
    app = App(office.snapshot, office.clock)
    for watcher in app.watchers:
        assert watcher.once() is None
    [claimed] = app.stores.outgoing.claim(office.clock.now(), 10, [DESIGN])
    app.stores.outgoing.record([claimed.id], [])
    app.stores.database.close()
    return claimed.id


def test_a_mail_in_doubt_is_never_sent_again_by_itself_and_a_person_settles_it(office: FlowOffice) -> None:
    """In doubt after the restart, the admin told; `resolve --lost` sends it, once."""
    number = interrupted(office)
    office.work()
    office.work()
    assert office.servers.messages(APPLICANT) == []
    [row] = json.loads(command(office, "outbox", "list", "--phase", "in-doubt", "--json").stdout)
    assert row["id"] == number
    assert command(office, "outbox", "resolve", str(number)).returncode == 2
    assert command(office, "outbox", "cancel", str(number)).returncode == 1
    lost = command(office, "outbox", "resolve", str(number), "--lost")
    assert lost.returncode == 0, lost.stderr
    # The command lives in real time, and what it made due is due now.
    office.clock.at = datetime.now(UTC)
    office.work()
    office.mails(APPLICANT, 1)
    again = command(office, "outbox", "resolve", str(number), "--lost")
    assert again.returncode == 1
    assert "is sent" in again.stderr


def test_the_copy_to_our_own_address_settles_a_letter_in_doubt(office: FlowOffice) -> None:
    """With an archive address a letter that was cut off is known to have left when its copy comes home."""
    office.set_up(("    rules: [loket-d]", f"    archive: {DESIGN}\n    rules: [loket-d]"))
    office.empty([APPLICANT])
    office.submit(mail(SITI, DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=PDF))
    office.work()
    digest = digest_of(office, "ani@pom.go.id", 1)
    for said in answer(digest.raw, only("REVISI", Answer("", (scan("SK"),))), now=office.clock.now()):
        office.submit(said)
    office.work()
    office.mails(APPLICANT, 2)
    letter = sent_letter(office)
    office.servers.wait_for(DESIGN, 3)
    stores = office.stores()
    with stores.database.write() as connection:
        # As if the last word of the server had been lost.
        connection.exec_driver_sql("UPDATE outbox SET phase = 'in-doubt' WHERE kind = 'delivery'")
    stores.database.close()
    office.work()
    assert phase_of(office, letter) == "sent"
    office.mails(APPLICANT, 2)


def test_a_refused_mail_is_cancelled_or_sent_again_by_hand(office: FlowOffice) -> None:
    """`retry` makes it due once more; `cancel` keeps it from leaving; what is not there is said."""
    office.submit(mail("Siti <refused@jamusari.example>", DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
    office.work()
    [row] = json.loads(command(office, "outbox", "list", "--json").stdout)
    assert row["phase"] == "refused"
    assert command(office, "outbox", "retry", str(row["id"])).returncode == 0
    assert command(office, "outbox", "cancel", str(row["id"])).returncode == 0
    [row] = json.loads(command(office, "outbox", "list", "--json").stdout)
    assert row["phase"] == "cancelled"
    missing = command(office, "outbox", "cancel", "4711")
    assert (missing.returncode, missing.stderr.strip()) == (1, "loket: there is no outgoing mail 4711")


def test_quarantined_mail_is_shown_released_and_taken_in(office: FlowOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """What made the program fail is kept whole; after the mend it is released and becomes its ticket."""
    office.empty([APPLICANT])
    office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit"))

    def broken(raw: object) -> object:
        raise RecursionError("a mail that breaks us")

    with monkeypatch.context() as patched:
        patched.setattr(taker, "parse", broken)
        for _ in range(3):
            office.work()
    [row] = json.loads(command(office, "quarantine", "list", "--json").stdout)
    assert row["reason"] == "raised"
    raw = command(office, "quarantine", "show", str(row["id"]), "--raw").stdout
    assert "Revisi Desain_OT_Jamu Kunyit" in raw
    assert taker.parse is parse
    assert command(office, "quarantine", "release", str(row["id"])).returncode == 0
    assert command(office, "quarantine", "release", str(row["id"])).returncode == 1
    office.work()
    office.mails(APPLICANT, 1)
    assert json.loads(command(office, "quarantine", "list", "--json").stdout) == []


def test_the_ledger_is_counted_against_the_server(office: FlowOffice) -> None:
    """Nothing absent after a pass; a UID that the ledger does not have is found, and the daily count takes it in."""
    office.empty([APPLICANT])
    for product in ("Satu", "Dua"):
        office.submit(mail(SITI, DESIGN, f"Revisi Desain_OT_{product}"))
    office.work()
    assert command(office, "ledger", "verify").returncode == 0
    stores = office.stores()
    with stores.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM ledger WHERE uid = 1")
    stores.database.close()
    found = command(office, "ledger", "verify", "--json")
    assert found.returncode == 1
    assert next(row for row in json.loads(found.stdout) if row["mailbox"] == DESIGN)["absent"] == [1]
