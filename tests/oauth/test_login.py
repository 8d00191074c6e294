"""`loket login` as a person meets it: a browser here, a browser elsewhere, a code for a phone, and what goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.intake.bureau import HOST, TOP
from tests.oauth.authority import CLIENT_SECRET, Authority
from tests.oauth.person import Ended, Terminal, browse, logged_in
from tests.servers import MailServers

LINK = r"http://127\.0\.0\.1:\d+/authorize\S+"


@pytest.fixture
def authority(servers: MailServers) -> Iterator[Authority]:
    """Whose tokens Dovecot takes."""
    with Authority(port=servers.oauth_port) as made:
        yield made


class Office:
    """One mailbox with oauth2."""

    def __init__(self, servers: MailServers, folder: Path, authority: Authority) -> None:
        self.address = servers.unique("desain")
        self.folder, self.authority, self.servers = folder, authority, servers
        authority.user = self.address
        (folder / "secret").write_text("a secret for tests, long enough")
        (folder / "client-secret").write_text(CLIENT_SECRET)
        self.write()

    def write(self, *, device: bool = False, **oauth: Any) -> None:
        """config.yaml."""
        doors = {"imap": f"imap://{HOST}:{self.servers.imap_port}", "smtp": f"smtp://{HOST}:{self.servers.smtp_port}"}
        login = {"oauth2": {**self.authority.client(device=device), **oauth}}
        written = {
            "office": {"name": "Kantor Uji", "secret": "${file:secret}"},
            "rules": str(TOP / "rules"),
            "servers": {"here": doors},
            "mailboxes": {self.address: {"server": "here", "login": login, "rules": ["loket-d"]}},
            "officers": {"fajar@bureau.test": {"name": "Fajar", "queues": ["triase"]}},
        }
        (self.folder / "config.yaml").write_text(yaml.safe_dump(written))

    @property
    def file(self) -> Path:
        """Where the tokens are kept unless the configuration says otherwise."""
        return self.folder / "var/tokens" / f"{self.address}.json"

    def refused(self, ended: Ended, *words: str, status: int = 1) -> None:
        """It ended so, in one line, and nothing is kept."""
        assert ended.status == status, ended
        assert len(ended.err.strip().splitlines()) == 1
        assert ended.err.startswith("loket: ")
        for word in words:
            assert word in ended.err
        assert not self.file.exists()


@pytest.fixture
def office(servers: MailServers, tmp_path: Path, authority: Authority) -> Office:
    """Not logged in yet."""
    return Office(servers, tmp_path, authority)


def test_a_browser_on_this_machine_comes_back_by_itself(office: Office) -> None:
    ended = logged_in(office.folder, office.address)
    assert (ended.status, ended.err) == (0, "")
    assert "The mail server takes them" in ended.out
    assert office.file.stat().st_mode & 0o777 == 0o600
    kept = json.loads(office.file.read_text())
    assert kept["access"] not in ended.out
    [asked] = office.authority.asked
    assert len(asked["code_verifier"]) >= 43


def test_a_browser_elsewhere_ends_at_an_address_that_is_pasted(office: Office) -> None:
    with Terminal(office.folder, office.address, "--no-open") as terminal:
        terminal.types(browse(terminal.shown(LINK)))
        assert terminal.ended().status == 0
    assert office.file.exists()


def test_a_code_is_typed_on_another_device_while_the_provider_asks_for_patience(office: Office) -> None:
    office.write(device=True)
    office.authority.slow_downs = 1
    with Terminal(office.folder, office.address) as terminal:
        code = terminal.shown(r"[A-Z]{4}-[A-Z]{4}")
        terminal.shown(r"Waiting")
        office.authority.decided[code] = True
        assert terminal.ended(30).status == 0
    assert office.file.exists()


def test_a_login_that_is_denied_changes_nothing(office: Office) -> None:
    office.authority.agrees = False
    office.refused(logged_in(office.folder, office.address), "denied in the browser", "access_denied")


def test_a_code_that_is_denied_elsewhere_changes_nothing(office: Office) -> None:
    office.write(device=True)
    with Terminal(office.folder, office.address) as terminal:
        office.authority.decided[terminal.shown(r"[A-Z]{4}-[A-Z]{4}")] = False
        office.refused(terminal.ended(), "denied")


def test_a_device_code_that_has_expired_is_said(office: Office) -> None:
    office.write(device=True)
    with Terminal(office.folder, office.address) as terminal:
        terminal.shown(r"[A-Z]{4}-[A-Z]{4}")
        office.authority.trouble = [(400, '{"error": "expired_token"}')]
        office.refused(terminal.ended(), "the code has expired; run it again")


def test_another_accounts_login_is_refused_by_its_name(office: Office) -> None:
    office.authority.names_user = True
    office.authority.user = "pribadi@gmail.test"
    ended = logged_in(office.folder, office.address)
    office.refused(ended, "you are logged in as pribadi@gmail.test", f"log in as {office.address}")


def test_another_accounts_login_is_refused_where_only_the_mail_server_knows(office: Office) -> None:
    office.authority.user = "pribadi@gmail.test"
    office.refused(logged_in(office.folder, office.address), "login refused", "another account")


def test_a_login_without_a_refresh_token_is_refused(office: Office) -> None:
    office.authority.gives_refresh = False
    office.refused(logged_in(office.folder, office.address), "no refresh token")


def test_the_answer_to_another_login_is_refused(office: Office) -> None:
    """Whoever pastes yesterday's address, or one that somebody sent, is told so (RFC 6749 10.12)."""
    with Terminal(office.folder, office.address) as terminal:
        back = browse(terminal.shown(LINK))
        terminal.types(back.replace("state=", "state=x"))
        office.refused(terminal.ended(), "another login")


def test_a_wrong_client_secret_is_said(office: Office) -> None:
    (office.folder / "client-secret").write_text("of last year")
    office.refused(logged_in(office.folder, office.address), "are client_id and client_secret right?")


def test_a_provider_that_is_not_reached_ends_with_3(office: Office) -> None:
    office.write(token="http://127.0.0.1:9/token")
    office.refused(logged_in(office.folder, office.address), "127.0.0.1:9 cannot be reached", status=3)


def test_a_mailbox_that_is_not_there_or_has_a_password_is_said(office: Office, tmp_path: Path) -> None:
    with Terminal(office.folder, "desian@t1.test") as terminal:
        office.refused(terminal.ended(), "there is no mailbox desian@t1.test", status=2)
    text = (office.folder / "config.yaml").read_text()
    found = yaml.safe_load(text)
    found["mailboxes"][office.address]["login"] = {"password": "${file:secret}"}
    (office.folder / "config.yaml").write_text(yaml.safe_dump(found))
    with Terminal(office.folder, office.address) as terminal:
        office.refused(terminal.ended(), "logs in with a password")


def test_the_file_is_where_the_configuration_says(office: Office) -> None:
    office.write(tokens="rahasia/desain.json")
    assert logged_in(office.folder, office.address).status == 0
    assert (office.folder / "rahasia/desain.json").exists()


def test_what_the_browser_is_asked_for_is_all_it_needs(office: Office) -> None:
    with Terminal(office.folder, office.address) as terminal:
        query = urlsplit(terminal.shown(LINK)).query
    assert "code_challenge_method=S256" in query
    assert CLIENT_SECRET.replace(" ", "+") not in query


def test_the_doctor_says_that_nobody_has_logged_in_yet(office: Office) -> None:
    """And with what command one does, for IMAP and SMTP alike."""
    command = [sys.executable, "-m", "loket", "doctor", "-c", str(office.folder / "config.yaml"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    told = [one for one in json.loads(done.stdout)["findings"] if "not logged in yet" in one["said"]]
    assert {one["what"] for one in told} == {"imap-login", "smtp-login"}
    assert {one["remedy"] for one in told} == {f"loket login {office.address}"}
