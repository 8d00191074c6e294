"""Live consultations in core alone: who asks stands in line, three are served, an end calls the next, nobody twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from loket.core import lineup, token
from loket.core.mail import Post
from loket.core.model import End, Kind, Plan, State, Ticket, Turn
from tests.core.desk import DITLAI, KEYS, shown
from tests.core.waitingroom import DEWI, WaitingRoom, at, to

QUEUE = "konsultasi-chat"
DESK = token.desk("LKT")
FORM = """CATAT
Saluran: {channel}
Nama: Pak {name}
Kontak: 0812-0000-{number:04}
Email: {email}
Antrean: konsultasi-chat
Perihal: Tanya {number}
"""


@dataclass(slots=True)
class ChatRoom(WaitingRoom):
    """Mails to the counter that calls in turn."""

    def come(self, name: str, **more: Any) -> Ticket:
        """A request by mail."""
        plan = self.write(f"Mohon dilayani, {name}.\n", "Konsultasi live chat", author=f"{name}@x.example", **more)
        assert plan.opened is not None
        return plan.opened

    def phone(self, name: str, channel: str = "Telepon", email: str = "") -> Ticket:
        """An officer registers a contact."""
        number = len(self.plans)
        form = FORM.format(name=name, channel=channel, email=email, number=number)
        plan = self.order(DESK, form)
        assert plan.opened is not None, plan.events
        return plan.opened

    def order(self, ticket: Any, body: str, who: str = DEWI) -> Plan:
        """An officer's command about the ticket, or with a number about that."""
        number = ticket.number if isinstance(ticket, Ticket) else ticket
        reference = f"<{KEYS.officer(number, who, self.now)}.0123456789abcdef0123@yahoo.co.id>"
        return self.write(body, "Re: tiket", author=f"Dewi <{who}>", fields={"In-Reply-To": reference})

    def tick(self) -> Plan | None:
        """The daemon looks at its clock."""
        post = Post(self.house, self.house.counters[DITLAI], KEYS, self.now)
        plan = lineup.due(post, self.known, QUEUE)
        return self.carry(plan) if plan is not None else None

    def served(self) -> list[str]:
        """The tickets that are served."""
        return [one.ticket for one in self.known.lines[QUEUE].served]

    def waiting(self) -> list[str]:
        """The tickets that wait, in their order."""
        return [one.ticket for one in self.known.lines[QUEUE].waiting]

    def turn(self, ticket: Ticket) -> Turn:
        """The ticket's last turn."""
        found = [turn for plan in self.plans for turn in plan.turns if turn.ticket == ticket.number]
        return found[-1]


def called(plan: Plan) -> list[str]:
    """Whom a plan calls."""
    return [one.ticket for one in plan.turns if one.served]


def calls(plan: Plan) -> list[str]:
    """Whom it calls by mail."""
    return [mail.recipient for mail in plan.outbox if mail.kind is Kind.CALL]


def text(plan: Plan, address: str, *kinds: Kind) -> str:
    """The letter that an address gets of a plan."""
    [mail] = [one for one in to(plan, address) if not kinds or one.kind in kinds]
    return shown(mail).replace("\r\n", "\n")


@pytest.fixture
def room() -> ChatRoom:
    """Tuesday, 09.00: the counter is open, nobody is there."""
    return ChatRoom()


def test_three_are_called_at_once_and_the_fourth_is_told_place_and_wait(room: ChatRoom) -> None:
    tickets = [room.come(name) for name in ("ani", "budi", "citra", "dodi")]
    assert [calls(plan) for plan in room.plans] == [["ani@x.example"], ["budi@x.example"], ["citra@x.example"], []]
    assert room.served() == [one.number for one in tickets[:3]]
    ack = text(room.plans[3], "dodi@x.example")
    assert "Nomor urut antrean: 1\n" in ack
    assert "Perkiraan waktu tunggu: 5–15 menit\n" in ack
    assert "hari kerja" not in ack
    first = text(room.plans[0], "ani@x.example", Kind.CALL)
    assert 'klik "Chat Asrot"' in " ".join(first.split())
    assert "paling lama 15 menit, sampai pukul\n09.15 WIB" in first
    assert "Giliran Bapak/Ibu: sekarang" in text(room.plans[0], "ani@x.example", Kind.ACKNOWLEDGEMENT)


@pytest.mark.parametrize("command", ["SELESAI", "DONE", "LEWAT", "SKIP", "ABSEN", "JAWAB Silakan lihat ASROT."])
def test_an_officers_word_ends_a_turn_and_calls_the_next(room: ChatRoom, command: str) -> None:
    tickets = [room.come(name) for name in ("ani", "budi", "citra", "dodi", "eka")]
    plan = room.order(tickets[1], command)
    assert (called(plan), calls(plan)) == ([tickets[3].number], ["dodi@x.example"])
    assert room.turn(tickets[1]).end is End.ANSWERED
    assert room.ticket(tickets[1].number).state is State.CLOSED
    assert room.waiting() == [tickets[4].number]


def test_when_the_time_is_up_the_next_is_called_and_the_ticket_waits_for_its_result(room: ChatRoom) -> None:
    tickets = [room.come(name) for name in ("ani", "budi", "citra", "dodi")]
    room.later(minutes=14, seconds=59)
    assert room.tick() is None
    room.later(seconds=1)
    plan = room.tick()
    assert plan is not None
    assert [(one.ticket, one.end) for one in plan.turns if one.over] == [(one.number, End.TIME) for one in tickets[:3]]
    assert calls(plan) == ["dodi@x.example"]
    assert room.ticket(tickets[0].number).state is State.OPEN
    assert room.tick() is None


def test_the_clock_calls_in_the_order_in_which_they_came(room: ChatRoom) -> None:
    tickets = [room.come(f"p{number}") for number in range(10)]
    order = list(room.served())
    while room.waiting():
        room.later(minutes=15)
        plan = room.tick()
        assert plan is not None
        order += called(plan)
        assert len(room.served()) <= 3
    assert order == [one.number for one in tickets]


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        (at(11, 24, 8, 29), at(11, 24, 8, 30)),
        (at(11, 24, 15, 46), at(11, 25, 8, 30)),
        (at(11, 27, 17, 0), at(11, 30, 8, 30)),
        # Christmas, and the joint leave of the day before; then the weekend.
        (at(12, 23, 16, 0), at(12, 28, 8, 30)),
    ],
)
def test_nobody_is_called_outside_opening_hours(room: ChatRoom, moment: datetime, opens: datetime) -> None:
    room.now = moment
    ticket = room.come("ani")
    assert called(room.plans[-1]) == []
    ack = text(room.plans[-1], "ani@x.example")
    assert "pukul 08.30 WIB" in ack[ack.index("waktu tunggu") :]
    room.now = opens - timedelta(seconds=1)
    assert room.tick() is None
    room.now = opens
    plan = room.tick()
    assert plan is not None
    assert called(plan) == [ticket.number]


def test_a_turn_ends_with_the_counter_at_the_latest(room: ChatRoom) -> None:
    room.now = at(11, 24, 15, 45)
    room.come("ani")
    [turn] = room.known.lines[QUEUE].served
    assert turn.ends_at == at(11, 24, 16, 0)


def test_while_all_officers_are_away_nobody_is_called(room: ChatRoom) -> None:
    room.order(DESK, "CUTI sampai 24 November")
    ticket = room.come("ani")
    assert (called(room.plans[-1]), room.tick()) == ([], None)
    assert "sekarang" not in text(room.plans[-1], "ani@x.example")
    room.now = at(11, 25, 8, 30)
    room.known.away.clear()
    plan = room.tick()
    assert plan is not None
    assert called(plan) == [ticket.number]


def test_who_came_by_telephone_is_called_by_an_officer(room: ChatRoom) -> None:
    ticket = room.phone("Budi")
    plan = room.plans[-1]
    assert called(plan) == [ticket.number]
    assert (calls(plan), {mail.recipient for mail in plan.outbox}) == ([], {DEWI})
    [told] = [shown(mail).replace("\r\n", "\n") for mail in plan.outbox if mail.key.startswith("turn-call:")]
    assert "Giliran sekarang: Budi" in told
    assert f"mohon hubungi langsung:\nBudi, {ticket.contact}, Telepon." in told
    assert "petugas kami menelepon" not in told
    assert "SELESAI – Konsultasi selesai: <mailto:" in told
    plan = room.order(ticket, "SELESAI")
    assert room.turn(ticket).end is End.ANSWERED


def test_a_registered_contact_with_an_address_is_told_the_place(room: ChatRoom) -> None:
    for name in ("ani", "budi", "citra"):
        room.come(name)
    room.phone("Sari", "WA", "sari@x.example")
    plan = room.plans[-1]
    assert "Nomor urut antrean: 1\n" in text(plan, "sari@x.example")
    assert "Giliran: nomor urut 1, perkiraan waktu tunggu" in shown(plan.outbox[-1])
    room.later(minutes=15)
    plan = room.tick()
    assert plan is not None
    assert calls(plan) == ["sari@x.example"]
    assert "melalui WhatsApp dari nomor" in " ".join(text(plan, "sari@x.example", Kind.CALL).split())


def test_status_tells_the_place_to_the_applicant_and_to_the_officer(room: ChatRoom) -> None:
    tickets = [room.come(name) for name in ("ani", "budi", "citra", "dodi", "eka")]
    plan = room.write("", f"Status {tickets[4].number}", author="eka@x.example")
    assert "Nomor urut antrean: 2\n" in text(plan, "eka@x.example")
    plan = room.write("", f"Status {tickets[0].number}", author="ani@x.example")
    assert "Giliran Bapak/Ibu: sekarang, paling lama sampai pukul 09.15 WIB" in text(plan, "ani@x.example")
    assert "Giliran: nomor urut 2, perkiraan" in text(room.order(tickets[4], "STATUS"), DEWI)
    assert "Giliran: sedang dilayani" in text(room.order(tickets[0], "STATUS"), DEWI)
    desk = text(room.order(DESK, "STATUS"), DEWI)
    assert "giliran: 3 sedang dilayani, 2 menunggu" in desk


def test_an_applicant_gives_the_place_up_and_takes_another(room: ChatRoom) -> None:
    tickets = [room.come(name) for name in ("ani", "budi", "citra", "dodi", "eka")]
    plan = room.reply(tickets[0], "Maaf, batal saja.\n")
    assert calls(plan) == ["dodi@x.example"]
    assert room.turn(tickets[0]).end is End.WITHDRAWN
    assert room.ticket(tickets[0].number).state is State.CLOSED
    assert "dibatalkan" in text(plan, "ani@x.example")
    plan = room.reply(tickets[0], "GILIRAN\n")
    assert room.waiting() == [tickets[4].number, tickets[0].number]
    assert "Nomor urut antrean: 2" in text(plan, "ani@x.example")
    assert room.ticket(tickets[0].number).state is State.OPEN
    plan = room.reply(tickets[4], "Kapan giliran saya, Bu?\n")
    assert "Nomor urut antrean: 1" in text(plan, "eka@x.example")
    assert room.waiting() == [tickets[4].number, tickets[0].number]


def test_thanks_after_the_end_take_no_place(room: ChatRoom) -> None:
    ticket = room.come("ani")
    room.order(ticket, "SELESAI")
    room.reply(ticket, "Terima kasih banyak, jelas sekali.\n")
    assert (room.served(), room.waiting()) == ([], [])


def test_an_officer_gives_a_place_at_the_end_of_the_line(room: ChatRoom) -> None:
    tickets = [room.come(name) for name in ("ani", "budi", "citra", "dodi", "eka")]
    room.order(tickets[0], "LEWAT")
    plan = room.order(tickets[0], "GILIRAN")
    assert "Pemohon masuk giliran" in text(plan, DEWI)
    assert "Nomor urut antrean: 2" in text(plan, "ani@x.example")
    assert room.waiting() == [tickets[4].number, tickets[0].number]
    plan = room.order(tickets[0], "TURN")
    assert (plan.turns, "Pemohon sudah menunggu giliran" in text(plan, DEWI)) == ((), True)


def test_giliran_in_another_queue_is_refused_and_help_names_it_only_here(room: ChatRoom) -> None:
    zoom = room.ask("siti@x.example")
    assert "tidak memanggil pemohon menurut giliran" in text(room.order(zoom, "GILIRAN"), DEWI)
    assert "GILIRAN" not in text(room.order(zoom, "BANTUAN"), DEWI)
    help_ = text(room.order(room.come("ani"), "BANTUAN"), DEWI)
    for command in ("GILIRAN", "SELESAI", "LEWAT", "JAWAB"):
        assert f"- {command}: " in help_


def test_a_ticket_moved_into_the_queue_takes_a_place_and_one_moved_out_leaves_it(room: ChatRoom) -> None:
    for name in ("ani", "budi", "citra"):
        room.come(name)
    zoom = room.ask("siti@x.example")
    plan = room.order(zoom, "ALIH konsultasi-chat")
    assert "Nomor urut antrean: 1" in text(plan, "siti@x.example", Kind.REMINDER)
    assert room.waiting() == [zoom.number]
    room.order(zoom, "ALIH konsultasi-iklan")
    assert (room.waiting(), room.turn(zoom).end) == ([], End.MOVED)


def test_a_machines_mail_takes_no_place(room: ChatRoom) -> None:
    plan = room.write(
        "x", "Konsultasi live chat", author="list@x.example", fields={"List-Id": "<l.x.example>", "Precedence": "bulk"}
    )
    assert plan.opened is not None
    assert (plan.turns, plan.outbox) == ((), ())


def test_an_answer_before_the_turn_keeps_the_place_unless_it_ends_the_ticket(room: ChatRoom) -> None:
    tickets = [room.come(name) for name in ("ani", "budi", "citra", "dodi", "eka")]
    room.order(tickets[3], "TANYA Produk yang mana?")
    assert room.waiting() == [one.number for one in tickets[3:]]
    room.order(tickets[3], "JAWAB Sudah kami jelaskan di ASROT.")
    assert room.waiting() == [tickets[4].number]
    assert called(room.plans[-1]) == []


def test_an_answer_that_leaves_the_ticket_open_ends_a_turn_and_no_place_before_it(room: ChatRoom) -> None:
    queue = room.house.queues[QUEUE]
    pending = queue.outcomes["jawaban"].model_copy(update={"closes": False, "then": "waiting"})
    queue = queue.model_copy(update={"outcomes": {**queue.outcomes, "jawaban": pending}})
    room.house = replace(room.house, queues={**room.house.queues, QUEUE: queue})
    tickets = [room.come(name) for name in ("ani", "budi", "citra", "dodi", "eka")]
    room.order(tickets[4], "JAWAB Mohon siapkan nomor produknya.")
    assert room.waiting() == [one.number for one in tickets[3:]]
    room.order(tickets[0], "JAWAB Kami periksa dahulu.")
    assert (room.turn(tickets[0]).end, room.waiting()) == (End.ANSWERED, [tickets[4].number])


def test_a_queue_that_calls_nobody_any_more_lets_all_go(room: ChatRoom) -> None:
    ticket = room.come("ani")
    queue = room.house.queues[QUEUE].model_copy(update={"live": None})
    room.house = replace(room.house, queues={**room.house.queues, QUEUE: queue})
    plan = room.tick()
    assert plan is not None
    assert [(one.ticket, one.end) for one in plan.turns] == [(ticket.number, End.GONE)]
    assert room.ticket(ticket.number).state is State.OPEN
    assert room.tick() is None


def test_english_is_answered_in_english(room: ChatRoom) -> None:
    room.write(
        "Dear team, we would like to ask you about the registration of our product. Thank you for your help.\n",
        "Request for a live chat",
        author="john@x.example",
    )
    call = text(room.plans[-1], "john@x.example", Kind.CALL)
    assert "It is your turn now." in call
    assert "log in with your company account" in " ".join(call.split())


def test_every_call_has_the_key_of_its_number(room: ChatRoom) -> None:
    """The outbox takes a key once."""
    for number in range(8):
        room.come(f"p{number}")
    for _ in range(3):
        room.later(minutes=15)
        room.tick()
    keys = [mail.key for plan in room.plans for mail in plan.outbox if mail.kind is Kind.CALL]
    assert keys == [f"turn-call:{QUEUE}:{serial}" for serial in range(1, 9)]
