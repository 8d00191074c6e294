"""What a person decides by hand: mails in doubt or refused, mails in quarantine. Each leaves its event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from loket.core.known import TO_APPLICANT
from loket.core.model import Event, Fate, HeldState, Phase, State, StoredFile, Ticket
from loket.core.recall import again, without
from loket.store import schema
from loket.store.database import Database
from loket.store.rows import event_row, ticket_of, ticket_row

_O = schema.outbox.c
_Q = schema.quarantine.c
_L = schema.ledger.c


_ANSWERS = [kind.value for kind in TO_APPLICANT]


class NotPossible(Exception):
    """The row is not there, or not in a state that allows this; the message says which."""


def _called_off(connection: Connection, row: Any, now: datetime) -> Ticket | None:
    """What follows for the desk when a letter to an applicant will not leave: undelivered is not done (P12)."""
    if row.phase == Phase.HELD.value:
        held = schema.held
        connection.execute(update(held).where(held.c.key == row.key).values(state=HeldState.DROPPED.value))
        return None
    if row.kind not in _ANSWERS:
        return None
    found = connection.execute(select(schema.ticket).where(schema.ticket.c.number == row.ticket)).one_or_none()
    if found is None:
        return None
    ticket = ticket_of(found)
    if ticket.undo is not None:
        # Another answer may stand beside this one, or have arrived since: the ticket is what those make it.
        after = without(ticket, row.key, now)
    else:
        after = replace(ticket, state=State.OPEN, closed_at=None, answered_at=None, asked_by=None, updated_at=now)
    if after is ticket:
        return None
    return _written(connection, after)


def _sent_again(connection: Connection, row: Any, now: datetime) -> Ticket | None:
    """What follows for the desk when an answer that was refused goes out once more: its ticket is answered again.

    NotPossible where the ticket was answered anew since: nobody gets two answers by a person's mistake (P16). A
    ticket that its applicant has written to since stays open for what they wrote.
    """
    if row.kind not in _ANSWERS or row.phase != Phase.REFUSED.value:
        return None
    found = connection.execute(select(schema.ticket).where(schema.ticket.c.number == row.ticket)).one_or_none()
    if found is None:
        return None
    ticket = ticket_of(found)
    if ticket.answered_at is not None or (ticket.undo is not None and ticket.undo.key != row.key):
        raise NotPossible(f"outgoing mail {row.id}: {row.ticket} was answered anew since it was refused")
    e = schema.event.c
    happened = select(e.kind, e.state).where(e.ticket == row.ticket, e.state.is_not(None)).order_by(e.id.desc())
    events = connection.execute(happened).all()
    answered = next((one.state for one in events if one.kind in ("answered", "asked")), None)
    if answered is None or events[0].kind != "undelivered":
        return None
    after = again(ticket, row.key, State(answered), now)
    return _written(connection, after) if after is not None else None


def _written(connection: Connection, after: Ticket) -> Ticket:
    values = ticket_row(after)
    connection.execute(update(schema.ticket).where(schema.ticket.c.number == values.pop("number")).values(values))
    return after


@dataclass(frozen=True, slots=True)
class HandsStore:
    """Decisions by hand; `actor` is who decides."""

    database: Database
    actor: str

    def move(self, outbox_id: int, allowed: Sequence[Phase], to: Phase, why: str, now: datetime) -> None:
        """Give an outgoing mail another phase, if it is in one of the allowed ones."""
        with self.database.write() as connection:
            columns = (_O.id, _O.key, _O.phase, _O.kind, _O.ticket, _O.message_id)
            row = connection.execute(select(*columns).where(_O.id == outbox_id).with_for_update()).one_or_none()
            if row is None:
                raise NotPossible(f"there is no outgoing mail {outbox_id}")
            if row.phase not in [phase.value for phase in allowed]:
                names = " or ".join(phase.value for phase in allowed)
                raise NotPossible(f"outgoing mail {outbox_id} is {row.phase}; this needs {names}")
            if to is Phase.DUE and row.phase == Phase.CANCELLED.value and row.kind in _ANSWERS:
                # Its ticket has gone on without it, and nobody's hand takes the place of its officer's word (P15).
                raise NotPossible(f"outgoing mail {outbox_id} was called off; its officer answers anew")
            values: dict[str, Any] = {"phase": to.value, "reply": why}
            values |= {"next_at": now, "ended_at": None} if to is Phase.DUE else {"ended_at": now}
            connection.execute(update(schema.outbox).where(_O.id == outbox_id).values(values))
            detail = {"message_id": row.message_id, "before": row.phase, "phase": to.value}
            event = Event(now, "by-hand", row.ticket, self.actor, None, "", detail)
            follows = {Phase.CANCELLED: _called_off, Phase.DUE: _sent_again}.get(to)
            after = follows(connection, row, now) if follows is not None else None
            connection.execute(insert(schema.event).values(event_row(event, after)))

    def quarantined(self, number: int) -> tuple[Mapping[str, Any], StoredFile]:
        """One mail in quarantine and its stored bytes."""
        query = select(schema.quarantine, _L.sha256, _L.size, _L.fate, _L.attempts, _L.internaldate).join(
            schema.ledger,
            and_(_L.mailbox == _Q.mailbox, _L.uidvalidity == _Q.uidvalidity, _L.uid == _Q.uid),
        )
        with self.database.read() as connection:
            row = connection.execute(query.where(_Q.id == number)).one_or_none()
        if row is None:
            raise NotPossible(f"there is no mail {number} in quarantine")
        return dict(row._mapping), StoredFile(row.sha256, row.size)

    def release(self, number: int, now: datetime) -> None:
        """Let the daemon try again, at its next poll and from the kept bytes, a mail that had made it fail."""
        facts, _ = self.quarantined(number)
        if facts["state"] != "open" or facts["reason"] != "raised":
            raise NotPossible(
                f"mail {number} was set aside because of `{facts['reason']}` and is {facts['state']}: "
                "only what made the program fail can be tried again"
            )
        with self.database.write() as connection:
            connection.execute(
                update(schema.ledger).where(self._at(facts)).values(fate=Fate.PENDING.value, attempts=0, error=None)
            )
            self._end(connection, facts, "released", now)

    def discard(self, number: int, now: datetime) -> None:
        """Take a mail off the list; its bytes and its ledger row stay."""
        facts, _ = self.quarantined(number)
        if facts["state"] != "open":
            raise NotPossible(f"mail {number} is {facts['state']} already")
        with self.database.write() as connection:
            self._end(connection, facts, "discarded", now)

    @staticmethod
    def _at(facts: Mapping[str, Any]) -> Any:
        return and_(_L.mailbox == facts["mailbox"], _L.uidvalidity == facts["uidvalidity"], _L.uid == facts["uid"])

    def _end(self, connection: Any, facts: Mapping[str, Any], state: str, now: datetime) -> None:
        connection.execute(update(schema.quarantine).where(_Q.id == facts["id"]).values(state=state))
        mail = f"{facts['mailbox']}/{facts['uidvalidity']}/{facts['uid']}"
        event = Event(now, f"quarantine-{state}", None, self.actor, mail, "", {"reason": facts["reason"]})
        connection.execute(insert(schema.event).values(event_row(event)))
