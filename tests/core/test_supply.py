"""A missing value is understood in the letter as a careful clerk would, and never guessed."""

from __future__ import annotations

import pytest

from loket.core.case import compiled_rule
from loket.core.model import Kind, State
from loket.core.supply import supplied
from tests.core.desk import DESAIN, OT, Desk, letter, office, shown

BOTH = ("kategori", "produk")


def given(body: str, missing: tuple[str, ...]) -> dict[str, str]:
    """What the letter supplies for `Revisi Desain_{kategori}_{produk}`."""
    compiled = compiled_rule(office(), DESAIN, "revisi-desain")
    assert compiled is not None
    return supplied(
        compiled, missing, body, {"kategori": {"Kategori", "Category"}, "produk": {"Nama Produk", "Product name"}}
    )


@pytest.mark.parametrize(
    ("body", "missing", "expected"),
    [
        ("OT", ("kategori",), {"kategori": "OT"}),
        ("ot\n", ("kategori",), {"kategori": "OT"}),
        ("Obat tradisional.", ("kategori",), {"kategori": "OT"}),
        ("OT pak, terima kasih", ("kategori",), {"kategori": "OT"}),
        ("Selamat pagi,\n\nSK\n\nTerima kasih", ("kategori",), {"kategori": "SK"}),
        ("Kategori: Suplemen Kesehatan", ("kategori",), {"kategori": "SK"}),
        ("kategori = OT", ("kategori",), {"kategori": "OT"}),
        ("Yth. Bapak/Ibu,\nkategori : SK", ("kategori",), {"kategori": "SK"}),
        ("SK yang kemarin belum saya terima", ("kategori",), {}),
        ("OT/SK", ("kategori",), {}),
        ("Kategorinya apa ya?", ("kategori",), {}),
        ("OTC Plus", ("kategori",), {}),
        ("", ("kategori",), {}),
        ("Jamu Kunyit", ("produk",), {"produk": "Jamu Kunyit"}),
        ('Selamat siang Bu\n"Jamu  Kunyit"\n', ("produk",), {"produk": "Jamu Kunyit"}),
        ("Nama Produk: H\u2082O Plus\u2122", ("produk",), {"produk": "H\u2082O Plus\u2122"}),
        ("produk - Jamu", ("produk",), {"produk": "produk - Jamu"}),
        ("Mohon maaf, produknya Jamu Kunyit", ("produk",), {}),
        ("Apakah harus dikirim ulang?", ("produk",), {}),
        ("Berikut terlampir desain kami", ("produk",), {}),
        ("OT_Jamu Kunyit", BOTH, {"kategori": "OT", "produk": "Jamu Kunyit"}),
        ("SK - Cal-95", BOTH, {"kategori": "SK", "produk": "Cal-95"}),
        ("OT\nJamu Kunyit\n", BOTH, {"kategori": "OT", "produk": "Jamu Kunyit"}),
        ("Kategori: OT\nNama Produk: Jamu Kunyit", BOTH, {"kategori": "OT", "produk": "Jamu Kunyit"}),
        ("Nama Produk: Jamu Kunyit\nKategori: OT", BOTH, {"kategori": "OT", "produk": "Jamu Kunyit"}),
        ("Jamu Kunyit", BOTH, {"produk": "Jamu Kunyit"}),
        ("Category: OT\nProduct name: Jamu Kunyit", BOTH, {"kategori": "OT", "produk": "Jamu Kunyit"}),
        ("Jenis: OT", ("kategori",), {"kategori": "OT"}),
        ("Jenis: OT\nJamu Kunyit", BOTH, {"kategori": "OT", "produk": "Jamu Kunyit"}),
        ("Jenis: herbal", BOTH, {}),
    ],
)
def test_the_first_line_gives_what_was_missing(body: str, missing: tuple[str, ...], expected: dict[str, str]) -> None:
    assert given(body, missing) == expected


def test_the_value_as_the_first_line_completes_the_same_ticket() -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_Jamu Kunyit")
    assert (ticket.state, ticket.queue, ticket.missing) == (State.WAITING, "triase", ("kategori",))
    plan = desk.take(
        letter(f"Re: [{ticket.number}] Mohon dilengkapi", "OT\n\n> Pada Selasa Loket D menulis:\n> SK\n", uid=2)
    )
    [done] = plan.changed
    assert (done.number, done.state, done.queue, done.missing) == (ticket.number, State.OPEN, "revisi-desain-ot", ())
    assert dict(done.fields) == {"kategori": "OT", "produk": "Jamu Kunyit"}
    [reply] = plan.outbox
    assert reply.kind is Kind.ACKNOWLEDGEMENT
    assert "Jamu Kunyit" in shown(reply)


def test_half_of_what_is_missing_is_kept_and_the_rest_asked_for() -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain")
    assert ticket.missing == BOTH
    plan = desk.take(letter(f"Re: [{ticket.number}]", "Kategori: OT\n", uid=2))
    [half] = plan.changed
    assert (half.state, half.missing, dict(half.fields)) == (State.WAITING, ("produk",), {"kategori": "OT"})
    [reply] = plan.outbox
    assert reply.kind is Kind.CORRECTION
    assert "Revisi Desain_OT_Nama Produk" in shown(reply)


def test_an_answer_in_own_words_goes_to_a_person() -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_Jamu Kunyit")
    plan = desk.take(letter(f"Re: [{ticket.number}]", "Maksudnya bagaimana ya pak?\n", uid=2))
    assert [(one.state, one.missing) for one in plan.changed] == [(State.OPEN, ("kategori",))]
    assert plan.outbox == ()


def test_a_mailbox_that_answers_a_field_itself_asks_for_the_other() -> None:
    desk = Desk()
    ticket = desk.opened("Berkas", to=OT)
    assert ticket.missing == ("produk",)
    plan = desk.take(letter(f"Re: [{ticket.number}]", "Jamu Kunyit", to=OT, uid=2))
    assert [(one.state, one.about) for one in plan.changed] == [(State.OPEN, "Jamu Kunyit")]
