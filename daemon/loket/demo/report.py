"""What came of the day: each mail at a counter, how it was understood, what went back, and whether all is well."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from imapclient import IMAPClient
from sqlalchemy import select

from loket.demo.counters import COUNTERS
from loket.demo.letters import write_mails
from loket.store import schema

if TYPE_CHECKING:
    from loket.app import App
    from loket.demo.errands import Errand
    from loket.demo.town import Town
    from loket.stores import Stores

AUTOMATIC = ("acknowledgement", "correction", "status", "offer")


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail of Loket's: `mail` is the reference of the one it answers, empty for digests."""

    kind: str
    mail: str
    ticket: str | None
    recipient: str
    message_id: str
    phase: str
    code: int | None
    said: str


@dataclass(frozen=True, slots=True)
class Scan:
    """A file an officer attached; `arrived` is the SHA-256 of the file in its place in the applicant's own mailbox."""

    name: str
    sha256: str | None
    arrived: str | None

    @property
    def verified(self) -> bool:
        """Whether what arrived was really looked at and is the same, octet by octet."""
        return self.arrived is not None and self.arrived == self.sha256


@dataclass(frozen=True, slots=True)
class Row:
    """One mail at a counter and its end; `fate` is None when Loket's ledger has no row for it."""

    counter: str
    uid: int
    author: str
    address: str
    subject: str
    fate: str | None
    ticket: str | None
    events: tuple[tuple[str, Mapping[str, Any]], ...]
    replies: tuple[Sent, ...]
    errand: Errand | None = None
    scans: tuple[Scan, ...] = ()
    same_bytes: bool = True

    def event(self, *kinds: str) -> Mapping[str, Any] | None:
        """The detail of this mail's first event of these kinds."""
        return next((detail for kind, detail in self.events if kind in kinds), None)

    @property
    def refusal(self) -> str | None:
        """Why no automatic response may go out, if that is so."""
        found = self.event("opened", "machine-mail")
        return found.get("refusal") if found else None

    @property
    def responses(self) -> list[Sent]:
        """What was said to the author by itself."""
        return [sent for sent in self.replies if sent.kind in AUTOMATIC and sent.recipient == self.address]


@dataclass(frozen=True, slots=True)
class Report:
    """The day in rows, in the order of arrival at each counter; and every mail Loket wrote."""

    folder: Path
    rows: tuple[Row, ...]
    sent: tuple[Sent, ...]
    on_server: Mapping[str, Sequence[int]]
    seen: int
    """How many mails at the counters bear the Seen flag."""
    arrived: Mapping[str, Mapping[str, int]]
    """How often each Message-ID lies in each mailbox of the town."""
    boxes: int
    files: int

    @property
    def answers(self) -> list[Row]:
        """The officers' answers."""
        return [row for row in self.rows if row.errand]

    @property
    def requests(self) -> list[Row]:
        """All other mail."""
        return [row for row in self.rows if not row.errand and row not in self.codes]

    @property
    def codes(self) -> list[Row]:
        """The officers' words on letters that waited for one."""
        return [row for row in self.rows if row.event("code-used") is not None]

    def letters_of(self, row: Row) -> list[Sent]:
        """The officers' letters that went to the author of the mail that opened a ticket."""
        if row.event("opened") is None:
            return []
        return [sent for sent in self.sent if sent.kind == "delivery" and sent.ticket == row.ticket]


async def gather(folder: Path, town: Town, app: App, errands: Mapping[str, Errand]) -> Report:
    """Compare what lies in every mailbox of the town with what Loket's store says, and write all mails as files."""
    everyone = dict.fromkeys((*COUNTERS, *app.office().officers, *_recipients(town)))
    boxes = {address: await town.messages(address) for address in everyone}
    flags = {counter: await asyncio.to_thread(_flags, town, counter) for counter in COUNTERS}
    return await asyncio.to_thread(_report, folder, app.stores, boxes, flags, errands)


def _recipients(town: Town) -> list[str]:
    return sorted({recipient.lower() for envelope in town.sent for recipient in envelope.recipients})


def _flags(town: Town, counter: str) -> dict[int, tuple[bytes, ...]]:
    """The flags of every UID in the INBOX, as the server tells any client."""
    client = IMAPClient(town.host, town.imap_port, ssl=False, timeout=10)
    client.login(counter, town.password)
    client.select_folder("INBOX", readonly=True)
    found = {uid: facts[b"FLAGS"] for uid, facts in client.fetch(client.search(), ["FLAGS"]).items()}
    client.logout()
    return dict(sorted(found.items()))


def _report(
    folder: Path,
    stores: Stores,
    boxes: Mapping[str, list[bytes]],
    flags: Mapping[str, Mapping[int, tuple[bytes, ...]]],
    errands: Mapping[str, Errand],
) -> Report:
    opened = {address: [_parsed(raw) for raw in raws] for address, raws in boxes.items()}
    with stores.database.read() as connection:
        ledger = {(row.mailbox, row.uid): row for row in connection.execute(select(schema.ledger))}
        events: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
        for row in connection.execute(select(schema.event).order_by(schema.event.c.id)):
            events.setdefault(row.mail or "", []).append((row.kind, json.loads(row.detail)))
        columns = [column for column in schema.outbox.c if column.name not in ("literal", "layout")]
        sent = tuple(map(_sent, connection.execute(select(*columns).order_by(schema.outbox.c.id))))
    rows = []
    for counter in COUNTERS:
        for uid, raw, message in zip(flags[counter], boxes[counter], opened[counter], strict=True):
            found = ledger.get((counter, uid))
            ref = f"{counter}/{found.uidvalidity}/{uid}" if found else ""
            replies = tuple(one for one in sent if ref and one.mail == ref)
            errand = errands.get(str(message["Message-ID"]))
            author = message["From"].addresses[0] if message["From"] and message["From"].addresses else None
            rows.append(
                Row(
                    counter=counter,
                    uid=uid,
                    author=(author.display_name or author.addr_spec) if author else "",
                    address=author.addr_spec.lower() if author else "",
                    subject=" ".join(str(message["Subject"] or "").split()),
                    fate=found.fate if found else None,
                    ticket=found.ticket if found else None,
                    events=tuple(events.get(ref, ())),
                    replies=replies,
                    errand=errand,
                    scans=_scans(message, replies, opened) if errand else (),
                    same_bytes=found is not None and found.sha256 == sha256(raw).hexdigest(),
                )
            )
    arrived = {address: _counts(messages) for address, messages in opened.items()}
    return Report(
        folder,
        tuple(rows),
        sent,
        {counter: list(uids) for counter, uids in flags.items()},
        sum(b"\\Seen" in each for uids in flags.values() for each in uids.values()),
        arrived,
        sum(bool(raws) for raws in boxes.values()),
        write_mails(folder / "mails", boxes),
    )


def _parsed(raw: bytes) -> EmailMessage:
    """By the standard library, which Loket's own parser and composer never use."""
    message = message_from_bytes(raw, policy=default)
    if not isinstance(message, EmailMessage):
        raise TypeError("policy.default makes every message an EmailMessage")
    return message


def _sent(row: Any) -> Sent:
    """An outbox row; its key names the kind of answer and the mail that it answers."""
    _, _, rest = row.key.partition(":")
    mail = rest if row.kind in (*AUTOMATIC, "delivery", "receipt") else rest.partition(":")[0]
    return Sent(
        kind=row.kind,
        mail=mail,
        ticket=row.ticket,
        recipient=row.recipient,
        message_id=f"<{row.message_id}>",
        phase=row.phase,
        code=row.code,
        said=" ".join((row.reply or "").split()),
    )


def _counts(messages: Sequence[EmailMessage]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for message in messages:
        message_id = str(message["Message-ID"])
        counts[message_id] = counts.get(message_id, 0) + 1
    return counts


def _scans(said: EmailMessage, replies: Sequence[Sent], opened: Mapping[str, list[EmailMessage]]) -> tuple[Scan, ...]:
    """The officer's files, each with what lies in its place in the mail that reached the applicant."""
    letters = [
        message
        for sent in replies
        if sent.kind == "delivery"
        for message in opened.get(sent.recipient, [])
        if str(message["Message-ID"]) == sent.message_id
    ]
    came = [file for letter in letters for file in _files(letter)]
    pairs = zip_longest(_files(said), came, fillvalue=("", None))
    return tuple(Scan(theirs[0] or ours[0], theirs[1], ours[1]) for theirs, ours in pairs)


def _files(message: EmailMessage) -> list[tuple[str, str | None]]:
    """Name and SHA-256 of every attachment."""
    return [
        (part.get_filename() or "", sha256(cast("bytes", part.get_payload(decode=True) or b"")).hexdigest())
        for part in message.iter_attachments()
    ]
