"""The store as timers and the command line see it: open tickets, occurrences, where things stand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from loket.core.escalation import STAGES, Watch
from loket.core.figures import Step
from loket.core.known import Known
from loket.core.model import Chapter, Event, Fate, Plan, State, StoredFile, Ticket
from loket.store import figures, letterbook, officers, schema, stories
from loket.store.apply import apply_plans
from loket.store.appointments import add_standing, not_for_time
from loket.store.database import Database
from loket.store.rows import ticket_of
from loket.store.turns import add_lines

_L = schema.ledger.c
_T = schema.ticket.c
_O = schema.outbox.c


def _portions(numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    """A statement has room for so many values only."""
    for at in range(0, len(numbers), 500):
        yield numbers[at : at + 500]


@dataclass(frozen=True, slots=True)
class MailboxView:
    """One mailbox's health and how its mails ended."""

    mailbox: str
    polled_at: datetime | None
    error: str | None
    error_since: datetime | None
    fates: dict[str, int]


@dataclass(frozen=True, slots=True)
class DeskStore:
    """Reading for people, and the plans of timers."""

    database: Database

    def since(self) -> datetime:
        """When this store was made: nothing was due before."""
        with self.database.read() as connection:
            value = connection.execute(
                select(schema.meta.c.value).where(schema.meta.c.name == "created_at")
            ).scalar_one()
        return datetime.fromisoformat(value)

    def founded(self, now: datetime) -> None:
        """Remember when the store was made, once."""
        with self.database.write() as connection:
            there = connection.execute(select(schema.meta.c.name).where(schema.meta.c.name == "created_at")).scalar()
            if there is None:
                connection.execute(insert(schema.meta).values(name="created_at", value=now.isoformat()))

    def noted(self, name: str) -> str | None:
        """What the office noted of itself under that name."""
        with self.database.read() as connection:
            return connection.execute(select(schema.meta.c.value).where(schema.meta.c.name == name)).scalar()

    def timed(self) -> list[str]:
        """The open tickets whose due time can be reckoned anew, oldest first."""
        query = select(_T.number).where(_T.state == State.OPEN.value, _T.term.is_not(None)).order_by(_T.number)
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    def occurred(self, what: str, whom: str, due_at: datetime) -> bool:
        """Whether that occurrence has happened."""
        o = schema.occurrence.c
        query = select(o.what).where(o.what == what, o.whom == whom, o.due_at == due_at)
        with self.database.read() as connection:
            return connection.execute(query).scalar() is not None

    def apply(self, plan: Plan, now: datetime) -> bool:
        """Carry out a timer's plan; False when its occurrence had happened already."""
        try:
            with self.database.write() as connection:
                apply_plans(connection, [plan], now)
        except IntegrityError:
            due = plan.occurrence
            if due is None or not self.occurred(due.what, due.whom, due.due_at):
                raise
            return False
        return True

    def away(self, now: datetime) -> dict[str, datetime]:
        """The officers who are away, and until when."""
        with self.database.read() as connection:
            return officers.away(connection, now)

    def open_tickets(
        self, mailbox: str, queues: Sequence[str], people: Sequence[str] = ()
    ) -> list[tuple[Ticket, list[StoredFile]]]:
        """Open tickets of a mailbox in the queues or taken by these people, each with the mails that belong to it."""
        theirs = or_(_T.queue.in_(queues), _T.claimed_by.in_(people)) if people else _T.queue.in_(queues)
        query = select(schema.ticket).where(_T.mailbox == mailbox, theirs, _T.state == State.OPEN.value)
        with self.database.read() as connection:
            tickets = [ticket_of(row) for row in connection.execute(query)]
            files: dict[str, list[StoredFile]] = {}
            mails = query.with_only_columns(_L.ticket, _L.sha256, _L.size).join(schema.ledger, _L.ticket == _T.number)
            mails = mails.where(_L.fate.in_((Fate.TICKET.value, Fate.FOLLOW_UP.value)))
            for row in connection.execute(mails.order_by(_L.internaldate, _L.uid)):
                files.setdefault(row.ticket, []).append(StoredFile(row.sha256, row.size))
        return [(ticket, files.get(ticket.number, [ticket.original])) for ticket in tickets]

    def steps(self, since: datetime, until: datetime) -> list[Step]:
        """Every change of the tickets that changed since then or are open now, up to `until`; a ticket's together."""
        with self.database.read() as connection:
            return figures.steps(connection, since, until)

    def nearing(self, watches: Sequence[Watch]) -> list[tuple[Ticket, frozenset[str]]]:
        """Open tickets that are due by then and wait for a stage, each with those that have happened."""
        o = schema.occurrence.c

        def undone(watch: Watch) -> Any:
            happened = exists().where(o.what == watch.stage, o.whom == _T.number, o.due_at == _T.due_at)
            there = _T.queue.not_in(watch.queues) if watch.others else _T.queue.in_(watch.queues)
            return and_(there, _T.due_at <= watch.until, ~happened)

        if not watches:
            return []
        latest = max(watch.until for watch in watches)
        query = select(schema.ticket).where(
            _T.state == State.OPEN.value, _T.due_at <= latest, or_(*(undone(watch) for watch in watches))
        )
        with self.database.read() as connection:
            tickets = [ticket_of(row) for row in connection.execute(query.order_by(_T.due_at, _T.number))]
            done: dict[str, set[str]] = {ticket.number: set() for ticket in tickets}
            due = {ticket.number: ticket.due_at for ticket in tickets}
            for some in _portions(sorted(done)):
                happened = select(o.what, o.whom, o.due_at).where(o.what.in_(STAGES), o.whom.in_(some))
                for row in connection.execute(happened):
                    if row.due_at == due[row.whom]:
                        done[row.whom].add(row.what)
        return [(ticket, frozenset(done[ticket.number])) for ticket in tickets]

    def waiting(self, untouched_since: datetime) -> list[tuple[Ticket, datetime | None]]:
        """Tickets that wait for their applicant, and when each was reminded since it began to; oldest first."""
        o = schema.occurrence.c
        reminded = (
            select(o.whom, func.max(o.at).label("at")).where(o.what == "remind").group_by(o.whom).subquery("reminded")
        )
        query = select(schema.ticket, reminded.c.at.label("reminded_at"))
        query = query.outerjoin(reminded, reminded.c.whom == _T.number)
        query = query.where(_T.state == State.WAITING.value, _T.updated_at <= untouched_since, not_for_time(_T.number))
        query = query.order_by(_T.updated_at)
        with self.database.read() as connection:
            rows = connection.execute(query).all()
        return [
            (ticket_of(row), row.reminded_at if row.reminded_at and row.reminded_at >= row.updated_at else None)
            for row in rows
        ]

    def standing(self, now: datetime) -> Known:
        """Every appointment and offer that stands, with their tickets, whoever waits in their order."""
        known = Known(now.year, 0)
        with self.database.read() as connection:
            add_standing(connection, known)
            known.away.update(officers.away(connection, now))
        return known

    def lines(self, now: datetime) -> Known:
        """Every line of those who are called in turn, with the tickets of those who are and of the next ones."""
        known = Known(now.year, 0)
        with self.database.read() as connection:
            add_lines(connection, known)
            known.away.update(officers.away(connection, now))
        return known

    def ticket(self, number: str) -> Ticket | None:
        """One ticket."""
        with self.database.read() as connection:
            row = connection.execute(select(schema.ticket).where(_T.number == number)).one_or_none()
        return ticket_of(row) if row else None

    def tickets(self, *, queue: str | None, state: str | None, limit: int) -> list[Ticket]:
        """The most recent tickets, newest first."""
        query = select(schema.ticket).order_by(_T.created_at.desc(), _T.number.desc()).limit(limit)
        if queue:
            query = query.where(_T.queue == queue)
        if state:
            query = query.where(_T.state == state)
        with self.database.read() as connection:
            return [ticket_of(row) for row in connection.execute(query)]

    def events(self, number: str) -> list[Event]:
        """A ticket's history, oldest first."""
        e = schema.event.c
        with self.database.read() as connection:
            rows = connection.execute(select(schema.event).where(e.ticket == number).order_by(e.id)).all()
        return [
            Event(row.at, row.kind, row.ticket, row.actor, row.mail, row.rules, json.loads(row.detail)) for row in rows
        ]

    def links(self, number: str) -> list[str]:
        """Tickets linked with this one, either way."""
        table = schema.ticket_link.c
        with self.database.read() as connection:
            out = connection.execute(select(table.other).where(table.ticket == number)).scalars().all()
            back = connection.execute(select(table.ticket).where(table.other == number)).scalars().all()
        return sorted({*out, *back})

    def agenda(self, year: int, queue: str | None = None) -> list[letterbook.Line]:
        """A year of the registers of letters, of one queue what is there now; in the order of their numbers."""
        with self.database.read() as connection:
            return letterbook.lines(connection, year, queue)

    def stories(self, tickets: Sequence[Ticket]) -> Mapping[str, Sequence[Chapter]]:
        """The other tickets of each one's story, by its number; only those of its own applicant."""
        with self.database.read() as connection:
            return stories.stories(connection, tickets)

    def queues(self, now: datetime) -> list[dict[str, Any]]:
        """Open and waiting tickets by queue, the late ones and the oldest."""
        late = (
            func.sum(func.iif(_T.due_at < now, 1, 0)) if self.database.sqlite else func.count().filter(_T.due_at < now)
        )
        query = (
            select(
                _T.queue,
                _T.state,
                func.count().label("count"),
                late.label("late"),
                func.min(_T.created_at).label("oldest"),
            )
            .where(_T.state != State.CLOSED.value)
            .group_by(_T.queue, _T.state)
            .order_by(_T.queue)
        )
        with self.database.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def mailboxes(self) -> list[MailboxView]:
        """Every mailbox the store has seen."""
        s = schema.mailbox_state.c
        counts = select(_L.mailbox, _L.fate, func.count()).group_by(_L.mailbox, _L.fate)
        with self.database.read() as connection:
            fates: dict[str, dict[str, int]] = {}
            for mailbox, fate, count in connection.execute(counts):
                fates.setdefault(mailbox, {})[fate] = count
            rows = connection.execute(select(s.mailbox, s.polled_at, s.error, s.error_since).order_by(s.mailbox)).all()
        return [
            MailboxView(row.mailbox, row.polled_at, row.error, row.error_since, fates.get(row.mailbox, {}))
            for row in rows
        ]

    def configuration(self) -> tuple[str, list[str]]:
        """The hash of the rules that a daemon decided by last, and what was wrong with an edit after that."""
        e = schema.event.c
        query = select(e.kind, e.rules, e.detail).where(e.kind.in_(("configured", "configuration-refused")))
        with self.database.read() as connection:
            row = connection.execute(query.order_by(e.id.desc()).limit(1)).one_or_none()
        if row is None:
            return "", []
        return row.rules, json.loads(row.detail).get("problems", [])

    def outbox(self) -> dict[str, int]:
        """Outgoing mails by phase."""
        with self.database.read() as connection:
            rows = connection.execute(select(_O.phase, func.count()).group_by(_O.phase)).all()
        return {row.phase: row[1] for row in rows}

    def held_up(self, now: datetime) -> list[dict[str, Any]]:
        """Mails that wait for another attempt, by mailbox: how many, the first of them, what was said last."""
        columns = (_O.mailbox, func.count().label("mails"), func.min(_O.next_at).label("next_at"))
        query = select(*columns, func.max(_O.reply).label("reply"))
        query = query.where(_O.phase == "due", _O.next_at > now, _O.reply.is_not(None))
        with self.database.read() as connection:
            rows = connection.execute(query.group_by(_O.mailbox).order_by(_O.mailbox)).all()
        return [dict(row._mapping) for row in rows]

    def outgoing(self, phase: str | None, limit: int) -> list[dict[str, Any]]:
        """Outgoing mails without their bytes, newest first."""
        columns = (_O.id, _O.phase, _O.kind, _O.ticket, _O.mailbox, _O.recipient, _O.message_id, _O.attempts)
        query = select(*columns, _O.next_at, _O.ended_at, _O.code, _O.reply).order_by(_O.id.desc()).limit(limit)
        if phase:
            query = query.where(_O.phase == phase)
        with self.database.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def quarantined(self) -> list[dict[str, Any]]:
        """Mails set aside and waiting for a person."""
        q = schema.quarantine.c
        with self.database.read() as connection:
            rows = connection.execute(select(schema.quarantine).where(q.state == "open").order_by(q.id)).all()
        return [dict(row._mapping) for row in rows]
