"""Confirmation codes in the store, with what their letters are in the outbox: its own rows, not a copy."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from loket.core.codes import Codes, Kept
from loket.core.model import Code, CodeState, Leaf, MailRef, Pending, Phase, Plan
from loket.store import schema
from loket.store.database import Database
from loket.store.rows import dump

_C = schema.code.c
_H = schema.held.c
_O = schema.outbox.c


def codes_of(connection: Connection, officers: Collection[str]) -> Codes:
    """The open codes of some officers."""
    found = Codes()
    query = select(schema.code).where(_C.state == CodeState.OPEN.value, _C.officer.in_(sorted(officers)))
    for row in connection.execute(query.order_by(_C.at, _C.id)):
        found.add(_code_of(row))
    every = [code for codes in found.open.values() for code in codes]
    keys = sorted({letter.key for code in every for letter in code.letters})
    for at in range(0, len(keys), 500):
        rows = select(_O.key, _O.recipient, _O.layout).where(_O.key.in_(keys[at : at + 500]))
        for row in connection.execute(rows):
            files = tuple(piece[1] for piece in json.loads(row.layout) if piece[0] != "bytes")
            found.kept[row.key] = Kept(row.recipient, files)
    ids = [code.id for code in every]
    unsent = select(_O.key).where(_O.key.in_(ids), _O.phase == Phase.DUE.value)
    found.unsent |= set(connection.execute(unsent).scalars()) if ids else set()
    return found


def tickets_of(codes: Codes) -> set[str]:
    """The tickets that the letters are about."""
    return {letter.ticket for every in codes.open.values() for code in every for letter in code.letters}


def keep_codes(connection: Connection, plans: Sequence[Plan]) -> None:
    """Codes as the plans leave them."""
    for code in (code for plan in plans for code in plan.codes):
        connection.execute(delete(schema.code).where(_C.id == code.id))
        connection.execute(insert(schema.code).values(_row(code)))


def officers_with_lapsed(database: Database, now: datetime) -> list[str]:
    """Whose codes are open though their time is over."""
    query = select(_C.officer).where(_C.state == CodeState.OPEN.value, _C.until <= now).distinct()
    with database.read() as connection:
        return sorted(connection.execute(query).scalars())


def aside_rows(plans: Sequence[Plan], now: datetime) -> list[dict[str, Any]]:
    """The rows of other mails that plans set aside."""
    return [
        {**_ref(ref), "reason": why.reason, "detail": why.detail, "at": now, "state": "open"}
        for plan in plans
        for ref, why in plan.set_aside
    ]


def _ref(ref: MailRef) -> dict[str, Any]:
    return {"mailbox": ref.mailbox, "uidvalidity": ref.uidvalidity, "uid": ref.uid}


def _row(code: Code) -> dict[str, Any]:
    letters = [
        [
            one.key,
            one.ticket,
            one.about,
            one.title,
            one.recipient,
            [[file.name, file.size, file.sha256, file.pages, list(file.active)] for file in one.files],
        ]
        for one in code.letters
    ]
    return {
        "id": code.id,
        "officer": code.officer,
        "digest": code.digest,
        "letters": dump(letters),
        "at": code.at,
        "until": code.until,
        "wrong": code.wrong,
        "state": code.state.value,
    }


def _code_of(row: Row[Any]) -> Code:
    letters = tuple(
        Pending(
            key,
            ticket,
            about,
            title,
            recipient,
            tuple(Leaf(name, size, sha256, pages, tuple(active)) for name, size, sha256, pages, active in files),
        )
        for key, ticket, about, title, recipient, files in json.loads(row.letters)
    )
    return Code(row.id, row.officer, row.digest, letters, row.at, row.until, row.wrong, CodeState(row.state))
