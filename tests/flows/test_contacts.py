"""`CATAT` as officers really send it: the form half filled in, the mail sent twice, the daemon killed meanwhile."""

from __future__ import annotations

import subprocess
import sys

from loket.demo.officer import reply as officer_reply
from tests.flows.letters import mail, scan
from tests.flows.office import FlowOffice, Mail

IKLAN, DEWI = "iklan_otsk@yahoo.com", "dewi@pom.go.id"
CALLER = "bu.sari@jamu.example"
FORM = f"""CATAT
Saluran: wa
Nama: Bu Sari
Kontak: 0812 3456 7890
Email: {CALLER}
Antrean: {{queue}}
Perihal: Spanduk
"""

# One pass of the daemon that ends at once, as by kill -9, right after so many commits.
KILLED = """
import asyncio, os, sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from loket.app import App
from loket.config.load import load
from loket.signatures import ask_dns
from loket.store.database import Database
from tests.flows.office import StoryClock

left = [int(sys.argv[2])]
write = Database.write

@contextmanager
def counted(self):
    with write(self) as connection:
        yield connection
    left[0] -= 1
    if left[0] == 0:
        os._exit(9)

Database.write = counted
asyncio.run(App(load(Path(sys.argv[1])), StoryClock(datetime.fromisoformat(sys.argv[3])), ask_dns).once())
"""


def digest(office: FlowOffice) -> Mail:
    """Dewi's digest with one ticket in it; nothing else is in her mailbox."""
    office.empty([CALLER, "wati@iklan.example"])
    office.submit(mail("Wati <wati@iklan.example>", IKLAN, "Iklan radio"))
    office.work()
    office.clock.wib(13)
    office.work()
    [found] = office.mails(DEWI, 1)
    return found


def test_a_wrong_form_comes_back_filled_in_and_is_mended_by_a_reply(office: FlowOffice) -> None:
    asked = digest(office)
    office.submit(officer_reply(asked.raw, FORM.format(queue="loket b"), now=office.clock.now()))
    office.work()
    refused = office.mails(DEWI, 2)[1]
    assert "Kontak ini belum dicatat." in refused.text
    assert "antreannya belum ditulis" in refused.text
    assert "konsultasi-zoom" in refused.text
    assert "Nama: Bu Sari\n" in refused.text, "what was right need not be written again"
    assert office.servers.messages(CALLER) == []
    office.submit(officer_reply(refused.raw, FORM.format(queue="konsultasi-iklan"), now=office.clock.now()))
    office.work()
    assert "Kontak sudah dicatat" in office.mails(DEWI, 3)[2].subject
    [acknowledgement] = office.mails(CALLER, 1)
    assert "Sudah kami catat: Spanduk" in acknowledgement.subject


def test_the_same_form_sent_twice_is_one_contact(office: FlowOffice) -> None:
    """Once more as it is, and once more by another press on send."""
    asked = digest(office)
    form = officer_reply(
        asked.raw, FORM.format(queue="konsultasi-iklan"), now=office.clock.now(), attachments=(scan("spanduk"),)
    )
    office.submit(form)
    office.submit(form)
    office.submit(form.replace(b"Message-ID: <", b"Message-ID: <again."))
    office.work()
    told = [one.text for one in office.mails(DEWI, 4)[1:]]
    assert sum("Kontak ini sudah dicatat" in text for text in told) == 1
    assert sum("email yang sama sudah dicatat sebagai" in text for text in told) == 2
    office.mails(CALLER, 1)


def test_a_daemon_that_is_killed_after_any_commit_registers_once(office: FlowOffice) -> None:
    """After the first, the third, the fifth …, until a pass ends by itself: one ticket, and no letter twice.

    A letter whose DATA had begun when the daemon was killed is in doubt, in sight, and not sent again (promise P11).
    """
    asked = digest(office)
    form = officer_reply(
        asked.raw, FORM.format(queue="konsultasi-iklan"), now=office.clock.now(), attachments=(scan("spanduk"),)
    )
    office.submit(form)
    config = str(office.folder / "config.yaml")
    ends = []
    for commits in range(1, 60, 2):
        place = [sys.executable, "-c", KILLED, config, str(commits), office.clock.now().isoformat()]
        done = subprocess.run(place, check=False, capture_output=True, text=True)
        ends.append(done.returncode)
        if ends[-1] != 9:
            break
    assert ends[-1] == 0, done.stderr[-2000:]
    assert len(ends) > 3, "it was killed a few times"
    office.work()
    stores = office.stores()
    tickets = stores.desk.tickets(queue="konsultasi-iklan", state=None, limit=10)
    rows = stores.desk.outgoing(None, 100)
    stores.database.close()
    assert sorted(one.subject for one in tickets) == ["Iklan radio", "Spanduk"]
    letters = [row for row in rows if row["recipient"] == CALLER]
    assert [row["kind"] for row in letters] == ["acknowledgement"]
    sent = sum(row["phase"] == "sent" for row in letters)
    assert sent <= len(office.servers.messages(CALLER)) <= 1
    assert {row["phase"] for row in rows} <= {"sent", "in-doubt"}
