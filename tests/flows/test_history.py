"""Every change of a ticket has its line of history: who, what, when, by which mail, under which rules (P18)."""

from __future__ import annotations

from datetime import timedelta

from loket.core.model import Event, Ticket
from loket.demo.officer import Answer, answer
from tests.flows.letters import DESIGN, SITI, mail, reply, scan
from tests.flows.office import FlowOffice
from tests.flows.test_conversations import digest_of, only

APPLICANT = "siti@jamusari.example"


def seen(office: FlowOffice) -> tuple[dict[str, Ticket], dict[str, list[Event]]]:
    """Every ticket as it stands, and its history."""
    stores = office.stores()
    tickets = {one.number: one for one in stores.desk.tickets(queue=None, state=None, limit=100)}
    events = {number: stores.desk.events(number) for number in tickets}
    stores.database.close()
    return tickets, events


def test_no_ticket_changes_without_a_line_of_history(office: FlowOffice) -> None:
    """Asked, completed, answered, asked again, moved: each turn is told as what it was, once."""
    office.empty([APPLICANT])
    told: list[list[tuple[str, str]]] = []

    def turn(*mails: bytes) -> None:
        before, known = seen(office)
        office.clock.at += timedelta(minutes=1)
        for raw in mails:
            office.submit(raw)
        office.work()
        after, events = seen(office)
        changed = {number for number, ticket in after.items() if before.get(number) != ticket}
        fresh = {number: events[number][len(known.get(number, [])) :] for number in events}
        for number in changed:
            causes = [event for event in fresh[number] if event.mail]
            assert causes, f"{number} changed and history does not say why"
            for event in causes:
                assert event.at == after[number].updated_at == office.clock.now()
                assert event.rules == office.snapshot.office.rules_hash
                assert event.mail
                assert event.mail.startswith(f"{DESIGN}/")
        told.append([(event.kind, event.actor) for one in fresh.values() for event in one if event.mail])

    turn(mail(SITI, DESIGN, "Revisi Desain_OT/SK*_Jamu Kunyit"))
    [correction] = office.mails(APPLICANT, 1)
    turn(reply(correction, "Ini, Bu.", subject="Revisi Desain_OT_Jamu Kunyit"))
    digest = digest_of(office, "ani@pom.go.id", 1)
    turn(*answer(digest.raw, only("DESAIN", Answer("Mohon diperbaiki.", (scan("revisi"),))), now=office.clock.now()))
    turn(reply(office.mails(APPLICANT, 3)[-1], "Maaf, ada pertanyaan lagi."))
    moving = Answer("", line="ALIH ambil-sk-ot")
    turn(*answer(digest.raw, only("ALIH", moving), now=office.clock.now()))
    assert told == [
        [("opened", APPLICANT)],
        [("completed", APPLICANT)],
        [("answered", "ani@pom.go.id")],
        [("reopened", APPLICANT)],
        [("moved", "ani@pom.go.id")],
    ]
