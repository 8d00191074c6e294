"""`CATAT`: whoever came by another channel is a ticket like any other, and every mistake in the form is said."""

from __future__ import annotations

import pytest

from loket.core import contact
from loket.core.model import Fate, Kind, State
from tests.core.desk import office
from tests.core.room import DESK, DEWI, GITA, Room

FORM = """CATAT
Saluran: WA
Nama: Bu Sari
Kontak: 0812-3456-7890
Antrean: konsultasi-iklan
Perihal: Klaim pada spanduk

Bertanya apakah kalimat "menyehatkan" boleh dipakai.
"""


def changed(**lines: str) -> str:
    """The form with other values; an empty one leaves the line out."""
    written = FORM
    for name, value in lines.items():
        before = next((line for line in written.splitlines() if line.startswith(f"{name}:")), None)
        after = f"{name}: {value}\n" if value else ""
        written = written.replace(f"{before}\n", after) if before else written.replace("CATAT\n", f"CATAT\n{after}")
    return written


def test_a_contact_becomes_a_ticket_in_its_queue() -> None:
    room = Room()
    plan = room.say(DESK, FORM)
    ticket = plan.opened
    assert ticket is not None
    assert (ticket.channel, ticket.contact, ticket.applicant_name) == ("WhatsApp", "0812-3456-7890", "Sari")
    assert (ticket.queue, ticket.state, ticket.applicant) == ("konsultasi-iklan", State.OPEN, "")
    assert (ticket.subject, ticket.due_at is not None, plan.fate) == ("Klaim pada spanduk", True, Fate.COMMAND)
    assert [mail.recipient for mail in plan.outbox] == [DEWI]
    assert f"nomor tiket {ticket.number}" in room.receipt
    [event] = plan.events
    assert (event.kind, event.ticket, event.detail["channel"]) == ("opened", ticket.number, "WhatsApp")


def test_its_original_is_a_record_and_never_the_officers_own_mail() -> None:
    """That one holds the officer's token (promise P15)."""
    room = Room()
    plan = room.say(DESK, FORM, files=[("ktp.pdf", b"%PDF-1.4 x")])
    ticket = plan.opened
    assert ticket is not None
    record = next(new.content for new in plan.files if new.file == ticket.original)
    assert b"menyehatkan" in record
    assert b"ktp.pdf" in record
    assert room.received[-1] != record
    assert b"LKT-0000-000000-0" not in record
    assert ticket.attachments == 1


def test_with_an_address_the_applicant_is_acknowledged_and_the_answer_leaves_by_mail() -> None:
    room = Room()
    plan = room.say(DESK, changed(Email="Sari <sari@jamu.example>"))
    [letter] = [mail for mail in plan.outbox if mail.recipient == "sari@jamu.example"]
    assert letter.kind is Kind.ACKNOWLEDGEMENT
    assert plan.opened is not None
    number = plan.opened.number
    room.say(number, "JAWAB Boleh.\n")
    [delivery] = [mail for mail in room.last.outbox if mail.kind is Kind.DELIVERY]
    assert delivery.recipient == "sari@jamu.example"


def test_without_an_address_an_answer_is_kept_and_nothing_leaves() -> None:
    room = Room()
    plan = room.say(DESK, FORM)
    assert plan.opened is not None
    number = plan.opened.number
    room.say(number, "TANYA Spanduk yang mana?\n")
    assert room.reason() == "no-applicant"
    assert "0812-3456-7890, WhatsApp" in room.receipt
    room.say(number, "JAWAB Boleh dipakai.\n")
    assert [mail.recipient for mail in room.last.outbox] == [DEWI]
    assert (room.state(number), room.ticket(number).answered_by) == (State.CLOSED, DEWI)
    assert room.last.events[0].detail["words"] == "Boleh dipakai."
    assert "Sari, 0812-3456-7890, WhatsApp" in room.receipt


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ({"Saluran": ""}, "channel-required"),
        ({"Saluran": "merpati pos"}, "channel-unknown"),
        ({"Nama": ""}, "name-required"),
        ({"Kontak": ""}, "contact-required"),
        ({"Kontak": "ya"}, "contact-required"),
        ({"Email": "sari"}, "address-wrong"),
        ({"Email": "a@x.example, b@x.example"}, "address-wrong"),
        ({"Email": DEWI}, "address-wrong"),
        ({"Email": "iklan_otsk@yahoo.com"}, "address-wrong"),
        ({"Antrean": "berkas-ot"}, "queue-required"),
    ],
)
def test_what_is_wrong_is_said_and_the_form_comes_back(lines: dict[str, str], reason: str) -> None:
    room = Room()
    plan = room.say(DESK, changed(**lines))
    assert (plan.opened, room.reason(), plan.fate) == (None, reason, Fate.COMMAND)
    assert "belum dicatat" in room.receipt
    assert "\nSaluran:" in room.receipt
    assert "Sebabnya:" in room.receipt


def test_the_form_is_read_as_people_fill_it_in() -> None:
    """Other names, other order, bullets, no queue for an officer who has one, English."""
    room = Room()
    plan = room.say(DESK, "register\n- NAME : Pak Budi\n- phone = +62 812 333 669\n- Via: telpon\nTanya iklan.\n", GITA)
    ticket = plan.opened
    assert ticket is not None
    assert (ticket.channel, ticket.contact, ticket.queue) == ("Telepon", "+62 812 333 669", "konsultasi-iklan")
    assert ticket.subject == "Kontak melalui Telepon"


def test_who_comes_in_person_or_by_post_need_leave_no_number() -> None:
    room = Room()
    assert room.say(DESK, changed(Saluran="pos", Kontak="")).opened is not None


def test_the_same_mail_twice_is_one_ticket() -> None:
    room = Room()
    first = room.say(DESK, FORM).opened
    assert first is not None
    again = room.say(DESK, FORM)
    assert (again.opened, room.reason()) == (None, "registered-already")
    assert first.number in room.receipt


def test_a_ticket_number_in_the_words_is_no_command() -> None:
    room = Room()
    number = room.ask()
    plan = room.say(DESK, f"{FORM}\n{number} sudah pernah dijawab.\n")
    assert plan.opened is not None
    assert plan.changed == ()


@pytest.mark.parametrize(
    ("written", "name"),
    [("wa", "WhatsApp"), ("Whatsap", "WhatsApp"), ("TELP", "Telepon"), ("walk-in", "Tatap muka"), ("surat", "Pos")],
)
def test_channels_have_many_names(written: str, name: str) -> None:
    assert contact.channel(written) == name


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Bu Sari", "Sari"),
        ("Bpk. Budi", "Budi"),
        ("Ibu", "Ibu"),
        ("Budiman", "Budiman"),
        ("PT Jamu Sari", "PT Jamu Sari"),
    ],
)
def test_a_name_is_kept_without_its_honorific(written: str, kept: str) -> None:
    """The letter begins with `Yth. Bapak/Ibu` by itself."""
    assert contact.name(written) == kept


@pytest.mark.parametrize(
    ("written", "queue"), [("Konsultasi Registrasi Iklan", "konsultasi-iklan"), ("Loket C", None), ("Loket X", None)]
)
def test_a_counter_that_is_named_stands_for_its_queue_where_it_has_one(written: str, queue: str | None) -> None:
    """Of the officer's own queues; another counter is none of theirs."""
    plan = Room().say(DESK, changed(Antrean=written))
    assert (plan.opened.queue if plan.opened else None) == queue


def test_a_counter_of_several_queues_says_which_there_are() -> None:
    room = Room(office=office())
    room.say(DESK, changed(Antrean="loket d"), who="ani@pom.go.id")
    assert room.reason() == "queue-required"
    assert "revisi-desain-ot, ambil-sk-ot." in room.receipt
    assert "triase" not in room.receipt
