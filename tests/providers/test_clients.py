"""What applicants' mail programs and their servers do to a mail."""

from __future__ import annotations

from email import message_from_bytes

import pytest

from loket.core.model import Fate
from tests.core.desk import DESAIN, SARI, Desk, letter, read

TNEF = b"\x78\x9f\x3e\x22" + bytes(range(256))


def written(to: str = DESAIN, message_id: str = "Message-ID: <1@x>\r\n") -> bytes:
    """A plain mail with that recipient and that field."""
    head = f"From: Sari <{SARI}>\r\nTo: {to}\r\nSubject: Revisi Desain_OT_Jamu Kunyit\r\n{message_id}"
    return f"{head}\r\nTerlampir.\r\n".encode()


def test_a_winmail_dat_is_an_enclosure_that_the_officer_gets_as_it_is() -> None:
    """Outlook's packing (TNEF): what is in it cannot be looked into, so a person has to; nothing of it is lost."""
    mail = letter("Ambil SK_OT_Jamu Kunyit", files=[("winmail.dat", TNEF)])
    plan = Desk().take(mail)
    assert plan.fate is Fate.TICKET
    assert plan.opened is not None
    assert plan.opened.attachments == 1
    [enclosed] = [part for part in message_from_bytes(bytes(mail.raw.data)).walk() if part.get_filename()]
    assert enclosed.get_payload(decode=True) == TNEF


@pytest.mark.parametrize("field", ["", "Message-ID: <>\r\n", "Message-ID:\r\n", "Message-ID: no brackets\r\n"])
def test_a_mail_without_a_message_id_is_a_ticket_like_any_other(field: str) -> None:
    """And is acknowledged; two of them are two tickets."""
    desk = Desk()
    plans = [desk.take(read(written(message_id=field) + text, DESAIN, uid)) for uid, text in enumerate((b"a", b"b"), 1)]
    assert [plan.fate for plan in plans] == [Fate.TICKET, Fate.TICKET]
    assert all(SARI in {out.recipient for out in plan.outbox} for plan in plans)


def test_mail_to_the_address_with_a_detail_is_the_counters() -> None:
    """Plus addressing: `name+token@` comes to the same mailbox, and is answered from the plain address."""
    plan = Desk().take(read(written(to=DESAIN.replace("@", "+t0ken@")), DESAIN))
    assert plan.fate is Fate.TICKET
    assert {out.sender for out in plan.outbox} == {DESAIN}
