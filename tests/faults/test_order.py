"""In which order the kernel is asked: bytes and rows lie on the disk before a server hears of it (P2, P11)."""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from tests.faults.calls import Call, first, watched, why_not
from tests.faults.daemon import Office
from tests.intake.bureau import mail
from tests.servers import MailServers

SYNCS = ("fsync", "fdatasync")
RENAMES = ("rename", "renameat", "renameat2")
SENDS = ("sendto", "sendmsg", "write")
PIECE = 65_536


@pytest.fixture(scope="module")
def office(servers: MailServers, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """One small mail and one that is fetched in pieces, to be moved once they are taken in."""
    if reason := why_not():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    made = Office(
        servers,
        tmp_path_factory.mktemp("order") / "office",
        {servers.unique("desain"): {"file_to": "Selesai"}},
        # One after the other, so that no sender's commit is taken for another's.
        server={"connections": 1},
        more={"batch": {"piece": PIECE}},
    )
    for subject, size in (("Kecil", 1), ("Besar", 3 * PIECE // 70)):
        address = next(iter(made.mailboxes))
        raw = mail(subject, f"{subject.lower()}@{made.domain}", ("x" * 70 + "\r\n") * size)
        servers.lmtp(raw, address, "x@x.test")
    return made


@pytest.fixture(scope="module")
def hashes(office: Office, servers: MailServers) -> list[str]:
    """The SHA-256 of both mails, as they lie on the server."""
    return [sha256(raw).hexdigest() for raw in servers.messages(next(iter(office.mailboxes)))]


@pytest.fixture(scope="module")
def calls(office: Office, hashes: list[str], tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """What `loket run --once` asked of the kernel."""
    config = str(office.folder / "config.yaml")
    command = [sys.executable, "-m", "loket", "run", "--once", "-c", config]
    found = watched(command, tmp_path_factory.mktemp("trace") / "trace")
    assert office.fates() == ["ticket"] * 2
    assert office.phases() == ["sent"] * 2
    return found


def says(call: Call, words: str) -> bool:
    """Whether a call sends that to a server."""
    return call.name in SENDS and call.on.startswith(("socket:", "TCP:")) and words in call.text


def logs(call: Call, *words: str) -> bool:
    """Whether a call writes a page with these words into the database's log."""
    return call.name == "pwrite64" and call.on.endswith(".db-wal") and all(word in call.text for word in words)


def syncs_log(call: Call) -> bool:
    """Whether a call brings the database's log to the disk."""
    return call.name in SYNCS and call.on.endswith(".db-wal")


def in_order(*calls: Call) -> None:
    """Each was over before the next began."""
    for before, after in pairwise(calls):
        assert before.over < after.began, f"{after.name}({after.text[:100]} before {before.name}({before.text[:100]}"


def test_bytes_and_ledger_are_on_the_disk_before_a_mail_is_moved(
    office: Office, hashes: list[str], calls: list[Call]
) -> None:
    """Whatever the server is told that could take a mail from its place comes after both mails are safe."""
    changes = ("UID MOVE", "UID COPY", "UID STORE", "EXPUNGE", " APPEND ")
    told = [call for call in calls if any(says(call, words) for words in changes)]
    assert told
    assert "UID MOVE" in told[0].text
    address = next(iter(office.mailboxes))
    for digest in hashes:
        row = first(calls, "a ledger row", lambda call, digest=digest: logs(call, digest, address))
        safe = first(calls, "a synced log", syncs_log, row)
        in_order(row, safe, told[0])
    small = first(calls, "the small mail", lambda call: logs(call, "Subject: Kecil"))
    in_order(small, first(calls, "a synced log", syncs_log, small), told[0])


def test_a_large_mail_is_a_synced_file_under_its_name_before_the_ledger_knows_it(
    hashes: list[str], calls: list[Call]
) -> None:
    """The file, then its name, then its folder and the folder above: a ledger row never points at nothing."""
    digest = hashes[1]
    row = first(calls, "a ledger row", lambda call: logs(call, digest))
    name = first(calls, "a file renamed", lambda call: call.name in RENAMES and digest in call.text)
    part = name.text.split('"')[1]
    synced = first(calls, "the file synced", lambda call: call.name in SYNCS and call.on == part)
    written = [call for call in calls if call.name == "write" and call.on == part]
    assert written
    for call in written:
        in_order(call, synced)
    folder = str(Path(name.text.split('"')[3]).parent)
    in_order(synced, name)
    for place in (folder, str(Path(folder).parent)):
        kept = first(calls, f"{place} synced", lambda call, place=place: call.name in SYNCS and call.on == place, name)
        in_order(name, kept, row)


def test_the_outbox_says_data_on_the_disk_before_the_server_is_asked_for_it(calls: list[Call]) -> None:
    """Between the last RCPT and each DATA the database's log is written and synced."""
    asked = [call for call in calls if says(call, '"DATA\\r\\n"')]
    assert len(asked) == 2
    for data in asked:
        before = [call for call in calls if call.on == data.on and call.over < data.began]
        recipient = [call for call in before if says(call, "RCPT TO")][-1]
        wrote = first(calls, "a row", logs, recipient)
        in_order(recipient, wrote, first(calls, "a synced log", syncs_log, wrote), data)
