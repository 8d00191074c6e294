"""Rows into a table by the dozen: the statement and what each column wants are worked out once, not for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert

Converter = Callable[[Any], Any]


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all have the columns of the first; a column left out gets what the database gives it.

    What SQLAlchemy would send, without its reckoning of parameters for each row, which cost as much as the database.
    """
    if not rows:
        return
    statement, columns = _prepared(connection.dialect, table, tuple(rows[0]))
    if connection.dialect.positional:
        connection.exec_driver_sql(
            statement, [tuple([row[name] if to is None else to(row[name]) for name, to in columns]) for row in rows]
        )
    else:
        connection.exec_driver_sql(
            statement, [{name: row[name] if to is None else to(row[name]) for name, to in columns} for row in rows]
        )


@lru_cache(maxsize=256)
def _prepared(
    dialect: Dialect, table: Table, names: tuple[str, ...]
) -> tuple[str, tuple[tuple[str, Converter | None], ...]]:
    compiled = insert(table).compile(dialect=dialect, column_keys=list(names))
    order = compiled.positiontup if compiled.positiontup is not None else names
    converters = {name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names}
    return str(compiled), tuple((name, converters[name]) for name in order)
