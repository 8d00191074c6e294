"""Each row of the office's table: applied for, acknowledged, digested, answered by mail, delivered."""

from __future__ import annotations

import os
from email import message_from_string
from email.policy import default
from email.utils import parseaddr
from hashlib import sha256
from pathlib import Path

import pytest

from loket.demo.attach import Attachment, pdf
from loket.demo.officer import Answer, ReadyAnswer, answer, confirm
from tests.flows.office import FlowOffice, Mail

STORIES = sorted(path.parent for path in Path(__file__).parent.glob("*/in.eml"))


def literal(story: Path, name: str, mail: Mail) -> None:
    """The mail reads exactly as the story says; LOKET_WRITE_EXPECTED=1 writes what it says, for reading and review."""
    expected = story / "expected" / f"{name}.txt"
    if os.environ.get("LOKET_WRITE_EXPECTED"):
        expected.parent.mkdir(exist_ok=True)
        expected.write_text(mail.shown())
    assert mail.shown() == expected.read_text()


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.name)
def test_a_request_is_answered_with_the_officers_scan(office: FlowOffice, story: Path) -> None:
    """Mail in by SMTP; acknowledgement, digest, delivery and receipt out, each to the letter."""
    incoming = (story / "in.eml").read_bytes().replace(b"\n", b"\r\n")
    spoken = message_from_string((story / "answer.txt").read_text(), policy=default)
    officer, command = str(spoken["From"]), str(spoken["Link"])
    name = spoken["Scan"]
    scan = Attachment(str(name), "application/pdf", pdf(str(name))) if name else None
    applicant = parseaddr(str(Mail(incoming).message["From"]))[1]
    counter = parseaddr(str(Mail(incoming).message["To"]))[1]
    office.empty([applicant])

    office.submit(incoming)
    office.work()
    [acknowledgement] = office.mails(applicant, 1)
    literal(story, "1-acknowledgement", acknowledgement)

    office.clock.wib(13)
    office.work()
    [digest] = office.mails(officer, 1)
    literal(story, "2-digest", digest)
    [(_, media_type, original)] = digest.attachments()
    assert media_type == "message/rfc822"
    assert original == office.servers.messages(counter)[0], "the original travels as the stored bytes"

    def choose(link: ReadyAnswer) -> Answer | None:
        if link.command != command:
            return None
        body = spoken.get_content().strip()
        return Answer(body.partition("\n")[2].strip(), (scan,) if scan else (), body.partition("\n")[0])

    office.clock.wib(13, 20)
    [said] = answer(digest.raw, choose, now=office.clock.now())
    office.submit(said)
    office.work()
    _, receipt = office.mails(officer, 2)
    literal(story, "4-receipt", receipt)
    if (story / "expected/5-confirmation.txt").exists():
        office.mails(applicant, 1)
        office.clock.wib(13, 22)
        office.work()
        told = office.mails(officer, 3)[-1]
        literal(story, "5-confirmation", told)
        word = confirm(told.raw, now=office.clock.now())
        assert word is not None
        office.submit(word)
        office.work()
        # Its id is made of what it says, and no two codes are the same.
        said_id = str(Mail(word).message["Message-ID"]).encode()
        literal(story, "6-confirmed", Mail(office.mails(officer, 4)[-1].raw.replace(said_id, b"<ya@pom.go.id>")))
    if command == "ALIH":
        office.mails(applicant, 1)
        return
    _, delivery = office.mails(applicant, 2)
    literal(story, "3-delivery", delivery)
    sent = [sha256(content).hexdigest() for _, _, content in delivery.attachments()]
    assert sent == ([sha256(scan.content).hexdigest()] if scan else [])
