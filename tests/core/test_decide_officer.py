"""What happens to a mail in an officer's name: proof, command, and the letter that leaves, or why none does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loket.core import token
from loket.core.command import Doubt, Doubtful, Proven
from loket.core.model import Fate, Kind, Plan, State
from tests.core.desk import ANI, BUDI, FAJAR, KEYS, NOW, PDF, SARI, TONO, Desk, letter, shown


def kinds(plan: Plan) -> list[Kind]:
    return [mail.kind for mail in plan.outbox]


def test_a_proven_officers_answer_leaves_with_its_scan_for_the_applicant() -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu")
    plan = desk.from_officer(ticket.number, "desain.\n\nSilakan.\n", files=[("scan.pdf", PDF)])
    assert [(mail.kind, mail.recipient) for mail in plan.outbox] == [(Kind.DELIVERY, SARI), (Kind.RECEIPT, ANI)]
    assert desk.ticket(ticket.number).state is State.CLOSED
    # The letter carries the reference, never an officer's token.
    assert not token.holds_officer_token(shown(plan.outbox[0], PDF) + plan.outbox[0].message_id)


def test_our_own_notice_enclosed_by_the_officers_client_does_not_reach_the_applicant() -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu")
    notice = f"Message-ID: <{KEYS.officer(ticket.number, ANI, NOW)}.0a@gmail.com>\r\n\r\nYth. Ani\r\n".encode()
    files = [("pesan.eml", notice), ("pesan.msg", notice.decode().encode("utf-16-le"))]
    assert desk.from_officer(ticket.number, "DESAIN\n", files=files).events[0].detail["reason"] == "attachment-required"
    plan = desk.from_officer(ticket.number, "DESAIN\n", files=[*files, ("scan.pdf", PDF)])
    assert [file.content for file in plan.files] == [PDF]


@pytest.mark.parametrize(
    ("body", "queue"),
    [
        ("ALIH persuratan\n", "persuratan"),
        ("alih: <Triase>.\n", "triase"),
        ("MOVE\n\nakun\n", "akun"),
        ("ALIH ke [akun].\n", "akun"),
    ],
)
def test_alih_moves_a_ticket_to_the_queue_it_names(body: str, queue: str) -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu")
    plan = desk.from_officer(ticket.number, body)
    assert (desk.ticket(ticket.number).queue, kinds(plan)) == (queue, [Kind.RECEIPT])


REFUSED = [
    ("ALIH entah\n", "unknown-target"),
    ("ALIH\n", "unknown-target"),
    ("DESAIN\n", "attachment-required"),
]


@pytest.mark.parametrize(("body", "reason"), REFUSED)
def test_a_command_that_cannot_be_done_changes_nothing_and_says_why(body: str, reason: str) -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu")
    plan = desk.from_officer(ticket.number, body)
    assert plan.events[0].detail["reason"] == reason
    assert (desk.ticket(ticket.number), kinds(plan), plan.outbox[0].recipient) == (ticket, [Kind.RECEIPT], ANI)


def test_an_unknown_command_is_answered_with_the_nearest() -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu")
    plan = desk.from_officer(ticket.number, "DESIAN\n", files=[("scan.pdf", PDF)])
    assert (plan.events[0].kind, plan.events[0].detail["nearest"]) == ("command-unknown", "DESAIN")
    assert desk.ticket(ticket.number) == ticket


def test_an_answer_from_another_desk_or_too_late_is_held_with_its_scans() -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu")
    other = desk.from_officer(ticket.number, "DESAIN\n", author=f"Budi <{BUDI}>", files=[("scan.pdf", PDF)])
    desk.close(ticket.number)
    late = desk.from_officer(ticket.number, "DESAIN\n", files=[("scan.pdf", PDF)])
    assert (other.fate, kinds(other)) == (Fate.QUARANTINE, [Kind.RECEIPT])
    assert (late.fate, kinds(late)) == (Fate.COMMAND, [Kind.DELIVERY, Kind.RECEIPT])
    assert [mail.held for mail in late.outbox] == [True, False]
    assert [new.content for new in late.files] == [PDF]
    for plan, reason in ((other, "not-your-queue"), (late, "already-answered")):
        assert plan.changed == ()
        assert plan.events[0].detail["reason"] == reason


DOUBTS = [
    (ANI, "{ani}", None),
    (f'"{ANI}" <{TONO}>', "{ani}", Doubt.WRONG_AUTHOR),
    (ANI, "", Doubt.NO_TOKEN),
    (ANI, "{budi}", Doubt.STALE_TOKEN),
    (ANI, "{old}", Doubt.STALE_TOKEN),
    (f"{ANI}, {TONO}", "{ani}", Doubt.DOUBTFUL_FROM),
    (f"({ANI}) {ANI}", "{ani}", Doubt.DOUBTFUL_FROM),
    (TONO, "{ani}", Doubt.WRONG_AUTHOR),
]


@pytest.mark.parametrize(("author", "reference", "doubt"), DOUBTS)
def test_only_one_strict_address_with_its_own_fresh_token_is_an_officers(
    author: str, reference: str, doubt: Doubt | None
) -> None:
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu")
    said = reference.format(
        ani=KEYS.officer(ticket.number, ANI, NOW),
        budi=KEYS.officer(ticket.number, BUDI, NOW),
        old=KEYS.officer(ticket.number, ANI, NOW - timedelta(days=100)),
    )
    mail = letter(f"DESAIN [{said}]", "", author=author, files=[("scan.pdf", PDF)], message_id="<m2@x>")
    understood = desk.understand(mail)
    assert isinstance(understood, Proven if doubt is None else Doubtful)
    plan = desk.take(mail)
    if doubt is None:
        return
    assert isinstance(understood, Doubtful)
    assert understood.reason is doubt
    assert (plan.fate, plan.changed, desk.ticket(ticket.number)) == (Fate.QUARANTINE, (), ticket)
    assert {mail.recipient for mail in plan.outbox} <= {ANI}


def test_an_officer_who_writes_as_an_applicant_is_not_taken_for_one() -> None:
    """A mail in an officer's name without a token is set aside, and only the known address is told."""
    plan = Desk().take(letter("Revisi Desain_OT_Jamu", author=FAJAR))
    assert (plan.fate, plan.opened, [mail.recipient for mail in plan.outbox]) == (Fate.QUARANTINE, None, [FAJAR])
