"""The register of letters: a number for each at once, without a gap, from 1 in each year of the office's calendar."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from loket.core.letterbook import Agenda, csv_text, own_number
from loket.core.model import Plan, Ticket
from tests.core.desk import DITLAI, FAJAR, KEYS, NOW, QUIET, Desk, letter, shown

# A second before the year ends in Jakarta, and its first second; in UTC both are in the old year.
LAST = datetime(2026, 12, 31, 16, 59, 59, tzinfo=UTC)
FIRST = datetime(2026, 12, 31, 17, 0, 0, tzinfo=UTC)


def came(desk: Desk, subject: str = "Surat permohonan pembatalan", **more: object) -> Ticket:
    """A letter by mail; its ticket."""
    uid = len(desk.plans) + 1
    return desk.opened(subject, to=DITLAI, uid=uid, message_id=f"<m{uid}@x>", body=f"Nomor {uid}\n", **more)


def said(desk: Desk, number: str, words: str) -> Plan:
    """Fajar answers by a reply to a notice."""
    uid = len(desk.plans) + 1
    reference = f"<{KEYS.officer(number, FAJAR, desk.now)}.0123456789abcdef0123@x>"
    author = f"Fajar <{FAJAR}>"
    return desk.take(letter("Re: tiket", words, author=author, to=DITLAI, uid=uid, fields={"In-Reply-To": reference}))


def test_letters_are_numbered_in_their_order_and_their_authors_told() -> None:
    desk = Desk()
    assert [came(desk).registered for _ in range(3)] == ["1/2026", "2/2026", "3/2026"]
    assert "- Nomor agenda: 3/2026" in shown(desk.plans[-1].outbox[0])
    [entry] = desk.plans[-1].entries
    assert (entry.register, entry.year, entry.number, entry.ticket) == ("agenda", 2026, 3, "LKT-2026-000003-7")


def test_other_queues_have_no_numbers() -> None:
    desk = Desk()
    assert came(desk, "Permohonan konsultasi via Zoom").registered == ""
    assert desk.opened("Revisi Desain_OT_Jamu Kunyit").registered == ""
    assert came(desk).registered == "1/2026"


def test_the_year_begins_at_midnight_where_the_office_is() -> None:
    desk = Desk(now=LAST)
    assert came(desk).registered == "1/2026"
    desk.now = FIRST
    assert came(desk).registered == "1/2027"
    assert came(desk).registered == "2/2027"


def test_what_was_in_triage_is_numbered_when_it_becomes_a_letter() -> None:
    """And keeps its number when it moves on: no other letter gets it."""
    desk = Desk()
    number = desk.opened("Surat edaran", to="penilaian_ot@pom.go.id").number
    moved = said(desk, number, "ALIH persuratan\n")
    assert desk.ticket(number).registered == "1/2026"
    assert "Nomor agenda: 1/2026" in shown(moved.outbox[-1])
    said(desk, number, "ALIH triase\n")
    assert (desk.ticket(number).queue, desk.ticket(number).registered) == ("triase", "1/2026")
    assert not said(desk, number, "ALIH persuratan\n").entries
    assert came(desk).registered == "2/2026"


def test_bulk_mail_is_numbered_only_when_an_officer_takes_it_for_a_letter() -> None:
    desk = Desk()
    bulk = came(desk, "Undangan pameran", fields={"List-Id": "<berita.pameran.example>"})
    assert bulk.registered == ""
    assert came(desk).registered == "1/2026"
    said(desk, bulk.number, "DAFTAR\n")
    assert desk.ticket(bulk.number).registered == "2/2026"


@pytest.mark.parametrize(
    ("written", "own", "words"),
    [
        ("DAFTAR\n", "", ""),
        ("DAFTAR\n\nSudah kami teruskan.\n", "", "Sudah kami teruskan."),
        ("DAFTAR 1234/XI/2026\n", "1234/XI/2026", ""),
        ("DAFTAR no. 57\n", "57", ""),
        ("DAFTAR 1234/XI/2026 sudah diteruskan\n", "1234/XI/2026", "sudah diteruskan"),
        ("DAFTAR 2 lampiran sudah diterima\n", "", "2 lampiran sudah diterima"),
        ("DAFTAR sudah diteruskan ke bagian hukum\n", "", "sudah diteruskan ke bagian hukum"),
    ],
)
def test_daftar_alone_is_enough_and_another_registers_number_stands_beside(written: str, own: str, words: str) -> None:
    desk = Desk()
    ticket = came(desk)
    plan = said(desk, ticket.number, written)
    text = shown(plan.outbox[0])
    assert "Surat terdaftar: nomor agenda 1/2026" in text
    assert "\r\nNomor agenda: 1/2026\r\n" in text
    assert ("Nomor dari petugas: " + own in text) if own else ("Nomor dari petugas" not in text)
    assert words in text
    assert plan.events[0].detail["argument"] == own


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("{nomor}/{tahun}", "12/2026"),
        ("AG-{nomor:4}/{bulan}/{tahun}", "AG-0012/XI/2026"),
        ("{tahun}.{nomor:2}", "2026.12"),
    ],
)
def test_the_number_is_written_as_the_office_does(form: str, text: str) -> None:
    assert Agenda.model_validate(form).text(12, NOW.date()) == text


@pytest.mark.parametrize("form", ["{nomor}", "{tahun}", "{nomer}/{tahun}", "{nomor}{tahun}", "{nomor}/{tahun", ""])
def test_a_form_that_could_give_one_number_twice_is_refused(form: str) -> None:
    with pytest.raises(ValidationError):
        Agenda.model_validate(form)


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=4))
@QUIET
def test_any_cell_comes_back_from_the_csv_and_none_is_a_formula(rows: list[list[str]]) -> None:
    """Read by the standard library, which knows RFC 4180; only the apostrophe before a formula is added."""
    back = list(csv.reader(io.StringIO(csv_text(rows), newline=""), strict=True))
    dangerous = ("=", "+", "-", "@", "\t", "\r")
    assert back == [[f"'{cell}" if cell.startswith(dangerous) else cell for cell in row] for row in rows]


@pytest.mark.parametrize("argument", ["", "sudah", "12 13", "nomor", "no."])
def test_words_are_no_number(argument: str) -> None:
    assert own_number(argument) == ("", argument)
