"""References prove what they are for: this ticket, this officer, for a while, under a key of ours."""

from __future__ import annotations

import base64
import hmac
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loket.core import token
from loket.core.token import OFFICER_LIFE, Keys
from tests.core.desk import ANI, BUDI, KEYS, NOW, QUIET

NUMBER = token.number("LKT", 2026, 123)
OTHER = token.number("LKT", 2026, 124)


def test_a_ticket_reference_names_its_ticket_and_never_an_officer() -> None:
    reference = KEYS.ticket(NUMBER)
    assert KEYS.read_ticket(reference) == NUMBER
    assert KEYS.read_officer(reference, "", NOW) is None
    assert not token.holds_officer_token(reference)


def test_an_officers_token_is_good_for_that_officer_and_ticket_alone() -> None:
    mine = KEYS.officer(NUMBER, ANI, NOW)
    assert KEYS.read_officer(mine, ANI, NOW) == NUMBER
    assert KEYS.read_officer(mine, BUDI, NOW) is None
    assert KEYS.read_officer(mine.replace(NUMBER, OTHER), ANI, NOW) is None
    assert KEYS.read_ticket(mine) is None
    assert KEYS.read_ticket(mine.replace(".o.", ".t.")) is None


@given(st.integers(0, 25), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
@QUIET
def test_one_changed_character_of_the_proof_breaks_it(at: int, char: str) -> None:
    mine = KEYS.officer(NUMBER, ANI, NOW)
    at -= 26
    forged = mine[:at] + char + (mine[at + 1 :] if at != -1 else "")
    assume(forged != mine)
    assert KEYS.read_officer(forged, ANI, NOW) is None


@given(st.text(max_size=80))
@QUIET
def test_nothing_that_is_made_up_proves_anything(text: str) -> None:
    made_up = f"{NUMBER}.o.k1.9999.{'a' * 26} {text}"
    assert KEYS.read_officer(made_up, ANI, NOW) is None
    assert KEYS.read_ticket(made_up) is None


def test_a_token_expires_after_its_life_and_its_day_cannot_be_moved() -> None:
    mine = KEYS.officer(NUMBER, ANI, NOW)
    assert KEYS.read_officer(mine, ANI, NOW + OFFICER_LIFE) == NUMBER
    assert KEYS.read_officer(mine, ANI, NOW + OFFICER_LIFE + timedelta(days=1)) is None
    until = mine.split(".")[3]
    later = mine.replace(f".{until}.", f".{int(until) + 900}.")
    assert KEYS.read_officer(later, ANI, NOW) is None
    padded = mine.replace(f".{until}.", f".0{until}.")
    assert KEYS.read_officer(padded, ANI, NOW + OFFICER_LIFE + timedelta(days=1)) is None


def test_a_ticket_reference_does_not_expire() -> None:
    assert KEYS.read_ticket(KEYS.ticket(NUMBER)) == NUMBER


def test_a_key_of_another_office_proves_nothing_here() -> None:
    theirs = Keys("k1", {"k1": b"another key, just as long as ours"})
    assert KEYS.read_officer(theirs.officer(NUMBER, ANI, NOW), ANI, NOW) is None
    assert KEYS.read_ticket(theirs.ticket(NUMBER)) is None


def test_after_a_rotation_old_references_hold_until_their_key_is_gone() -> None:
    old = KEYS.officer(NUMBER, ANI, NOW)
    rotated = Keys("k2", {"k2": b"the new key of the tests, as long", **KEYS.keys})
    assert rotated.officer(NUMBER, ANI, NOW).split(".")[2] == "k2"
    assert rotated.read_officer(old, ANI, NOW) == NUMBER
    assert rotated.read_officer(rotated.officer(NUMBER, ANI, NOW), ANI, NOW) == NUMBER
    assert Keys("k2", {"k2": rotated.keys["k2"]}).read_officer(old, ANI, NOW) is None


def test_a_key_id_cannot_be_swapped_for_another_key() -> None:
    rotated = Keys("k2", {"k2": b"the new key of the tests, as long", **KEYS.keys})
    assert rotated.read_officer(KEYS.officer(NUMBER, ANI, NOW).replace(".k1.", ".k2."), ANI, NOW) is None


@pytest.mark.parametrize("change", [str.upper, str.lower, str.swapcase, str.title])
def test_clients_that_change_letter_case_break_nothing(change: object) -> None:
    mine = change(KEYS.officer(NUMBER, ANI, NOW))  # type: ignore[operator]
    assert KEYS.read_officer(mine, ANI, NOW) == NUMBER
    assert KEYS.read_ticket(change(KEYS.ticket(NUMBER))) == NUMBER  # type: ignore[operator]


@pytest.mark.parametrize(
    "around",
    [
        "<{}.0123456789abcdef0123@gmail.com>",
        "DESAIN [{}]",
        "Re: [{}] x",
        "{}",
        "officers+{}@pom.go.id",
        "<a@b>\n<{}.00@x>\n<c@d>",
    ],
)
def test_a_reference_is_found_wherever_it_stands(around: str) -> None:
    assert KEYS.read_officer(around.format(KEYS.officer(NUMBER, ANI, NOW)), ANI, NOW) == NUMBER


def test_a_sound_reference_counts_behind_a_forged_one() -> None:
    forged = KEYS.officer(NUMBER, ANI, NOW).replace(NUMBER, OTHER)
    assert KEYS.read_officer(f"{forged} {KEYS.officer(NUMBER, ANI, NOW)}", ANI, NOW) == NUMBER


def test_a_proof_has_at_least_128_bits_in_letters_that_survive_mail() -> None:
    proof = KEYS.ticket(NUMBER).rpartition(".")[2]
    assert re.fullmatch(r"[a-z2-7]{26}", proof)  # 5 bits each


def test_a_stamp_is_the_same_for_the_same_text_and_no_reference() -> None:
    assert KEYS.stamp("a") == KEYS.stamp("a") != KEYS.stamp("b")
    assert KEYS.stamp(NUMBER) not in KEYS.ticket(NUMBER)


# -- Numbers

SERIALS = st.tuples(st.integers(2000, 2099), st.integers(1, 999_999_999))


@given(SERIALS, st.data())
@QUIET
def test_the_check_digit_catches_every_single_wrong_digit(serial: tuple[int, int], data: st.DataObject) -> None:
    number = token.number("LKT", *serial)
    assert token.is_number(number)
    digits = [at for at, char in enumerate(number) if char.isdigit()]
    at = data.draw(st.sampled_from(digits))
    for digit in "0123456789":
        wrong = number[:at] + digit + number[at + 1 :]
        assert token.is_number(wrong) == (wrong == number)


@given(SERIALS, st.data())
@QUIET
def test_the_check_digit_catches_every_swap_of_neighbours_but_0_and_9(
    serial: tuple[int, int], data: st.DataObject
) -> None:
    number = token.number("LKT", *serial)
    at = data.draw(st.integers(9, len(number) - 4))
    one, two = number[at], number[at + 1]
    assume(one != two and {one, two} != {"0", "9"})
    assert not token.is_number(number[:at] + two + one + number[at + 2 :])


@pytest.mark.parametrize(
    "text",
    ["", "LKT", "LKT-2026-000123", "lkt-2026-000123-0", NUMBER + "0", "X" + NUMBER.replace("-", ""), NUMBER + "\n"],
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert not token.is_number(text)


def test_a_number_is_found_in_a_sentence_and_not_inside_a_longer_one() -> None:
    assert [match[0] for match in token.NUMBER.finditer(f"Re: [{NUMBER}], {NUMBER.lower()}?")] == [
        NUMBER,
        NUMBER.lower(),
    ]
    assert token.NUMBER.search(f"{NUMBER}9") is None
    assert token.NUMBER.search(f"{NUMBER}-9") is None
    assert token.NUMBER.search(f"A{NUMBER}") is not None


def test_the_day_of_expiry_does_not_depend_on_the_zone_of_the_clock() -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only here

    evening = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    assert KEYS.officer(NUMBER, ANI, evening) == KEYS.officer(NUMBER, ANI, evening.astimezone(ZoneInfo("Asia/Jakarta")))


def test_what_is_kept_of_the_digest_is_base32() -> None:
    """RFC 4648 section 6, in small letters."""
    for number in range(200):
        said = "\0".join(("loket-1", "s", f"LKT-{number}", "0", "")).encode()
        expected = base64.b32encode(hmac.digest(KEYS.keys[KEYS.signing], said, "sha256")).decode().lower()
        assert expected.startswith(KEYS.stamp(f"LKT-{number}"))
