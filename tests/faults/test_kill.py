"""Killed without warning about every second while mail pours in: nothing lost, nothing twice (P1, P2, P7, P11)."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from pathlib import Path

from tests.faults.daemon import Office, until
from tests.intake.bureau import mail
from tests.servers import MailServers

MAILS = 200
SECONDS = 16.0
START_SECONDS = 0.8


def pour(office: Office, address: str, subjects: list[str]) -> None:
    """Mail after mail, half of it through Postfix, spread over the time of the kills."""
    for number, subject in enumerate(subjects):
        sender = f"{subject.replace(' ', '').lower()}@{office.domain}"
        raw = mail(subject, sender)
        if number % 2:
            office.servers.submit(raw, sender, [address])
        else:
            office.servers.lmtp(raw, address, sender)
        time.sleep(SECONDS / MAILS * 0.8)


def test_two_hundred_mails_outlive_a_daemon_that_is_killed_again_and_again(
    servers: MailServers, tmp_path: Path
) -> None:
    """One ticket a mail, at most one acknowledgement; those in doubt are counted and shown, the others arrived."""
    address = servers.unique("desain")
    office = Office(servers, tmp_path / "office", {address: {"file_to": "Selesai"}}, server={"connections": 2})
    subjects = [f"Surat {number}" for number in range(MAILS)]
    pouring = threading.Thread(target=pour, args=(office, address, subjects))
    chance = random.Random(19)
    pouring.start()
    kills = 0
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        daemon = office.start()
        # Python needs most of a second to be there: the time counts from then.
        time.sleep(START_SECONDS + chance.uniform(0.1, 1.2))
        daemon.kill()
        assert daemon.wait() == -signal.SIGKILL
        kills += 1
    pouring.join()
    assert kills >= 7
    with office.running() as daemon:
        until(lambda: office.fates() == ["ticket"] * MAILS, 30)
        until(lambda: set(office.phases()) <= {"sent", "in-doubt"} and not servers.messages(address), 30)
        daemon.terminate()
        assert daemon.wait(15) == 0
    tickets = [subject for (subject,) in office.ask("SELECT subject FROM ticket")]
    assert sorted(tickets) == sorted(subjects)
    assert len(servers.messages(address, "Selesai")) == MAILS
    outgoing = office.ask("SELECT recipient, phase, kind FROM outbox WHERE kind != 'alert'")
    assert len(outgoing) == MAILS
    until(lambda: all(office.arrived(recipient) for recipient, phase, _ in outgoing if phase == "sent"))
    for recipient, phase, _ in outgoing:
        copies = len(office.arrived(recipient))
        assert copies == 1 if phase == "sent" else copies <= 1, (recipient, phase, copies)
    doubtful = json.loads(office.command("outbox", "list", "--phase", "in-doubt", "--json").stdout)
    assert sorted(row["recipient"] for row in doubtful) == sorted(
        to for to, phase, _ in outgoing if phase == "in-doubt"
    )
    assert len(doubtful) <= 2 * kills
    status = json.loads(office.command("status", "--json").stdout)
    assert status["outbox"].get("in-doubt", 0) == len(doubtful)
