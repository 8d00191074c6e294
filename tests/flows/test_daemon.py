"""The daemon as a process: IDLE, signals, one instance a store, and input that has a defined end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.flows.letters import DESIGN, SITI, mail
from tests.flows.office import FlowOffice

LOKET = [sys.executable, "-m", "loket"]
APPLICANT = "siti@jamusari.example"


def command(office: FlowOffice, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One `loket` command on the story's configuration."""
    config = str(office.folder / "config.yaml")
    return subprocess.run([*LOKET, *arguments, "-c", config], capture_output=True, text=True, check=False, timeout=60)


@contextmanager
def running(office: FlowOffice) -> Iterator[subprocess.Popen[str]]:
    """`loket run` in the background, from its first IDLE on."""
    log = office.folder / "log"
    with log.open("w") as stream:
        daemon = subprocess.Popen([*LOKET, "run", "-c", str(office.folder / "config.yaml")], stderr=stream, text=True)
        try:
            wait_until(lambda: log.read_text().count('"event": "connected"') == 7)
            yield daemon
        finally:
            if daemon.poll() is None:
                daemon.kill()
            daemon.wait()


def wait_until(holds: Any, seconds: float = 20) -> None:
    """Poll a condition; fail when it does not hold in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def logged(office: FlowOffice, event: str) -> list[dict[str, Any]]:
    """The log's lines of one event."""
    lines = (json.loads(line) for line in (office.folder / "log").read_text().splitlines())
    return [line for line in lines if line["event"] == event]


def test_mail_is_acknowledged_at_once_and_the_daemon_stops_cleanly(office: FlowOffice) -> None:
    """IDLE brings the mail in long before the next poll; SIGTERM ends with code 0 and nothing claimed."""
    office.empty([APPLICANT])
    with running(office) as daemon:
        began = time.monotonic()
        office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
        office.mails(APPLICANT, 1)
        assert time.monotonic() - began < 10, "a poll comes only every 60 s"
        second = command(office, "run", "--once")
        assert second.returncode == 1
        assert "already runs" in second.stderr
        assert command(office, "status").returncode == 0
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=15) == 0
    [row] = json.loads(command(office, "outbox", "list", "--json").stdout)
    assert row["phase"] == "sent"


def test_what_is_wrong_with_a_mailbox_is_said_and_the_others_go_on(office: FlowOffice) -> None:
    """A refused login and a missing folder: exit code 3, the reason in `status`, the other mailboxes served."""
    text = (office.folder / "config.yaml").read_text()
    text = text.replace(
        'login: {password: "${file:password}"}\n    rules: [iklan]',
        'login: {user: refused, password: "${file:password}"}\n    rules: [iklan]',
    )
    text = text.replace("rules: [loket-c]", "rules: [loket-c]\n    folder: Tidak Ada")
    (office.folder / "config.yaml").write_text(text)
    office.empty([APPLICANT])
    office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
    once = command(office, "run", "--once")
    assert once.returncode == 3
    assert "iklan_otsk@yahoo.com could not be reached: login refused" in once.stderr
    assert "Traceback" not in once.stderr
    office.mails(APPLICANT, 1)
    status = command(office, "status", "--json")
    assert status.returncode == 1
    errors = {row["mailbox"]: row["error"] for row in json.loads(status.stdout)["mailboxes"] if row["error"]}
    assert set(errors) == {"iklan_otsk@yahoo.com", "itkonsultasi@yahoo.com"}
    assert "Tidak Ada" in errors["itkonsultasi@yahoo.com"]


ODD_MAILS = {
    "no header at all": b"\r\nhanya isi\r\n",
    "empty": b"",
    "no From": b"Subject: Revisi Desain_OT_X\r\n\r\nisi\r\n",
    "two From fields": b"From: a@x.example\r\nFrom: b@x.example\r\nSubject: Revisi Desain_OT_X\r\n\r\nisi\r\n",
    "empty subject": b"From: a@x.example\r\nSubject:\r\n\r\nisi\r\n",
    "unknown charset": b"From: a@x.example\r\nSubject: =?x-tidak-ada?Q?Revisi_Desain=5FOT=5FX?=\r\n"
    b"Content-Type: text/plain; charset=x-tidak-ada\r\n\r\n\xe9\r\n",
    "raw bytes": bytes(range(1, 256)) * 40,
    "broken multipart": b"From: a@x.example\r\nSubject: x\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n',
    "CR LF in an encoded word": b"From: a@x.example\r\n"
    b"Subject: =?utf-8?Q?Revisi_Desain=5FOT=5FX=0D=0ABcc:_k@x.example?=\r\n\r\n",
    "nested comments": b"From: " + b"(" * 20_000 + b"\r\nSubject: x\r\n\r\n",
    "long line": b"From: a@x.example\r\nSubject: x\r\n\r\n" + b"x" * 3_000_000 + b"\r\n",
}


def test_every_odd_mail_has_its_end(office: FlowOffice) -> None:
    """Mail that no client would write is taken in, ends as something, and stops nobody; its bytes are kept."""
    office.empty(["a@x.example", "k@x.example"])
    for raw in ODD_MAILS.values():
        office.servers.lmtp(raw, DESIGN, sender="a@x.example")
    office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Terakhir"))
    office.work()
    stores = office.stores()
    fates = next(view.fates for view in stores.desk.mailboxes() if view.mailbox == DESIGN)
    tickets = stores.desk.tickets(queue=None, state=None, limit=100)
    stores.database.close()
    assert sum(fates.values()) == len(ODD_MAILS) + 1
    assert set(fates) <= {"ticket"}, fates
    assert any("Terakhir" in ticket.about for ticket in tickets)
    answers = office.servers.messages("a@x.example")
    assert any(b"Revisi" in answer for answer in answers)
    assert not any(b"\r\nBcc:" in answer for answer in answers)
    assert office.servers.messages("k@x.example") == []


def test_fifty_megabytes_pass_and_an_unreachable_applicant_is_recorded(office: FlowOffice, tmp_path: Path) -> None:
    """A huge attachment becomes a ticket; a recipient the server refuses for good ends as refused, with an event."""
    huge = mail(
        "Siti <refused@jamusari.example>", DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=b"%PDF-" + b"\0" * 37_000_000
    )
    assert len(huge) > 50_000_000
    office.servers.lmtp(huge, DESIGN, sender="refused@jamusari.example")
    office.work()
    stores = office.stores()
    [ticket] = stores.desk.tickets(queue=None, state=None, limit=10)
    events = [event.kind for event in stores.desk.events(ticket.number)]
    [row] = stores.desk.outgoing(None, 10)
    stores.database.close()
    assert ticket.queue == "ambil-sk-ot"
    assert events == ["opened", "refused", "undelivered"]
    assert (row["phase"], row["code"]) == ("refused", 550)
    office.clock.wib(13)
    office.work()
    [digest] = office.mails("ani@pom.go.id", 1)
    assert "terlalu besar" in digest.text
