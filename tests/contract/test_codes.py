"""Confirmation codes in every store: what a code says of its letters is what the outbox holds, and it is good once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from loket.core.codes import Kept, matching
from loket.core.decide import decide
from loket.core.known import Hints, Known, hints
from loket.core.model import CodeState, Fate, InboundMail, Kind, Move, Phase, Plan, State
from loket.core.office import Office
from loket.core.understand import understand
from loket.lapses import Lapses
from loket.store import schema
from loket.store.codes import officers_with_lapsed
from loket.store.hands import HandsStore, NotPossible
from loket.store.intake import IntakeStore
from tests.contract.conftest import Store
from tests.core.desk import ANI, KEYS, NOW, PDF, letter, looked_into, office
from tests.core.proofs import code_of

DAY = timedelta(hours=24)


class Lane:
    """An officer, a request and a store: each mail taken in as the daemon does."""

    def __init__(self, store: Store) -> None:
        self.store, self.uid, self.at = store, 0, NOW
        self.intake = IntakeStore(store.database, {})

    def take(self, mail: InboundMail) -> Plan:
        self.uid += 1
        mail = replace(mail, raw=replace(mail.raw, ref=replace(mail.raw.ref, uid=self.uid)))
        with self.intake.begin() as batch:
            batch.keep([mail.raw], self.at)
            known = batch.known(hints([mail]), self.at)
            plan = decide(mail, understand(mail, office(), KEYS, known, self.at), office(), KEYS, known, self.at)
            batch.apply([plan], self.at)
        return plan

    def asked(self, product: str) -> str:
        opened = self.take(letter(f"Ambil SK_OT_{product}", files=[("d.pdf", PDF)], message_id=f"<{product}@x>")).opened
        assert opened is not None
        return opened.number

    def says(self, number: str, body: str, *files: tuple[str, bytes]) -> Plan:
        fields = {"In-Reply-To": f"<{KEYS.officer(number, ANI, self.at)}.0a@gmail.com>"}
        message_id = f"<o{self.uid}@pom.go.id>"
        return self.take(
            looked_into(letter("Re:", body, author=ANI, files=files, fields=fields, message_id=message_id))
        )

    def answers(self, number: str) -> Plan:
        return self.says(number, "SK\n", (f"{number}.pdf", PDF + number.encode()))

    def known(self) -> Known:
        with self.intake.begin() as batch:
            return batch.known(Hints(frozenset(), frozenset(), officers=frozenset({ANI})), self.at)

    def lapse(self, house: Office | None = None) -> list[str]:
        wrote: list[str] = []
        lane = self

        class Clock:
            def now(self) -> object:
                return lane.at

        over = lambda now: officers_with_lapsed(self.store.database, now)  # noqa: E731 - as the app binds it
        Lapses(over, self.intake, lambda: house or office(), KEYS, Clock(), wrote.append).tick()  # type: ignore[arg-type] # a clock
        return wrote


@pytest.fixture
def lane(store: Store, tmp_path: Path) -> Lane:
    return Lane(store)


def test_a_code_comes_back_as_it_was_written_with_what_the_outbox_holds(lane: Lane) -> None:
    plans = [lane.answers(lane.asked(name)) for name in ("Satu", "Dua")]
    known = lane.known()
    assert known.codes.of(ANI) == [plans[0].codes[0], plans[1].codes[0]]
    assert known.codes.kept == {plan.held[0].key: Kept(plan.outbox[0].recipient, plan.held[0].sha256) for plan in plans}
    assert known.codes.unsent == {plans[1].codes[0].id}
    assert set(known.tickets) == {plan.held[0].ticket for plan in plans}
    assert lane.store.phases()[plans[0].codes[0].id] == "cancelled"


def test_a_word_lets_the_listed_letters_go_once(lane: Lane) -> None:
    numbers = [lane.asked(name) for name in ("Satu", "Dua")]
    plans = [lane.answers(number) for number in numbers]
    assert not [
        row
        for row in lane.store.outgoing.claim(NOW + DAY, 99, [plans[0].outbox[0].mailbox])
        if row.mail.kind is Kind.DELIVERY
    ]
    done = lane.says(numbers[0], f"YA {code_of(plans[1])}\n")
    assert [lane.store.phases()[plan.held[0].key] for plan in plans] == ["due", "due"]
    assert [lane.store.desk.ticket(number).state for number in numbers] == [State.CLOSED] * 2  # type: ignore[union-attr] # there
    assert len(done.changed) == 2
    assert lane.known().codes.of(ANI) == []
    again = lane.says(numbers[0], f"YA {code_of(plans[1])}\nsekali lagi\n")
    assert again.fate is Fate.QUARANTINE
    assert {row.state for row in lane.store.rows(schema.code)} == {"used"}


@pytest.mark.parametrize("change", [{"recipient": "maling@luar.example"}, {"layout": '[["base64","00",1]]'}])
def test_a_letter_that_was_changed_in_the_outbox_does_not_leave(lane: Lane, change: dict[str, str]) -> None:
    number = lane.asked("Satu")
    plan = lane.answers(number)
    with lane.store.database.write() as connection:
        connection.execute(update(schema.outbox).where(schema.outbox.c.key == plan.held[0].key).values(change))
    code = code_of(plan).replace("-", "")
    assert matching(KEYS, lane.known().codes, ANI, code) is None
    assert lane.says(number, f"YA {code}\n").fate is Fate.QUARANTINE
    assert lane.store.phases()[plan.held[0].key] == "held"


def test_codes_whose_time_is_over_end_once(lane: Lane) -> None:
    number = lane.asked("Satu")
    plan = lane.answers(number)
    assert lane.lapse() == []
    lane.at = NOW + DAY
    assert lane.lapse() == [plan.outbox[0].mailbox]
    assert lane.lapse() == []
    [code] = lane.store.rows(schema.code)
    assert code.state == CodeState.LAPSED.value
    assert lane.store.phases()[plan.held[0].key] == "cancelled"
    [aside] = lane.store.rows(schema.quarantine)
    assert (aside.uid, aside.reason) == (2, "held: code-lapsed")
    assert lane.store.desk.ticket(number).state is State.OPEN  # type: ignore[union-attr] # it is there


def test_a_code_of_an_officer_who_has_left_ends_without_a_mail(lane: Lane) -> None:
    plan = lane.answers(lane.asked("Satu"))
    lane.at = NOW + DAY
    gone = replace(office(), officers={key: one for key, one in office().officers.items() if key != ANI})
    assert lane.lapse(gone) == []
    assert lane.store.phases()[plan.held[0].key] == "cancelled"


def test_no_hand_sends_a_letter_that_nobody_confirmed(lane: Lane) -> None:
    plan = lane.answers(lane.asked("Satu"))
    lane.at = NOW + DAY
    lane.lapse()
    [row] = [row for row in lane.store.rows(schema.outbox) if row.key == plan.held[0].key]
    hands = HandsStore(lane.store.database, "admin x")
    for phase in (Phase.CANCELLED, Phase.HELD):
        with pytest.raises(NotPossible):
            hands.move(row.id, (phase, Phase.REFUSED), Phase.DUE, "by hand", lane.at)
    assert lane.store.phases()[plan.held[0].key] == "cancelled"


def test_what_waits_for_a_word_may_wait_for_another_reason_later(lane: Lane) -> None:
    """KIRIM turns an answer that came second into one that needs a code."""
    number = lane.asked("Satu")
    ticket = lane.store.desk.ticket(number)
    assert ticket is not None
    with lane.intake.begin() as batch:
        batch.apply(
            [Plan(changed=(replace(ticket, state=State.CLOSED, answered_by="budi@pom.go.id", closed_at=NOW),))], NOW
        )
    first = lane.answers(number)
    assert first.held[0].reason == "already-answered"
    lane.says(number, "KIRIM\n")
    [held] = lane.store.rows(schema.held)
    assert (held.key, held.reason, held.state) == (first.held[0].key, "unconfirmed", "held")
    assert Move(first.held[0].key, Phase.DUE) not in first.moves
