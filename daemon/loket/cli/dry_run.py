"""`loket dry-run`: what the daemon would do with the mail that lies there, with nothing changed and nothing sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Annotated, Any

import typer

from loket import maillog
from loket.app import SystemClock
from loket.cli.common import (
    DEFAULT_CONFIG,
    UNREACHABLE,
    ConfigOption,
    JsonOption,
    console,
    fail,
    out_json,
    read_config,
    refusals,
    table,
    when,
)
from loket.config.snapshot import Snapshot
from loket.core.headers import clean_text
from loket.core.model import Plan
from loket.imap import SESSION_ERRORS, Refused
from loket.rehearsal import Rehearsed, rehearsal
from loket.signatures import ask_dns


def dry_run(
    mailboxes: Annotated[list[str] | None, typer.Argument(help="Only these.", metavar="ADDRESS")] = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many mails of each mailbox, the newest.")] = 20,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Instead, all that arrived on this day or later.")
    ] = None,
    mails: Annotated[
        Path | None, typer.Option(help="A folder for the mails that would leave, as .eml files.", show_default=False)
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Read real mailboxes without changing a flag, and show what would be done; nothing is stored or sent.

    It starts from an empty store: ticket numbers begin at 1, and answers to tickets of the running office are
    not known. Exit 3 when a server could not be reached.
    """
    snapshot = read_config(config)
    addresses = [address.strip().lower() for address in mailboxes or snapshot.config.mailboxes]
    strangers = [address for address in addresses if address not in snapshot.config.mailboxes]
    if strangers:
        known = ", ".join(sorted(snapshot.config.mailboxes))
        raise fail(f"{strangers[0]} is no mailbox of this configuration; there are {known}")
    maillog.set_up(as_json=False, level="CRITICAL")
    found: list[Rehearsed] = []
    trouble: dict[str, str] = {}
    with refusals(), rehearsal(snapshot, SystemClock(), ask_dns) as stage:
        for address in addresses:
            try:
                found += stage.mailbox(address, since.date() if since else None, last)
            except (Refused, *SESSION_ERRORS) as error:
                trouble[address] = clean_text(str(error), 300)
        written = _write(found, mails) if mails else 0
    if as_json:
        for one in found:
            out_json(_object(one))
    else:
        _show(found, snapshot)
        if mails:
            console().print(f"{written} mails are in {mails}", markup=False)
    if trouble:
        raise fail("; ".join(f"{address} could not be read: {why}" for address, why in trouble.items()), UNREACHABLE)


def _show(found: Sequence[Rehearsed], snapshot: Snapshot) -> None:
    several = len({one.mail.raw.ref.mailbox for one in found}) > 1
    rows = [
        (
            when(one.mail.raw.internaldate, snapshot),
            *([one.mail.raw.ref.mailbox] if several else []),
            _author(one),
            clean_text(one.mail.subject),
            _understood(one.plan),
            "\n".join(_left(one, kind, to, subject) for kind, to, subject, _ in _leaves(one)),
        )
        for one in found
    ]
    if rows:
        table(("arrived", *(["mailbox"] if several else []), "from", "subject", "would be", "would leave"), rows)
    letters = Counter(mail.kind.value for one in found for mail in one.plan.outbox)
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(letters.items())) or "nothing"
    read = "1 mail was read, and stays as it is" if len(found) == 1 else f"{len(found)} mails were read, and stay so"
    console().print(f"{read}; would leave: {said}.")


def _left(one: Rehearsed, kind: str, to: str, subject: str) -> str:
    """To whom only where it is another than who wrote."""
    return f"{kind}: {subject}" if to == _author(one) else f"{kind} to {to}: {subject}"


def _author(one: Rehearsed) -> str:
    return one.mail.author.spec if one.mail.author else ", ".join(author.spec for author in one.mail.authors)


def _understood(plan: Plan) -> str:
    """A mail's end in a few words."""
    if plan.quarantine is not None:
        return f"set aside: {plan.quarantine.reason} ({plan.quarantine.detail})"
    if plan.opened is not None:
        ticket = plan.opened
        fields = " ".join(f"{name}={value}" for name, value in ticket.fields.items())
        missing = f" missing {', '.join(ticket.missing)}" if ticket.missing else ""
        return f"{ticket.number} → {ticket.queue} {fields}{missing}".strip()
    done = ", ".join(event.kind for event in plan.events) or (plan.fate.value if plan.fate else "")
    return f"{plan.ticket_of_mail}: {done}" if plan.ticket_of_mail else done


def _leaves(one: Rehearsed) -> list[tuple[str, str, str, str]]:
    """Kind, recipient, subject and text of every mail that would leave."""
    leaves = []
    for mail, data in zip(one.plan.outbox, one.letters, strict=True):
        parsed = message_from_bytes(data, policy=default)
        body = parsed.get_body(("plain",)) if isinstance(parsed, EmailMessage) else None
        text = str(body.get_content()) if body is not None else ""
        leaves.append((mail.kind.value, mail.recipient, str(parsed["Subject"]), text))
    return leaves


def _object(one: Rehearsed) -> dict[str, Any]:
    plan, opened = one.plan, one.plan.opened
    return {
        "mail": str(one.mail.raw.ref),
        "mailbox": one.mail.raw.ref.mailbox,
        "arrived": one.mail.raw.internaldate,
        "from": _author(one),
        "subject": clean_text(one.mail.subject),
        "fate": plan.fate.value if plan.fate else None,
        "ticket": plan.ticket_of_mail,
        "queue": opened.queue if opened else None,
        "fields": dict(opened.fields) if opened else {},
        "missing": list(opened.missing) if opened else [],
        "quarantine": plan.quarantine.reason if plan.quarantine else None,
        "events": [event.kind for event in plan.events],
        "leaves": [
            {"kind": kind, "to": to, "subject": subject, "text": text} for kind, to, subject, text in _leaves(one)
        ],
    }


def _write(found: Sequence[Rehearsed], folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for one in found:
        ref = one.mail.raw.ref
        for mail, data in zip(one.plan.outbox, one.letters, strict=True):
            count += 1
            (folder / f"{count:04}-{ref.mailbox}-{ref.uid}-{mail.kind.value}.eml").write_bytes(data)
    return count
