"""A full disk stops intake and sending, is said plainly, and is over when there is room again (P19)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.daemon import Office, until
from tests.intake.bureau import flags, mail
from tests.servers import MailServers

SIZE = 16_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        if os.environ.get("CI"):
            pytest.fail(mounted.stderr)
        pytest.skip(f"no disk of its own: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Use up every octet."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1_000_000, 4096, 1):
            try:
                while file.write(b"\0" * size) == size:
                    continue
            except OSError:
                continue
    return ballast


def test_a_full_disk_stops_intake_says_so_and_is_over_when_there_is_room(servers: MailServers, disk: Path) -> None:
    """No mail is moved or flagged meanwhile, nothing leaves, and afterwards none is lost or answered twice."""
    first, second = servers.unique("desain"), servers.unique("iklan")
    office = Office(servers, disk / "office", {first: {"file_to": "Selesai"}, second: {}})
    with office.running():
        servers.lmtp(mail("Sebelum", "sebelum@x.test"), first, "sebelum@x.test")
        until(lambda: office.phases() == ["sent"] and not servers.messages(first))
        assert office.command("status").returncode == 0
        ballast = fill(disk)
        mails = {subject: mail(subject, f"{subject.lower()}@{office.domain}") for subject in ("Satu", "Dua", "Tiga")}
        # Small ones go into the database, a large one into a file: both must wait.
        mails["Besar"] = mail("Besar", f"besar@{office.domain}", "x" * 70 + ("\r\n" + "x" * 70) * 50_000)
        for subject, raw in mails.items():
            servers.lmtp(raw, second if subject == "Dua" else first, "x@x.test")
        until(lambda: office.logged("mailbox-unreachable") and office.logged("store-unavailable"))
        status = office.command("status", "--json")
        assert status.returncode == 1, status.stderr
        said = json.loads(status.stdout)
        assert said["free"] < 1_000_000
        assert {row["mailbox"] for row in said["mailboxes"]} == {first, second}
        told = office.command("status").stdout
        assert "DISK FULL" in told
        assert first in told
        assert second in told
        assert len(servers.messages(first)) == 3
        assert not any(flags(servers, first).values())
        assert len(servers.messages(second)) == 1
        assert len(office.fates()) == 1
        assert not [True for subject in mails if office.arrived(f"{subject.lower()}@{office.domain}")]
        ballast.unlink()
        until(lambda: office.fates() == ["ticket"] * 5 and office.phases() == ["sent"] * 5, 40)
        until(lambda: not servers.messages(first) and office.command("status").returncode == 0, 20)
    for subject in mails:
        until(lambda subject=subject: len(office.arrived(f"{subject.lower()}@{office.domain}")) == 1)
    assert len(servers.messages(first, "Selesai")) == 4
    assert len(servers.messages(second)) == 1
    tickets = [subject for (subject,) in office.ask("SELECT subject FROM ticket")]
    assert sorted(tickets) == sorted(["Sebelum", *mails])


def test_a_daemon_does_not_start_on_a_full_disk_and_says_why(servers: MailServers, disk: Path) -> None:
    office = Office(servers, disk / "office", {servers.unique("desain"): {}})
    fill(disk)
    refused = office.command("run", "--once")
    assert refused.returncode == 3
    assert "disk" in refused.stderr or "space" in refused.stderr
    assert "Traceback" not in refused.stderr
