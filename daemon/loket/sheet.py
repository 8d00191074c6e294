"""Plans written down as the rows they come to, for which no transaction is needed: the store then only writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loket.core.model import Ending, Plan


@dataclass(frozen=True, slots=True)
class Values:
    """Rows of a table that have the same columns, each value as the store's driver takes it.

    For SQLite `given` holds the values of all rows one behind the other, for PostgreSQL a mapping for each row.
    """

    columns: tuple[str, ...]
    rows: int
    given: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Plans written down: how each mail ends, the rows by table, the last number of each series, and what is left.

    `rest` are the plans that do more than open tickets, link them, tell of events and send mail.
    """

    endings: Sequence[Ending]
    values: Mapping[str, Values]
    serials: Mapping[str, int]
    rest: Sequence[Plan]


# Writes plans down for a kind of store.
WriteDown = Callable[[Sequence[Plan], datetime], Sheet]
