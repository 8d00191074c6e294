"""`loket doctor` on real servers with real faults: each is named, has its remedy, and nothing is changed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiosmtpd.controller import Controller
from typer.testing import CliRunner

from loket.cli.main import app
from loket.doctor import servers as doors
from loket.doctor.examination import Look, examine
from loket.doctor.finding import Finding, clock
from loket.store.database import Database
from tests.doctor.resolver import Resolver
from tests.intake.proxy import Proxy
from tests.servers import PASSWORD, MailServers, certificates
from tests.servers.mailservers import free_ports

TOP = Path(__file__).parents[2]
HOST = "127.0.0.1"
LIBRARY = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketimeMT.so.1")
GOOD = {
    ("kantor.test", "MX"): ["10 mx.kantor.test."],
    ("kantor.test", "TXT"): ['"other=thing"', '"v=spf1 mx -all"'],
    ("_dmarc.kantor.test", "TXT"): ['"v=DMARC1; p=none"'],
    ("mail._domainkey.kantor.test", "TXT"): ['"v=DKIM1; k=rsa; p=MIGf"'],
}

Says = Callable[..., tuple[int, dict[tuple[str, str], dict[str, Any]]]]


@pytest.fixture
def write(servers: MailServers, tmp_path: Path) -> Callable[..., Path]:
    """Writes an office of one mailbox on the tests' servers."""

    def config(address: str = "", server: dict[str, Any] | None = None, **mailbox: Any) -> Path:
        secrets = tmp_path / "secrets"
        secrets.mkdir(exist_ok=True)
        for name, text in (("password", PASSWORD), ("office", "a secret for tests, long enough")):
            (secrets / name).write_text(text)
            (secrets / name).chmod(0o600)
        written = {
            "office": {"name": "Kantor Uji", "secret": "${file:secrets/office}", "admin": "admin@kantor.test"},
            "servers": {
                "here": {
                    "imap": f"imaps://{HOST}:{servers.imaps_port}",
                    "smtp": f"smtp+starttls://{HOST}:{servers.smtp_port}",
                    "ca": str(servers.ca_file),
                    **(server or {}),
                }
            },
            "mailboxes": {
                address or f"loket{servers.unique('')[1:]}@kantor.test": {
                    "server": "here",
                    "login": {"password": "${file:secrets/password}"},
                    "rules": ["persuratan"],
                    **mailbox,
                }
            },
            "officers": {"ani@kantor.test": {"name": "Ani", "queues": ["persuratan", "triase"]}},
        }
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(written))
        rules = tmp_path / "rules"
        if not rules.exists():
            rules.mkdir()
            (rules / "templates").symlink_to(TOP / "rules/templates")
            for name in ("umum", *mailbox.get("rules", ["persuratan"])):
                shutil.copy(TOP / "rules" / f"{name}.yaml", rules)
            for beside in (TOP / "rules").glob("*.txt"):
                shutil.copy(beside, rules)
        return path

    return config


@pytest.fixture
def says() -> Iterator[Says]:
    """Runs the command with a resolver of its own; the exit code, and the findings by what they are about."""
    with Resolver(GOOD) as dns:

        def run(path: Path, *more: str) -> tuple[int, dict[tuple[str, str], dict[str, Any]]]:
            done = CliRunner().invoke(app, ["doctor", "-c", str(path), "--dns", dns.at, "--json", *more])
            assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
            found = json.loads(done.stdout)["findings"]
            return done.exit_code, {(one["where"], one["what"]): one for one in found}

        yield run


def about(found: dict[tuple[str, str], dict[str, Any]], what: str) -> dict[str, Any]:
    """The one finding about something, wherever."""
    [one] = [one for (_, name), one in found.items() if name == what]
    return one


def test_a_sound_office_has_nothing_to_mend(write: Callable[..., Path], says: Says) -> None:
    """The certificates of the tests live two days, which is said; the store is not made by looking."""
    path = write(file_to="Selesai")
    code, found = says(path)
    assert code == 0, found
    levels = {(one["what"], one["level"]) for one in found.values()}
    assert {level for what, level in levels if what != "tls"} <= {"ok", "note"}
    expected = {"configuration", "secret", "store", "disk", "imap-login", "capabilities", "idle", "folder", "file_to"}
    assert expected | {"mail", "smtp-login", "size", "mx", "spf", "dmarc", "dkim"} <= {what for what, _ in levels}
    assert about(found, "store")["level"] == "note"
    assert not (path.parent / "var").exists()


def test_a_certificate_that_ends_soon_is_told_of(write: Callable[..., Path], says: Says) -> None:
    _, found = says(write())
    tls = [one for (_, what), one in found.items() if what == "tls"]
    assert len(tls) == 2
    assert {one["level"] for one in tls} == {"warning"}
    assert all("ends" in one["said"] and "renew" in one["remedy"] for one in tls)


def test_looking_changes_nothing_on_the_server(write: Callable[..., Path], says: Says, servers: MailServers) -> None:
    """Not even \\Recent is taken, and no folder is made."""
    address = servers.unique("loket")
    servers.lmtp(b"From: a@b.test\r\nSubject: x\r\n\r\nx\r\n", address)
    new = servers.root / "mail" / address / "new"
    before = [path.name for path in new.iterdir()]
    code, found = says(write(address, file_to="Selesai"))
    assert code == 0
    assert about(found, "mail")["said"] == "1 in INBOX"
    assert [path.name for path in new.iterdir()] == before
    assert not (servers.root / "mail" / address / ".Selesai").exists()


def test_a_certificate_of_another_authority_is_an_error(write: Callable[..., Path], says: Says, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    code, found = says(write(server={"ca": str(certificates.issue(stranger))}))
    assert code == 1
    tls = [one for (_, what), one in found.items() if what == "tls"]
    assert all(one["level"] == "error" and "ca:" in one["remedy"] for one in tls)


@contextmanager
def tls_server(folder: Path) -> Iterator[int]:
    """Offers a certificate to whoever comes, and greets who takes it; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    there, _ = listener.accept()
                except OSError:
                    return
                with there, suppress(OSError), context.wrap_socket(there, server_side=True) as secured:
                    secured.sendall(b"* OK ready\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        # Closing alone would not wake the thread that waits in accept.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize(
    ("names", "days", "said", "remedy"),
    [("DNS:mail.test", 2, "IP address mismatch", "name that stands"), ("IP:127.0.0.1", -1, "expired", "renew")],
)
def test_a_certificate_for_another_name_or_of_yesterday_is_an_error(
    write: Callable[..., Path], says: Says, tmp_path: Path, names: str, days: int, said: str, remedy: str
) -> None:
    folder = tmp_path / "tls"
    folder.mkdir()
    ca_file = certificates.issue(folder, names, days)
    with tls_server(folder) as port:
        code, found = says(write(server={"imap": f"imaps://{HOST}:{port}", "ca": str(ca_file)}))
    assert code == 1
    tls = found[f"{HOST}:{port}", "tls"]
    assert (tls["level"], said in tls["said"], remedy in tls["remedy"]) == ("error", True, True), tls


def test_a_refused_login_is_an_error_on_both_sides(
    write: Callable[..., Path], says: Says, servers: MailServers
) -> None:
    code, found = says(write(servers.unique("refused")))
    assert code == 1
    for what in ("imap-login", "smtp-login"):
        assert about(found, what)["level"] == "error"
        assert "refused" in about(found, what)["said"]
        assert "password" in about(found, what)["remedy"]


def test_a_missing_folder_is_an_error_that_names_those_there_are(
    write: Callable[..., Path], says: Says, servers: MailServers
) -> None:
    address = servers.unique("loket")
    servers.doveadm("mailbox", "create", "-u", address, "Masuk")
    code, found = says(write(address, folder="Loket"))
    assert code == 1
    assert about(found, "folder")["level"] == "error"
    assert "INBOX, Masuk" in about(found, "folder")["remedy"]


def test_a_server_without_idle_is_told_of(write: Callable[..., Path], says: Says, servers: MailServers) -> None:
    with Proxy(HOST, servers.imap_port) as proxy:
        proxy.hide("IDLE")
        code, found = says(write(server={"imap": f"imap://{HOST}:{proxy.port}"}, poll=30))
    assert code == 0
    assert about(found, "idle")["level"] == "warning"
    assert "30 s later" in about(found, "idle")["said"]


class _Box:
    async def handle_DATA(self, *_: Any) -> str:  # noqa: N802 - aiosmtpd's name
        raise AssertionError("the doctor sends nothing")


def test_a_small_size_and_a_clock_that_goes_wrong_are_told_of(write: Callable[..., Path], says: Says) -> None:
    """A server that greets with its time, as Sendmail and Exim do, and takes little."""
    theirs = (datetime.now(UTC) + timedelta(hours=3)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    [port] = free_ports(1)
    door = Controller(_Box(), HOST, port, data_size_limit=100_000, ident=f"Exim 4.96 {theirs}")  # type: ignore[no-untyped-call]
    door.start()  # type: ignore[no-untyped-call]
    try:
        code, found = says(write(server={"smtp": f"smtp://{HOST}:{port}"}))
    finally:
        door.stop()  # type: ignore[no-untyped-call]
    assert code == 0
    assert about(found, "size")["level"] == "warning"
    assert "max_size: 100000" in about(found, "size")["remedy"]
    assert found[f"{HOST}:{port}", "clock"]["level"] == "warning"
    assert "3 hours behind" in found[f"{HOST}:{port}", "clock"]["said"]


def test_mail_from_the_future_shows_that_our_clock_is_behind(write: Callable[..., Path], servers: MailServers) -> None:
    """The doctor runs five hours late, on a mail that has just come."""
    assert LIBRARY.exists(), "libfaketime is not installed (tests/servers/install.sh does)"
    address = servers.unique("loket")
    servers.lmtp(b"Subject: x\r\n\r\nx\r\n", address)
    path = write(
        address, server={door: f"{door}://{HOST}:{getattr(servers, f'{door}_port')}" for door in ("imap", "smtp")}
    )
    late = {"LD_PRELOAD": str(LIBRARY), "FAKETIME": "-5h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    command = [sys.executable, "-m", "loket", "doctor", "-c", str(path), "--json", "--dns", "127.0.0.1:1"]
    done = subprocess.run(command, env={**os.environ, **late}, capture_output=True, text=True, check=False)
    [found] = [one for one in json.loads(done.stdout)["findings"] if one["what"] == "clock"]
    assert (found["where"], found["level"]) == (address, "warning")
    assert "at least 5 hours behind" in found["said"]
    assert "timesyncd" in found["remedy"]


def test_a_mail_to_oneself_shows_that_idle_pushes(write: Callable[..., Path], says: Says, servers: MailServers) -> None:
    """It is sent once, and is a machine's mail to whoever takes it in."""
    address = servers.unique("loket")
    code, found = says(write(address), "--send-test")
    assert code == 0
    assert "its coming pushed after" in found[address, "send-test"]["said"]
    assert found[address, "clock"]["level"] == "ok"
    [mail] = servers.messages(address)
    assert b"Auto-Submitted: auto-generated" in mail


def test_an_idle_that_never_pushes_is_told_of(write: Callable[..., Path], says: Says, servers: MailServers) -> None:
    """The mail comes, and the server keeps it to itself."""
    address = servers.unique("loket")
    with Proxy(HOST, servers.imap_port) as proxy:
        proxy.keep_quiet()
        path = write(address, server={"imap": f"imap://{HOST}:{proxy.port}"})
        code, found = says(path, "--send-test", "--timeout", "8")
    assert code == 0
    assert "IDLE did not say so" in found[address, "send-test"]["said"]
    assert found[address, "send-test"]["level"] == "warning"


def test_a_clock_before_a_greeting_and_one_behind_it() -> None:
    ours = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert clock("x", ours + timedelta(seconds=119), ours).level == "ok"
    assert "ahead of" in clock("x", ours - timedelta(minutes=10), ours).said
    assert clock("x", ours - timedelta(days=10), ours, at_least=True).level == "ok"


def test_a_server_that_is_not_there_is_unreached(write: Callable[..., Path], says: Says) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        port = taken.getsockname()[1]
        code, found = says(write(server={"imap": f"imap://{HOST}:{port}"}))
    assert code == 3
    assert found[f"{HOST}:{port}", "imap"]["level"] == "unreached"
    assert about(found, "smtp-login")["level"] == "ok"


def test_a_server_that_hangs_does_not_hang_the_doctor(
    write: Callable[..., Path], says: Says, servers: MailServers
) -> None:
    """It accepts and says nothing; all that can be looked at meanwhile is."""
    with socket.create_server((HOST, 0)) as mute:
        port = mute.getsockname()[1]
        began = time.monotonic()
        code, found = says(write(server={"imap": f"imap://{HOST}:{port}"}), "--timeout", "4")
        assert time.monotonic() - began < 6
    assert code == 3
    assert about(found, "smtp-login")["level"] == "ok"
    assert any(one["said"] == "no answer within 4 s" for one in found.values())


def test_a_server_that_is_no_mail_server_is_told_of(write: Callable[..., Path], says: Says) -> None:
    with socket.create_server((HOST, 0)) as odd:
        port = odd.getsockname()[1]

        def answer() -> None:
            for _ in range(2):
                there, _ = odd.accept()
                there.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                there.close()

        threading.Thread(target=answer, daemon=True).start()
        code, found = says(write(server={"imap": f"imap://{HOST}:{port}"}))
    assert code == 3
    assert "SSH-2.0" in found[f"{HOST}:{port}", "imap"]["said"]


@pytest.mark.parametrize(
    ("changes", "what", "level", "said"),
    [
        ({("kantor.test", "MX"): []}, "mx", "warning", "no mail exchanger"),
        ({("kantor.test", "TXT"): ['"x"']}, "spf", "warning", "no record"),
        ({("kantor.test", "TXT"): ['"v=spf1 a -all"', '"v=spf1 mx -all"']}, "spf", "error", "2 records"),
        ({("kantor.test", "TXT"): ['"v=spf1 mx " "+all"']}, "spf", "warning", "+all"),
        ({("_dmarc.kantor.test", "TXT"): []}, "dmarc", "warning", "no record"),
        (
            {("_dmarc.kantor.test", "TXT"): ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']},
            "dmarc",
            "error",
            "2 records",
        ),
        ({("mail._domainkey.kantor.test", "TXT"): ['"v=DKIM1; p="']}, "dkim", "warning", "withdrawn"),
        ({("mail._domainkey.kantor.test", "TXT"): []}, "dkim", "note", "no key"),
    ],
)
def test_what_a_domain_lacks_is_told_with_what_to_publish(
    write: Callable[..., Path], changes: dict[tuple[str, str], list[str]], what: str, level: str, said: str
) -> None:
    with Resolver({**GOOD, **changes}) as dns:
        done = CliRunner().invoke(app, ["doctor", "-c", str(write()), "--dns", dns.at, "--json"])
    [found] = [one for one in json.loads(done.stdout)["findings"] if one["what"] == what]
    assert found["level"] == level
    assert said in found["said"]
    assert found["remedy"]
    assert done.exit_code == (1 if level == "error" else 0)


def test_a_resolver_that_does_not_answer_is_only_noted(write: Callable[..., Path]) -> None:
    with Resolver({}, silent=True) as dns:
        done = CliRunner().invoke(app, ["doctor", "-c", str(write()), "--dns", dns.at, "--json"])
    assert done.exit_code == 0
    [found] = [one for one in json.loads(done.stdout)["findings"] if one["what"] == "dns"]
    assert found["level"] == "note"


def test_secrets_that_others_can_read_or_that_are_not_there(write: Callable[..., Path], says: Says) -> None:
    path = write()
    (path.parent / "secrets/password").chmod(0o644)
    (path.parent / "secrets/office").unlink()
    code, found = says(path)
    assert code == 1
    open_one = found[str(path.parent / "secrets/password"), "secret"]
    assert (open_one["level"], open_one["remedy"]) == ("warning", f"chmod 600 {path.parent / 'secrets/password'}")
    assert found["office.secret", "secret"]["level"] == "error"


def test_letters_that_leave_without_proof_are_told_of(write: Callable[..., Path], says: Says) -> None:
    """As `loket check` does, and where nobody vouches for an officer."""
    path = write(rules=["loket-d"])
    written = yaml.safe_load(path.read_text())
    written["officers"]["ani@kantor.test"]["queues"] = ["triase"]
    path.write_text(yaml.safe_dump(written))
    rules = path.parent / "rules"
    text = (rules / "loket-d.yaml").read_text()
    (rules / "loket-d.yaml").write_text(text.replace("proof: either ", "proof: token "))
    _, found = says(path)
    told = [one for (_, what), one in found.items() if what == "configuration"]
    assert any("leaves on an officer's address and token alone" in one["said"] for one in told)
    [open_] = [one for (_, what), one in found.items() if what == "proof"]
    assert open_["level"] == "note"
    assert "no border is trusted here" in open_["said"]


def test_a_store_of_another_version_is_an_error_and_stays_as_it_is(write: Callable[..., Path], says: Says) -> None:
    path = write()
    database = Database(f"sqlite:///{path.parent / 'var/loket.db'}")
    database.migrate()
    database.close()
    assert about(says(path)[1], "store")["level"] == "ok"
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    code, found = says(path)
    assert code == 1
    assert "9999" in about(found, "store")["said"]
    (path.parent / "var/loket.db").write_bytes(b"not a database at all, " * 100)
    code, found = says(path)
    assert about(found, "store")["level"] in ("error", "unreached")


def test_a_mistake_of_ours_is_a_finding_and_the_others_go_on() -> None:
    def broken() -> Iterator[Finding]:
        yield Finding("a", "x", "ok", "fine")
        raise LookupError("odd")

    found = examine([Look("a", "x", broken), Look("b", "y", lambda: iter([Finding("b", "y", "ok", "fine")]))], 5)
    assert [(one.where, one.level) for one in found] == [("a", "ok"), ("a", "error"), ("b", "ok")]


@pytest.mark.parametrize(("days", "level"), [(30, "ok"), (13, "warning"), (1, "warning")])
def test_how_soon_a_certificate_ends(days: int, level: str) -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    assert doors._expiry("x", now + timedelta(days=days), now).level == level


def test_the_table_shows_every_finding_with_its_remedy(write: Callable[..., Path], servers: MailServers) -> None:
    with Resolver(GOOD) as dns:
        done = CliRunner().invoke(app, ["doctor", "-c", str(write(servers.unique("refused"))), "--dns", dns.at])
    assert done.exit_code == 1
    assert "login refused" in done.stdout
    assert "→ is the password right" in done.stdout
    assert "to mend" in done.stdout
