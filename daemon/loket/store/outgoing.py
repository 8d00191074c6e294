"""The store as the outbox sees it: claims, phases, verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Update,
    column,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
    values,
)
from sqlalchemy.sql.expression import UpdateBase

from loket.core.known import TO_APPLICANT
from loket.core.model import Event, Kind, Occurrence, Outbound, Phase, ReceiptKind, Sent
from loket.core.quota import Allowance
from loket.core.waits import Delay
from loket.ports import Aftermath, Claimed, Settlement, Waiting
from loket.store import schema
from loket.store.apply import apply_plans
from loket.store.bulk import bind, insert_rows, run_rows
from loket.store.database import Database
from loket.store.rows import event_row, segments_of, ticket_of

_O = schema.outbox.c
_IN_HAND = (Phase.CLAIMED.value, Phase.DATA.value)
_ACCEPTED = (Phase.SENT.value, Phase.IN_DOUBT.value, Phase.BOUNCED.value)
_END = {ReceiptKind.SENT: Phase.SENT, ReceiptKind.IN_DOUBT: Phase.IN_DOUBT}


# What a verdict may change; what it leaves as it was is written back as it was.
_SETTLED = {
    "phase": _O.phase,
    "next_at": _O.next_at,
    "ended_at": _O.ended_at,
    "code": _O.code,
    "reply": _O.reply,
    "attempts": _O.attempts,
}


def _begin(rows: int) -> Update:
    """DATA begins for so many mails."""
    numbers = [bind(_O.id, "id", row) for row in range(rows)]
    return update(schema.outbox).where(_O.id.in_(numbers)).values(phase=literal_column(f"'{Phase.DATA.value}'"))


def _settle(rows: int) -> UpdateBase:
    """Every verdict by one statement, on mails that are still in hand; which those were."""
    columns = {"id": _O.id, **_SETTLED}
    given = values(*(column(name, of.type) for name, of in columns.items()), name="verdict")
    lines = [tuple(bind(of, name, row) for name, of in columns.items()) for row in range(rows)]
    verdict = given.data(lines).cte("verdict")
    in_hand = or_(*(_O.phase == literal_column(f"'{phase}'") for phase in _IN_HAND))
    changed = {name: verdict.c[name] for name in _SETTLED}
    return update(schema.outbox).where(_O.id == verdict.c.id, in_hand).values(changed).returning(_O.id)


@dataclass(frozen=True, slots=True)
class OutgoingStore:
    """Outbox rows: due → claimed → data → sent, refused or in-doubt."""

    database: Database

    def claim(
        self, now: datetime, limit: int, mailboxes: Sequence[str], allowed: Allowance | None = None
    ) -> list[Claimed]:
        """Due mails of the mailboxes, letters first and as many as are allowed, marked as claimed."""
        wanted = select(schema.outbox).where(_O.phase == "due", _O.next_at <= now, _O.mailbox.in_(mailboxes))
        wanted = wanted.order_by(_O.priority, _O.next_at, _O.id).limit(limit)
        with self.database.note() as connection:
            rows = connection.execute(wanted).all()
            if allowed is not None:
                rows = [row for place, row in enumerate(rows) if allowed.takes(place, row.priority)]
            if rows:
                connection.execute(
                    update(schema.outbox)
                    .where(_O.id.in_([row.id for row in rows]))
                    .values(phase="claimed", attempts=_O.attempts + 1)
                )
        return [
            Claimed(
                id=row.id,
                attempt=row.attempts + 1,
                mail=_outbound(row),
                created_at=row.created_at,
                due_at=row.next_at,
            )
            for row in rows
        ]

    def used(self, mailboxes: Sequence[str], since: datetime, now: datetime, twice: Kind | None) -> list[datetime]:
        """When each recipient was accepted, or may have been, and `now` for those in hand; ascending."""
        accepted = select(_O.ended_at, _O.kind).where(
            _O.mailbox.in_(mailboxes), _O.ended_at > since, _O.phase.in_(_ACCEPTED)
        )
        in_hand = select(_O.kind).where(_O.mailbox.in_(mailboxes), _O.phase.in_(_IN_HAND))
        with self.database.read() as connection:
            found = [(row.ended_at, row.kind) for row in connection.execute(accepted)]
            found += [(now, kind) for kind in connection.execute(in_hand).scalars()]
        return sorted(at for at, kind in found for _ in range(2 if kind == twice else 1))

    def put_off(self, delay: Delay, priority: int, now: datetime, waiting: Waiting | None) -> bool:
        """Due mails of that priority and behind wait until then; what is told of it is in the same transaction."""
        due = (_O.mailbox == delay.mailbox, _O.phase == Phase.DUE.value, _O.next_at <= now, _O.priority >= priority)
        columns = (_O.id, _O.ticket, _O.mailbox, _O.message_id, _O.kind, _O.recipient)
        with self.database.write() as connection:
            rows = connection.execute(select(*columns).where(*due).order_by(_O.priority, _O.id)).all()
            if not rows:
                return False
            connection.execute(update(schema.outbox).where(*due).values(next_at=delay.until, reply=delay.said[:1000]))
            if waiting is None:
                return False
            tickets = {row.ticket for row in rows if row.ticket and row.kind in TO_APPLICANT}
            found = connection.execute(select(schema.ticket).where(schema.ticket.c.number.in_(tickets)))
            known = {row.number: ticket_of(row) for row in found}
            plans = waiting(
                delay,
                [
                    (
                        Sent(row.message_id, Kind(row.kind), row.mailbox, row.recipient, row.ticket, Phase.DUE),
                        known.get(row.ticket),
                    )
                    for row in rows
                ],
            )
            fresh = [plan for plan in plans if not _happened(connection, plan.occurrence)]
            apply_plans(connection, fresh, now)
        return any(plan.outbox for plan in fresh)

    def unclaim(self, mailbox: str) -> None:
        """Give back what a claim has marked whose COMMIT was cut off: nobody has it in hand."""
        with self.database.write() as connection:
            _give_back(connection, _O.mailbox == mailbox, _O.phase == Phase.CLAIMED.value)

    def record(
        self, begun: Sequence[int], settled: Sequence[Settlement], aftermath: Aftermath | None = None
    ) -> list[bool]:
        """DATA is about to flow for the `begun` (promise P11), and verdicts with their events, in one transaction.

        A bad end and what follows from it are in it too. For each verdict: True where the aftermath wrote mail. Written
        back again, after a COMMIT that was cut off, a verdict that stands already changes nothing.
        """
        # What follows from a bad end changes tickets; of a good one, and of a next attempt, nothing does.
        turn = self.database.write if any(map(_has_aftermath, settled)) else self.database.note
        with turn() as connection:
            run_rows(connection, _begin, [{"id": number} for number in begun])
            in_hand = {row.id for row in run_rows(connection, _settle, [_settled_row(one) for one in settled])}
            fresh = [one for one in settled if one.claimed.id in in_hand]
            copies = [one.claimed for one in fresh if one.copy and _phase(one) is Phase.SENT]
            insert_rows(connection, schema.sent_copy, [{"number": of.id, "mailbox": of.mail.mailbox} for of in copies])
            insert_rows(connection, schema.event, [event_row(_event(one)) for one in fresh if one.next_at is None])
            # Of one that stands already, what follows from it may wait there: look.
            return [one not in fresh or self._follows(connection, one, aftermath) for one in settled]

    def _follows(self, connection: Connection, one: Settlement, aftermath: Aftermath | None) -> bool:
        if not _has_aftermath(one):
            return False
        phase, mail, receipt = _phase(one), one.claimed.mail, one.receipt
        sent = Sent(mail.message_id, mail.kind, mail.mailbox, mail.recipient, mail.ticket, phase)
        said = f"{receipt.code or ''} {receipt.text}".strip()
        return _follow(connection, sent, said, _cause(one.claimed.id, one.claimed.attempt), one.now, aftermath)

    def recover(self, now: datetime, aftermath: Aftermath | None = None) -> int:
        """After a restart: claimed mails are due again, those whose DATA had begun are in doubt; returns how many."""
        said = "stopped while the mail was being handed over"
        with self.database.write() as connection:
            _give_back(connection, _O.phase == Phase.CLAIMED.value)
            doubtful = connection.execute(
                select(_O.id, _O.ticket, _O.mailbox, _O.message_id, _O.kind, _O.recipient, _O.attempts).where(
                    _O.phase == Phase.DATA.value
                )
            ).all()
            for row in doubtful:
                connection.execute(
                    update(schema.outbox)
                    .where(_O.id == row.id)
                    .values(phase=Phase.IN_DOUBT.value, ended_at=now, reply=said)
                )
                detail = {"message_id": row.message_id, "kind": row.kind, "reply": said}
                event = Event(now, Phase.IN_DOUBT.value, row.ticket, row.mailbox, None, "", detail)
                connection.execute(insert(schema.event).values(event_row(event)))
                sent = Sent(row.message_id, Kind(row.kind), row.mailbox, row.recipient, row.ticket, Phase.IN_DOUBT)
                _follow(connection, sent, said, _cause(row.id, row.attempts), now, aftermath)
        return len(doubtful)

    def release(self, ids: Sequence[int]) -> None:
        """Give mails in hand back untried; done again, after a COMMIT that was cut off, it changes nothing."""
        with self.database.write() as connection:
            _give_back(connection, _O.id.in_(ids), _O.phase.in_(_IN_HAND))

    def with_due(self, now: datetime) -> list[str]:
        """The mailboxes that have mail due."""
        query = select(_O.mailbox).where(_O.phase == Phase.DUE.value, _O.next_at <= now).distinct()
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    def next_due(self, mailbox: str) -> datetime | None:
        """When the mailbox's next mail is due; None with nothing waiting."""
        with self.database.read() as connection:
            row = connection.execute(
                select(_O.next_at).where(_O.phase == "due", _O.mailbox == mailbox).order_by(_O.next_at).limit(1)
            ).one_or_none()
        return row.next_at if row else None

    def mail(self, number: int) -> Outbound:
        """One outgoing mail as composed."""
        with self.database.read() as connection:
            return _outbound(connection.execute(select(schema.outbox).where(_O.id == number)).one())

    def waiting(self) -> int:
        """How many mails wait to be sent."""
        with self.database.read() as connection:
            return connection.execute(
                select(func.count()).select_from(schema.outbox).where(_O.phase.in_(("due", "claimed", "data")))
            ).scalar_one()


def _give_back(connection: Connection, *which: ColumnElement[bool]) -> None:
    connection.execute(update(schema.outbox).where(*which).values(phase=Phase.DUE.value, attempts=_O.attempts - 1))


def _happened(connection: Connection, occurrence: Occurrence | None) -> bool:
    o = schema.occurrence.c
    if occurrence is None:
        return False
    same = select(o.at).where(o.what == occurrence.what, o.whom == occurrence.whom, o.due_at == occurrence.due_at)
    return connection.execute(same).first() is not None


def _outbound(row: Row[Any]) -> Outbound:
    return Outbound(
        key=row.key,
        kind=Kind(row.kind),
        mailbox=row.mailbox,
        sender=row.sender,
        recipient=row.recipient,
        message_id=row.message_id,
        segments=segments_of(row.literal, row.layout),
        ticket=row.ticket,
        eight_bit=row.eight_bit,
    )


def _cause(number: int, attempt: int) -> str:
    """Told once an attempt: a mail sent again by hand may end badly again, and that is news."""
    return f"outbox {number} attempt {attempt}"


def _follow(
    connection: Connection, sent: Sent, said: str, cause: str, now: datetime, aftermath: Aftermath | None
) -> bool:
    if aftermath is None:
        return False
    row = connection.execute(select(schema.ticket).where(schema.ticket.c.number == sent.ticket)).one_or_none()
    plan = aftermath(sent, ticket_of(row) if row else None, sent.phase, said, cause)
    if _happened(connection, plan.occurrence):
        return False
    apply_plans(connection, [plan], now)
    return bool(plan.outbox)


def _phase(of: Settlement) -> Phase:
    return Phase.DUE if of.next_at is not None else _END.get(of.receipt.kind, Phase.REFUSED)


def _has_aftermath(of: Settlement) -> bool:
    phase = _phase(of)
    return phase is not Phase.SENT and (phase is not Phase.DUE or of.delayed)


def _settled_row(of: Settlement) -> dict[str, Any]:
    """An attempt in which the mail itself was not judged does not count."""
    again = of.next_at is not None
    return {
        "id": of.claimed.id,
        "phase": _phase(of).value,
        "next_at": of.next_at or of.claimed.due_at,
        "ended_at": None if again else of.now,
        "code": of.receipt.code,
        "reply": of.receipt.text[:1000],
        "attempts": of.claimed.attempt - (again and not of.receipt.kind.judged),
    }


def _event(of: Settlement) -> Event:
    mail, receipt = of.claimed.mail, of.receipt
    detail = {
        "kind": mail.kind.value,
        "recipient": mail.recipient,
        "message_id": mail.message_id,
        "code": receipt.code,
        "reply": receipt.text[:300],
        "attempts": of.claimed.attempt,
    }
    return Event(of.now, receipt.kind.value, mail.ticket, mail.mailbox, None, "", detail)
