"""An office in which two officers share a queue, and mails as they write them; no outcome here needs a scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache

from loket.core import token
from loket.core.decide import decide
from loket.core.known import Known
from loket.core.model import Outbound, Plan, State, Ticket
from loket.core.office import Office, Officer
from loket.core.understand import understand
from tests.core.desk import KEYS, NOW, letter, office, shown

IKLAN = "iklan_otsk@yahoo.com"
DEWI, GITA, HADI = "dewi@pom.go.id", "gita@pom.go.id", "hadi@pom.go.id"
WATI = "wati@iklan.example"
DESK = token.desk("LKT")


@cache
def shared(undo: timedelta | None = None) -> Office:
    """Dewi and Gita answer advertisement consultations, Hadi the IT ones; Hadi stands in for Dewi."""
    whole = office()
    queue = whole.queues["konsultasi-iklan"]
    outcomes = {name: one.model_copy(update={"undo": undo}) for name, one in queue.outcomes.items()}
    return replace(
        whole,
        queues={**whole.queues, "konsultasi-iklan": queue.model_copy(update={"outcomes": outcomes})},
        officers={
            DEWI: Officer(DEWI, "Dewi", ("konsultasi-iklan",), deputy=HADI),
            GITA: Officer(GITA, "Gita", ("konsultasi-iklan",)),
            HADI: Officer(HADI, "Hadi", ("konsultasi-it",)),
        },
    )


@dataclass(slots=True)
class Room:
    """What the store knows, kept true from mail to mail; the clock moves when the test says so."""

    office: Office = field(default_factory=shared)
    now: datetime = NOW
    known: Known = field(default_factory=lambda: Known(2026, 0))
    uid: int = 0
    last: Plan = field(default_factory=Plan)
    received: list[bytes] = field(default_factory=list)

    def take(self, subject: str, body: str, author: str, fields: dict[str, str] | None = None, **more: object) -> Plan:
        """One mail, decided and carried out."""
        self.uid += 1
        mail = letter(
            subject,
            body,
            author=author,
            to=IKLAN,
            fields=fields,
            uid=self.uid,
            message_id=f"<m{self.uid}@x>",
            **more,  # type: ignore[arg-type] # files and markup, as they are
        )
        self.received.append(bytes(mail.raw.data))
        found = understand(mail, self.office, KEYS, self.known, self.now)
        self.last = decide(mail, found, self.office, KEYS, self.known, self.now)
        self.known.after(self.last)
        return self.last

    def ask(self, subject: str = "Iklan jamu", author: str = WATI) -> str:
        """A new ticket; its number."""
        plan = self.take(f"{subject} {self.uid}", f"Mohon dibantu, nomor {self.uid}.\n", author)
        assert plan.opened is not None
        return plan.opened.number

    def write(self, number: str, body: str = "Tambahan.\n") -> Plan:
        """The applicant answers about the ticket."""
        reference = f"<{KEYS.ticket(number)}.0123456789abcdef0123@yahoo.com>"
        return self.take(f"Re: [{number}]", body, WATI, {"In-Reply-To": reference})

    def say(self, number: str, body: str, who: str = DEWI, files: Sequence[tuple[str, bytes]] = ()) -> Plan:
        """An officer's reply with their own token for the ticket, or with `DESK` the one of their digest."""
        reference = f"<{KEYS.officer(number, who, self.now)}.0123456789abcdef0123@yahoo.com>"
        return self.take(
            "Re: tiket", body, f"{self.office.officers[who].name} <{who}>", {"In-Reply-To": reference}, files=files
        )

    def ticket(self, number: str) -> Ticket:
        """The ticket as it stands now."""
        return self.known.tickets[number]

    def state(self, number: str) -> State:
        """Open, waiting or closed."""
        return self.ticket(number).state

    @property
    def receipt(self) -> str:
        """What the officer reads of the last command."""
        return shown(self.to_officers()[-1])

    def to_officers(self) -> list[Outbound]:
        """Mails of the last plan that do not go to the applicant."""
        return [mail for mail in self.last.outbox if mail.recipient != WATI]

    def to_applicant(self) -> list[Outbound]:
        """Mails of the last plan that the applicant gets, those kept back left out."""
        return [mail for mail in self.last.outbox if mail.recipient == WATI and not mail.held]

    def reason(self) -> object:
        """Why the last command was not carried out."""
        return self.last.events[0].detail.get("reason")
