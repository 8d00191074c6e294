"""A digest that its officer forwarded, sent on by others to the counter: its tokens prove nothing there (P15)."""

from __future__ import annotations

import re

from loket.core.model import State
from tests.core.desk import CORPUS, KEYS
from tests.flows.letters import mail
from tests.flows.office import FlowOffice, Mail

IKLAN, WATI, DEWI = "iklan_otsk@yahoo.com", "wati@iklan.example", "dewi@pom.go.id"
THIEF = "maling@luar.example"
FORWARDS = sorted((CORPUS / "forwards").glob("*.eml"))


def test_a_forwarded_digest_that_is_sent_on_speaks_for_nobody(office: FlowOffice) -> None:
    """As real clients forward it, enclosed or quoted, by a stranger or in the officer's name."""
    assert len(FORWARDS) == 6
    (office.folder / "secret").write_bytes(KEYS.keys[KEYS.signing])
    office.empty([WATI, THIEF])
    for at in range(3):
        office.submit(mail(f"Wati <{WATI}>", IKLAN, f"Iklan {at}"))
    office.work()
    assert len(office.mails(WATI, 3)) == 3
    for at, path in enumerate(FORWARDS):
        raw = re.sub(rb"(?m)^Subject: Fwd: ", b"Subject: Fwd: mail%d " % at, path.read_bytes(), count=1)
        office.servers.lmtp(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), IKLAN, THIEF)
    office.work()
    assert len(office.mails(WATI, 3)) == 3, "nothing more leaves for the applicant"
    assert office.servers.messages(THIEF) == [], "and whoever sent it on learns nothing"
    stores = office.stores()
    reasons = [row["reason"] for row in stores.desk.quarantined()]
    tickets = stores.desk.tickets(queue=None, state=None, limit=99)
    stores.database.close()
    wanted = ["officer: no-token" if path.name.startswith("officer") else "officer: lifted" for path in FORWARDS]
    assert reasons == wanted
    assert [(one.state, one.answered_by) for one in tickets] == [(State.OPEN, None)] * 3
    told = [Mail(raw).text for raw in office.servers.messages(DEWI)]
    for at, path in enumerate(FORWARDS):
        assert any(f"mail{at} " in text for text in told), path.name
