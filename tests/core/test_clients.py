"""Officers' answers as real clients composed them: the same command, whatever they do with the quoted mail."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from loket.core import token
from loket.core.command import own_words
from loket.core.decide import decide
from loket.core.model import Kind, Plan, State
from loket.core.parse import body_text
from loket.core.understand import understand
from tests.core.desk import CORPUS, KEYS, PDF, looked_into, read, shown
from tests.core.room import DESK, DEWI, IKLAN, Room

ONE, TWO, THREE = "LKT-2026-000001-1", "LKT-2026-000002-9", "LKT-2026-000003-7"
CLIENTS = sorted(path.name for path in (CORPUS / "officers").glob("*.eml"))


@dataclass
class Answered:
    """The three tickets once a client's mail was carried out."""

    room: Room
    plan: Plan

    def letters(self) -> list[str]:
        """What the applicant reads."""
        return [shown(mail, *(new.content for new in self.plan.files)) for mail in self.room.to_applicant()]


def taken(name: str) -> Answered:
    room = Room()
    assert [room.ask(subject) for subject in ("Iklan radio", "Iklan televisi", "Iklan banner")] == [ONE, TWO, THREE]
    data = (CORPUS / "officers" / name).read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    mail = looked_into(read(data, IKLAN, uid=99))
    found = understand(mail, room.office, KEYS, room.known, room.now)
    plan = decide(mail, found, room.office, KEYS, room.known, room.now)
    room.known.after(plan)
    room.last = plan
    return Answered(room, plan)


NOTICE = [name for name in CLIENTS if "digest" not in name]
DIGEST = [name for name in CLIENTS if "digest" in name]


def test_there_are_five_clients() -> None:
    assert {name.rpartition("-")[0] for name in CLIENTS} >= {"neomutt", "mutt", "s-nail", "claws", "thunderbird"}


@pytest.mark.parametrize("name", NOTICE)
def test_a_reply_to_a_notice_answers_its_ticket(name: str) -> None:
    answered = taken(name)
    assert answered.room.state(ONE) is State.CLOSED
    [letter] = answered.letters()
    assert "Sudah sesuai" in letter
    for quoted in ("Yth. Dewi", "mailto:", "Dewi Anggraini", "wrote:", ">"):
        assert quoted not in letter
    assert not token.holds_officer_token(letter)


def test_the_scan_leaves_with_it_as_it_was() -> None:
    assert [new.content for new in taken("neomutt-above.eml").plan.files] == [PDF]


@pytest.mark.parametrize("name", DIGEST)
def test_a_reply_to_a_digest_answers_each_ticket_in_its_own_line(name: str) -> None:
    answered = taken(name)
    said = own_words(body_text(read((CORPUS / "officers" / name).read_bytes(), IKLAN)))
    for number in (ONE, TWO, THREE):
        ticket = answered.room.ticket(number)
        line = next((line for line in said.split("\n") if line.startswith(number)), "")
        assert (ticket.state is State.CLOSED) == ("JAWAB" in line)
        assert (ticket.claimed_by == DEWI) == ("AMBIL" in line)
        assert (ticket.snoozed_until is not None) == ("TUNDA" in line)
        assert ("surat kuasa" in ticket.note) == ("CATATAN" in line)
    assert [mail.kind for mail in answered.plan.outbox] == [Kind.DELIVERY, Kind.RECEIPT]
    assert KEYS.read_officer(answered.plan.outbox[-1].message_id, DEWI, answered.room.now) == DESK
    [letter] = answered.letters()
    assert "Sudah sesuai." in letter
    assert TWO not in letter
