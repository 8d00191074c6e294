"""Who is let in: logins, folders and certificates, and that one closed door closes no other."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from loket.core.model import Fate
from loket.imap import ImapSession, Refused
from loket.store.database import Database, StoreBusy
from tests.intake.bureau import HOST, client, mail
from tests.intake.conftest import OpenBureau, every_server
from tests.intake.proxy import Proxy
from tests.servers import ImapHost, MailServers, certificates


@every_server
def test_a_refused_login_is_shown_and_other_mailboxes_go_on(bureau: OpenBureau, host: ImapHost) -> None:
    """And since when; once the login works again, nothing is shown any more."""
    refused, fine = host.unique("refused"), host.unique("desain")
    office = bureau(mailboxes={refused: {"history": "all"}, fine: {"history": "all"}})
    office.put(mail("Surat"), address=fine)
    assert "login refused" in (office.watcher(refused).once() or "")
    office.poll(fine)
    assert office.error(fine) is None
    assert f"login refused for {refused}" in (office.error(refused) or "")
    assert office.fates(fine) == [Fate.TICKET]


def test_a_refused_login_is_none_that_another_attempt_would_mend(bureau: OpenBureau, servers: MailServers) -> None:
    office = bureau(mailboxes={servers.unique("refused"): {}})
    with pytest.raises(Refused), office.session():
        pass


def test_trouble_that_is_over_is_forgotten(bureau: OpenBureau) -> None:
    office = bureau(history="all")
    (office.folder / "password").write_text("wrong")
    assert "login refused" in (office.watcher().once() or "")
    assert office.error() is not None
    (office.folder / "password").write_text("secret")
    office.poll()
    assert office.error() is None


def test_a_secret_that_is_being_exchanged_is_trouble_like_any_other(bureau: OpenBureau) -> None:
    """Its file is gone for a moment: the mailbox says so and is tried again."""
    office = bureau(history="all")
    (office.folder / "password").unlink()
    assert "secret file password" in (office.watcher().once() or "")
    assert "secret file password" in (office.error() or "")


@every_server
def test_a_folder_that_is_not_there_is_shown(bureau: OpenBureau, host: ImapHost) -> None:
    office = bureau(history="all", folder="Loket/Masuk")
    assert "folder Loket/Masuk cannot be opened" in (office.watcher().once() or "")
    assert "Loket/Masuk" in (office.error() or "")
    with pytest.raises(Refused), office.session():
        pass
    with client(host, office.address) as person:
        person.make("Loket/Masuk")
    office.put(mail("Surat"), folder="Loket/Masuk")
    office.put(mail("Bukan untuk loket"))
    office.poll()
    assert office.subjects() == ["Surat"]


def tls(servers: MailServers, way: str) -> dict[str, Any]:
    """The server, through TLS."""
    port = servers.imaps_port if way == "imaps" else servers.imap_port
    return {"imap": f"{way}://{HOST}:{port}", "ca": str(servers.ca_file)}


ways = pytest.mark.parametrize("way", ["imaps", "imap+starttls"])


@ways
def test_tls_is_verified_with_the_offices_own_authority(bureau: OpenBureau, servers: MailServers, way: str) -> None:
    office = bureau(history="all", imap=tls(servers, way))
    office.put(mail("Surat"))
    office.poll()
    assert office.fates() == [Fate.TICKET]


@ways
def test_a_certificate_of_another_authority_is_refused(
    bureau: OpenBureau, servers: MailServers, way: str, tmp_path: Path
) -> None:
    """Before a password is said."""
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    office = bureau(history="all", imap={**tls(servers, way), "ca": str(certificates.issue(stranger))})
    office.put(mail("Surat"))
    assert "certificate verify failed" in (office.watcher().once() or "")
    assert "certificate verify failed" in (office.error() or "")
    assert office.fates() == []


def test_a_server_without_starttls_is_not_spoken_to_in_the_clear(bureau: OpenBureau, proxy: Proxy) -> None:
    """Somebody between who hides STARTTLS does not get the password."""
    proxy.hide("STARTTLS")
    office = bureau(history="all", imap={"imap": f"imap+starttls://{HOST}:{proxy.port}"})
    assert "STARTTLS" in (office.watcher().once() or "")
    assert office.fates() == []


@every_server
def test_a_server_that_is_down_is_shown(bureau: OpenBureau, proxy: Proxy) -> None:
    proxy.down()
    office = bureau(history="all", imap={"imap": f"imap://{HOST}:{proxy.port}"})
    office.put(mail("Surat"))
    assert office.watcher().once()
    assert office.error()
    proxy.up()
    office.poll()
    assert office.fates() == [Fate.TICKET]


def test_a_second_daemon_is_refused_before_it_touches_the_store(bureau: OpenBureau) -> None:
    """It may be of a newer version, and must not change the schema under one that runs."""
    office = bureau()
    office.close()
    path = office.folder / "var/loket.db"
    path.unlink()
    first = Database(f"sqlite:///{path}")
    first.claim()
    with pytest.raises(StoreBusy):
        office.configure()
    with first.read() as connection:
        assert inspect(connection).get_table_names() == []
    first.close()


def test_looking_at_a_mailbox_changes_nothing_there(bureau: OpenBureau, servers: MailServers) -> None:
    """Without a folder to file to it is opened with EXAMINE: not even \\Recent is taken from people's clients."""
    office = bureau(history="all")
    office.put(mail("Surat"))
    before = sorted(path.name for path in (servers.root / "mail" / office.address).rglob("*") if path.is_file())
    with office.session() as session:
        assert isinstance(session, ImapSession)
        office.watcher().intake.poll(session)
    new = [path.name for path in (servers.root / "mail" / office.address / "new").iterdir()]
    assert len(new) == 1
    assert new[0] in before
    shutil.rmtree(servers.root / "mail" / office.address)
