"""Commands that only look: status, queues, tickets, show, digest, quarantine, outbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from loket.cli.common import (
    DEFAULT_CONFIG,
    NO,
    ConfigOption,
    JsonOption,
    console,
    fail,
    opened,
    opened_anyhow,
    out_json,
    table,
    when,
)
from loket.core import story
from loket.core.tongue import octets
from loket.store.desk import MailboxView
from loket.store.rows import ticket_row

# A mailbox that was not reached for this long is a reason to look, and an unhealthy container.
STALE = timedelta(minutes=15)
# With less than this a mail or two would fill the disk: intake and sending are about to stop, or have stopped.
LOW_SPACE = 4_000_000

quarantine = typer.Typer(help="Mails set aside for a person.", no_args_is_help=True, rich_markup_mode=None)
outbox = typer.Typer(help="Mails on their way out.", no_args_is_help=True, rich_markup_mode=None)


def status(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Where things stand; exit 1 when a mailbox cannot be worked."""
    with opened_anyhow(config) as (snapshot, stores, problems):
        now = datetime.now(UTC)
        views = {view.mailbox: view for view in stores.desk.mailboxes()}
        addresses = list(snapshot.config.mailboxes) if snapshot else sorted(views)
        rows = [_mailbox(address, views.get(address), now) for address in addresses]
        running, refused = stores.desk.configuration()
        state = {
            "mailboxes": rows,
            "outbox": stores.desk.outbox(),
            "waiting": stores.desk.held_up(now),
            "quarantine": len(stores.desk.quarantined()),
            "free": stores.free(),
            "rules": running or (snapshot.office.rules_hash if snapshot else None),
            "configuration_refused": refused or problems,
        }
        if as_json:
            out_json(state)
        else:
            table(
                ("mailbox", "last reached", "taken in", "left alone as history", "trouble"),
                [
                    (
                        row["mailbox"],
                        when(row["polled_at"], snapshot) or "never",
                        sum(row["mails"].values()) - row["history_left"],
                        row["history_left"],
                        _trouble(row, snapshot),
                    )
                    for row in rows
                ],
            )
            phases = ", ".join(f"{count} {phase}" for phase, count in sorted(stores.desk.outbox().items()))
            console().print(f"outbox: {phases or 'empty'} · quarantine: {state['quarantine']}")
            for row in stores.desk.held_up(now):
                said = f"{row['mails']} wait until {when(row['next_at'], snapshot)}: {row['reply']}"
                console().print(f"outbox of {row['mailbox']}: {said}", markup=False)
            console().print(_space(stores.free()))
            for problem in refused or problems:
                console().print(f"the configuration as edited is not taken: {problem}", markup=False)
        if not rows or not all(row["healthy"] for row in rows) or stores.free() < LOW_SPACE:
            raise typer.Exit(NO)


def _mailbox(address: str, view: MailboxView | None, now: datetime) -> dict[str, Any]:
    stale = view is None or view.polled_at is None or now - view.polled_at > STALE
    return {
        "mailbox": address,
        "healthy": view is not None and view.error is None and not stale,
        "polled_at": view.polled_at if view else None,
        "error": view.error if view else None,
        "error_since": view.error_since if view else None,
        "mails": view.fates if view else {},
        "history_left": view.fates.get("history", 0) if view else 0,
    }


def _space(free: int) -> str:
    if free < LOW_SPACE:
        return f"DISK FULL: {octets(free)} free where the store is; intake and sending stop until there is room"
    return f"store: {octets(free)} free"


def _trouble(row: dict[str, Any], snapshot: Any) -> str:
    if row["error"]:
        return f"since {when(row['error_since'], snapshot)}: {row['error']}"
    return "" if row["healthy"] else "not reached lately; is the daemon running?"


def queues(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Open and waiting tickets by queue."""
    with opened(config) as (snapshot, stores):
        rows = stores.desk.queues(datetime.now(UTC))
        if as_json:
            out_json(rows)
            return
        table(
            ("queue", "state", "tickets", "late", "oldest"),
            [
                (row["queue"], row["state"], row["count"], row["late"] or 0, when(row["oldest"], snapshot))
                for row in rows
            ],
        )


def tickets(
    config: ConfigOption = DEFAULT_CONFIG,
    queue: Annotated[str | None, typer.Option(help="Only this queue.")] = None,
    state: Annotated[str | None, typer.Option(help="open, waiting or closed.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    as_json: JsonOption = False,
) -> None:
    """The most recent tickets."""
    with opened(config) as (snapshot, stores):
        found = stores.desk.tickets(queue=queue, state=state, limit=limit)
        if as_json:
            out_json([_ticket_object(ticket) for ticket in found])
            return
        table(
            ("number", "queue", "state", "about", "applicant", "opened", "due"),
            [
                (
                    ticket.number,
                    ticket.queue,
                    ticket.state.value,
                    ticket.about,
                    ticket.applicant,
                    when(ticket.created_at, snapshot),
                    when(ticket.due_at, snapshot),
                )
                for ticket in found
            ],
        )


def _ticket_object(ticket: Any) -> dict[str, Any]:
    return {**ticket_row(ticket), "fields": dict(ticket.fields), "missing": list(ticket.missing)}


def show(
    number: Annotated[str, typer.Argument(help="A ticket number, as in LKT-2026-000123-7.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """One ticket with its whole history."""
    with opened(config) as (snapshot, stores):
        ticket = stores.desk.ticket(number.strip().upper())
        if ticket is None:
            raise fail(f"there is no ticket {number}")
        events = stores.desk.events(ticket.number)
        linked = stores.desk.links(ticket.number)
        told = story.whole(snapshot.office, stores.desk.stories([ticket]).get(ticket.number, ()), ticket)
        if as_json:
            history = [
                {"at": one.at, "kind": one.kind, "actor": one.actor, "mail": one.mail, "rules": one.rules, **one.detail}
                for one in events
            ]
            out_json({**_ticket_object(ticket), "linked": linked, "story": told, "events": history})
            return
        facts = _ticket_object(ticket)
        facts["linked"] = ", ".join(linked)
        table(("", ticket.number), [(key, value) for key, value in facts.items() if value not in (None, "", [], {})])
        if told:
            rows = [(one["at"], one["number"], one["what"], one["by"]) for one in told]
            table(("when", "ticket", "story", "by"), rows)
        table(
            ("when", "what", "who", "details"),
            [
                (
                    when(one.at, snapshot),
                    one.kind,
                    one.actor,
                    ", ".join(f"{key}={value}" for key, value in one.detail.items() if value not in (None, "", [])),
                )
                for one in events
            ],
        )


def digest(
    officer: Annotated[str | None, typer.Argument(help="Whose digest; the first officer's if left out.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Print the mails that would go out now.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """The mail an officer would get now; nothing is sent."""
    from loket.cli.preview import digests  # noqa: PLC0415 - the keys are needed for this command alone

    if not preview:
        raise fail("digests go out by themselves; say --preview to see one", 2)
    with opened(config) as (snapshot, stores):
        known = snapshot.office.officers
        address = (officer or next(iter(known), "")).lower()
        if address not in known:
            raise fail(f"{officer or 'nobody'} is no officer here; there are {', '.join(known) or 'none'}")
        written = digests(snapshot, stores, known[address])
        for data in written:
            console().out(data.decode("utf-8", "replace"), highlight=False)
        if not written:
            console().print(f"nothing is waiting for {address}")


@quarantine.command("list")
def quarantine_list(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Mails that wait for a person, and why."""
    with opened(config) as (snapshot, stores):
        rows = stores.desk.quarantined()
        if as_json:
            out_json(rows)
            return
        table(
            ("id", "mail", "when", "reason", "detail"),
            [
                (
                    row["id"],
                    f"{row['mailbox']}/{row['uidvalidity']}/{row['uid']}",
                    when(row["at"], snapshot),
                    row["reason"],
                    row["detail"],
                )
                for row in rows
            ],
        )


@outbox.command("list")
def outbox_list(
    phase: Annotated[str | None, typer.Option(help="due, claimed, data, sent, refused or in-doubt.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
) -> None:
    """Outgoing mails and their verdicts, the newest first."""
    with opened(config) as (snapshot, stores):
        rows = stores.desk.outgoing(phase, limit)
        if as_json:
            out_json(rows)
            return
        table(
            ("id", "phase", "kind", "ticket", "recipient", "attempts", "next or ended", "reply"),
            [
                (
                    row["id"],
                    row["phase"],
                    row["kind"],
                    row["ticket"],
                    row["recipient"],
                    row["attempts"],
                    when(row["ended_at"] or row["next_at"], snapshot),
                    f"{row['code'] or ''} {row['reply'] or ''}".strip(),
                )
                for row in rows
            ],
        )
