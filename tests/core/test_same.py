"""The same mail once more, a copy to two mailboxes, and several products in one subject."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loket.core.model import Fate, Kind, MailRef, RawMail, State, StoredFile
from loket.core.parse import parse
from loket.core.same import fingerprint
from loket.core.several import names_several
from loket.core.understand import Request, Resent
from tests.core.desk import DESAIN, OT, PDF, SM, TONO, Desk, letter, shown

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SUBJECT = "Ambil SK_OT_Jamu Kunyit"
FILES = [("desain.pdf", PDF)]


def test_a_resent_mail_is_noted_on_its_ticket_and_answered_again_later() -> None:
    desk = Desk()
    ticket = desk.opened(SUBJECT, files=FILES)
    desk.now += timedelta(hours=3)
    again = letter(SUBJECT, files=FILES, message_id="<another@jamusegar.example>", uid=2)
    assert isinstance(desk.understand(again), Resent)
    plan = desk.take(again)
    assert (plan.opened, plan.fate, plan.ticket_of_mail) == (None, Fate.FOLLOW_UP, ticket.number)
    assert [event.kind for event in plan.events] == ["resent"]
    [reply] = plan.outbox
    assert reply.kind is Kind.ACKNOWLEDGEMENT
    assert ticket.number in shown(reply)


def test_who_resends_at_once_gets_no_second_answer() -> None:
    """Nor does a machine that says the same to every answer get into a loop."""
    desk = Desk()
    desk.opened(SUBJECT, files=FILES)
    for uid in range(2, 9):
        desk.now += timedelta(minutes=1)
        plan = desk.take(letter(SUBJECT, files=FILES, message_id=f"<m{uid}@x.example>", uid=uid))
        assert (plan.opened, plan.outbox) == (None, ())


def test_a_resent_incomplete_mail_still_waits() -> None:
    desk = Desk()
    ticket = desk.opened("Ambil SK_OT")
    desk.now += timedelta(days=1)
    plan = desk.take(letter("Ambil SK_OT", message_id="<m2@x.example>", uid=2))
    assert desk.ticket(ticket.number).state is State.WAITING
    assert [mail.kind for mail in plan.outbox] == [Kind.CORRECTION]


def test_a_resent_mail_opens_a_closed_ticket_again() -> None:
    desk = Desk()
    ticket = desk.opened(SUBJECT, files=FILES)
    desk.close(ticket.number)
    plan = desk.take(letter(SUBJECT, files=FILES, message_id="<m2@x.example>", uid=2))
    assert [(one.number, one.state) for one in plan.changed] == [(ticket.number, State.OPEN)]


@pytest.mark.parametrize(
    "other",
    [
        letter(SUBJECT, "Isi lain\n", files=FILES, uid=2),
        letter(SUBJECT, files=[("desain.pdf", PDF + b" ")], uid=2),
        letter(SUBJECT, files=[("desain-2.pdf", PDF)], uid=2),
        letter("Ambil SK_OT_Jamu Jahe", files=FILES, uid=2),
        letter(SUBJECT, files=FILES, author=f"Tono <{TONO}>", uid=2),
    ],
    ids=["letter", "attachment", "its name", "subject", "author"],
)
def test_another_mail_is_another_ticket_even_under_one_message_id(other) -> None:  # type: ignore[no-untyped-def]
    """Message-ID is never identity (P3): all of these carry the same."""
    desk = Desk()
    ticket = desk.opened(SUBJECT, files=FILES)
    plan = desk.take(other)
    assert plan.opened is not None
    assert plan.opened.number != ticket.number


def test_boundaries_and_line_ends_do_not_make_another_mail() -> None:
    one, two = (letter(SUBJECT, body, files=FILES) for body in ("Selamat  pagi\n\n", "Selamat pagi\n"))
    assert fingerprint(one) == fingerprint(two) != ""


def test_one_mail_to_two_mailboxes_is_two_linked_tickets_and_one_acknowledgement() -> None:
    desk = Desk()
    first = desk.take(letter("Berkas_Jamu Kunyit", to=OT))
    copy = letter("Berkas_Jamu Kunyit", to=SM)
    understood = desk.understand(copy)
    assert isinstance(understood, Request)
    second = desk.take(copy)
    assert first.opened is not None
    assert second.opened is not None
    assert understood.twin == first.opened.number
    assert [mail.kind for mail in first.outbox] == [Kind.ACKNOWLEDGEMENT]
    assert second.outbox == ()
    assert (second.opened.number, first.opened.number) in second.links
    assert second.opened.respond


@pytest.mark.parametrize(
    ("written", "several"),
    [
        ("Jamu Kunyit dan Jamu Jahe", True),
        ("Jamu Kunyit, Jamu Jahe", True),
        ("Satu; Dua", True),
        ("Antangin, Tolak Angin, Bejo", True),
        ("1. Antangin 2. Bejo", True),
        ("3 produk", True),
        ("beberapa produk jamu", True),
        ("Cal-95 & Cal-96", True),
        ("Jamu A & Jamu B", True),
        ("Jamu Kunyit", False),
        ("Jahe & Madu", False),
        ("Madu dan Habbatussauda", False),
        ("Kunyit Asam, 30 kapsul", False),
        ("Sirup Batuk, 100 ml, botol", False),
        ("Beras Kencur", False),
        ("H₂O Plus/Zinc", False),
        ("Vitamin C + Zinc", False),
        ("Cal-95", False),
        ("", False),
    ],
)
def test_several_products_are_noticed_and_ordinary_names_are_not(written: str, several: bool) -> None:
    assert names_several(written) is several


def test_several_products_are_one_ticket_and_both_sides_are_told() -> None:
    desk = Desk()
    plan = desk.take(letter("Revisi Desain_OT_Jamu Kunyit dan Jamu Jahe", to=DESAIN))
    assert plan.opened is not None
    assert plan.opened.several
    assert plan.opened.fields["produk"] == "Jamu Kunyit dan Jamu Jahe"
    assert "satu email untuk setiap produk" in " ".join(shown(plan.outbox[0]).split())


def test_the_same_product_again_is_linked_and_told_within_the_time_the_office_looks_back() -> None:
    desk = Desk()
    first = desk.opened("Revisi Desain_OT_Jamu Kunyit")
    desk.now += timedelta(days=30)
    second = desk.take(letter("Ambil SK_OT_jamu  kunyit", files=FILES, message_id="<m2@x.example>", uid=2))
    assert second.opened is not None
    assert second.links == ((second.opened.number, first.number),)
    assert first.number in shown(second.outbox[0])
    desk.now += timedelta(days=366)
    third = desk.take(letter("Revisi Desain_OT_Jamu Kunyit", "Lagi\n", message_id="<m3@x.example>", uid=3))
    assert third.links == ()


def test_of_a_thousand_bodies_no_more_is_read_than_of_a_letter() -> None:
    """The rest is told by its octets: two mails that differ far behind are still two."""
    body = b"<p>isi</p>\r\n" * 1000

    def many(last: bytes) -> str:
        parts = b"".join(b"--b\r\nContent-Type: text/html\r\n\r\n" + body for _ in range(300))
        end = b"--b\r\nContent-Type: text/html\r\n\r\n" + last + b"\r\n--b--\r\n"
        head = b'From: a@x.example\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        data = head + parts + end
        return fingerprint(parse(RawMail(MailRef("a@b.test", 1, 1), NOW, data, StoredFile("", len(data)))))

    assert many(b"satu") == many(b"satu")
    assert many(b"satu") != many(b"dua")
