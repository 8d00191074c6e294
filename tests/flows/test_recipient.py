"""Who gets a mail of ours: the applicant as From names him, and nobody else that any mail names (P8, P14)."""

from __future__ import annotations

from hashlib import sha256

from loket.demo.officer import Answer, answer
from tests.flows.letters import DESIGN, SITI, mail, scan
from tests.flows.office import FlowOffice
from tests.flows.test_conversations import digest_of, only

APPLICANT, OTHER = "siti@jamusari.example", "lain@luar.example"
FIELDS = """
    Reply-To Cc Bcc Sender Resent-To Mail-Followup-To Errors-To Return-Receipt-To Disposition-Notification-To
    X-Original-From X-Loket-Recipient X-Loket-Ticket
"""
NAMES_ANOTHER = "".join(f"{field}: Lain <{OTHER}>\r\n" for field in FIELDS.split())


def naming(raw: bytes) -> bytes:
    """The mail with every field that could name somebody else."""
    return NAMES_ANOTHER.encode() + raw


def test_no_field_of_a_request_or_an_answer_brings_our_mail_to_anybody_else(office: FlowOffice) -> None:
    """Acknowledgement and letter go to the applicant, with the scan's own bytes; `lain@` gets nothing at all."""
    office.empty([APPLICANT, OTHER])
    office.submit(naming(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit")))
    office.work()
    digest = digest_of(office, "ani@pom.go.id", 1)
    letter = scan("revisi")
    for said in answer(digest.raw, only("DESAIN", Answer("Mohon diperbaiki.", (letter,))), now=office.clock.now()):
        office.submit(naming(said))
    office.work()
    _, delivery = office.mails(APPLICANT, 2)
    assert [sha256(data).digest() for _, _, data in delivery.attachments()] == [sha256(letter.content).digest()]
    office.mails("ani@pom.go.id", 2)
    assert not (office.servers.root / "mail" / OTHER).exists()
    stores = office.stores()
    written = {(row["kind"], row["recipient"]) for row in stores.desk.outgoing(None, 100)}
    stores.database.close()
    assert written == {
        ("acknowledgement", APPLICANT),
        ("digest", "ani@pom.go.id"),
        ("delivery", APPLICANT),
        ("receipt", "ani@pom.go.id"),
    }
