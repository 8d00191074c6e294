"""Letters go out in the language the applicant plainly writes in, else in the office's own."""

from __future__ import annotations

import pytest

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
