"""The shipped office as core sees it, and mails written to its counters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from loket.config.load import load
from loket.core.decide import decide
from loket.core.known import Known
from loket.core.model import Evidence, InboundMail, MailRef, Outbound, Plan, RawMail, Scan, State, StoredFile, Ticket
from loket.core.office import Office
from loket.core.parse import attachment_bytes, parse
from loket.core.token import Keys
from loket.core.understand import Understood, understand
from loket.files import ContentReader, FolderFiles

TOP = Path(__file__).parents[2]
CORPUS = TOP / "tests" / "corpus"
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # Tuesday, 09.00 WIB
KEYS = Keys("k1", {"k1": b"the key of the tests, long enough"})

OT, SM = "penilaian_ot@pom.go.id", "penilaian_sm_kuasi@pom.go.id"
DITLAI, IKLAN = "ditlai_otsmkos@yahoo.co.id", "iklan_otsk@yahoo.com"
DESAIN = "desainsk.otsk2020@gmail.com"
SARI, TONO = "sari@jamusegar.example", "tono@lain.example"
ANI, BUDI, FAJAR = "ani@pom.go.id", "budi@pom.go.id", "fajar@pom.go.id"

PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\n%%EOF\n"

# Deadlines measure the machine, and a shared machine stalls; the poison tests measure time where it matters.
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@cache
def office() -> Office:
    """The shipped configuration."""
    return load(TOP / "config.yaml").office


def lines(name: str) -> list[dict[str, Any]]:
    """A corpus file, one object a line."""
    return [json.loads(line) for line in (CORPUS / name).read_text(encoding="utf-8").splitlines()]


def raw(data: bytes, mailbox: str = DESAIN, uid: int = 1) -> RawMail:
    """Bytes as if fetched from a mailbox."""
    stored = StoredFile(hashlib.sha256(data).hexdigest(), len(data))
    return RawMail(MailRef(mailbox, 7, uid), NOW, data, stored)


def read(data: bytes, mailbox: str = DESAIN, uid: int = 1) -> InboundMail:
    """Bytes, parsed."""
    return parse(raw(data, mailbox, uid))


def letter(
    subject: str,
    body: str = "Selamat pagi\n",
    *,
    author: str = f"Sari <{SARI}>",
    to: str = DESAIN,
    files: Sequence[tuple[str, bytes]] = (),
    fields: Mapping[str, str] | None = None,
    markup: str | None = None,
    message_id: str = "<m1@jamusegar.example>",
    uid: int = 1,
) -> InboundMail:
    """A mail as a client would send it to a counter."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = author, to, subject
    if message_id:
        message["Message-ID"] = message_id
    if markup is not None:
        message.set_content(markup, subtype="html")
    else:
        message.set_content(body)
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    # Not by the library: it writes an identifier longer than a line as an encoded word.
    head = "".join(f"{name}: {value}\r\n" for name, value in (fields or {}).items())
    return read(head.encode() + message.as_bytes(), to, uid)


SOUND = Scan("pdf", 1)


def looked_into(mail: InboundMail, found: Scan = SOUND, **more: Any) -> InboundMail:
    """The mail as the edge hands it on, each of its attachments with that finding."""
    contents = [attachment_bytes(mail, part) for part in mail.attachments]
    scans = {hashlib.sha256(content).hexdigest(): found for content in contents if content}
    return replace(mail, evidence=Evidence(scans, **more))


@dataclass(slots=True)
class Desk:
    """One store's knowledge, kept true from mail to mail as a batch does."""

    known: Known = field(default_factory=lambda: Known(2026, 0))
    now: datetime = NOW
    plans: list[Plan] = field(default_factory=list)
    house: Office = field(default_factory=office)

    def understand(self, mail: InboundMail) -> Understood:
        """What the mail is, before anything is decided."""
        return understand(mail, self.house, KEYS, self.known, self.now)

    def take(self, mail: InboundMail) -> Plan:
        """Understand, decide, and let the next mail see the result."""
        mail = looked_into(mail) if mail.evidence == Evidence() else mail
        plan = decide(mail, self.understand(mail), self.house, KEYS, self.known, self.now)
        self.known.after(plan)
        self.plans.append(plan)
        return plan

    def ticket(self, number: str) -> Ticket:
        """The ticket as it stands now."""
        return self.known.tickets[number]

    def opened(self, subject: str, **more: Any) -> Ticket:
        """A new ticket by that subject."""
        plan = self.take(letter(subject, **more))
        assert plan.opened is not None
        return plan.opened

    def close(self, number: str, by: str = ANI) -> None:
        """End a ticket as an officer's answer would."""
        closed = replace(self.ticket(number), state=State.CLOSED, answered_by=by, closed_at=self.now)
        self.known.after(Plan(changed=(closed,)))

    def from_officer(self, number: str, body: str, *, author: str = f"Ani <{ANI}>", **more: Any) -> Plan:
        """An officer's reply to the notice of a ticket, with their own token."""
        reference = KEYS.officer(number, author.rpartition("<")[2].rstrip(">"), self.now)
        fields = {"In-Reply-To": f"<{reference}.0123456789abcdef0123@gmail.com>"}
        return self.take(letter(f"Re: [{number}]", body, author=author, fields=fields, **more))


class Kept:
    """Small stored bytes by hash, as the database keeps them."""

    def __init__(self, *contents: bytes) -> None:
        self.by_hash = {hashlib.sha256(content).hexdigest(): content for content in contents}

    def small(self, sha256: str) -> bytes | None:
        return self.by_hash.get(sha256)

    def rendered(self, mail: Outbound) -> bytes:
        """The mail as it goes over the wire, by the daemon's own reader."""
        return ContentReader(self, FolderFiles(Path("/nonexistent"))).render(mail)


def shown(mail: Outbound, *contents: bytes) -> str:
    """Everything a reader of the mail sees, decoded."""
    return text_of(Kept(*contents).rendered(mail))


def text_of(data: bytes) -> str:
    """Subject, names and texts of rendered bytes."""
    mail = standard(data)
    body = mail.get_body(("plain",))
    assert body is not None
    return f"{mail['Subject']}\n{mail['To']}\n{body.get_content()}"


def standard(data: bytes) -> EmailMessage:
    """The standard library's reading, which Loket's composer never uses."""
    from email import message_from_bytes  # noqa: PLC0415 - beside its policy
    from email.policy import default  # noqa: PLC0415 - the name says nothing at the top of a file

    message = message_from_bytes(data, policy=default)
    assert isinstance(message, EmailMessage)
    return message
