"""Every command in both languages, in replies as real clients wrote them, through real servers.

`tests/corpus/commands/README.md` says how the mails came about. The tokens in them are those of `tests/core/desk.py`'s
keys, which the office of this story has too.
"""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes

import pytest

from loket.core.model import State
from loket.demo.officer import Answer, answer, confirm
from tests.core.desk import CORPUS, KEYS
from tests.flows.letters import DESIGN, SITI, mail, scan
from tests.flows.office import FlowOffice, Mail
from tests.flows.test_conversations import PDF, digest_of, only
from tests.flows.test_proof import ANI, APPLICANT, deliveries

IKLAN, WATI, DEWI, NUMBER = "iklan_otsk@yahoo.com", "wati@iklan.example", "dewi@pom.go.id", "LKT-2026-000001-1"
COMMANDS = CORPUS / "commands"
CLIENTS = sorted(path.name for path in COMMANDS.iterdir() if path.is_dir())

# What the officer is told, in the order of the mails.
TOLD = [
    "Tiket ini sekarang Anda kerjakan",
    "Tiket ini sudah Anda lepaskan",
    "Catatan Anda sudah disimpan",
    "Jumat, 4 Desember 2026",
    f"Nomor tiket: {NUMBER}",
    "Pertanyaan Anda dikirim kepada pemohon",
    "tidak dapat ditarik kembali",
    "belum dilaksanakan",
    "belum dilaksanakan",
    "Kontak sudah dicatat",
    "30 November 2026",
    "Selamat bertugas kembali",
    "- TUNDA: Tunda sampai tanggal tertentu",
    "Tiket sudah dialihkan ke Konsultasi IT",
    "Sudah sesuai, silakan dipakai.",
]


def test_there_are_three_clients_and_every_command_in_both_languages() -> None:
    assert CLIENTS == ["mutt", "neomutt", "s-nail"]
    for client in CLIENTS:
        assert len(list((COMMANDS / client).glob("*.eml"))) == len(TOLD)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_real_clients_reply_is_obeyed_and_told_of_whatever_its_command(office: FlowOffice, client: str) -> None:
    """Above, below and between what the client quoted: each mail's own receipt says what was done, or why not."""
    office.set_up(("queues: [konsultasi-it]", "queues: [konsultasi-it, konsultasi-iklan]"))
    text = (office.folder / "config.yaml").read_text()
    wide = text.replace(
        "queues: [konsultasi-zoom, konsultasi-chat, konsultasi-iklan]", "queues: [konsultasi-iklan, konsultasi-it]"
    )
    assert wide != text
    (office.folder / "config.yaml").write_text(wide)
    (office.folder / "secret").write_bytes(KEYS.keys[KEYS.signing])
    office.empty([WATI])
    office.submit(mail(f"Wati <{WATI}>", IKLAN, "Iklan radio"))
    office.work()
    for path, wanted in zip(sorted((COMMANDS / client).glob("*.eml")), TOLD, strict=True):
        raw = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        office.servers.lmtp(raw, IKLAN, DEWI)
        office.work()
        asked = str(message_from_bytes(raw)["Message-ID"])
        [receipt] = [one for one in map(Mail, office.servers.messages(DEWI)) if one.message["In-Reply-To"] == asked]
        assert wanted in f"{receipt.subject}\n{receipt.text}", path.name
    _, question, delivery = office.mails(WATI, 3)
    assert "Untuk media apa iklannya?" in question.text
    assert "Sudah sesuai, silakan dipakai." in delivery.text
    for letter in (question, delivery):
        assert "Yth. Dewi" not in letter.text
        assert "mailto:" not in letter.text
    stores = office.stores()
    ticket = stores.desk.ticket(NUMBER)
    assert ticket is not None
    assert (ticket.state, ticket.queue, ticket.answered_by) == (State.CLOSED, "konsultasi-it", DEWI)
    assert stores.desk.quarantined() == []
    stores.database.close()


@pytest.mark.parametrize("word", ["YA", "YES"])
def test_a_code_is_sent_back_in_either_language(office: FlowOffice, word: str) -> None:
    """The letter leaves on it, and on nothing before."""
    office.empty([APPLICANT])
    office.submit(mail(SITI, DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=PDF))
    office.work()
    digest = digest_of(office, ANI, 1)
    [said] = answer(digest.raw, only("SK", Answer("", (scan("SK NIE"),))), now=office.clock.now())
    office.submit(said)
    office.work()
    assert deliveries(office) == []
    office.clock.at += timedelta(minutes=2)
    office.work()
    [confirmed] = [found for raw in office.servers.messages(ANI) if (found := confirm(raw, now=office.clock.now()))]
    said = confirmed.replace(b"\nYA ", f"\n{word} ".encode())
    assert f"\n{word} ".encode() in said
    office.submit(said)
    office.work()
    [letter] = deliveries(office)
    assert letter.attachments()[0][2] == scan("SK NIE").content
