"""`loket report`: the figures of a week, by queue and officer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from loket.charts import picture
from loket.cli.common import DEFAULT_CONFIG, USAGE, ConfigOption, JsonOption, console, fail, opened, out_json, table
from loket.core import weekly
from loket.core.figures import Row, Week
from loket.core.office import Office
from loket.reports import made

HEADS = ("arrivals", "back", "answered", "waiting", "late", "pace", "in time")


def report(
    week: Annotated[str | None, typer.Option(help="As in 2026-W47; the last whole week if left out.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    picture_to: Annotated[Path | None, typer.Option("--picture", help="Write the picture to this PNG file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Arrivals, answers, what waits, pace and due-keeping of a week."""
    with opened(config) as (snapshot, stores):
        office, now = snapshot.office, datetime.now(UTC)
        try:
            wanted = Week.read(week) if week is not None else weekly.last_whole_week(office, now)
        except ValueError as error:
            raise fail(str(error), USAGE) from None
        found = made(stores.desk, office, wanted, now)
        if picture_to is not None:
            _write(picture_to, picture(weekly.chart(found, office)))
        if as_json:
            out_json(_object(found, office))
        else:
            _show(found, office)


def _write(to: Path, content: bytes) -> None:
    try:
        to.write_bytes(content)
    except OSError as error:
        raise fail(f"{to} cannot be written: {error.strerror}") from None


def _show(found: weekly.Report, office: Office) -> None:
    figures = found.figures
    span = f"{figures.week}, {figures.week.monday} to {figures.week.sunday}"
    rows = [(weekly.title(office, row.name), *_cells(row)) for row in figures.queues]
    table(("queue", *HEADS), [*rows, ("all", *_cells(figures.total))], title=span)
    if figures.officers:
        taken = [(weekly.name(office, row.name), row.arrivals, *_cells(row)[2:]) for row in figures.officers]
        table(("officer", "taken", "answered", "in hand", *HEADS[4:]), taken)
    trend = ", ".join(f"{week} {row.arrivals + row.returned}/{row.answered}" for week, row in found.trend)
    console().print(f"came and answered by week: {trend}")


def _cells(row: Row) -> tuple[object, ...]:
    pace = f"{row.pace // 3600}:{row.pace % 3600 // 60:02}" if row.pace is not None else ""
    kept = f"{row.kept}/{row.of_due} ({row.due_keeping:.0%})" if row.due_keeping is not None else ""
    return row.arrivals, row.returned, row.answered, row.waiting, row.late, pace, kept


def _object(found: weekly.Report, office: Office) -> dict[str, Any]:
    figures = found.figures
    return {
        "week": str(figures.week),
        "from": figures.week.monday.isoformat(),
        "to": figures.week.sunday.isoformat(),
        "queues": [
            {"queue": row.name, "title": weekly.title(office, row.name), **_numbers(row)} for row in figures.queues
        ],
        "officers": [
            {"officer": row.name, "name": weekly.name(office, row.name), **_numbers(row)} for row in figures.officers
        ],
        "total": _numbers(figures.total),
        "weeks": [{"week": str(week), **_numbers(row)} for week, row in found.trend],
    }


def _numbers(row: Row) -> dict[str, Any]:
    """`pace_seconds` is the median of the working time that answers took; `due_keeping` a part of one."""
    return {
        "arrivals": row.arrivals,
        "returned": row.returned,
        "answered": row.answered,
        "waiting": row.waiting,
        "late": row.late,
        "pace_seconds": row.pace,
        "in_time": row.kept,
        "with_due_time": row.of_due,
        "due_keeping": round(row.due_keeping, 4) if row.due_keeping is not None else None,
    }
