"""Carry out plans: the one way the store changes."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, delete, insert, select, update

from loket.core.model import Ending, HeldState, MailRef, Occurrence, Phase, Plan, StoredFile
from loket.sheet import Sheet
from loket.store import schema
from loket.store.appointments import keep_appointments
from loket.store.bulk import insert_rows, insert_values
from loket.store.codes import aside_rows, keep_codes
from loket.store.letterbook import keep_entries
from loket.store.pace import add_answers
from loket.store.rows import held_row, ticket_row
from loket.store.sheets import write_down
from loket.store.turns import keep_turns


class Overtaken(Exception):
    """A mail that was to be called off, or sent after all, is in a sender's hands."""


def apply_plans(connection: Connection, plans: Sequence[Plan], now: datetime) -> None:
    """All that the plans come to."""
    carry_out(connection, write_down(connection.dialect, plans, now), now)


def carry_out(connection: Connection, sheet: Sheet, now: datetime, *, ended: Container[MailRef] = ()) -> None:
    """What is written down, one statement for each table and kind of change; but the end of mails that have it."""
    plans = sheet.rest
    _insert(connection, schema.ticket, sheet)
    _count(connection, sheet.serials)
    _changed(connection, plans)
    _insert(connection, schema.ticket_link, sheet)
    _insert(connection, schema.event, sheet)
    add_answers(connection, plans)
    keep_content(connection, [(new.file, new.content) for plan in plans for new in plan.files])
    _insert(connection, schema.outbox, sheet)
    insert_rows(connection, schema.quarantine, [_quarantine(plan, now) for plan in plans if plan.quarantine])
    happened = (one for plan in plans for one in (plan.occurrence, *plan.occurrences) if one is not None)
    insert_rows(connection, schema.occurrence, [_occurrence(one, now) for one in happened])
    _marks(connection, plans, now)
    _officers(connection, plans, now)
    keep_codes(connection, plans)
    for name, value in (pair for plan in plans for pair in plan.noted):
        connection.execute(delete(schema.meta).where(schema.meta.c.name == name))
        connection.execute(insert(schema.meta).values(name=name, value=value))
    keep_appointments(connection, plans)
    keep_entries(connection, plans)
    keep_turns(connection, plans)
    insert_rows(connection, schema.quarantine, aside_rows(plans, now))
    _fates(connection, [one for one in sheet.endings if one.ref not in ended])


def _insert(connection: Connection, table: Table, sheet: Sheet) -> None:
    values = sheet.values.get(table.name)
    if values is not None:
        insert_values(connection, table, values)


def _count(connection: Connection, serials: Mapping[str, int]) -> None:
    for name, value in serials.items():
        moved = connection.execute(update(schema.serial).where(schema.serial.c.name == name).values(last=value))
        if moved.rowcount == 0:
            connection.execute(insert(schema.serial).values(name=name, last=value))


def _changed(connection: Connection, plans: Sequence[Plan]) -> None:
    for plan in plans:
        for ticket in plan.changed:
            row = ticket_row(ticket)
            number = row.pop("number")
            connection.execute(update(schema.ticket).where(schema.ticket.c.number == number).values(row))


def _quarantine(plan: Plan, now: datetime) -> dict[str, Any]:
    ref, set_aside = plan.ref, plan.quarantine
    if ref is None or set_aside is None:
        raise ValueError("only a mail can be quarantined")
    return {**_ref(ref), "reason": set_aside.reason, "detail": set_aside.detail, "at": now, "state": "open"}


def _occurrence(due: Occurrence, now: datetime) -> dict[str, Any]:
    return {"what": due.what, "whom": due.whom, "due_at": due.due_at, "at": now}


def _marks(connection: Connection, plans: Sequence[Plan], now: datetime) -> None:
    for mark in (mark for plan in plans for mark in plan.marks):
        connection.execute(
            update(schema.outbox)
            .where(schema.outbox.c.message_id == mark.message_id)
            .values(phase=mark.phase.value, reply=mark.reply, ended_at=now)
        )


def _officers(connection: Connection, plans: Sequence[Plan], now: datetime) -> None:
    """What is kept back, sent after all or called off, and who is away."""
    for held in (held for plan in plans for held in plan.held):
        if held.state is HeldState.HELD:
            # It may be there already, and now wait for something else.
            connection.execute(delete(schema.held).where(schema.held.c.key == held.key))
            connection.execute(insert(schema.held).values(held_row(held)))
        else:
            connection.execute(update(schema.held).where(schema.held.c.key == held.key).values(state=held.state.value))
    kept = (Phase.HELD.value, Phase.DUE.value)
    for move in (move for plan in plans for move in plan.moves):
        values: dict[str, Any] = {"phase": move.phase.value}
        values |= {"next_at": move.not_before or now} if move.phase is Phase.DUE else {"ended_at": now}
        moved = update(schema.outbox).where(schema.outbox.c.key == move.key, schema.outbox.c.phase.in_(kept))
        if connection.execute(moved.values(values)).rowcount != 1:
            # Read and written in one transaction, it cannot have left meanwhile; were it so, nothing of this happens.
            raise Overtaken(f"outgoing mail {move.key} is not kept back any more")
    for absence in (absence for plan in plans for absence in plan.absences):
        connection.execute(delete(schema.absence).where(schema.absence.c.officer == absence.officer))
        connection.execute(insert(schema.absence).values(officer=absence.officer, until=absence.until))


def _ref(ref: MailRef) -> dict[str, Any]:
    return {"mailbox": ref.mailbox, "uidvalidity": ref.uidvalidity, "uid": ref.uid}


_FATE = (
    update(schema.ledger)
    .where(
        and_(
            schema.ledger.c.mailbox == bindparam("m"),
            schema.ledger.c.uidvalidity == bindparam("v"),
            schema.ledger.c.uid == bindparam("u"),
        )
    )
    .values(fate=bindparam("f"), ticket=bindparam("t"), error=None)
)


def _fates(connection: Connection, endings: Sequence[Ending]) -> None:
    rows = [
        {"m": one.ref.mailbox, "v": one.ref.uidvalidity, "u": one.ref.uid, "f": one.fate.value, "t": one.ticket}
        for one in endings
        if one.fate
    ]
    if rows:
        connection.execute(_FATE, rows)


def keep_content(connection: Connection, items: Sequence[tuple[StoredFile, bytes | None]]) -> None:
    """Bytes by hash, each once; None stands for bytes that lie in the files store."""
    wanted: Mapping[str, tuple[StoredFile, bytes | None]] = {file.sha256: (file, data) for file, data in items}
    if not wanted:
        return
    column = schema.content.c.sha256
    there = set(connection.execute(select(column).where(column.in_(wanted))).scalars())
    rows = [
        {"sha256": key, "size": file.size, "data": data} for key, (file, data) in wanted.items() if key not in there
    ]
    insert_rows(connection, schema.content, rows)
