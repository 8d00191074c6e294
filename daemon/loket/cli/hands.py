"""Commands with which a person decides: what to send again, what to let in, and whether all of it was seen."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from loket.app import SystemClock
from loket.cli.common import (
    DEFAULT_CONFIG,
    NO,
    UNREACHABLE,
    USAGE,
    ConfigOption,
    JsonOption,
    console,
    fail,
    opened,
    out_json,
    table,
)
from loket.cli.inspect import outbox, quarantine
from loket.core.model import Phase
from loket.doors import bounds, imap_door
from loket.imap import SESSION_ERRORS, ImapSession, Refused
from loket.intake import absent_uids
from loket.store.hands import HandsStore, NotPossible
from loket.stores import Stores

ledger = typer.Typer(help="Every mail ever seen.", no_args_is_help=True, rich_markup_mode=None)

Id = Annotated[int, typer.Argument(help="The id that `list` shows.")]


@contextmanager
def _hands(config: object) -> Iterator[tuple[HandsStore, Stores]]:
    with opened(config) as (_, stores):  # type: ignore[arg-type] # the option's own type
        try:
            yield HandsStore(stores.database, f"admin {getpass.getuser()}"), stores
        except NotPossible as error:
            raise fail(str(error)) from None


@outbox.command("retry")
def outbox_retry(outbox_id: Id, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Send a refused or cancelled mail once more, now."""
    with _hands(config) as (hands, _):
        allowed = (Phase.REFUSED, Phase.CANCELLED, Phase.DUE)
        hands.move(outbox_id, allowed, Phase.DUE, "sent again by hand", SystemClock().now())
        console().print(f"outgoing mail {outbox_id} is due now")


@outbox.command("cancel")
def outbox_cancel(outbox_id: Id, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Keep a mail that has not left from leaving; its ticket is open again where it was an officer's answer."""
    with _hands(config) as (hands, _):
        allowed = (Phase.DUE, Phase.REFUSED, Phase.HELD)
        hands.move(outbox_id, allowed, Phase.CANCELLED, "cancelled by hand", SystemClock().now())
        console().print(f"outgoing mail {outbox_id} will not leave")


@outbox.command("resolve")
def outbox_resolve(
    outbox_id: Id,
    arrived: Annotated[bool | None, typer.Option("--arrived/--lost", help="What the recipient says.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Say of a mail in doubt whether it arrived; one that was lost is sent again."""
    if arrived is None:
        raise fail("say --arrived or --lost, after asking the recipient", USAGE)
    with _hands(config) as (hands, _):
        to, why = (Phase.SENT, "arrived, says a person") if arrived else (Phase.DUE, "lost, says a person")
        hands.move(outbox_id, (Phase.IN_DOUBT,), to, why, SystemClock().now())
        console().print(f"outgoing mail {outbox_id} {'is settled' if arrived else 'is due again'}")


@quarantine.command("show")
def quarantine_show(
    number: Id,
    raw: Annotated[bool, typer.Option("--raw", help="The mail's own bytes, on standard output.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """One mail that was set aside."""
    with _hands(config) as (hands, stores):
        facts, stored = hands.quarantined(number)
        if not raw:
            table(("", f"mail {number}"), [(key, value) for key, value in facts.items() if value is not None])
            return
        with stores.contents.open(stored) as data:
            sys.stdout.buffer.write(data)


@quarantine.command("release")
def quarantine_release(number: Id, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Let the daemon try again a mail that had made it fail."""
    with _hands(config) as (hands, _):
        hands.release(number, SystemClock().now())
        console().print(f"mail {number} is taken in at the next poll")


@quarantine.command("discard")
def quarantine_discard(number: Id, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Take a mail off the list; its bytes stay in the store."""
    with _hands(config) as (hands, _):
        hands.discard(number, SystemClock().now())
        console().print(f"mail {number} is off the list")


@ledger.command("verify")
def ledger_verify(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Count every UID on the servers against the ledger; exit 1 when one is absent, 3 when a server is not reached.

    Changes nothing. The daemon does the same once a day, and takes in what is absent.
    """
    rows: list[dict[str, object]] = []
    with opened(config) as (snapshot, stores):
        for address in snapshot.config.mailboxes:
            row = {"mailbox": address, "on_server": 0, "in_ledger": 0, "absent": [], "error": None}
            rows.append(row)
            cursor = stores.intake.cursor(address)
            try:
                with ImapSession(imap_door(snapshot, address), bounds(snapshot), stores.files) as session:
                    row["on_server"] = len(session.uids())
                    if cursor is not None and cursor.uidvalidity == session.uidvalidity:
                        known = stores.intake.known_uids(address, session.uidvalidity)
                        row |= {"in_ledger": len(known), "absent": absent_uids(session, known, cursor)}
            except (Refused, *SESSION_ERRORS) as error:
                row["error"] = str(error)
    if as_json:
        out_json(rows)
    else:
        table(("mailbox", "on the server", "in the ledger", "absent", "trouble"), [_verified(row) for row in rows])
    if any(row["error"] for row in rows):
        raise typer.Exit(UNREACHABLE)
    if any(row["absent"] for row in rows):
        raise typer.Exit(NO)


def _verified(row: dict[str, object]) -> tuple[object, ...]:
    absent = row["absent"]
    shown = ", ".join(map(str, absent)) if isinstance(absent, list) else ""
    return row["mailbox"], row["on_server"], row["in_ledger"], shown, row["error"]
