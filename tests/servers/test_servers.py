"""The mail servers of the tests behave as the tests that lean on them believe."""

import contextlib
import imaplib
import smtplib
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from imapclient import IMAPClient

from tests.servers import PASSWORD, MailServers, ServersUnavailable

TOP = Path(__file__).parents[2]
MAIL = b"From: ani@example.org\r\nSubject: Berkas_Jamu Kunyit\r\n\r\nTerlampir.\r\n"
# Raw 8-bit in header and body, a line over 998 octets (RFC 5322 section 2.1.1), lines that begin with dots.
ODD_MAIL = (
    "From: ani@example.org\r\nSubject: Jamu Beras Kencur™\r\n\r\n".encode()
    + b".\r\n..dots\r\n\xff\xfe\x80 not UTF-8\r\n"
    + b"x" * 5000
    + b"\r\n"
)

Connect = Callable[[MailServers, ssl.SSLContext], contextlib.AbstractContextManager[imaplib.IMAP4 | smtplib.SMTP]]


def test_mail_submitted_by_smtp_arrives_in_each_recipients_mailbox(servers: MailServers) -> None:
    ani, budi = servers.unique("ani"), servers.unique("budi")
    servers.submit(MAIL, "sender@example.org", [ani, budi])
    for address in (ani, budi):
        (stored,) = servers.wait_for(address, 1)
        assert stored.endswith(MAIL)
        assert stored.startswith(b"Return-Path: <sender@example.org>\r\nDelivered-To: " + address.encode())


@pytest.mark.parametrize("way", ["lmtp", "submit"])
def test_eight_bit_and_long_lines_arrive_byte_for_byte(servers: MailServers, way: str) -> None:
    ani = servers.unique("ani")
    if way == "lmtp":
        servers.lmtp(ODD_MAIL, ani)
    else:
        servers.submit(ODD_MAIL, "sender@example.org", [ani])
    (stored,) = servers.wait_for(ani, 1)
    added = stored.removesuffix(ODD_MAIL)
    assert added != stored
    assert added.startswith(b"Return-Path: ")


def test_messages_come_in_uid_order_from_any_folder(servers: MailServers) -> None:
    ani = servers.unique("ani")
    for number in range(12):
        servers.lmtp(b"Subject: %d\r\n\r\n" % number, ani)
    inbox = servers.messages(ani)
    assert [mail.split(b"Subject: ")[1] for mail in inbox] == [b"%d\r\n\r\n" % number for number in range(12)]
    servers.doveadm("mailbox", "create", "-u", ani, "Sudah diproses")
    servers.doveadm("move", "-u", ani, "Sudah diproses", "mailbox", "INBOX", "uid", "3")
    assert servers.messages(ani, "Sudah diproses") == [inbox[2]]
    assert len(servers.messages(ani)) == 11
    assert servers.messages(ani, "No such folder") == []


def test_waiting_in_vain_tells_what_was_there(servers: MailServers) -> None:
    ani = servers.unique("ani")
    servers.lmtp(MAIL, ani)
    with pytest.raises(TimeoutError, match=f"1 of 2 mails in INBOX of {ani}"):
        servers.wait_for(ani, 2, timeout=0.2)


def test_idle_tells_of_a_new_mail_within_three_seconds(servers: MailServers) -> None:
    ani = servers.unique("ani")
    with IMAPClient("127.0.0.1", servers.imap_port, ssl=False) as client:
        client.login(ani, PASSWORD)
        client.select_folder("INBOX")
        client.idle()
        started = time.monotonic()
        servers.lmtp(MAIL, ani)
        pushed: list[tuple[object, ...]] = []
        while (1, b"EXISTS") not in pushed and time.monotonic() - started < 3:
            pushed += client.idle_check(timeout=1)
        client.idle_done()
    assert (1, b"EXISTS") in pushed


def test_smtp_accepts_a_login(servers: MailServers) -> None:
    ani = servers.unique("ani")
    with smtplib.SMTP("127.0.0.1", servers.smtp_port, local_hostname="client.test") as client:
        client.login(ani, PASSWORD)
        client.sendmail(ani, [ani], MAIL)
    assert len(servers.wait_for(ani, 1)) == 1


@pytest.mark.parametrize(("user", "password"), [("ani", "wrong"), ("refused", PASSWORD), ("refused-desk", PASSWORD)])
def test_a_login_is_refused_by_both_servers(servers: MailServers, user: str, password: str) -> None:
    address = servers.unique(user)
    with (
        imaplib.IMAP4("127.0.0.1", servers.imap_port) as client,
        pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"),
    ):
        client.login(address, password)
    with (
        smtplib.SMTP("127.0.0.1", servers.smtp_port, local_hostname="client.test") as smtp,
        pytest.raises(smtplib.SMTPAuthenticationError),
    ):
        smtp.login(address, password)


@pytest.mark.parametrize(("local", "code"), [("refused", 550), ("later", 450)])
def test_a_recipient_is_refused_or_deferred_at_rcpt(servers: MailServers, local: str, code: int) -> None:
    address, ani = servers.unique(local), servers.unique("ani")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        servers.submit(MAIL, "sender@example.org", [address, ani])
    assert {who: verdict[0] for who, verdict in refused.value.recipients.items()} == {address: code}
    assert len(servers.wait_for(ani, 1)) == 1


def _imaps(servers: MailServers, context: ssl.SSLContext) -> imaplib.IMAP4:
    return imaplib.IMAP4_SSL("127.0.0.1", servers.imaps_port, ssl_context=context)


def _smtps(servers: MailServers, context: ssl.SSLContext) -> smtplib.SMTP:
    return smtplib.SMTP_SSL("127.0.0.1", servers.smtps_port, "client.test", context=context)


@contextlib.contextmanager
def _imap_starttls(servers: MailServers, context: ssl.SSLContext) -> Iterator[imaplib.IMAP4]:
    client = imaplib.IMAP4("127.0.0.1", servers.imap_port)
    try:
        client.starttls(context)
        yield client
    finally:
        # After a failed handshake imaplib holds a socket that is gone, and says so.
        with contextlib.suppress(OSError):
            client.shutdown()


@contextlib.contextmanager
def _smtp_starttls(servers: MailServers, context: ssl.SSLContext) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", servers.smtp_port, "client.test") as client:
        client.starttls(context=context)
        yield client


each_way_to_tls = pytest.mark.parametrize("connect", [_imaps, _imap_starttls, _smtps, _smtp_starttls])


@each_way_to_tls
def test_tls_verifies_against_the_sessions_own_authority(servers: MailServers, connect: Connect) -> None:
    context = ssl.create_default_context(cafile=servers.ca_file)
    with connect(servers, context) as client:
        client.login(servers.unique("ani"), PASSWORD)


@each_way_to_tls
def test_tls_fails_for_a_client_that_does_not_know_the_authority(servers: MailServers, connect: Connect) -> None:
    with pytest.raises(ssl.SSLCertVerificationError), connect(servers, ssl.create_default_context()):
        pass


def test_two_tests_never_share_a_mailbox(servers: MailServers) -> None:
    assert servers.unique("ani") != servers.unique("ani")


def test_a_machine_that_cannot_run_servers_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ServersUnavailable, match="need root"):
        MailServers.start()
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ServersUnavailable, match=r"not installed: dovecot, .*install\.sh"):
        MailServers.start()


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("end", ["sys.exit(1)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_servers_end_with_the_process_that_started_them(end: str) -> None:
    """Both when it leaves without calling stop and when it is killed."""
    program = f"""
import os, signal, sys
from tests.servers import MailServers
print(MailServers.start().root, flush=True)
{end}
"""
    child = subprocess.run([sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, check=False)
    root = Path(child.stdout.strip())
    assert root.parent == Path("/tmp")
    deadline = time.monotonic() + 10
    while root.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not root.exists()
    assert processes_of(root) == []


def processes_of(root: Path) -> list[str]:
    """Processes that work in a folder; children do not name it on their command line, but hold its files open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        # A process may end while it is looked at.
        with contextlib.suppress(OSError):
            links = [process / "cwd", process / "root", *(process / "fd").iterdir()]
            if any(link.readlink().is_relative_to(root) for link in links):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
