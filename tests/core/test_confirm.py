"""Letters that wait for a code: what an officer is asked, which word lets them go, and what does not (promise P15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest

from loket.core import codes, token
from loket.core.confirm import lapsed
from loket.core.mail import Post
from loket.core.model import CodeState, Fate, HeldState, Kind, MailRef, Move, Phase, Plan, State
from tests.core.desk import ANI, BUDI, DESAIN, KEYS, NOW, PDF, SARI, TONO, shown
from tests.core.proofs import FILES, TOKEN, Room, code_of, leaving, refused, told


def test_a_letter_waits_for_its_officers_word_and_leaves_as_it_was_written() -> None:
    room = Room()
    number = room.asked()
    before = room.desk.ticket(number)
    plan = room.answers(number)
    assert [(mail.kind, mail.recipient, mail.held) for mail in plan.outbox] == [
        (Kind.DELIVERY, SARI, True),
        (Kind.RECEIPT, ANI, False),
        (Kind.NOTICE, ANI, False),
    ]
    assert room.desk.ticket(number) == before
    said = shown(told(plan))
    [kept] = plan.held
    assert all(part in said for part in (number, "s***i@jamusegar.example", "sk.pdf", "1 halaman", kept.sha256[0]))
    assert SARI not in said
    assert "YA" not in said.splitlines()[0], "a subject that is answered without words must not confirm"
    done = room.confirms(code_of(plan))
    assert done.moves == (Move(plan.outbox[0].key, Phase.DUE), Move(told(plan).key, Phase.CANCELLED))
    assert [(mail.kind, mail.recipient) for mail in done.outbox] == [(Kind.RECEIPT, ANI)]
    ticket = room.desk.ticket(number)
    assert (ticket.state, ticket.answered_by, ticket.outcome) == (State.CLOSED, ANI, "sk-terbit")
    assert [event.kind for event in done.events] == ["code-used", "answered"]
    assert done.events[1].detail["files"] == [{"name": "sk.pdf", "size": "35 B", "sha256": kept.sha256[0]}]


def test_an_outcome_that_is_no_letter_needs_no_code() -> None:
    room = Room()
    plan = room.says(room.asked(), "REVISI\n\nBelum.\n", files=FILES)
    assert leaving(plan) == [SARI, ANI]


@pytest.mark.parametrize("spoil", [str.lower, lambda code: code.replace("-", " "), lambda code: code.replace("-", "")])
def test_a_code_may_be_typed_as_people_type(spoil: Any) -> None:
    room = Room()
    done = room.confirms(spoil(code_of(room.answers(room.asked()))) + " terima kasih")
    assert len(done.changed) == 1


def test_digits_stand_for_the_letters_they_look_like() -> None:
    assert codes.typed("oi8a9-0i1bz") == "OIBAPOIIBZ"


def test_ten_letters_need_one_code() -> None:
    room = Room()
    numbers = [room.asked(f"Jamu {index}") for index in range(10)]
    plans = [room.answers(number) for number in numbers]
    for earlier, later in pairwise(plans):
        assert Move(told(earlier).key, Phase.CANCELLED) in later.moves
    assert [told(plan).not_before for plan in plans] == [NOW + timedelta(minutes=2)] * 10
    done = room.confirms(code_of(plans[-1]))
    assert [ticket.number for ticket in done.changed] == numbers
    assert len([move for move in done.moves if move.phase is Phase.DUE]) == 10
    assert {code.state for code in done.codes} == {CodeState.USED}
    assert room.desk.known.codes.of(ANI) == []


def test_several_letters_of_one_mail_need_one_code() -> None:
    room = Room()
    numbers = [room.asked(f"Jamu {index}") for index in range(3)]
    files = [(f"{number}.pdf", PDF + number.encode()) for number in numbers]
    plan = room.says(token.desk("LKT"), "".join(f"{number} SK\n" for number in numbers), files=files)
    assert [held.ticket for held in plan.held] == numbers
    done = room.confirms(code_of(plan))
    assert [ticket.number for ticket in done.changed] == numbers
    assert [held.sha256 for held in plan.held] == [(sha256(content).hexdigest(),) for _, content in files]


def test_a_code_lets_go_only_what_its_mail_listed() -> None:
    """What somebody slips in behind the mail that an officer has read stays where it is."""
    room = Room()
    first = room.answers(room.asked("Satu"))
    second = room.answers(room.asked("Dua"))
    done = room.confirms(code_of(first))
    assert [move.key for move in done.moves if move.phase is Phase.DUE] == [first.outbox[0].key]
    rest = room.confirms(code_of(second))
    assert [move.key for move in rest.moves if move.phase is Phase.DUE] == [second.outbox[0].key]


def test_a_code_is_good_once() -> None:
    room = Room()
    code = code_of(room.answers(room.asked("Satu")))
    room.answers(room.asked("Dua"))
    room.confirms(code)
    refused(room.confirms(code), "wrong-code")


def test_a_code_is_good_for_a_day() -> None:
    room = Room()
    code = code_of(room.answers(room.asked()))
    room.desk.now = NOW + timedelta(hours=24)
    refused(room.confirms(code), "stale-code")


@pytest.mark.parametrize("said", ["", "ABCDE", "setuju"])
def test_a_word_without_a_code_lets_nothing_go(said: str) -> None:
    room = Room()
    room.answers(room.asked())
    refused(room.confirms(said), "no-code")
    assert room.desk.known.codes.of(ANI)[0].wrong == 0


def test_a_yes_that_is_about_no_letter_is_any_other_mail() -> None:
    room = Room()
    plan = room.says(room.asked(), "Ya, nanti saya kirim.\n")
    assert plan.events[0].kind == "command-unknown"
    assert leaving(plan) == [ANI]


def test_a_code_without_letters_that_wait_lets_nothing_go() -> None:
    refused(Room().confirms("ABCDE-FGHIJ"), "no-code")


def test_a_code_is_its_officers_alone() -> None:
    room = Room()
    plan = room.answers(room.asked())
    stolen = room.confirms(code_of(plan), author=BUDI)
    assert stolen.fate is Fate.QUARANTINE
    assert leaving(stolen) == [BUDI]
    for author, tokens in ((TONO, TOKEN), (f"{ANI} <{TONO}>", TOKEN), (f"{ANI}, {TONO}", TOKEN), (ANI, "x")):
        tried = room.says(token.desk("LKT"), f"YA {code_of(plan)}\n", author=author, tokens=tokens)
        assert tried.fate in (Fate.QUARANTINE, Fate.TICKET)
        assert tried.moves == ()
    assert len(room.confirms(code_of(plan)).changed) == 1


def test_five_wrong_codes_and_none_is_good_any_more() -> None:
    room = Room()
    first = room.answers(room.asked())
    code = code_of(first)
    for _ in range(4):
        refused(room.confirms("ABCDE-FGHIJ"), "wrong-code")
    last = room.confirms("ABCDE-FGHIJ")
    refused(last, "wrong-code")
    assert [one.state for one in last.held] == [HeldState.DROPPED]
    assert [(str(ref), why.reason) for ref, why in last.set_aside] == [(first.held[0].mail, "held: code-spent")]
    assert {mail.recipient for mail in last.outbox} == {ANI}
    refused(room.confirms(code), "no-code")


def test_a_code_in_quoted_or_enclosed_words_confirms_nothing() -> None:
    room = Room()
    number = room.asked()
    code = code_of(room.answers(number))
    quoted = f"BANTUAN\n\nPada 24/11/2026 09.00 Loket <x@gmail.com> menulis:\n> YA {code}\n"
    assert leaving(room.says(number, quoted)) == [ANI]
    assert room.says(number, f"\n> YA {code}\n").changed == ()
    forwarded = [("fwd.eml", f"From: {ANI}\r\n\r\nYA {code}\r\n".encode())]
    assert room.says(number, "CATATAN\n\nlihat terlampir\n", files=forwarded).moves == ()


def test_other_bytes_than_the_officer_was_shown_do_not_leave() -> None:
    room = Room()
    plan = room.answers(room.asked())
    key = plan.held[0].key
    kept = room.desk.known.codes.kept
    kept[key] = replace(kept[key], sha256=("0" * 64,))
    refused(room.confirms(code_of(plan)), "wrong-code")


def test_another_recipient_than_the_officer_was_shown_gets_nothing() -> None:
    room = Room()
    number = room.asked()
    plan = room.answers(number)
    moved = replace(room.desk.ticket(number), applicant=TONO)
    room.desk.known.after(Plan(changed=(moved,)))
    done = room.confirms(code_of(plan))
    assert (done.changed, done.moves[0].phase) == ((), Phase.CANCELLED)
    assert "alamat pemohon sudah berubah" in shown(done.outbox[0])
    kept = room.desk.known.codes.kept
    assert kept[plan.held[0].key].recipient == SARI


def test_a_ticket_that_was_answered_meanwhile_gets_no_second_letter() -> None:
    room = Room()
    number = room.asked()
    plan = room.answers(number)
    room.desk.close(number, BUDI)
    done = room.confirms(code_of(plan))
    assert (done.changed, [move.phase for move in done.moves]) == ((), [Phase.CANCELLED, Phase.CANCELLED])
    assert "sudah dijawab" in shown(done.outbox[0])


def test_the_later_answer_takes_the_earlier_ones_place() -> None:
    room = Room()
    number = room.asked()
    first = room.answers(number)
    second = room.says(number, "SK\n", files=[("benar.pdf", PDF + b"\n")])
    assert Move(first.held[0].key, Phase.CANCELLED) in second.moves
    assert room.confirms(code_of(first)).changed == ()
    done = room.confirms(code_of(second))
    assert [move.key for move in done.moves if move.phase is Phase.DUE] == [second.held[0].key]


def test_batal_calls_off_what_waits() -> None:
    room = Room()
    number = room.asked()
    code = code_of(room.answers(number))
    room.says(number, "BATAL\n")
    assert room.confirms(code).changed == ()


def test_kirim_is_no_way_around_a_code() -> None:
    room = Room()
    number = room.asked()
    room.desk.close(number, BUDI)
    late = room.answers(number)
    assert late.held[0].reason == "already-answered"
    assert [move.phase for move in late.moves] == []
    anyway = room.says(number, "KIRIM\n")
    assert leaving(anyway) == [ANI, ANI]
    assert anyway.changed == ()
    # The ticket is still answered by somebody else: the word is about that too.
    assert room.confirms(code_of(anyway)).changed == ()


def test_no_word_in_time_sets_the_letters_aside() -> None:
    room = Room()
    plan = room.answers(room.asked())
    post = Post(room.desk.house, room.desk.house.counters[DESAIN], KEYS, NOW + timedelta(hours=24))
    officer = room.desk.house.officers[ANI]
    assert lapsed(officer, replace(post, now=NOW), room.desk.known) == Plan()
    over = lapsed(officer, post, room.desk.known)
    assert [mail.recipient for mail in over.outbox] == [ANI]
    assert over.moves == (Move(plan.held[0].key, Phase.CANCELLED),)
    assert over.set_aside[0][0] == MailRef.of(plan.held[0].mail)
    room.desk.known.after(over)
    assert room.desk.known.codes.of(ANI) == []
    refused(room.confirms(code_of(plan)), "no-code")


def test_a_code_is_not_kept_in_the_clear() -> None:
    room = Room()
    plan = room.answers(room.asked())
    [code] = plan.codes
    assert code_of(plan).replace("-", "").lower() not in repr(code).lower()
