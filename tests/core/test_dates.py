"""Days as officers write them."""

from __future__ import annotations

from datetime import date

import pytest

from loket.core.dates import read_day, read_first_day

TUESDAY = date(2026, 11, 24)

DAYS = {
    "2026-12-05": date(2026, 12, 5),
    "5 Desember": date(2026, 12, 5),
    "5 desember 2026": date(2026, 12, 5),
    "5 Des.": date(2026, 12, 5),
    "5-Des-2026": date(2026, 12, 5),
    "5 Dec 2026": date(2026, 12, 5),
    "December 5": date(2026, 12, 5),
    "Dec 5th, 2026": date(2026, 12, 5),
    "5th of December": date(2026, 12, 5),
    "5/12": date(2026, 12, 5),
    "05/12/2026": date(2026, 12, 5),
    "5.12.26": date(2026, 12, 5),
    "sampai 5 Desember": date(2026, 12, 5),
    "sampai dengan tanggal 5 Desember 2026.": date(2026, 12, 5),
    "s.d. 5 Desember": date(2026, 12, 5),
    "s/d 5/12": date(2026, 12, 5),
    "until Dec 5": date(2026, 12, 5),
    "Sabtu, 5 Desember 2026": date(2026, 12, 5),
    "Senin 7 Desember": date(2026, 12, 7),
    "hari Senin tgl. 7/12": date(2026, 12, 7),
    "Senin (7 Des 2026)": date(2026, 12, 7),
    "Monday Dec 7": date(2026, 12, 7),
    "Senin, 8 Desember": None,
    "Senin": date(2026, 11, 30),
    "Jumat minggu depan": date(2026, 12, 4),
    "tanggal 7": date(2026, 12, 7),
    "sampai tgl 24": date(2026, 11, 24),
    "Senin tgl 7": date(2026, 12, 7),
    "7": None,
    "hari Senin depan": date(2026, 11, 30),
    "next Monday": date(2026, 11, 30),
    "Jum'at": date(2026, 11, 27),
    "Selasa": date(2026, 12, 1),
    "besok": date(2026, 11, 25),
    "lusa": date(2026, 11, 26),
    "tomorrow": date(2026, 11, 25),
    "3 hari": date(2026, 11, 27),
    "3 hari lagi": date(2026, 11, 27),
    "in 2 weeks": date(2026, 12, 8),
    "1 minggu": date(2026, 12, 1),
    "minggu depan": date(2026, 12, 1),
    "3 Januari": date(2027, 1, 3),
    "29 Februari": None,
    "31/11": None,
    "2026-11-23": None,
    "2029-01-01": None,
    "12/5/2026": None,
    "kapan-kapan": None,
    "5 Desembr": None,
    "999 hari": None,
    "": None,
}


@pytest.mark.parametrize(("text", "day"), DAYS.items(), ids=DAYS)
def test_a_day_is_read_or_not_known_and_never_guessed(text: str, day: date | None) -> None:
    assert read_day(text, TUESDAY) == day


def test_words_behind_the_day_are_kept() -> None:
    assert read_first_day("5 Desember 2026 menunggu surat", TUESDAY) == (date(2026, 12, 5), "menunggu surat")
    assert read_first_day("Senin: menunggu", TUESDAY) == (date(2026, 11, 30), "menunggu")
    assert read_first_day("menunggu surat", TUESDAY) == (None, "menunggu surat")
    assert read_first_day("5 Desember (Sabtu) 2 berkas", TUESDAY) == (date(2026, 12, 5), "(Sabtu) 2 berkas")


@pytest.mark.parametrize(
    "text",
    [
        "7 Desember - 12 Desember",
        "7 Desember s.d. 12 Desember",
        "7-12 Desember",
        "Senin 7",
        "Senin, 8 Desember",
        "Senin 8 Desember menunggu surat",
        "Senin sampai Rabu",
        "7 hari kerja",
    ],
)
def test_a_line_that_goes_on_to_another_day_is_asked_for_again(text: str) -> None:
    """Else `CUTI 7 Desember - 12 Desember` begins today and is over on the seventh, and nobody notices."""
    assert read_first_day(text, TUESDAY) == (None, text)
