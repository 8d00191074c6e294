"""One mail about several items, as an answer to a digest: a line with its number for each."""

from __future__ import annotations

import time

import pytest

from loket.core.lines import read_lines
from loket.core.model import Kind, State
from tests.core.desk import shown
from tests.core.room import DESK, DEWI, GITA, Room


def test_each_line_with_a_number_is_carried_out_and_one_letter_tells_of_all() -> None:
    room = Room()
    one, two, three = room.ask(), room.ask(), room.ask()
    room.say(DESK, f"Selamat pagi,\n\n{one} JAWAB\nSudah benar.\n\nSalam,\n{two}: ambil\n[{three}] CATTAN x\n")
    assert [mail.kind for mail in room.last.outbox] == [Kind.DELIVERY, Kind.RECEIPT]
    assert (room.state(one), room.ticket(two).claimed_by, room.state(three)) == (State.CLOSED, DEWI, State.OPEN)
    for number in (one, two, three):
        assert f"== {number}: " in room.receipt
    assert "Mungkin yang Anda maksud: CATATAN" in room.receipt
    assert room.receipt.count("Yth. ") == 1


def test_the_words_below_a_line_go_to_its_applicant_and_to_no_other() -> None:
    room = Room()
    one, two = room.ask(), room.ask()
    room.say(DESK, f"{one} JAWAB\nuntuk satu\n{two} JAWAB\nuntuk dua\n")
    first, second = (b"".join(map(bytes, mail.segments)) for mail in room.last.outbox[:2])  # type: ignore[arg-type]
    assert (b"untuk satu" in first, b"untuk dua" in first) == (True, False)
    assert (b"untuk satu" in second, b"untuk dua" in second) == (False, True)


@pytest.mark.parametrize("before", ["2. ", "2) ", "(2) ", "- No. ", "Tiket ", "2. Nomor tiket: [", "\u2022 #"])
def test_a_numbered_line_is_an_item_and_no_word_for_the_applicant_above(before: str) -> None:
    room = Room()
    one, two = room.ask(), room.ask()
    room.say(DESK, f"{one} JAWAB\nuntuk satu\n{before}{two} AMBIL\n")
    [letter] = room.to_applicant()
    assert two not in shown(letter)
    assert room.ticket(two).claimed_by == DEWI


@pytest.mark.parametrize("line", ["JAWAB {two}", "Jawab: [{two}]", "2. *JAWAB* tiket {two}", "- jawab  {two}:"])
def test_a_command_before_its_number_begins_an_item_too(line: str) -> None:
    """Else what is meant for the second applicant goes to the first."""
    room = Room()
    one, two = room.ask(), room.ask()
    room.say(DESK, f"JAWAB {one}\nuntuk satu, lihat {one}\n\n{line.format(two=two)}\nuntuk dua\n")
    first, second = (shown(mail) for mail in room.to_applicant())
    assert ("untuk satu, lihat" in first, two in first, "untuk dua" in first) == (True, False, False)
    assert ("untuk dua" in second, one in second, "untuk satu" in second) == (True, False, False)


def test_a_word_before_a_number_that_is_no_command_is_the_applicants() -> None:
    room = Room()
    one, two = room.ask(), room.ask()
    room.say(DESK, f"{one} JAWAB\nMohon buka\nlihat {two} juga\n")
    [letter] = room.to_applicant()
    assert f"lihat {two} juga" in shown(letter)


def test_two_lines_about_one_ticket_see_each_other() -> None:
    room = Room()
    number = room.ask()
    room.say(DESK, f"{number} CATATAN sudah ditelepon\n{number} JAWAB Baik.\n{number} JAWAB Lagi.\n")
    ticket = room.ticket(number)
    assert (ticket.state, ticket.note) == (State.CLOSED, "Dewi: sudah ditelepon")
    assert (len(room.to_applicant()), len(room.last.held)) == (1, 1)
    assert len({mail.key for mail in room.last.outbox}) == len(room.last.outbox)


@pytest.mark.parametrize(
    ("names", "left"),
    [(("scan.pdf", "{two}.pdf"), 0), (("{one}.pdf", "Surat {two}.pdf"), 2), (("{one}.pdf",), 2)],
)
def test_a_scan_goes_only_where_its_name_says(names: tuple[str, ...], left: int) -> None:
    room = Room()
    one, two = room.ask(), room.ask()
    files = [(name.format(one=one, two=two), name.encode()) for name in names]
    room.say(DESK, f"{one} JAWAB Satu.\n{two} JAWAB Dua.\n", files=files)
    assert len(room.to_applicant()) == left
    if left == 0:
        assert "tidak jelas" in room.receipt
        assert room.state(one) is State.OPEN
    sent = {
        mail.ticket: [name for name, _ in files if name.encode() in bytes(str(mail.segments), "utf-8")]
        for mail in room.to_applicant()
    }
    for number, there in sent.items():
        assert all(str(number) in name for name in there)


def test_a_single_items_scans_are_its_own() -> None:
    room = Room()
    number = room.ask()
    room.say(DESK, f"{number} JAWAB Terlampir.\n", files=[("scan.pdf", b"%PDF x")])
    assert len(room.last.files) == 1


def test_a_number_that_is_no_ticket_is_told_so_and_what_follows_it_goes_to_nobody() -> None:
    room = Room()
    one = room.ask()
    room.say(DESK, f"{one} JAWAB\nuntuk satu\nLKT-2026-000099-0 JAWAB\nuntuk dua\nLKT-2026-99\nuntuk tiga\n")
    [letter] = room.to_applicant()
    assert "untuk satu" in shown(letter)
    assert "untuk dua" not in shown(letter)
    assert "untuk tiga" not in shown(letter)
    assert room.receipt.count("tidak ditemukan") == 2


def test_a_command_above_the_lines_is_carried_out_and_a_greeting_is_none() -> None:
    room = Room()
    one = room.ask()
    room.say(DESK, f"CUTI 3 hari\n\n{one} AMBIL\n")
    assert (set(room.known.away), room.ticket(one).claimed_by) == ({DEWI}, DEWI)
    room.say(DESK, f"Pagi, berikut jawaban saya\n\n{one} LEPAS\n")
    assert room.ticket(one).claimed_by is None, "who is away and writes all the same has it still"
    assert "1 perintah" in room.receipt


QUOTED = [
    "________________________________\nDari: Loket D <d@gmail.com>\nDikirim: Selasa\nKepada: Dewi\nPerihal: Rekap\n\n",
    "On Tuesday, November 24, 2026 at 09:00:00 AM GMT+7, Loket D <d@gmail.com> wrote:\n\n",
    "-----Pesan Asli-----\nDari: Loket D\nDikirim: Selasa\n\n",
]


@pytest.mark.parametrize("attribution", QUOTED)
def test_an_empty_answer_does_not_make_a_quoted_digest_speak(attribution: str) -> None:
    """An applicant chooses what a product is called, and some clients quote without a mark."""
    room = Room()
    number = room.ask()
    room.say(DESK, f"\n{attribution}Rekap\n{number}) JAWAB Disetujui\nPemohon lain: Tono\n")
    assert (room.to_applicant(), room.state(number)) == ([], State.OPEN)


def test_too_many_items_are_not_begun_in_silence() -> None:
    room = Room()
    number = room.ask()
    room.say(DESK, f"{number} STATUS\n" * 200 + "LKT-2026-000777-1 STATUS\n")
    assert "Baris LKT-2026-000777-1\r\ndan semua di bawahnya tidak dikerjakan" in room.receipt


def test_a_digests_token_alone_says_no_ticket() -> None:
    room = Room()
    room.ask()
    room.say(DESK, "JAWAB Baik.\n")
    assert (room.last.events[0].kind, room.to_applicant()) == ("command-unknown", [])
    room.say(DESK, "AMBIL\n")
    assert room.reason() == "no-ticket"
    assert "LKT-2026-000123-7 AMBIL" in room.receipt


def test_a_tickets_token_speaks_for_no_other_ticket() -> None:
    room = Room()
    one, two = room.ask(), room.ask()
    room.say(one, f"{two} JAWAB Baik.\n", GITA)
    assert (room.reason(), room.to_applicant()) == ("other-ticket", [])
    room.say(one, f"{one} JAWAB\nBaik.\n{two} JAWAB ini kutipan\n", GITA)
    assert (room.state(one), room.state(two)) == (State.CLOSED, State.OPEN)


@pytest.mark.parametrize(
    "line", ["*" * 1_000_000, "- " * 500_000, "1. " * 300_000, "no " * 300_000, "SK " + "-" * 900_000]
)
def test_no_line_keeps_a_mailbox_waiting(line: str) -> None:
    begun = time.process_time()
    read_lines(line, {"SK"})
    assert time.process_time() - begun < 5
