"""Mails, tickets and plans as the contract suites hand them to a store; the clock stands at 09.00 in Jakarta."""

from __future__ import annotations

import mmap
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

from loket.core import token
from loket.core.model import Event, Fate, Kind, MailRef, Outbound, Plan, RawMail, Receipt, State, StoredFile, Ticket
from loket.ports import Aftermath, Claimed, Settlement
from loket.store.outgoing import OutgoingStore

# Not UTC, so that a zone that gets lost shows.
WIB = timezone(timedelta(hours=7))
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=WIB)
HERE = "desain@office.test"
ELSEWHERE = "berkas@office.test"


def minutes(count: float) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=count)


def ref(uid: int, mailbox: str = HERE, uidvalidity: int = 7) -> MailRef:
    """A mail's identity."""
    return MailRef(mailbox, uidvalidity, uid)


def stored(data: bytes) -> StoredFile:
    """What a store calls these bytes."""
    return StoredFile(sha256(data).hexdigest(), len(data))


def raw(uid: int, data: bytes | None = None, *, mailbox: str = HERE, uidvalidity: int = 7) -> RawMail:
    """A mail as it came; its bytes are its own unless they are given."""
    content = data if data is not None else f"Subject: {mailbox} {uidvalidity} {uid}\r\n\r\n".encode()
    return RawMail(ref(uid, mailbox, uidvalidity), NOW - minutes(5), content, stored(content))


def large(uid: int, data: bytes) -> RawMail:
    """A mail whose bytes are a mapped file's."""
    mapped = mmap.mmap(-1, len(data))
    mapped.write(data)
    return RawMail(ref(uid), NOW, mapped, stored(data))


def number(serial: int, year: int = 2026) -> str:
    """A ticket number."""
    return token.number("LKT", year, serial)


def ticket(serial: int = 1, **changes: Any) -> Ticket:
    """An open ticket."""
    made = Ticket(
        number=number(serial),
        mailbox=HERE,
        counter="Loket D",
        rule="revisi-desain",
        queue="revisi-desain-ot",
        state=State.OPEN,
        applicant="siti@jamu.test",
        applicant_name="Siti",
        subject="Revisi Desain_OT_Jamu Kunyit",
        fields={"kategori": "OT", "produk": "Jamu Kunyit"},
        missing=(),
        identity="jamu kunyit",
        original=stored(b"original"),
        message_id="a@jamu.test",
        last_message_id="a@jamu.test",
        attachments=1,
        links=2,
        created_at=NOW,
        updated_at=NOW,
        due_at=NOW + timedelta(days=2),
    )
    return replace(made, **changes)


def outbound(key: str, **changes: Any) -> Outbound:
    """A mail to send."""
    made = Outbound(
        key=key,
        kind=Kind.ACKNOWLEDGEMENT,
        mailbox=HERE,
        sender=HERE,
        recipient="siti@jamu.test",
        message_id=f"{key}@office.test",
        segments=(f"Subject: {key}\r\n\r\n".encode(),),
    )
    return replace(made, **changes)


def event(kind: str, of: str | None = None) -> Event:
    """A line of history."""
    return Event(NOW, kind, of, "siti@jamu.test", None, "rules", {"said": "Jamu “Kunyit”"})


def opening(mail: RawMail, of: Ticket, *outbox: Outbound) -> Plan:
    """The plan of a mail that opens a ticket."""
    return Plan(
        mail.ref,
        Fate.TICKET,
        ticket_of_mail=of.number,
        opened=of,
        events=(event("opened", of.number),),
        outbox=outbox,
    )


def settle(
    outgoing: OutgoingStore,
    claimed: Claimed,
    receipt: Receipt,
    next_at: datetime | None,
    now: datetime,
    aftermath: Aftermath | None = None,
    *,
    delayed: bool = False,
) -> bool:
    """Write one verdict back; whether something follows from it."""
    [follows] = outgoing.record([], [Settlement(claimed, receipt, next_at, now, delayed=delayed)], aftermath)
    return follows
