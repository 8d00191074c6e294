"""What happens to a mail: the deciding rules of the office's contract, from octets to the whole plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from loket.core.model import Fate, InboundMail, Kind, Level, Plan, Refusal, State, Verdict
from loket.core.understand import FollowUp, Machine, Request
from tests.core.desk import (
    DESAIN,
    DITLAI,
    IKLAN,
    KEYS,
    NOW,
    OT,
    PDF,
    SARI,
    SM,
    TONO,
    Desk,
    letter,
    office,
    shown,
)


def asked(subject: str, to: str = DESAIN, **more: Any) -> Verdict:
    """What a new request asks for."""
    understood = Desk().understand(letter(subject, to=to, files=[("desain.pdf", PDF)], **more))
    assert isinstance(understood, Request)
    return understood.verdict


def kinds(plan: Plan) -> list[Kind]:
    return [mail.kind for mail in plan.outbox]


# Rules 1 to 6 of interfaces.md: subject, mailbox, then rule, queue, match, fields and missing.
SUBJECTS = [
    # 1. Values: the longest synonym, followed by a separator; right after the keyword it is the category.
    ("Ambil SK_OTC Plus", DESAIN, "ambil-sk", "triase", "exact", {"produk": "OTC Plus"}, ("kategori",)),
    ("Ambil SK SK Cal-95", DESAIN, "ambil-sk", "ambil-sk-sk", "normalized", {"kategori": "SK", "produk": "Cal-95"}, ()),
    ("Ambil SK Cal-95", DESAIN, "ambil-sk", "triase", "normalized", {"produk": "Cal-95"}, ("kategori",)),
    ("Ambil SK_SK", DESAIN, "ambil-sk", "ambil-sk-sk", "exact", {"kategori": "SK"}, ("produk",)),
    ("Ambil SK", DESAIN, "ambil-sk", "triase", "exact", {}, ("kategori", "produk")),
    ("SK", DESAIN, None, "triase", None, {}, ()),
    (
        "Revisi Desain_X_OT",
        DESAIN,
        "revisi-desain",
        "revisi-desain-ot",
        "normalized",
        {"kategori": "OT", "produk": "X"},
        (),
    ),
    # 2. Placeholders are missing fields.
    ("Revisi Desain_OT/SK*_Nama Produk", DESAIN, "revisi-desain", "triase", None, {}, ("kategori", "produk")),
    ("Berkas_Nama Produk Jamu X", OT, "berkas", "berkas-ot", "normalized", {"kategori": "OT", "produk": "Jamu X"}, ()),
    # 3. The product is cut from what was really written.
    (
        "Revisi Desain_OT_ “H₂O™ a_b” ",
        DESAIN,
        "revisi-desain",
        "revisi-desain-ot",
        "normalized",
        {"kategori": "OT", "produk": "H₂O™ a_b"},
        (),
    ),
    # 4. The mailbox's own rules come first.
    (
        "Berkas_Revisi Desain_OT_X",
        OT,
        "berkas",
        "berkas-ot",
        "exact",
        {"kategori": "OT", "produk": "Revisi Desain_OT_X"},
        (),
    ),
    # 5. In mid-subject only spelled right, set off and complete.
    (
        "Mohon Revisi Desain_OT_X",
        DESAIN,
        "revisi-desain",
        "revisi-desain-ot",
        "normalized",
        {"kategori": "OT", "produk": "X"},
        (),
    ),
    ("Mohon revisi desain dikirim", DESAIN, None, "triase", None, {}, ()),
    ("Mohon Revsi Desain_OT_X", DESAIN, None, "triase", None, {}, ()),
    # 7. A mailbox without a prescribed subject.
    ("Jadwal konsultasi", DITLAI, "konsultasi-zoom", "konsultasi-zoom", None, {}, ()),
    ("Surat edaran", DITLAI, "persuratan", "persuratan", None, {}, ()),
    ("apa saja", IKLAN, "konsultasi-iklan", "konsultasi-iklan", None, {}, ()),
]


@pytest.mark.parametrize(
    ("subject", "mailbox", "rule", "queue", "match", "fields", "missing"), SUBJECTS, ids=[line[0] for line in SUBJECTS]
)
def test_a_subject_is_understood_and_its_ticket_stands_where_it_says(
    subject: str,
    mailbox: str,
    rule: str | None,
    queue: str,
    match: Level | None,
    fields: dict[str, str],
    missing: tuple[str, ...],
) -> None:
    verdict = asked(subject, mailbox)
    assert (verdict.rule, verdict.queue, dict(verdict.fields), verdict.missing) == (rule, queue, fields, missing)
    assert match is None or verdict.match == match
    ticket = Desk().opened(subject, to=mailbox, files=[("desain.pdf", PDF)])
    assert (ticket.rule, ticket.queue, dict(ticket.fields), ticket.missing) == (rule, queue, fields, missing)
    # With the applicant: for what is missing, or to choose a time.
    waits = bool(missing) or office().queues[queue].appointments is not None
    assert ticket.state is (State.WAITING if waits else State.OPEN)
    assert (ticket.due_at is None) is waits


def test_another_counters_subject_is_taken_and_told_where_to_write_next_time() -> None:
    """Rule 6: complete, and set off by more than a space."""
    verdict = asked("Revisi Desain_OT_Jamu", OT)
    assert (verdict.rule, verdict.queue, verdict.wrong_mailbox) == ("revisi-desain", "revisi-desain-ot", True)
    assert verdict.use_mailbox == (DESAIN,)
    plan = Desk().take(letter("Revisi Desain_OT_Jamu", to=OT))
    assert kinds(plan) == [Kind.ACKNOWLEDGEMENT]
    assert DESAIN in shown(plan.outbox[0])
    assert not asked("Revisi Desain_OT", OT).wrong_mailbox
    assert not asked("Revisi Desain OT Jamu", OT).wrong_mailbox


def test_a_subject_that_two_mailboxes_share_names_both_in_a_third() -> None:
    """Rule 6: nobody can tell OT from SK there."""
    plan = Desk().take(letter("Berkas_Jamu", to=DESAIN))
    assert plan.opened is not None
    assert (plan.opened.queue, plan.opened.missing, plan.opened.state) == ("triase", ("kategori",), State.WAITING)
    assert kinds(plan) == [Kind.CORRECTION]
    assert all(address in shown(plan.outbox[0]) for address in (OT, SM))


def test_a_missing_attachment_keeps_the_queue_and_a_link_stands_for_one() -> None:
    """Rule 8."""
    desk = Desk()
    bare = desk.opened("Ambil SK_OT_Jamu")
    assert (bare.queue, bare.missing, bare.state) == ("ambil-sk-ot", ("attachments",), State.WAITING)
    linked = desk.opened("Ambil SK_OT_Teh", body="https://drive.google.com/file/d/abc/view\n", message_id="<m2@x>")
    assert (linked.missing, linked.links, linked.state) == ((), 1, State.OPEN)
    logo = '<img src="cid:logo">Halo'
    assert desk.opened("Ambil SK_OT_Kopi", markup=logo, message_id="<m3@x>").missing == ("attachments",)


MACHINES = [
    ({"Auto-Submitted": "auto-replied"}, Refusal.AUTO_SUBMITTED),
    ({"Content-Type": "multipart/report; report-type=delivery-status; boundary=b"}, Refusal.DSN),
    ({"Content-Type": "multipart/report; report-type=disposition-notification; boundary=b"}, Refusal.MDN),
    ({"X-Loket-Loop": DESAIN}, Refusal.OWN_MAIL),
]


@pytest.mark.parametrize(("fields", "why"), MACHINES, ids=lambda value: str(value)[:40])
def test_a_machines_own_mail_is_recorded_and_opens_nothing(fields: dict[str, str], why: Refusal) -> None:
    """Rule 9."""
    desk = Desk()
    mail = letter("Revisi Desain_OT_Jamu", fields=fields)
    assert desk.understand(mail) == Machine(why)
    plan = desk.take(mail)
    assert (plan.fate, plan.opened, plan.outbox, [event.kind for event in plan.events]) == (
        Fate.MACHINE,
        None,
        (),
        ["machine-mail"],
    )


@pytest.mark.parametrize(
    ("fields", "author", "why"),
    [
        ({"List-Id": "<x.example>"}, f"Sari <{SARI}>", Refusal.LIST),
        ({"Precedence": "bulk"}, f"Sari <{SARI}>", Refusal.BULK),
        ({}, "no-reply@toko.example", Refusal.NO_REPLY),
        ({"Return-Path": "<>"}, f"Sari <{SARI}>", Refusal.NULL_PATH),
    ],
)
def test_what_may_not_be_answered_gets_a_ticket_and_no_response(
    fields: dict[str, str], author: str, why: Refusal
) -> None:
    """Rule 9: a missing Return-Path is not a null one, and every other test here has none."""
    plan = Desk().take(letter("Revisi Desain_OT_Jamu", fields=fields, author=author))
    assert plan.opened is not None
    assert (plan.opened.queue, plan.opened.respond, plan.outbox) == ("revisi-desain-ot", False, ())
    assert plan.events[0].detail["refusal"] == why.value


def test_one_request_gets_one_response_to_its_author_alone() -> None:
    plan = Desk().take(letter("Revisi Desain_OT_Jamu Kunyit", fields={"Reply-To": TONO}))
    assert plan.opened is not None
    assert (plan.fate, kinds(plan)) == (Fate.TICKET, [Kind.ACKNOWLEDGEMENT])
    answer = plan.outbox[0]
    assert (answer.recipient, answer.mailbox, answer.ticket) == (SARI, DESAIN, plan.opened.number)
    assert f"[{plan.opened.number}]" in shown(answer)
    assert KEYS.read_ticket(answer.message_id) == plan.opened.number


def test_an_unmatched_subject_goes_to_triage_and_is_told_how_to_write() -> None:
    plan = Desk().take(letter("Mau tanya"))
    assert plan.opened is not None
    assert (plan.opened.queue, plan.opened.state, kinds(plan)) == ("triase", State.OPEN, [Kind.CORRECTION])
    assert "Revisi Desain_" in shown(plan.outbox[0])


def reply(number: str, subject: str, **more: Any) -> InboundMail:
    reference = f"<{KEYS.ticket(number)}.0123@gmail.com>"
    return letter(subject, fields={"In-Reply-To": reference}, message_id="<m2@x>", **more)


def test_the_subject_that_was_asked_for_completes_the_same_ticket() -> None:
    desk = Desk()
    first = desk.opened("Revisi Desain_Jamu")
    plan = desk.take(reply(first.number, "Revisi Desain_OT_Jamu"))
    assert (plan.fate, plan.opened, plan.ticket_of_mail) == (Fate.FOLLOW_UP, None, first.number)
    now = desk.ticket(first.number)
    assert (now.state, now.queue, now.missing) == (State.OPEN, "revisi-desain-ot", ())
    assert kinds(plan) == [Kind.ACKNOWLEDGEMENT]


def test_a_reply_reopens_a_closed_ticket_and_its_due_time_begins_anew() -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu")
    desk.close(ticket.number)
    desk.now = NOW + timedelta(days=7)
    plan = desk.take(reply(ticket.number, f"Re: [{ticket.number}]"))
    now = desk.ticket(ticket.number)
    assert ([event.kind for event in plan.events], now.state, now.closed_at) == (["reopened"], State.OPEN, None)
    assert now.due_at is not None
    assert now.due_at > desk.now


def test_a_complete_subject_of_another_kind_is_a_new_linked_ticket() -> None:
    desk = Desk()
    first = desk.opened("Revisi Desain_OT_Jamu")
    plan = desk.take(reply(first.number, "Ambil SK_OT_Jamu", files=[("desain.pdf", PDF)]))
    assert plan.opened is not None
    assert plan.links == ((plan.opened.number, first.number),)


def test_a_strangers_reply_is_a_note_that_changes_and_discloses_nothing() -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu")
    mail = reply(ticket.number, "Re: halo", author=f"Tono <{TONO}>")
    assert isinstance(desk.understand(mail), FollowUp)
    plan = desk.take(mail)
    assert ([event.kind for event in plan.events], plan.changed, plan.outbox) == (["note"], (), ())


@pytest.mark.parametrize(("author", "told"), [(SARI, True), (TONO, False)])
def test_status_is_told_to_the_applicant_alone(author: str, told: bool) -> None:
    """Rule 9."""
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu Kunyit")
    plan = desk.take(letter(f"Status {ticket.number}", author=author, message_id="<m2@x>"))
    assert (plan.fate, plan.opened, kinds(plan)) == (Fate.STATUS, None, [Kind.STATUS])
    assert ("Jamu Kunyit" in shown(plan.outbox[0])) is told
    assert plan.outbox[0].recipient == author


def test_who_says_the_same_again_and_again_gets_tickets_and_no_more_answers() -> None:
    desk = Desk()
    plans = [desk.take(letter("Mau tanya", f"Pertanyaan {n}\n", message_id=f"<m{n}@x>")) for n in range(12)]
    answered = [bool(plan.outbox) for plan in plans]
    assert answered[0]
    assert not answered[-1]
    assert answered == sorted(answered, reverse=True)
    assert all(plan.opened for plan in plans)


def test_a_number_of_somebody_elses_ticket_is_a_hint_and_no_way_in() -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu")
    plan = desk.take(letter(f"Tentang {ticket.number}", author=f"Tono <{TONO}>", message_id="<m2@x>"))
    assert plan.opened is not None
    assert plan.links == ((plan.opened.number, ticket.number),)
    assert "Jamu" not in shown(plan.outbox[0])
