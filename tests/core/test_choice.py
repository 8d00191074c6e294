"""Replies to an offer of appointments, as people write them: which one is meant, or none, and nothing guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from loket.core.choice import Again, CallOff, Choice, Nothing, Picked, Unclear, read

WIB = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=WIB)


def at(day: int, hour: int, minute: int = 0, month: int = 12) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=WIB).astimezone(UTC)


# 1. Mon 30 Nov 09.00  2. Mon 30 Nov 14.00  3. Mon 7 Dec 10.00  4. Mon 7 Dec 10.30  5. Mon 14 Dec 13.00
OFFERED = [at(30, 9, month=11), at(30, 14, month=11), at(7, 10), at(7, 10, 30), at(14, 13)]
FREE = [*OFFERED, at(14, 9), at(14, 9, 30), at(21, 10)]


def chosen(words: str, own: datetime | None = None, offered: list[datetime] = OFFERED) -> Choice:
    return read(words, offered, FREE, own, WIB, NOW)


PICKS = [
    ("nomor 2", 2),
    ("2", 2),
    ("No. 2", 2),
    ("no 2 ya bu", 2),
    ("Nomor 2, terima kasih.", 2),
    ("#4", 4),
    ("*3*", 3),
    ("pilihan 3", 3),
    ("Opsi 5 saja", 5),
    ("Saya pilih nomor dua", 2),
    ("yang kedua", 2),
    ("Yang ke-3 saja Bu", 3),
    ("yang pertama", 1),
    ("yang terakhir", 5),
    ("Kami ambil jadwal nomor 3 karena hari lainnya direktur kami sedang dinas", 3),
    ("Selamat pagi Bu Dewi,\n\nSaya pilih yang keempat.\n\nTerima kasih\nSiti", 4),
    ("Yth. Petugas\nDengan hormat\nnomor 1", 1),
    ("Tidak masalah, nomor 2", 2),
    ("Senin 7 Desember jam 10.00", 3),
    ("Senin, 7 Desember 2026, pukul 10.30 WIB", 4),
    ("7/12 pukul 10", 3),
    ("7/12/2026 10:30", 4),
    ("7-12-2026 jam 10", 3),
    ("2026-12-07 10:00", 3),
    ("tgl 14 jam 1 siang", 5),
    ("tanggal 14 Des pukul 13.00", 5),
    ("jam 9 saja", 1),
    ("jam 2 siang", 2),
    ("pukul 14.00", 2),
    ("jam dua", 2),
    ("30 November jam sembilan pagi", 1),
    ("7 Desember setengah sebelas", 4),
    ("the second one, please", 2),
    ("Number 4 works for us", 4),
    ("option three", 3),
    ("Monday 7 December at 10:30", 4),
    ("December 14, 1 pm", 5),
    ("Dec 7 at 10 am", 3),
    ("I'd like the last slot", 5),
    ("14 Des", 5),
    ("nomer3", 3),
    ("yang ke dua", 2),
    ("dua", 2),
    ("Two please", 2),
    ("the 2nd", 2),
    ("3rd one", 3),
    ("Nomor : 3", 3),
    ("Senin 7 Des 10.00-10.30", 3),
    ("pukul 10.00 s/d 10.30 WIB", 3),
    ("2. Senin, 30 November 2026, pukul 14.00 WIB", 2),
    ("Dengan ini kami konfirmasi hadir pada nomor 2", 2),
    ("Please book Monday, December 7th at 10am", 3),
    ("nomor 3, Senin 7 Desember jam 10.00", 3),
]


@pytest.mark.parametrize(("words", "number"), PICKS, ids=[words for words, _ in PICKS])
def test_a_plain_choice_is_one_of_the_offer(words: str, number: int) -> None:
    assert chosen(words) == Picked(OFFERED[number - 1])


def test_a_moment_that_is_free_but_was_not_offered_may_be_chosen_by_its_day_and_time() -> None:
    assert chosen("Senin 21 Desember jam 10") == Picked(at(21, 10))
    assert chosen("14 Desember jam setengah sepuluh") == Picked(at(14, 9, 30))


def test_a_moment_that_there_is_none_of_is_what_was_said_and_nothing_near_it() -> None:
    assert chosen("Selasa 8 Desember jam 10") == Picked(at(8, 10))
    assert chosen("Senin 7 Desember jam 15.00") == Picked(at(7, 15))


UNCLEAR = [
    ("nomor 1 atau 2", (1, 2)),
    ("nomor 1, 2 atau 4", (1, 2, 4)),
    ("nomor 2, kalau penuh nomor 3", (2, 3)),
    ("nomor 3, jam 9", ()),
    ("nomor 6", ()),
    ("nomor 0", ()),
    ("Senin", (1, 2, 3, 4, 5)),
    ("Senin 7 Desember", (3, 4)),
    ("30/11", (1, 2)),
    ("bukan nomor 2", (2,)),
    ("Kamis", ()),
    ("jam 8", ()),
]


@pytest.mark.parametrize(("words", "numbers"), UNCLEAR, ids=[words for words, _ in UNCLEAR])
def test_what_fits_several_or_none_is_not_guessed(words: str, numbers: tuple[int, ...]) -> None:
    assert chosen(words) == Unclear(tuple(OFFERED[number - 1] for number in numbers))


@pytest.mark.parametrize(
    "words",
    [
        "ganti jadwal",
        "Mohon jadwal ulang Bu",
        "Apakah ada hari lain?",
        "Tidak ada yang cocok, ada waktu lain?",
        "nomor 1 dan 2 tidak bisa",
        "Mohon maaf kami tidak bisa hadir",
        "Could we reschedule?",
        "none of these work, please send another date",
        "Mohon penjadwalan ulang",
    ],
)
def test_another_moment_may_be_asked_for(words: str) -> None:
    assert chosen(words) == Again()


@pytest.mark.parametrize(
    "words",
    [
        "Batal",
        "batal saja bu",
        "Mohon dibatalkan",
        "Kami tidak jadi konsultasi",
        "Please cancel",
        "Cancel our appointment",
    ],
)
def test_it_may_be_called_off(words: str) -> None:
    assert chosen(words) == CallOff()


def test_an_appointment_is_called_off_by_its_own_day_and_no_other() -> None:
    assert chosen("Batalkan jadwal Senin 7 Desember jam 10.00", own=at(7, 10)) == CallOff()
    assert chosen("Batalkan nomor 1", own=at(7, 10)) == Unclear((OFFERED[0],))


NOTHING = [
    "Apakah bisa dibatalkan?",
    "Jangan dibatalkan ya",
    "Apa saja yang perlu kami siapkan untuk konsultasi nanti?",
    "PT Jamu Segar, Jl. Melati No. 2",
    "Nomor 2 pada formulir belum kami isi",
    "Telp 021 4244691",
    "Sesuai surat nomor 12/2020",
    "Peserta 2 orang",
    "terserah",
    "Produk kami ada 3 macam dan semuanya belum terdaftar",
    "Terlampir surat kuasa",
    "Berapa lama konsultasinya?",
]


@pytest.mark.parametrize("words", NOTHING)
def test_a_line_about_something_else_is_no_choice(words: str) -> None:
    assert chosen(words) == Nothing()


@pytest.mark.parametrize("words", ["Baik, terima kasih", "Terima kasih Bu", "Siap", "", "ok thanks"])
def test_thanks_alone_choose_nothing_of_several(words: str) -> None:
    assert chosen(words) == Nothing(courteous=True)


@pytest.mark.parametrize(
    "words", ["Ya", "Baik, terima kasih", "Setuju", "Ya saya bersedia", "OK that works", "1", "bisa"]
)
def test_yes_is_the_only_moment_on_offer(words: str) -> None:
    assert chosen(words, offered=[at(21, 10)]) == Picked(at(21, 10))


@pytest.mark.parametrize("words", ["Apakah bisa?", "tidak setuju", "belum bisa"])
def test_no_and_a_question_are_no_yes(words: str) -> None:
    assert not isinstance(chosen(words, offered=[at(21, 10)]), Picked)


def test_whoever_has_one_names_where_to_move_it() -> None:
    own = at(7, 10)
    assert chosen("ganti ke Senin 14 Desember jam 13.00", own) == Picked(at(14, 13))
    assert chosen("Mohon jadwal kami 7 Desember jam 10 dipindah ke 14 Desember jam 13", own) == Picked(at(14, 13))
    assert chosen("nomor 4 saja", own) == Picked(at(7, 10, 30))
    assert chosen("jam 10.30 saja", own) == Picked(at(7, 10, 30))
    assert chosen("Senin 7 Desember jam 10.00", own) == Picked(own)


@pytest.mark.parametrize(
    "asked", ["Apakah nomor 3 masih tersedia?", "Senin 7 Des jam 10 masih kosong, Bu?", "Is number 3 still available?"]
)
def test_who_asks_whether_a_time_is_still_there_has_not_taken_it(asked: str) -> None:
    assert chosen(asked) == Unclear((OFFERED[2],))


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("hari Senin depan jam 2", 2),
        ("nmr 3", 3),
        ("yg ke 2", 2),
        ("Kami bertiga, pilih no 5", 5),
        ("Senin tgl 7 jam setengah 11", 4),
        ("Boleh yang nomor 4 bu?", 4),
    ],
)
def test_more_ways_of_saying_which(words: str, number: int) -> None:
    assert chosen(words) == Picked(OFFERED[number - 1])


@pytest.mark.parametrize(
    "words", ["tidak bisa", "nomor 1 tidak bisa, nomor 3 bisa", "Untuk nomor 3 kami tidak bisa hadir"]
)
def test_what_cannot_be_is_never_taken(words: str) -> None:
    assert chosen(words) == Again()
