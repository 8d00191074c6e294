"""`loket agenda`: the register of letters, as a table or to take along."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from loket.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, fail, opened, out_json, table
from loket.core.item import state_text
from loket.core.letterbook import csv_text
from loket.core.office import Office
from loket.store.letterbook import Line

# The office's own words: what is exported is read there.
HEADS = (
    *("Nomor agenda", "Tanggal", "Pukul", "Saluran", "Pengirim", "Alamat", "Perihal", "Lampiran"),
    *("Layanan", "Status", "Hasil", "Nomor petugas", "Dijawab oleh", "Dijawab", "Nomor tiket"),
)


def agenda(
    year: Annotated[int | None, typer.Option(min=1900, max=9999, help="The year; this one if left out.")] = None,
    queue: Annotated[str | None, typer.Option(help="Only letters that are in this queue now.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated (RFC 4180), UTF-8.")] = False,
    bom: Annotated[bool, typer.Option("--bom", help="With --csv: a mark by which Excel knows it for UTF-8.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The register of letters of a year, in the order of its numbers."""
    if as_csv and as_json:
        raise fail("choose --csv or --json", 2)
    if bom and not as_csv:
        raise fail("--bom belongs to --csv", 2)
    with opened(config) as (snapshot, stores):
        office = snapshot.office
        if queue is not None and queue not in office.queues:
            raise fail(f"there is no queue {queue}; there are {', '.join(sorted(office.queues))}")
        wanted = year if year is not None else datetime.now(UTC).astimezone(office.zone).year
        lines = stores.desk.agenda(wanted, queue)
        if as_json:
            out_json([_object(line, office) for line in lines])
        elif as_csv:
            text = csv_text([HEADS, *(_cells(line, office) for line in lines)])
            sys.stdout.buffer.write(text.encode("utf-8-sig" if bom else "utf-8"))
        else:
            rows = [_cells(line, office) for line in lines]
            table(
                ("nomor", "tanggal", "saluran", "pengirim", "perihal", "status", "tiket"),
                [(row[0], row[1], row[3], row[4] or row[5], row[6], row[9], row[14]) for row in rows],
                title=f"agenda {wanted}: {len(rows)}",
            )


def _cells(line: Line, office: Office) -> tuple[str, ...]:
    ticket, at = line.ticket, line.entry.at.astimezone(office.zone)
    queue = office.queues.get(ticket.queue)
    outcome = queue.outcomes.get(ticket.outcome or "") if queue else None
    answered = line.answered_at.astimezone(office.zone) if line.answered_at else None
    officer = office.officers.get(ticket.answered_by or "")
    return (
        line.entry.text,
        f"{at:%Y-%m-%d}",
        f"{at:%H:%M}",
        ticket.channel or "Email",
        ticket.applicant_name,
        ticket.applicant or ticket.contact,
        ticket.about,
        str(ticket.attachments),
        queue.title if queue else ticket.queue,
        state_text(office.language, ticket.state),
        (outcome.title if outcome else "") or (ticket.outcome or ""),
        line.own_number,
        (officer.name if officer else ticket.answered_by or "") if answered else "",
        f"{answered:%Y-%m-%d %H:%M}" if answered else "",
        ticket.number,
    )


def _object(line: Line, office: Office) -> dict[str, Any]:
    ticket = line.ticket
    return {
        "register": line.entry.register,
        "year": line.entry.year,
        "number": line.entry.number,
        "text": line.entry.text,
        "at": line.entry.at.astimezone(office.zone),
        "ticket": ticket.number,
        "channel": ticket.channel or "Email",
        "sender": ticket.applicant_name,
        "address": ticket.applicant or ticket.contact,
        "about": ticket.about,
        "attachments": ticket.attachments,
        "queue": ticket.queue,
        "state": ticket.state.value,
        "outcome": ticket.outcome,
        "own_number": line.own_number,
        "answered_by": ticket.answered_by if line.answered_at else None,
        "answered_at": line.answered_at,
    }
