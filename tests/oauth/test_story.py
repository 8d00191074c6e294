"""Tokens expire and are revoked under a running daemon, on Dovecot and Postfix, and no mail is lost or taken twice."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.flows.letters import DESIGN, SITI, mail
from tests.flows.office import FlowOffice
from tests.flows.test_daemon import command, logged, running, wait_until
from tests.oauth.authority import CLIENT_SECRET, Authority
from tests.oauth.person import logged_in
from tests.servers import MailServers

APPLICANT, ADMIN = "siti@jamusari.example", "admin.loket@pom.go.id"


@pytest.fixture
def authority(servers: MailServers) -> Iterator[Authority]:
    """The authorization server that Dovecot asks."""
    with Authority(port=servers.oauth_port, user=DESIGN) as made:
        yield made


@pytest.fixture
def office(servers: MailServers, tmp_path: Path, authority: Authority) -> FlowOffice:
    """The shipped office; the mailbox for designs logs in with tokens, the others with passwords."""
    made = FlowOffice(servers, tmp_path)
    made.set_up()
    (tmp_path / "client-secret").write_text(CLIENT_SECRET)
    path = tmp_path / "config.yaml"
    login = yaml.safe_dump({"oauth2": authority.client()}, default_flow_style=True, width=1000).strip()
    text, count = re.subn(rf"(  {DESIGN}:.*\n(?:    .*\n)*?    login: )\{{.*\}}", rf"\g<1>{login}", path.read_text())
    assert count == 1
    path.write_text(text)
    made.empty([APPLICANT, ADMIN])
    return made


def age(office: FlowOffice) -> None:
    """An hour goes by: by the clock of this machine the token is at its end."""
    [path] = (office.folder / "var/tokens").glob("*.json")
    grant = json.loads(path.read_text())
    grant["expires_at"] -= grant["lifetime"]
    path.write_text(json.dumps(grant))


def end_session(office: FlowOffice) -> None:
    """The provider ends the session with its token, as Gmail does, or because the permission was taken back."""
    office.servers.doveadm("kick", DESIGN)


def test_tokens_expire_and_are_revoked_and_every_mail_is_taken_in_once(
    office: FlowOffice, authority: Authority
) -> None:
    ended = logged_in(office.folder, DESIGN)
    assert (ended.status, ended.err) == (0, "")
    with running(office) as daemon:
        office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Satu"))
        office.mails(APPLICANT, 1)
        assert authority.refreshes() == 0

        # The hour is over, and the session with it.
        authority.expire()
        age(office)
        end_session(office)
        office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Dua"))
        office.mails(APPLICANT, 2)
        assert authority.refreshes() == 1

        # Taken back before its time, which only the mail server's refusal tells.
        authority.issued[-1].until = 0
        age(office)
        end_session(office)
        office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Tiga"))
        office.mails(APPLICANT, 3)
        assert authority.refreshes() == 2

        # The permission itself is taken back: nobody is let in, and nothing is lost.
        authority.revoke()
        age(office)
        end_session(office)
        office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Empat"))
        [told] = office.mails(ADMIN, 1)
        assert told.subject == f"Loket tidak dapat masuk lagi ke {DESIGN}"
        assert f"loket login {DESIGN}" in told.text
        assert "invalid_grant" in told.text
        status = command(office, "status", "--json")
        assert status.returncode == 1
        [ill] = [row for row in json.loads(status.stdout)["mailboxes"] if row["error"]]
        assert (ill["mailbox"], "loket login" in ill["error"]) == (DESIGN, True)
        asked = authority.refreshes()
        wait_until(lambda: len(logged(office, "mailbox-unreachable")) >= 3)
        assert authority.refreshes() == asked, "what was denied for good is not asked for again and again"

        # Somebody logs in again, and nothing has to be started anew.
        assert logged_in(office.folder, DESIGN).status == 0
        office.mails(APPLICANT, 4)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=15) == 0
    assert len(office.servers.messages(ADMIN)) == 1
    stores = office.stores()
    fates = next(view.fates for view in stores.desk.mailboxes() if view.mailbox == DESIGN)
    stores.database.close()
    assert fates == {"ticket": 4}
    log = (office.folder / "log").read_text()
    secrets = {one.access for one in authority.issued} | {one.refresh for one in authority.issued} | {CLIENT_SECRET}
    assert not [secret for secret in secrets if secret and secret in log]
