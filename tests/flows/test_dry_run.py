"""`loket dry-run` on real mailboxes: it says what the daemon then does, and leaves them as they were."""

from __future__ import annotations

import json
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient
from typer.testing import CliRunner

from loket.cli.main import app
from tests.flows.letters import DESIGN, SITI, mail
from tests.flows.office import FlowOffice
from tests.servers import PASSWORD

APPLICANT = "siti@jamusari.example"
SUBJECTS = ("Revisi Desain_OT_Jamu Kunyit", "Revsi Desain_SK_Vita C", "Ambil SK_OT", "halo")


def dry(office: FlowOffice, *more: str) -> tuple[int, list[dict[str, Any]], str]:
    done = CliRunner().invoke(app, ["dry-run", "-c", str(office.folder / "config.yaml"), "--json", *more])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def folder(office: FlowOffice) -> list[str]:
    """The files of the mailbox as the server keeps them: a mail that a client has seen lies in `cur`."""
    root = office.servers.root / "mail" / DESIGN
    return sorted(str(path.relative_to(root)) for name in ("new", "cur") for path in (root / name).iterdir())


@pytest.fixture
def morning(office: FlowOffice) -> FlowOffice:
    office.empty([APPLICANT])
    for subject in SUBJECTS:
        office.submit(mail(SITI, DESIGN, subject))
    office.servers.wait_for(DESIGN, len(SUBJECTS))
    return office


def test_it_says_what_the_daemon_then_does_and_changes_nothing(morning: FlowOffice, tmp_path: Path) -> None:
    before = folder(morning)
    code, found, _ = dry(morning, DESIGN, "--mails", str(tmp_path / "mails"))
    assert code == 0
    assert [(one["subject"], one["queue"], one["missing"]) for one in found] == [
        ("Revisi Desain_OT_Jamu Kunyit", "revisi-desain-ot", []),
        ("Revsi Desain_SK_Vita C", "revisi-desain-sk", []),
        ("Ambil SK_OT", "ambil-sk-ot", ["produk", "attachments"]),
        ("halo", "triase", []),
    ]
    assert folder(morning) == before
    assert not (morning.folder / "var").exists()
    assert morning.mails(APPLICANT, 0) == []
    foretold = sorted((one["subject"], one["text"]) for each in found for one in each["leaves"])
    assert len(list((tmp_path / "mails").glob("*.eml"))) == len(foretold) == len(SUBJECTS)
    morning.work()
    came = [message_from_bytes(raw.raw, policy=default) for raw in morning.mails(APPLICANT, len(SUBJECTS))]
    assert sorted(str(one["Subject"]) for one in came) == [subject for subject, _ in foretold]


def test_the_newest_mails_are_shown_and_no_others(morning: FlowOffice) -> None:
    _, found, _ = dry(morning, DESIGN, "--last", "2")
    assert [one["subject"] for one in found] == ["Ambil SK_OT", "halo"]
    _, found, _ = dry(morning, DESIGN, "--since", "2090-01-01")
    assert found == []


def test_it_does_not_disturb_what_another_client_has_seen(morning: FlowOffice) -> None:
    with IMAPClient("127.0.0.1", morning.servers.imap_port, ssl=False) as client:
        client.login(DESIGN, PASSWORD)
        client.select_folder("INBOX")
        client.add_flags(client.search()[:1], [b"\\Seen"])
        flags = client.fetch(client.search(), ["FLAGS"])
        dry(morning, DESIGN)
        assert client.fetch(client.search(), ["FLAGS"]) == flags


def test_a_mailbox_that_cannot_be_read_is_told_of_and_the_others_are_read(morning: FlowOffice) -> None:
    config = morning.folder / "config.yaml"
    config.write_text(config.read_text().replace("  iklan_otsk@yahoo.com:", "  refused.1@yahoo.com:"))
    code, found, said = dry(morning, "refused.1@yahoo.com", DESIGN)
    assert code == 3
    assert len(found) == len(SUBJECTS)
    assert "refused.1@yahoo.com could not be read: login refused" in said


def test_a_mailbox_of_nobody_is_an_error(morning: FlowOffice) -> None:
    code, _, said = dry(morning, "lain@kantor.test")
    assert code == 1
    assert "lain@kantor.test is no mailbox of this configuration; there are" in said
