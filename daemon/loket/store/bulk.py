"""Many rows by one statement: what it says and what each value wants are worked out once, not for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect, Row, Table, bindparam, insert
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import UpdateBase

from loket.sheet import Values

Converter = Callable[[Any], Any]
# So many rows go by one statement, as many times as they fit, and what is left by one for just so many: a statement is
# prepared once for each number, and at each one the driver lets other threads go first.
AT_ONCE = (64, 16)
# As many values as the least generous SQLite takes in a statement.
MOST_VALUES = 999


@dataclass(frozen=True, slots=True)
class _Insert:
    """A statement for one row, how its values are written, and the columns in their order."""

    head: str
    values: str
    columns: tuple[tuple[str, Converter | None], ...]


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all have the columns of the first; a column left out gets what the database gives it.

    What SQLAlchemy would send, without its reckoning of parameters for each row, which cost as much as the database.
    SQLite's driver lets other threads go first at every row that it is handed, so it gets many rows as one.
    """
    if rows:
        insert_values(connection, table, reckon(connection.dialect, table, rows))


def reckon(dialect: Dialect, table: Table, rows: Sequence[dict[str, Any]]) -> Values:
    """The values of rows, at least one, that all have the columns of the first, as the driver takes them."""
    columns = tuple(rows[0])
    made = _prepared(dialect, table, columns)
    given: list[Any]
    if dialect.name == "sqlite":
        given = [row[name] if to is None else to(row[name]) for row in rows for name, to in made.columns]
    else:
        given = [{name: row[name] if to is None else to(row[name]) for name, to in made.columns} for row in rows]
    return Values(columns, len(rows), given)


def insert_values(connection: Connection, table: Table, values: Values) -> None:
    """Insert what was reckoned for this kind of store."""
    made = _prepared(connection.dialect, table, values.columns)
    if connection.dialect.name != "sqlite":
        # By name, which psycopg pipelines.
        connection.exec_driver_sql(f"{made.head}{made.values}", list(values.given))
        return
    width = len(made.columns)
    at, most = 0, MOST_VALUES // width
    while at < values.rows:
        left = values.rows - at
        many = min(next((many for many in AT_ONCE if many <= left), left), most)
        some = tuple(values.given[at * width : (at + many) * width])
        connection.exec_driver_sql(_repeated(made.head, made.values, many), some)
        at += many


@lru_cache(maxsize=1024)
def _repeated(head: str, values: str, times: int) -> str:
    return head + ", ".join([values] * times)


@lru_cache(maxsize=256)
def _prepared(dialect: Dialect, table: Table, names: tuple[str, ...]) -> _Insert:
    compiled = insert(table).compile(dialect=dialect, column_keys=list(names))
    order = compiled.positiontup if compiled.positiontup is not None else names
    converters = {name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names}
    text = str(compiled)
    values = text.index(" VALUES ") + len(" VALUES ")
    return _Insert(text[:values], text[values:], tuple((name, converters[name]) for name in order))


def bind(column: ColumnElement[Any], name: str, row: int) -> Any:
    """A value of a row in a statement for `run_rows`, written as the column wants it."""
    return bindparam(f"{name}/{row}", type_=column.type)


def run_rows(
    connection: Connection, make: Callable[[int], UpdateBase], rows: Sequence[dict[str, Any]]
) -> list[Row[Any]]:
    """What the statement returns that `make` says for so many rows, whose values all are such that `bind` names.

    In portions that any SQLite takes.
    """
    found: list[Row[Any]] = []
    portion = MOST_VALUES // len(rows[0]) if rows else 1
    for at in range(0, len(rows), portion):
        result = _run(connection, make, rows[at : at + portion])
        if result.returns_rows:
            found += result.all()
    return found


def _run(
    connection: Connection, make: Callable[[int], UpdateBase], rows: Sequence[dict[str, Any]]
) -> CursorResult[Any]:
    text, values = _compiled(connection.dialect, make, len(rows))
    given = [(key, rows[row][name] if to is None else to(rows[row][name])) for key, row, name, to in values]
    if connection.dialect.positional:
        return connection.exec_driver_sql(text, tuple([value for _, value in given]))
    return connection.exec_driver_sql(text, dict(given))


@lru_cache(maxsize=256)
def _compiled(
    dialect: Dialect, make: Callable[[int], UpdateBase], rows: int
) -> tuple[str, tuple[tuple[str, int, str, Converter | None], ...]]:
    compiled = make(rows).compile(dialect=dialect)
    values = []
    for key in compiled.positiontup if compiled.positiontup is not None else compiled.binds:
        name, _, row = key.rpartition("/")
        converter = compiled.binds[key].type.dialect_impl(dialect).bind_processor(dialect)
        values.append((compiled.bind_names[compiled.binds[key]], int(row), name, converter))
    return str(compiled), tuple(values)
