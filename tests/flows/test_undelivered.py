"""Undelivered is not done: refusals and bounces come back to the officer; forged ones change nothing (P12)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from loket.app import App
from loket.core.model import State
from loket.demo.officer import Answer, answer
from tests.flows.letters import DESIGN, SITI, mail, scan
from tests.flows.office import FlowOffice, Mail
from tests.flows.test_conversations import PDF, digest_of, only, states
from tests.flows.test_daemon import command

APPLICANT = "siti@jamusari.example"


def answered(office: FlowOffice, applicant: str) -> Mail:
    """One letter written to the applicant; returns the officer's digest."""
    office.empty([APPLICANT])
    office.submit(mail(applicant, DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=PDF))
    office.work()
    digest = digest_of(office, "ani@pom.go.id", 1)
    for said in answer(digest.raw, only("REVISI", Answer("Selamat.", (scan("SK"),))), now=office.clock.now()):
        office.submit(said)
    office.work()
    return digest


def report(to: str, message_id: str, recipient: str, action: str = "failed", status: str = "5.1.1") -> bytes:
    """A delivery status notification (RFC 3464) about a mail of that Message-ID."""
    message = EmailMessage()
    message["From"] = "Mail Delivery System <MAILER-DAEMON@luar.example>"
    message["To"] = to
    message["Subject"] = "Undelivered Mail Returned to Sender"
    message["Auto-Submitted"] = "auto-replied"
    message.set_content("I could not deliver your mail.\n")
    message.make_mixed()
    message.set_param("report-type", "delivery-status")
    raw = message.as_bytes().replace(b"multipart/mixed", b"multipart/report")
    boundary = message.get_boundary()
    parts = (
        f"--{boundary}\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; luar.example\n\n"
        f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; 550 {status} User unknown\n\n"
        f"--{boundary}\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{message_id}>\nSubject: x\n\n--{boundary}--\n"
    )
    return raw.replace(f"--{boundary}--".encode(), parts.encode()).replace(b"\n", b"\r\n")


def test_a_letter_refused_for_good_reopens_its_ticket_and_tells_the_officer(office: FlowOffice) -> None:
    """The server says 550 to the letter's recipient: open again, the officer told with the server's words."""
    answered(office, "Siti <refused@jamusari.example>")
    [(_, state, _)] = states(office).values()
    assert state is State.OPEN
    office.work()
    subjects = {one.subject: one for one in office.mails("ani@pom.go.id", 3)}
    told = next(one for subject, one in subjects.items() if "Tidak terkirim" in subject)
    assert "refused@jamusari.example" in told.text
    assert "550" in told.text
    assert "dibuka kembali" in " ".join(told.text.split()) or "buka kembali" in told.text


def test_a_letter_that_is_refused_for_now_is_news_after_four_hours_once(office: FlowOffice) -> None:
    """Greylisting nobody hears of; what is held up longer its officer does, and the letter goes on being tried."""
    later = "later@jamusari.example"
    answered(office, f"Siti <{later}>")
    office.mails("ani@pom.go.id", 2)
    began = office.clock.at
    for hours in (1, 2, 3, 5, 9, 30):
        office.clock.at = began + timedelta(hours=hours)
        office.work()
        office.work()
        told = [one for one in (Mail(raw) for raw in office.servers.messages("ani@pom.go.id")) if later in one.text]
        news = [one for one in told if "belum terkirim" in one.subject]
        assert len(news) == (hours > 4), hours
    assert later in news[0].text
    assert "450" in news[0].text
    assert "tidak hilang" in news[0].text
    assert "dalam 5 hari" in " ".join(news[0].text.split())
    stores = office.stores()
    [row] = [row for row in stores.desk.outgoing(None, 100) if row["kind"] == "delivery"]
    [number] = [ticket.number for ticket in stores.desk.tickets(queue=None, state=None, limit=9)]
    waits = [event for event in stores.desk.events(number) if event.kind == "waits"]
    stores.database.close()
    assert row["phase"] == "due"
    assert [event.detail["recipient"] for event in waits] == [later]


def sent_letter(office: FlowOffice) -> str:
    """The Message-ID of the letter that left."""
    stores = office.stores()
    [row] = [row for row in stores.desk.outgoing(None, 100) if row["kind"] == "delivery"]
    stores.database.close()
    return str(row["message_id"])


def phase_of(office: FlowOffice, message_id: str) -> str:
    """What the outbox says of a mail."""
    stores = office.stores()
    [row] = [row for row in stores.desk.outgoing(None, 100) if row["message_id"] == message_id]
    stores.database.close()
    return str(row["phase"])


def test_a_bounce_of_our_letter_reopens_its_ticket_once(office: FlowOffice) -> None:
    """The report names our Message-ID and its recipient: bounced, reopened, told; a second report tells nothing new."""
    answered(office, SITI)
    letter = sent_letter(office)
    assert phase_of(office, letter) == "sent"
    for number in range(2):
        raw = report(DESIGN, letter, APPLICANT).replace(b"I could", b"Try %d: I could" % number)
        office.servers.lmtp(raw, DESIGN)
        office.work()
    assert phase_of(office, letter) == "bounced"
    [(_, state, _)] = states(office).values()
    assert state is State.OPEN
    office.mails("ani@pom.go.id", 3)
    office.mails(APPLICANT, 2)


def test_a_forged_bounce_does_nothing(office: FlowOffice) -> None:
    """Another's address, a guessed id, a report without one, or a mere delay: the letter stays sent."""
    answered(office, SITI)
    letter = sent_letter(office)
    for raw in (
        report(DESIGN, letter, "lain@luar.example"),
        report(DESIGN, "LKT-2026-000001-1.t.k1.0.aaaaaaaaaaaaaaaaaaaaaaaaaa.00000000000000000000@gmail.com", APPLICANT),
        report(DESIGN, "", APPLICANT),
        report(DESIGN, letter, APPLICANT, action="delayed", status="4.4.1"),
    ):
        office.servers.lmtp(raw, DESIGN)
    office.work()
    assert phase_of(office, letter) == "sent"
    [(_, state, _)] = states(office).values()
    assert state is State.WAITING
    office.mails("ani@pom.go.id", 2)


def test_a_consultants_morning_is_answered_and_a_flood_is_deferred(office: FlowOffice) -> None:
    """Thirty requests are acknowledged at once; beyond the cap they wait for the next hour, none is dropped (P9)."""
    office.set_up(("\nofficers:", "\nresponses: {per_address: 30}\nofficers:"))
    office.empty([APPLICANT])
    for number in range(35):
        office.servers.lmtp(
            mail(SITI, "penilaian_ot@pom.go.id", f"Berkas_Jamu {number}"), "penilaian_ot@pom.go.id", APPLICANT
        )
    office.work()
    office.mails(APPLICANT, 30)
    office.clock.wib(10, 1)
    office.work()
    office.mails(APPLICANT, 35)


def test_two_machines_talking_are_stopped(office: FlowOffice) -> None:
    """A responder that marks nothing and quotes nothing gets five answers in ten minutes; its mail is all kept."""
    office.empty([APPLICANT])
    for number in range(8):
        office.servers.lmtp(mail(SITI, DESIGN, "Saya sedang cuti", f"Balasan {number}\n"), DESIGN, APPLICANT)
    office.work()
    office.mails(APPLICANT, 5)
    assert len(states(office)) == 8


def refused(office: FlowOffice) -> int:
    """The letter that the server refused for good."""
    stores = office.stores()
    [row] = [one for one in stores.desk.outgoing("refused", 99) if one["kind"] == "delivery"]
    stores.database.close()
    return int(row["id"])


def alerts(office: FlowOffice) -> list[str]:
    """What Ani was told of letters that did not arrive."""
    told = [Mail(raw).subject for raw in office.servers.messages("ani@pom.go.id")]
    return [subject for subject in told if "Tidak terkirim" in subject]


def test_a_refused_letter_that_is_sent_again_closes_its_ticket_again(office: FlowOffice) -> None:
    """Until it is refused once more: what stands in the digest is what nobody has answered."""
    answered(office, "Siti <refused@jamusari.example>")
    [(number, (_, state, _))] = states(office).items()
    assert state is State.OPEN
    letter = refused(office)
    assert command(office, "outbox", "retry", str(letter)).returncode == 0
    [(_, state, _)] = states(office).values()
    assert state is not State.OPEN
    told = len(alerts(office))
    # The command goes by the machine's clock.
    office.clock.at = max(office.clock.at, datetime.now(UTC)) + timedelta(minutes=1)
    office.work()
    [(_, state, _)] = states(office).values()
    assert (refused(office), state) == (letter, State.OPEN), "refused once more, and open once more"
    assert len(alerts(office)) == told + 1, "and told once more"
    shown = command(office, "show", number).stdout
    assert "by-hand" in shown


def test_a_refused_letter_is_not_sent_again_beside_the_answer_given_since(office: FlowOffice) -> None:
    """The officer answered anew: a second letter to the applicant would be one too many."""
    digest = answered(office, "Siti <refused@jamusari.example>")
    letter = refused(office)
    for said in answer(digest.raw, only("REVISI", Answer("Lagi.", (scan("SK baru"),))), now=office.clock.now()):
        office.servers.lmtp(said, DESIGN, "ani@pom.go.id")

    # The new answer has left its officer's hands, and is not refused yet.
    async def taken() -> None:
        app = App(office.snapshot, office.clock, office.lookup)
        for watcher in app.watchers:
            await asyncio.to_thread(watcher.once)
        app.guard.close()
        app.stores.database.close()

    asyncio.run(taken())
    [(_, state, _)] = states(office).values()
    assert state is not State.OPEN
    done = command(office, "outbox", "retry", str(letter))
    assert done.returncode == 1
    assert "was answered anew since it was refused" in done.stderr
