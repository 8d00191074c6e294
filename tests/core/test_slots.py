"""An applicant and appointments: asked for, offered, chosen, moved, called off; by mail and at their own pace."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loket.core.model import BookingState, Fate, Kind, Plan, State, Ticket
from tests.core.waitingroom import BUDI, DEWI, SITI, WaitingRoom, at, calendar_of, house, mail_of, to

TUTI = "tuti@tunggu.example"


@pytest.fixture
def room() -> WaitingRoom:
    """Tuesday morning, nothing taken."""
    return WaitingRoom()


def text(plan: Plan, address: str) -> str:
    """What the only letter to an address says."""
    [mail] = to(plan, address)
    body = mail_of(mail).get_body(("plain",))
    assert body is not None
    return f"{mail_of(mail)['Subject']}\n{body.get_content()}".replace("\r\n", "\n")


def filled(room: WaitingRoom, spare: int = 0) -> list[Ticket]:
    """All that is free is taken by others, but for the last few."""
    free = room.book.free(room.now)
    tickets = []
    for index, start in enumerate(free[: len(free) - spare]):
        ticket = room.ask(f"penuh{index}@lain.example")
        local = start.astimezone(room.house.zone)
        room.reply(ticket, f"{local.day}/{local.month} jam {local:%H.%M}")
        assert room.booking(ticket) is not None
        tickets.append(ticket)
    return tickets


def test_a_request_is_answered_with_the_next_five_numbered_and_reserves_nothing(room: WaitingRoom) -> None:
    ticket = room.ask()
    [mail] = room.plans[-1].outbox
    said = text(room.plans[-1], SITI)
    for number, time in enumerate(("09.00", "09.30", "10.00", "10.30", "11.00"), start=1):
        assert f"{number}. Senin, 30 November 2026, pukul {time} WIB\n" in said
    assert (mail.kind, mail.recipient, ticket.state) == (Kind.OFFER, SITI, State.WAITING)
    assert len(room.book.free(room.now)) == 40


def test_a_moment_that_the_request_itself_names_is_among_those_offered(room: WaitingRoom) -> None:
    ticket = room.ask(body="Mohon jadwal Senin 14 Desember jam 10.00.")
    offer = room.offer(ticket)
    assert offer is not None
    assert offer.starts == (*[at(11, 30, 9 + half // 2, half % 2 * 30) for half in range(4)], at(12, 14, 10))
    assert "5. Senin, 14 Desember 2026, pukul 10.00 WIB" in text(room.plans[-1], SITI)


def test_a_number_takes_the_moment_and_invites_applicant_and_officer(room: WaitingRoom) -> None:
    ticket = room.ask()
    plan = room.reply(ticket, "nomor 2\n\nTerima kasih")
    booking = room.booking(ticket)
    assert booking is not None
    assert (booking.start, booking.end, booking.seat) == (at(11, 30, 9, 30), at(11, 30, 10), 1)
    assert [(mail.kind, mail.recipient) for mail in plan.outbox] == [(Kind.INVITATION, SITI), (Kind.NOTICE, DEWI)]
    assert "Waktu: Senin, 30 November 2026, pukul 09.30 WIB" in text(plan, SITI)
    # Each has only what concerns them: an officer's address is not the public's.
    assert DEWI not in calendar_of(to(plan, SITI)[0]).replace("\r\n ", "")
    assert "METHOD:REQUEST" in calendar_of(to(plan, DEWI)[0])
    names = [part.get_filename() for part in mail_of(to(plan, DEWI)[0]).iter_attachments()]
    assert names == ["jadwal.ics", f"{ticket.number}.eml", f"{ticket.number}-2.eml"]
    assert plan.fate is Fate.FOLLOW_UP
    assert {event.kind for event in plan.events} == {"follow-up", "appointment-booked"}


def test_the_second_to_choose_a_moment_is_told_and_offered_what_is_left_of_that_day(room: WaitingRoom) -> None:
    first, second = room.ask(), room.ask(BUDI)
    room.reply(first, "1")
    plan = room.reply(second, "1")
    assert room.booking(second) is None
    said = text(plan, BUDI)
    assert "waktu yang Bapak/Ibu pilih sudah terisi:\nSenin, 30 November 2026, pukul 09.00 WIB." in said
    assert "1. Senin, 30 November 2026, pukul 09.30 WIB" in said
    room.reply(second, "1")
    booking = room.booking(second)
    assert booking is not None
    assert booking.start == at(11, 30, 9, 30)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("nomor 1 atau 2", "belum dapat memastikan"),
        ("nomor 9", "belum dapat memastikan"),
        ("Selasa 1 Desember jam 10", "pada waktu ini kami tidak melayani konsultasi"),
        ("Senin 7 Desember jam 12.00", "pada waktu ini kami tidak melayani konsultasi"),
        ("Ada hari lain?", "waktu konsultasi yang masih tersedia"),
    ],
)
def test_what_cannot_be_taken_is_offered_anew_with_the_reason(room: WaitingRoom, words: str, why: str) -> None:
    ticket = room.ask()
    said = text(room.reply(ticket, words), SITI)
    assert why in said
    assert "\n1. Senin," in said
    assert room.booking(ticket) is None


def test_what_is_too_soon_is_said_to_be(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.now = at(11, 29, 10)
    said = text(room.reply(ticket, "nomor 1"), SITI)
    assert "sudah terlalu dekat untuk\ndipesan" in said
    assert "1. Senin, 7 Desember 2026, pukul 09.00 WIB" in said


def test_a_day_alone_is_answered_with_that_days_moments(room: WaitingRoom) -> None:
    ticket = room.ask()
    said = text(room.reply(ticket, "Senin 14 Desember"), SITI)
    assert "1. Senin, 14 Desember 2026, pukul 09.00 WIB" in said
    assert "5. Senin, 14 Desember 2026, pukul 11.00 WIB" in said


def test_moved_is_the_same_event_with_a_higher_sequence(room: WaitingRoom) -> None:
    ticket = room.ask()
    before = calendar_of(to(room.reply(ticket, "nomor 2"), SITI)[0])
    plan = room.reply(ticket, "Maaf, ganti ke Senin 14 Desember jam 10.00")
    after = calendar_of(to(plan, SITI)[0])
    uid = next(line for line in before.splitlines() if line.startswith("UID:"))
    assert uid in after
    assert ("SEQUENCE:0" in before, "SEQUENCE:1" in after) == (True, True)
    assert "DTSTART;TZID=Asia/Jakarta:20261214T100000" in after
    assert "Sebelumnya: Senin, 30 November 2026, pukul 09.30 WIB" in text(plan, SITI)
    assert at(11, 30, 9, 30) in room.book.free(room.now)


def test_asking_for_another_keeps_the_one_there_is_until_it_is_chosen(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.reply(ticket, "nomor 2")
    plan = room.reply(ticket, "GANTI")
    said = text(plan, SITI)
    assert "tetap berlaku sampai Bapak/Ibu memilih waktu\nlain:\nSenin, 30 November 2026, pukul 09.30 WIB" in said
    assert "\n1. Senin, 30 November 2026, pukul 09.00 WIB" in said
    booking = room.booking(ticket)
    assert booking is not None
    assert booking.start == at(11, 30, 9, 30)


def test_the_same_choice_twice_changes_nothing_and_says_nothing(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.reply(ticket, "nomor 2")
    plan = room.reply(ticket, "nomor 2 ya bu")
    assert (plan.outbox, plan.bookings) == ((), ())
    assert room.ticket(ticket.number).state is State.WAITING


def test_called_off_it_is_out_of_both_calendars_and_free_again(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.reply(ticket, "nomor 2")
    plan = room.reply(ticket, "Mohon maaf, kami batal.")
    for address in (SITI, DEWI):
        told = calendar_of(to(plan, address)[0])
        assert "METHOD:CANCEL" in told
        assert "SEQUENCE:1" in told
        assert "STATUS:CANCELLED" in told
    assert at(11, 30, 9, 30) in room.book.free(room.now)
    assert room.ticket(ticket.number).state is State.CLOSED
    assert [one.state for one in plan.bookings] == [BookingState.CANCELLED]


def test_whoever_called_off_may_have_another_under_another_uid(room: WaitingRoom) -> None:
    ticket = room.ask()
    first = calendar_of(to(room.reply(ticket, "1"), SITI)[0])
    room.reply(ticket, "batal")
    assert "1. Senin, 30 November 2026, pukul 09.00 WIB" in text(room.reply(ticket, "JADWAL"), SITI)
    second = calendar_of(to(room.reply(ticket, "1"), SITI)[0])
    uids = [next(line for line in one.splitlines() if line.startswith("UID:")) for one in (first, second)]
    assert uids[0] != uids[1]
    assert "SEQUENCE:0" in second


def test_called_off_before_anything_was_chosen_ends_the_request(room: WaitingRoom) -> None:
    ticket = room.ask()
    plan = room.reply(ticket, "Tidak jadi, terima kasih")
    assert "Permohonan konsultasi Bapak/Ibu kami batalkan sesuai permintaan." in text(plan, SITI)
    assert (room.ticket(ticket.number).state, room.offer(ticket)) == (State.CLOSED, None)


def test_a_question_is_the_officers_and_the_appointment_stands(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.reply(ticket, "nomor 2")
    room.reply(ticket, "Apa saja yang perlu kami siapkan untuk konsultasi nanti?")
    assert room.ticket(ticket.number).state is State.OPEN
    assert room.booking(ticket) is not None
    # Answered, the ticket waits for its appointment and is not at its end.
    room.order(ticket, "JAWAB\nCukup contoh kemasan.")
    assert room.ticket(ticket.number).state is State.WAITING
    assert room.booking(ticket) is not None


def test_a_choice_with_a_question_is_both(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.reply(ticket, "Nomor 2.\nApakah kami perlu membawa contoh kemasan?")
    assert room.booking(ticket) is not None
    assert room.ticket(ticket.number).state is State.OPEN


def test_thanks_alone_neither_choose_nor_open(room: WaitingRoom) -> None:
    ticket = room.ask()
    plan = room.reply(ticket, "Baik, terima kasih.")
    assert (plan.outbox, room.ticket(ticket.number).state) == ((), State.WAITING)


def test_what_is_quoted_chooses_nothing(room: WaitingRoom) -> None:
    ticket = room.ask()
    quoted = "> 1. Senin, 30 November 2026, pukul 09.00 WIB\n> nomor 1\n"
    room.reply(ticket, f"yang ketiga\n\nPada Sel, 24 Nov 2026 09.05 Loket <x@y.example> menulis:\n{quoted}")
    booking = room.booking(ticket)
    assert booking is not None
    assert booking.start == at(11, 30, 10)


def test_a_new_mail_that_wants_it_moved_is_about_the_appointment_there_is(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.reply(ticket, "nomor 2")
    plan = room.write("Kami ada rapat pada waktu itu.", "Mohon jadwal ulang konsultasi zoom")
    assert (plan.opened, plan.ticket_of_mail) == (None, ticket.number)
    assert "tetap berlaku" in text(plan, SITI)
    other = room.write("Kami ada rapat.", "Mohon jadwal ulang konsultasi zoom", author=BUDI)
    assert other.opened is not None


def test_a_strangers_reply_chooses_nothing(room: WaitingRoom) -> None:
    ticket = room.ask()
    plan = room.reply(ticket, "nomor 1", author="Orang <orang@luar.example>")
    assert (plan.outbox, plan.bookings, room.booking(ticket)) == ((), (), None)


def test_a_mail_that_may_not_be_answered_gets_no_offer_and_an_officer_reads_it(room: WaitingRoom) -> None:
    plan = room.write("Mohon jadwal", author="Bot <no-reply@robot.example>")
    assert plan.opened is not None
    assert (plan.opened.state, plan.outbox, plan.offers) == (State.OPEN, (), ())


def test_an_english_applicant_reads_english(room: WaitingRoom) -> None:
    body = (
        "Dear Sir, we would like to have a consultation with your officer about our product. Thank you for your help."
    )
    plan = room.write(body, "Request for an appointment")
    assert plan.opened is not None
    said = text(plan, SITI)
    assert "1. Monday, 30 November 2026, at 09:00 WIB" in said
    assert "Times to choose from, 30 minutes each:" in said
    told = room.reply(plan.opened, "The second one, please.")
    assert "Your consultation is booked." in text(told, SITI)
    assert "Place: Zoom (our officer will send you the link)" in text(told, SITI)


def test_two_at_once_have_two_seats_and_the_third_none() -> None:
    room = WaitingRoom(house=house(capacity=2))
    tickets = [room.ask(f"p{index}@x.example") for index in range(3)]
    for ticket in tickets:
        room.reply(ticket, "nomor 1")
    seats = [booking.seat if booking else None for booking in map(room.booking, tickets)]
    assert seats == [1, 2, None]


def test_with_nothing_free_the_applicant_waits_in_order(room: WaitingRoom) -> None:
    filled(room)
    first = room.ask()
    assert "daftar tunggu, nomor 1." in text(room.plans[-1], SITI)
    room.later(minutes=1)
    second = room.ask(BUDI)
    assert "daftar tunggu, nomor 2." in text(room.plans[-1], BUDI)
    assert [one.ticket for one in room.book.waiting()] == [first.number, second.number]


def test_what_becomes_free_while_others_wait_is_not_for_whoever_comes_later(room: WaitingRoom) -> None:
    taken = filled(room)
    room.ask()
    room.reply(taken[3], "batal")
    late = room.ask(BUDI)
    offer = room.offer(late)
    assert offer is not None
    assert (offer.starts, offer.waiting) == ((), room.now)
    assert "daftar tunggu, nomor 2" in text(room.plans[-1], BUDI)


def test_a_ticket_that_leaves_the_queue_has_its_appointment_called_off(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.reply(ticket, "nomor 2")
    plan = room.order(ticket, "ALIH persuratan")
    assert room.booking(ticket) is None
    assert "METHOD:CANCEL" in calendar_of(to(plan, SITI)[0])


def test_a_ticket_that_is_closed_has_no_offer_any_more(room: WaitingRoom) -> None:
    ticket = room.ask()
    room.order(ticket, "JAWAB\nSilakan baca panduan kami.")
    assert (room.ticket(ticket.number).state, room.offer(ticket)) == (State.CLOSED, None)


def test_the_request_once_more_is_offered_what_is_free_now(room: WaitingRoom) -> None:
    ticket = room.ask(body="Kami ingin berkonsultasi dengan petugas tentang produk kami yang baru.")
    room.now += timedelta(hours=2)
    room.known.after(Plan(changed=(replace(room.ticket(ticket.number), updated_at=at(11, 20, 9)),)))
    plan = room.write("Kami ingin berkonsultasi dengan petugas tentang produk kami yang baru.\nNo surat 0\n")
    assert plan.opened is None
    assert "1. Senin, 30 November 2026, pukul 09.00 WIB" in text(plan, SITI)


def test_whoever_could_not_be_answered_is_once_they_write_as_a_person(room: WaitingRoom) -> None:
    """The first mail came by a list; the reply to the officer did not."""
    plan = room.write("Mohon jadwal", fields={"List-Id": "<anggota.asosiasi.example>"})
    assert plan.opened is not None
    assert plan.outbox == ()
    told = room.reply(plan.opened, "Senin 7 Desember jam 10.00")
    assert "Konsultasi Bapak/Ibu sudah kami jadwalkan." in text(told, SITI)
