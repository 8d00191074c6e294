"""Letters go out in the language the applicant plainly writes in, else in the office's own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loket.core import tongue
from loket.core.tongue import language_of
from tests.core.desk import Desk, letter, office, shown

ENGLISH = "Dear Sir or Madam,\nPlease find attached the revised design of our product. Thank you.\n"
INDONESIAN = "Yth. Bapak/Ibu,\nTerlampir desain yang sudah kami revisi. Mohon untuk diproses. Terima kasih.\n"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        (INDONESIAN, "id"),
        ("Ambil SK_OT_Jamu Kunyit", None),
        ("Thank you", None),
        ("", None),
        ("Terima kasih, please find attached berkas yang kami kirim, thank you for your help", None),
        ("Sehr geehrte Damen und Herren, anbei das Formular", None),
    ],
)
def test_a_language_is_told_only_where_it_is_plain(text: str, language: str | None) -> None:
    assert language_of(text, {"id", "en"}) == language


def test_a_language_the_office_has_no_letters_in_is_none() -> None:
    assert language_of(ENGLISH, {"id"}) is None


def test_an_english_letter_is_answered_in_english_to_the_end() -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu Kunyit", body=ENGLISH)
    assert ticket.language == "en"
    text = shown(desk.plans[-1].outbox[0])
    assert "Dear Sari," in text
    assert "Yth." not in text
    assert "Product name: Jamu Kunyit" in text


def test_a_correction_in_english_asks_for_what_is_missing_in_english() -> None:
    desk = Desk()
    ticket = desk.opened("Ambil SK_OT_Jamu Kunyit", body=ENGLISH)
    text = shown(desk.plans[-1].outbox[0])
    assert ticket.missing == ("attachments",)
    assert "desain yang" not in text
    desk.take(letter(f"Re: [{ticket.number}]", INDONESIAN, uid=2))
    assert desk.ticket(ticket.number).language == "en"


@pytest.mark.parametrize("body", [INDONESIAN, "Ini\n", ""])
def test_any_other_letter_is_answered_in_the_offices_own(body: str) -> None:
    desk = Desk()
    desk.opened("Revisi Desain_OT_Jamu Kunyit", body=body)
    assert "Yth. Bapak/Ibu Sari," in shown(desk.plans[-1].outbox[0])


def test_the_english_office_keeps_what_must_be_typed() -> None:
    english = office().speaking("en")
    assert english.language == "en"
    assert english.blanks == office().blanks
    assert english.desks is office().desks
    assert office().speaking("de") is office()


@pytest.mark.parametrize(
    ("hours", "language", "said"),
    [
        ("Mon-Fri 08:30-16:00", "id", "Senin–Jumat, 08.30–16.00 WIB"),
        ("Mon-Fri 08:30-12:00, Mon-Fri 13:00-16:00", "id", "Senin–Jumat, 08.30–12.00 dan 13.00–16.00 WIB"),
        (
            "Mon-Thu 08:30-16:00, Fri 08:30-11:30, Fri 13:30-16:30",
            "en",
            "Monday–Thursday, 08:30–16:00; Friday, 08:30–11:30 and 13:30–16:30 WIB",
        ),
    ],
)
def test_hours_with_breaks_are_printed_a_day_at_a_time(hours: str, language: str, said: str) -> None:
    assert tongue.hours(hours, "WIB", language) == said


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "0 menit"), (59, "59 menit"), (60, "1 jam"), (450, "7 jam 30 menit"), (6000, "100 jam")]
)
def test_working_time_is_said_in_hours_and_minutes(minutes: int, said: str) -> None:
    assert tongue.working(timedelta(minutes=minutes), "id") == said


@pytest.mark.parametrize(
    ("count", "indonesian", "english"),
    [
        (0, "0 B", "0 B"),
        (999, "999 B", "999 B"),
        (12_400, "12 KB", "12 KB"),
        (999_499, "999 KB", "999 KB"),
        # Not 1000 KB.
        (999_500, "1,0 MB", "1.0 MB"),
        (3_440_000, "3,4 MB", "3.4 MB"),
    ],
)
def test_a_size_is_written_as_its_reader_writes_numbers(count: int, indonesian: str, english: str) -> None:
    assert (tongue.octets(count, "id"), tongue.octets(count, "en"), tongue.octets(count)) == (
        indonesian,
        english,
        english,
    )
