"""One part fails and the others go on; it is said plainly, mends itself, and a stop waits for nothing that hangs."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from loket import watch
from loket.core.model import Fate
from tests.faults.daemon import HOST, Office, until
from tests.intake.bureau import eventually, mail
from tests.intake.conftest import OpenBureau
from tests.intake.proxy import Proxy
from tests.servers import PASSWORD, MailServers, certificates

HURRY = """
from datetime import timedelta
from loket import app, outbox, watch
watch.FIRST_WAIT = timedelta(seconds=0.5)
watch.LONGEST_WAIT = timedelta(seconds=1)
outbox.NOT_REACHED_FIRST = timedelta(seconds=0.5)
outbox.NOT_REACHED_LONGEST = timedelta(seconds=1)
app.STOP_SECONDS = 4.0
"""
STOP = 4.0


@contextmanager
def silent() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.create_server((HOST, 0), backlog=50) as listener:
        yield listener.getsockname()[1]


@contextmanager
def stranger(folder: Path) -> Iterator[int]:
    """A server whose certificate nobody here knows the issuer of."""
    folder.mkdir()
    certificates.issue(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    listener = socket.create_server((HOST, 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def errors(office: Office) -> dict[str, str]:
    """What the store says is wrong, by mailbox."""
    return dict(office.ask("SELECT mailbox, error FROM mailbox_state WHERE error IS NOT NULL"))


def status(office: Office) -> tuple[int, dict[str, str]]:
    """The exit code of `loket status`, and what it says is wrong, by mailbox."""
    done = office.command("status", "--json")
    return done.returncode, {
        row["mailbox"]: row["error"] for row in json.loads(done.stdout)["mailboxes"] if row["error"]
    }


def test_a_mailbox_that_refuses_the_login_mends_itself_once_it_is_let_in(servers: MailServers, tmp_path: Path) -> None:
    """Meanwhile the other one answers, `status` says which and why, and nobody restarts anything."""
    fine, shut = servers.unique("desain"), servers.unique("iklan")
    office = Office(
        servers, tmp_path / "office", {fine: {}, shut: {"login": {"password": "${file:other}"}}}, hurry=HURRY
    )
    (office.folder / "other").write_text("wrong")
    with office.running(connected=1):
        for address in (fine, shut):
            servers.lmtp(mail("Surat", f"siti@{address.partition('@')[2]}"), address, "siti@x.test")
        until(lambda: office.fates() == ["ticket"] and office.phases() == ["sent"])
        until(lambda: set(errors(office)) == {shut})
        code, said = status(office)
        assert code == 1
        assert list(said) == [shut]
        assert "login refused" in said[shut]
        (office.folder / "other").write_text(PASSWORD)
        until(lambda: office.fates() == ["ticket"] * 2 and office.phases() == ["sent"] * 2)
        until(lambda: errors(office) == {})
        assert status(office) == (0, {})


def test_servers_that_go_and_come_back_cost_no_mail_and_no_second_answer(servers: MailServers, tmp_path: Path) -> None:
    """Both of them are down; what came meanwhile is taken in and answered once when they are up."""
    address = servers.unique("desain")
    with Proxy(HOST, servers.imap_port) as imap, Proxy(HOST, servers.smtp_port) as smtp:
        doors = {"imap": f"imap://{HOST}:{imap.port}", "smtp": f"smtp://{HOST}:{smtp.port}"}
        office = Office(servers, tmp_path / "office", {address: {}}, server=doors, hurry=HURRY)
        with office.running():
            smtp.down()
            servers.lmtp(mail("Satu", f"satu@{office.domain}"), address, "x@x.test")
            until(lambda: office.fates() == ["ticket"])
            imap.down()
            servers.lmtp(mail("Dua", f"dua@{office.domain}"), address, "x@x.test")
            until(lambda: set(errors(office)) == {address})
            assert office.phases() == ["due"] or office.phases() == ["claimed"]
            imap.up()
            smtp.up()
            until(lambda: office.phases() == ["sent"] * 2)
            until(lambda: errors(office) == {})
        for who in ("satu", "dua"):
            until(lambda who=who: len(office.arrived(f"{who}@{office.domain}")) == 1)


def test_a_wrong_certificate_keeps_one_mailbox_out_until_the_right_one_is_back(
    bureau: OpenBureau, servers: MailServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "FIRST_WAIT", timedelta(seconds=0.2))
    monkeypatch.setattr(watch, "LONGEST_WAIT", timedelta(seconds=0.5))
    with stranger(tmp_path / "stranger") as port, Proxy(HOST, port) as door:
        office = bureau(history="all", imap={"imap": f"imaps://{HOST}:{door.port}", "ca": str(servers.ca_file)})
        office.put(mail("Surat"))
        office.watcher().start()
        eventually(lambda: "certificate verify failed" in (office.error() or ""))
        assert office.fates() == []
        # The address is the same, the server behind it is the right one again.
        door._server = (HOST, servers.imaps_port)
        eventually(lambda: office.fates() == [Fate.TICKET] and office.error() is None)
        office.close()


def test_a_stop_gives_back_what_hangs_and_the_next_start_finishes_it(servers: MailServers, tmp_path: Path) -> None:
    """A submission that is never answered and a dead IMAP session: it ends in time, and nothing is doubled."""
    address = servers.unique("desain")
    with silent() as nowhere, Proxy(HOST, servers.imap_port) as imap:
        doors = {"imap": f"imap://{HOST}:{imap.port}", "smtp": f"smtp://{HOST}:{nowhere}"}
        office = Office(servers, tmp_path / "office", {address: {}}, server=doors, hurry=HURRY)
        with office.running() as daemon:
            servers.lmtp(mail("Satu", f"satu@{office.domain}"), address, "x@x.test")
            until(lambda: office.phases() == ["claimed"])
            imap.stall()
            servers.lmtp(mail("Dua", f"dua@{office.domain}"), address, "x@x.test")
            began = time.monotonic()
            daemon.terminate()
            assert daemon.wait(STOP + 15) == 0
            assert time.monotonic() - began < STOP + 3
        assert office.phases() == ["claimed"]
    office.server = {}
    office.configure()
    with office.running() as daemon:
        until(lambda: office.fates() == ["ticket"] * 2 and office.phases() == ["sent"] * 2)
        began = time.monotonic()
        daemon.terminate()
        assert daemon.wait(STOP) == 0
        assert time.monotonic() - began < 3, "there was nothing in hand"
    for who in ("satu", "dua"):
        until(lambda who=who: len(office.arrived(f"{who}@{office.domain}")) == 1)


def test_a_stop_in_the_middle_of_many_mails_leaves_none_half_done(servers: MailServers, tmp_path: Path) -> None:
    """What is in hand is finished, what is not begun waits for the next start; no letter is in doubt."""
    address = servers.unique("desain")
    office = Office(servers, tmp_path / "office", {address: {}}, hurry=HURRY)
    office.more["batch"] = {"mails": 5}
    office.configure()
    for number in range(60):
        servers.lmtp(mail(f"Surat {number}", f"s{number}@{office.domain}"), address, "x@x.test")
    with office.running() as daemon:
        until(lambda: "sent" in office.phases())
        daemon.terminate()
        assert daemon.wait(STOP) == 0
    assert set(office.fates()) == {"ticket"}
    assert set(office.phases()) <= {"sent", "due"}
    assert len(office.phases()) == len(office.fates())
    with office.running() as daemon:
        until(lambda: office.phases() == ["sent"] * 60, 30)
    until(lambda: all(len(office.arrived(f"s{number}@{office.domain}")) == 1 for number in range(60)))
