"""A backlog under kill -9 of the daemon, and of the process that helps it: nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from functools import partial
from pathlib import Path

from tests.faults.daemon import Office, until
from tests.intake.bureau import client, mail
from tests.servers import MailServers

MAILS = 900
KILLS = 12
# Few are a backlog, and little of it is done at a time.
# What the clerk thinks of is noted beside the configuration.
HURRY = """
from loket import clerk, line
clerk.BACKLOG, clerk.PIECE, line.LOT_LEAST, line.LOT_MOST = 20, 5, 20, 20
honest = clerk._sheets
def noted(*given):
    for sheet in honest(*given):
        with open({note!r}, "a") as note:
            note.write("p" * len(sheet.endings))
        yield sheet
clerk._sheets = noted
"""


def children(pid: int) -> list[int]:
    """The processes that a process's first thread has started."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and of which nobody was told does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def taken(office: Office) -> int:
    """How many mails have their end; none before there is a store."""
    return len(office.fates()) if (office.folder / "var/loket.db").exists() else 0


def more(office: Office, than: int) -> bool:
    """Whether more mails have their end by now."""
    try:
        return taken(office) > than
    except sqlite3.OperationalError:
        # The first start has made the file, and no table yet.
        return False


def test_a_backlog_outlives_daemons_and_clerks_that_are_killed(servers: MailServers, tmp_path: Path) -> None:
    """One ticket a mail, at most one acknowledgement; nobody's clerk outlives them."""
    address = servers.unique("desain")
    note = tmp_path / "planned"
    hurry = HURRY.format(note=str(note))
    office = Office(servers, tmp_path / "office", {address: {}}, {"connections": 4}, {"batch": {"mails": 10}}, hurry)
    subjects = [f"Surat {number}" for number in range(MAILS)]
    with client(servers, address) as person:
        for subject in subjects:
            person.append("INBOX", mail(subject, f"{subject.replace(' ', '').lower()}@{office.domain}"))
    chance = random.Random(27)
    clerks: list[int] = []
    worked = 0
    for number in range(KILLS):
        before = min(taken(office), MAILS - 1)
        daemon = office.start()
        until(partial(children, daemon.pid), 20)
        clerks.extend(children(daemon.pid)[:1])
        until(partial(more, office, before), 20)
        time.sleep(chance.uniform(0, 0.15))
        if number % 4 == 1:
            daemon.terminate()
            assert daemon.wait(10) == 0
        else:
            if number % 4 == 2:
                os.kill(clerks[-1], signal.SIGKILL)
                time.sleep(chance.uniform(0, 0.1))
            daemon.kill()
            assert daemon.wait() == -signal.SIGKILL
        until(lambda: not any(alive(pid) for pid in clerks), 5)
        worked += taken(office) < MAILS
    assert worked >= 3
    # Most of what has its end, on a slow machine much less than all of them.
    assert len(note.read_text()) > taken(office) / 2
    with office.running() as daemon:
        until(lambda: office.fates() == ["ticket"] * MAILS, 60)
        until(lambda: set(office.phases()) <= {"sent", "in-doubt"}, 60)
        daemon.terminate()
        assert daemon.wait(15) == 0
        assert not children(daemon.pid)
    assert sorted(subject for (subject,) in office.ask("SELECT subject FROM ticket")) == sorted(subjects)
    outgoing = office.ask("SELECT recipient, phase FROM outbox WHERE kind != 'alert'")
    assert len(outgoing) == MAILS
    until(lambda: all(office.arrived(recipient) for recipient, phase in outgoing if phase == "sent"), 30)
    for recipient, phase in outgoing:
        copies = len(office.arrived(recipient))
        assert copies == 1 if phase == "sent" else copies <= 1, (recipient, phase, copies)
    assert sum(phase == "in-doubt" for _, phase in outgoing) <= 4 * KILLS
