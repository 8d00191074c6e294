"""A mailbox whose mail leaves by another server and login than it is read with."""

from __future__ import annotations

from email.utils import parseaddr

from loket.doors import account, imap_door, smtp_door
from tests.flows.letters import DESIGN, SITI, mail
from tests.flows.office import FlowOffice
from tests.servers import PASSWORD

RELAY = '    sends: {server: relay, login: {user: relay@x.example, password: "${file:relay}"}}\n    rules: [loket-d]'


def test_mail_leaves_by_the_other_login_and_from_the_counters_own_address(office: FlowOffice) -> None:
    """The server that it is read at takes none; the login at the relay is another's, and shared."""
    applicant = parseaddr(SITI)[1]
    office.empty([applicant])
    smtp = f"127.0.0.1:{office.servers.smtp_port}"
    imap = f"127.0.0.1:{office.servers.imap_port}"
    office.set_up(
        ("    rules: [loket-d]", RELAY),
        (f'  gmail: {{imap: "{imap}", smtp: "{smtp}"}}', f'  gmail: {{imap: "{imap}", smtp: "127.0.0.1:9"}}'),
        ("servers:\n", f'servers:\n  relay: {{imap: "{imap}", smtp: "{smtp}", per_day: 50}}\n'),
    )
    (office.folder / "relay").write_text(PASSWORD)
    office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
    office.work()
    [acknowledged] = office.mails(applicant, 1)
    assert f"<{DESIGN}>" in acknowledged.raw.decode("utf-8", "replace")
    assert f"Return-Path: <{DESIGN}>".encode() in acknowledged.raw
    read, sends = imap_door(office.snapshot, DESIGN), smtp_door(office.snapshot, DESIGN)
    assert (read.user, sends.user, sends.port) == (DESIGN, "relay@x.example", office.servers.smtp_port)
    assert [limit.count for limit in account(office.snapshot, DESIGN).limits] == [50]
