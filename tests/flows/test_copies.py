"""Copies in the Sent folder: each once, whatever happens, of what applicants get, and nobody waits for them."""

from __future__ import annotations

from datetime import datetime
from email import message_from_bytes

import pytest

from loket.sentfolder import SentFolder
from tests.flows.letters import DESIGN, SITI, mail
from tests.flows.office import FlowOffice

APPLICANT = "siti@jamusari.example"


@pytest.fixture
def filing(office: FlowOffice) -> FlowOffice:
    """An office whose server files no copies, with an applicant who has written."""
    office.empty([APPLICANT])
    text = (office.folder / "config.yaml").read_text()
    assert "  gmail: {imap: " in text
    (office.folder / "config.yaml").write_text(text.replace("  gmail: {imap: ", "  gmail: {sent: append, imap: "))
    office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
    return office


def copies(office: FlowOffice) -> list[str]:
    """To whom the mails in the Sent folder went."""
    return [str(message_from_bytes(raw)["To"]) for raw in office.servers.messages(DESIGN, "Sent")]


def test_an_applicants_mail_has_one_copy_and_an_officers_none(filing: FlowOffice) -> None:
    """Those to officers hold tokens. The copy is the sent mail to the byte, and is not taken in as mail."""
    filing.work()
    filing.work()
    [to] = copies(filing)
    assert APPLICANT in to
    [raw] = filing.servers.messages(DESIGN, "Sent")
    [sent] = [one.raw for one in filing.mails(APPLICANT, 1)]
    assert sent.replace(b"\r\n", b"\n").endswith(raw.replace(b"\r\n", b"\n"))
    stores = filing.stores()
    assert sum(view.fates.get("ticket", 0) for view in stores.desk.mailboxes()) == 1
    stores.database.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_copy_that_was_cut_off_is_there_once(filing: FlowOffice, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """The connection broke off before the APPEND or after it; which of them, the folder tells, without a search."""
    usual = SentFolder.file_copy

    def broken(self: SentFolder, raw: bytes, sent_at: datetime) -> None:
        if when == "after":
            usual(self, raw, sent_at)
        raise ConnectionResetError("cut off")

    monkeypatch.setattr(SentFolder, "file_copy", broken)
    filing.work()
    assert len(filing.mails(APPLICANT, 1)) == 1
    assert len(copies(filing)) == (when == "after")
    monkeypatch.undo()
    filing.work()
    filing.work()
    assert len(copies(filing)) == 1


def test_a_sent_folder_that_takes_nothing_keeps_no_mail_back(
    filing: FlowOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mail has left; the copy waits, and is given up after five days."""

    def refused(self: SentFolder, raw: bytes, sent_at: datetime) -> None:
        self._client.append("no/such/folder", raw, (), sent_at)

    monkeypatch.setattr(SentFolder, "file_copy", refused)
    filing.work()
    assert len(filing.mails(APPLICANT, 1)) == 1
    monkeypatch.undo()
    filing.clock.wib(9, days=6)
    filing.work()
    assert not any("Kunyit" in raw.decode("utf-8", "replace") for raw in filing.servers.messages(DESIGN, "Sent"))
