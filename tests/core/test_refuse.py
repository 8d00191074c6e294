"""What may be answered automatically, and what is a machine's own mail (RFC 3834 section 2)."""

from __future__ import annotations

import pytest

from loket.core.model import Refusal
from loket.core.refuse import refusal
from tests.core.desk import DESAIN, SARI, office, read

TABLE = [
    # -- a person
    ("", None),
    ("Return-Path: <sari@jamusegar.example>", None),
    ("Return-Path: <other@relay.example>", None),
    ("Auto-Submitted: no", None),
    ("Auto-Submitted: NO; x=y", None),
    ("Auto-Submitted: no (really)", None),
    ("Auto-Submitted:", None),
    ("Precedence: first-class", None),
    ("X-Auto-Response-Suppress: None", None),
    ("X-Auto-Response-Suppress: DR, RN", None),
    # -- a machine
    ("Auto-Submitted: auto-replied", Refusal.AUTO_SUBMITTED),
    ("Auto-Submitted: auto-generated", Refusal.AUTO_SUBMITTED),
    ("Auto-Submitted: Auto-Notified; owner-email=a@b", Refusal.AUTO_SUBMITTED),
    ("Auto-Submitted: yes", Refusal.AUTO_SUBMITTED),
    ("Content-Type: multipart/report; report-type=delivery-status; boundary=b", Refusal.DSN),
    ('Content-Type: multipart/report; report-type="Delivery-Status"; boundary=b', Refusal.DSN),
    ("Content-Type: message/delivery-status", Refusal.DSN),
    ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b", Refusal.MDN),
    ("Content-Type: message/disposition-notification", Refusal.MDN),
    ("X-Loket-Loop: desainsk.otsk2020@gmail.com", Refusal.OWN_MAIL),
    # -- nobody to answer, though a person may have written
    ("Return-Path: <>", Refusal.NULL_PATH),
    ("Return-Path: < >", Refusal.NULL_PATH),
    ("List-Id: <news.example>", Refusal.LIST),
    ("List-Unsubscribe: <mailto:x@y>", Refusal.LIST),
    ("Mailing-List: x", Refusal.LIST),
    ("Precedence: bulk", Refusal.BULK),
    ("Precedence: Junk ", Refusal.BULK),
    ("Precedence: list", Refusal.BULK),
    ("X-Auto-Response-Suppress: All", Refusal.BULK),
    ("X-Auto-Response-Suppress: DR, AutoReply", Refusal.BULK),
    ("X-Auto-Response-Suppress: oof", Refusal.BULK),
]


def of(fields: str = "", author: str | None = SARI, *, own_ids: bool = False) -> Refusal | None:
    head = [fields] if fields else []
    head += [f"From: {author}"] if author is not None else []
    mail = read(("\n".join([*head, "Subject: Berkas_X", "", "Selamat pagi"])).encode())
    return refusal(mail, office().own_addresses, own_ids)


@pytest.mark.parametrize(("fields", "expected"), TABLE, ids=[fields or "nothing" for fields, _ in TABLE])
def test_each_sign_of_a_machine_refuses_the_response(fields: str, expected: Refusal | None) -> None:
    assert of(fields) is expected


@pytest.mark.parametrize("own", [DESAIN, DESAIN.replace("@", "+arsip@"), DESAIN.upper().replace("@", "+X@")])
def test_our_own_address_is_ours_with_any_detail(own: str) -> None:
    """Plus addressing (RFC 5233): a response to it would come home."""
    assert of(author=f"Loket <{own}>") is Refusal.OWN_ADDRESS
    assert of(author=f"Siti <x{own}>") is None


@pytest.mark.parametrize(
    "local",
    [
        "noreply",
        "no-reply",
        "No_Reply",
        "do-not-reply",
        "donotreply",
        "jangan-dibalas",
        "janganbalas",
        "bounce",
        "bounces+a=b",
        "no-reply+abc",
        "billing.noreply",
        "newsletter",
        "mailer-daemon",
        "postmaster",
        "x-mailer",
        "noresponse",
    ],
)
def test_an_address_that_nobody_reads_gets_no_response(local: str) -> None:
    assert of(author=f"{local}@shop.example") is Refusal.NO_REPLY


@pytest.mark.parametrize(
    "local", ["bunoreply", "norepl", "reply", "mailerina", "bouncer", "sari.bounce-house", "postmasters"]
)
def test_an_address_that_only_resembles_one_is_a_persons(local: str) -> None:
    assert of(author=f"{local}@shop.example") is (Refusal.NO_REPLY if local == "sari.bounce-house" else None)


def test_nobody_or_several_authors_cannot_be_answered() -> None:
    assert of(author=None) is Refusal.NO_AUTHOR
    assert of(author="") is Refusal.NO_AUTHOR
    assert of(author="Sari") is Refusal.NO_AUTHOR
    assert of(author="a@b.example, c@d.example") is Refusal.NO_AUTHOR
    assert of("From: a@b.example") is Refusal.NO_AUTHOR


def test_our_own_mailboxes_are_never_answered_and_no_ones_machine() -> None:
    """A colleague may write from one; it opens a ticket, and nothing goes back in a circle."""
    assert of(author=f"Loket <{DESAIN.upper()}>") is Refusal.OWN_ADDRESS
    assert not Refusal.OWN_ADDRESS.machine


def test_a_mail_that_carries_a_message_id_of_ours_is_our_own_whatever_it_says() -> None:
    assert of("Auto-Submitted: no", own_ids=True) is Refusal.OWN_MAIL


def test_a_bounce_of_a_server_that_follows_no_standard_is_a_bounce() -> None:
    """A daemon's address with a null path, or a list of failed recipients."""
    daemon = "MAILER-DAEMON@mx.example"
    assert of("Return-Path: <>", daemon) is Refusal.DSN
    assert of("X-Failed-Recipients: x@y.example", daemon) is Refusal.DSN
    assert of(author=daemon) is Refusal.NO_REPLY
    assert of("X-Failed-Recipients: x@y.example") is None


def test_a_bounce_is_seen_as_one_before_anything_else_is_judged() -> None:
    head = "Content-Type: multipart/report; report-type=delivery-status; boundary=b"
    head += "\nAuto-Submitted: auto-replied\nList-Id: x"
    assert of(head, author=None) is Refusal.DSN
    assert of(head + "\nX-Loket-Loop: x") is Refusal.OWN_MAIL


def test_only_a_machines_own_mail_opens_no_ticket() -> None:
    machine = {Refusal.DSN, Refusal.MDN, Refusal.AUTO_SUBMITTED, Refusal.OWN_MAIL}
    assert {why for why in Refusal if why.machine} == machine
