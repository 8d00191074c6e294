"""An officer has spoken: the outcome's letter to the applicant, the ticket's next state, a receipt to the officer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rapidfuzz.distance import OSA

from loket.core import context, notice, parse, token, tongue
from loket.core.command import Doubtful, Proven, Speech, listen
from loket.core.compose import Enclosure, file_name
from loket.core.headers import clean_text
from loket.core.known import Known
from loket.core.mail import Post
from loket.core.model import (
    TRIAGE,
    Event,
    Fate,
    InboundMail,
    Kind,
    NewFile,
    Outbound,
    Part,
    Plan,
    Quarantined,
    State,
    StoredFile,
    Ticket,
)
from loket.core.office import Officer
from loket.core.rules import Outcome

MAX_WORDS = 20_000


@dataclass(frozen=True, slots=True)
class _Desk:
    """The officer's mail on the table."""

    mail: InboundMail
    post: Post
    officer: Officer
    speech: Speech

    def event(self, kind: str, ticket: str | None, **detail: object) -> Event:
        return Event(
            self.post.now,
            kind,
            ticket,
            self.officer.address,
            str(self.mail.raw.ref),
            self.post.office.rules_hash,
            detail,
        )

    def said(self, ticket: Ticket | None, **more: object) -> dict[str, Any]:
        return {
            **context.base(self.post.office, self.post.counter, self.post.now),
            "officer": {"name": self.officer.name, "address": self.officer.address},
            "ticket": {
                "number": ticket.number if ticket else "",
                "tag": f"[{ticket.number}]" if ticket else "",
                "about": ticket.about if ticket else "",
            },
            "command": self.speech.command,
            **more,
        }

    def receipt(self, template: str, ticket: Ticket | None, **more: object) -> Outbound:
        root = self.post.keys.officer(ticket.number, self.officer.address, self.post.now) if ticket else None
        return self.post.write(
            Kind.RECEIPT,
            f"receipt:{self.mail.raw.ref}",
            self.post.office.letters.render(template, self.said(ticket, **more)),
            self.officer.address,
            to_name=self.officer.name,
            root=root,
            reply_to=self.mail.message_id,
            references=self.mail.references[-10:],
            ticket=ticket.number if ticket else None,
        )


def decide_doubt(mail: InboundMail, doubtful: Doubtful, post: Post) -> Plan:
    """Nothing happens on an unproven word: the mail is set aside, and the real officer told at the known address."""
    subject = clean_text(mail.subject)
    event = Event(
        post.now,
        "officer-doubted",
        None,
        doubtful.officer.address if doubtful.officer else "?",
        str(mail.raw.ref),
        post.office.rules_hash,
        {"reason": doubtful.reason.value, "subject": subject},
    )
    outbox: tuple[Outbound, ...] = ()
    officer = doubtful.officer
    if officer is not None:
        said = {
            **context.base(post.office, post.counter, post.now),
            "officer": {"name": officer.name, "address": officer.address},
            "reason": doubtful.reason.value,
            "subject": subject,
            "at": tongue.day_and_time(mail.raw.internaldate, post.office.zone, post.office.language),
        }
        letter = post.office.letters.render("petugas/karantina", said)
        outbox = (post.write(Kind.ALERT, f"doubt:{mail.raw.ref}", letter, officer.address, to_name=officer.name),)
    return Plan(
        mail.raw.ref,
        Fate.QUARANTINE,
        events=(event,),
        outbox=outbox,
        quarantine=Quarantined(f"officer: {doubtful.reason.value}", subject),
    )


def decide_answer(mail: InboundMail, proven: Proven, post: Post, known: Known) -> Plan:
    """Carry out a proven officer's command, or say why not."""
    desk = _Desk(mail, post, proven.officer, listen(mail))
    ticket = known.tickets.get(proven.number)
    if ticket is None:
        return _refused(desk, None, "ticket-unknown")
    if ticket.queue not in proven.officer.queues:
        return _held(desk, ticket, "not-your-queue")
    if desk.speech.command in context.MOVE_WORDS:
        return _move(desk, ticket)
    found = post.office.outcome(ticket.queue, desk.speech.command)
    if found is None:
        return _unknown(desk, ticket)
    if ticket.state is State.CLOSED:
        return _held(desk, ticket, "already-answered")
    return _answer(desk, ticket, *found)


def _commands(desk: _Desk, ticket: Ticket | None) -> Sequence[Any]:
    return context.commands(desk.post.office, ticket.queue if ticket else TRIAGE)


def _refused(desk: _Desk, ticket: Ticket | None, reason: str, **more: object) -> Plan:
    """The command was understood and cannot be done; the officer is told why, nothing has left."""
    number = ticket.number if ticket else None
    said = {"reason": reason, "commands": _commands(desk, ticket), "by": "", "at": "", **more}
    return Plan(
        desk.mail.raw.ref,
        Fate.COMMAND,
        ticket_of_mail=number,
        events=(desk.event("command-refused", number, command=desk.speech.command, reason=reason),),
        outbox=(desk.receipt("petugas/ditolak", ticket, **said),),
    )


def _held(desk: _Desk, ticket: Ticket, reason: str) -> Plan:
    """An answer that came second or from the wrong desk is kept for a person, with its scans (promise P16)."""
    office = desk.post.office
    by = office.officers.get(ticket.answered_by or "")
    at = tongue.day_and_time(ticket.closed_at, office.zone, office.language) if ticket.closed_at else ""
    plan = _refused(desk, ticket, reason, by=by.name if by else ticket.answered_by or "", at=at)
    held = Quarantined(f"held: {reason}", f"{desk.speech.command} {ticket.number}")
    return replace(plan, fate=Fate.QUARANTINE, quarantine=held)


def _unknown(desk: _Desk, ticket: Ticket) -> Plan:
    known = (
        [
            word
            for outcome in desk.post.office.queues[ticket.queue].outcomes.values()
            for word in (outcome.command, *outcome.aliases)
        ]
        if ticket.queue in desk.post.office.queues
        else []
    )
    near = min([*known, *context.MOVE_WORDS], key=lambda word: OSA.distance(desk.speech.command, word))
    nearest = near if desk.speech.command and OSA.distance(desk.speech.command, near) <= max(1, len(near) // 3) else ""
    said = {"said": clean_text(desk.speech.command, 60), "nearest": nearest, "commands": _commands(desk, ticket)}
    return Plan(
        desk.mail.raw.ref,
        Fate.COMMAND,
        ticket_of_mail=ticket.number,
        events=(desk.event("command-unknown", ticket.number, said=desk.speech.command[:60], nearest=nearest),),
        outbox=(desk.receipt("petugas/tidak-dikenal", ticket, **said),),
    )


def _move(desk: _Desk, ticket: Ticket) -> Plan:
    """`ALIH` to another queue: the ticket waits there, its due time begins anew."""
    office, now = desk.post.office, desk.post.now
    target = (desk.speech.argument or desk.speech.words.partition("\n")[0]).strip(" .<>[]").lower()
    if target not in office.queues:
        return _refused(desk, ticket, "unknown-target", target=clean_text(target, 60), queues=sorted(office.queues))
    due = office.queues[target].due
    moved = replace(
        ticket,
        queue=target,
        state=State.OPEN,
        missing=(),
        updated_at=now,
        closed_at=None,
        due_at=desk.post.counter.calendar.due(now, due.high) if due else None,
    )
    title = office.queues[target].title
    return Plan(
        desk.mail.raw.ref,
        Fate.COMMAND,
        ticket_of_mail=ticket.number,
        changed=(moved,),
        events=(desk.event("moved", ticket.number, before=ticket.queue, queue=target),),
        outbox=(desk.receipt("petugas/dipindah", ticket, target=title),),
    )


def _answer(desk: _Desk, ticket: Ticket, name: str, outcome: Outcome) -> Plan:
    """The outcome's letter with the scans leaves for the ticket's applicant and nobody else (promise P14)."""
    post, mail = desk.post, desk.mail
    scans = _scans(mail)
    argument, words = _said(desk.speech, outcome)
    size = sum(scan.file.size for scan, _ in scans) * 4 // 3
    for wrong, reason in (
        (outcome.attachments == "required" and not scans, "attachment-required"),
        (outcome.attachments == "none" and bool(scans), "attachment-forbidden"),
        (outcome.words == "required" and not words, "words-required"),
        (outcome.argument is not None and not argument, "argument-required"),
        (size > post.counter.max_size * 95 // 100, "too-large"),
        (not ticket.applicant, "no-applicant"),
    ):
        if wrong:
            return _refused(desk, ticket, reason)
    state = State.CLOSED if outcome.closes else State.WAITING if outcome.then == "waiting" else State.OPEN
    closed_at = post.now if state is State.CLOSED else None
    answered = replace(
        ticket,
        state=state,
        outcome=name,
        answered_by=desk.officer.address,
        updated_at=post.now,
        closed_at=closed_at,
        missing=(),
    )
    spoken = post.speaking(ticket.language)
    theirs = spoken.office.queues[ticket.queue].outcomes[name]
    said = {
        **context.ticket(spoken.office, spoken.counter, answered, post.now),
        "words": words,
        "argument": argument,
        "files": [scan.name for scan, _ in scans],
        "outcome": {"title": theirs.title or name},
    }
    delivery = spoken.write(
        Kind.DELIVERY,
        f"delivery:{mail.raw.ref}",
        spoken.office.letters.render(outcome.template, said),
        ticket.applicant,
        to_name=ticket.applicant_name,
        root=post.keys.ticket(ticket.number),
        reply_to=ticket.last_message_id,
        ticket=ticket.number,
        enclosures=[scan for scan, _ in scans],
    )
    files = [
        {"name": scan.name, "size": tongue.octets(scan.file.size), "sha256": scan.file.sha256} for scan, _ in scans
    ]
    receipt = desk.receipt(
        "petugas/selesai",
        ticket,
        outcome={"title": outcome.title or name},
        recipient=context.masked(ticket.applicant),
        files=files,
        state_text=notice.state_text(post.office.language, state),
        words=words,
        argument=argument,
    )
    event = desk.event(
        "answered", ticket.number, outcome=name, recipient=ticket.applicant, files=files, argument=argument
    )
    return Plan(
        mail.raw.ref,
        Fate.COMMAND,
        ticket_of_mail=ticket.number,
        changed=(answered,),
        events=(event,),
        outbox=(delivery, receipt),
        files=tuple(new for _, new in scans),
    )


def _said(speech: Speech, outcome: Outcome) -> tuple[str, str]:
    """The outcome's argument, where it takes one, and the officer's words; cleaned line by line."""
    if outcome.argument is not None:
        argument, rest = (speech.argument, speech.words) if speech.argument else _first_line(speech.words)
        return clean_text(argument, 100), _lines(rest)
    return "", _lines("\n".join(text for text in (speech.argument, speech.words) if text))


def _first_line(text: str) -> tuple[str, str]:
    first, _, rest = text.partition("\n")
    return first.strip(), rest.strip()


def _lines(text: str) -> str:
    return "\n".join(clean_text(line, 2000) for line in text[:MAX_WORDS].split("\n")).strip()


_ENDINGS = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tif",
    "message/rfc822": "eml",
}


def _is_ours(content: bytes, part: Part) -> bool:
    """Whether an attachment is a notice of ours come back: many clients enclose the mail that is answered.

    It holds the officer's token, with which whoever receives it could speak as the officer (promise P15).
    """
    texts = ("message/", "text/")
    if not part.media_type.startswith(texts) and not part.name.lower().endswith(
        (".eml", ".msg", ".htm", ".html", ".txt")
    ):
        return False
    # Outlook's .msg holds text in UTF-16.
    return token.holds_officer_token(content.replace(b"\0", b"").decode("latin-1"))


def _scans(mail: InboundMail) -> list[tuple[Enclosure, NewFile]]:
    """The attachments by content; their bytes leave exactly as they came out of the officer's mail."""
    found = []
    for index, part in enumerate(mail.attachments, start=1):
        content = parse.attachment_bytes(mail, part)
        if not content or _is_ours(content, part):
            continue
        file = StoredFile(hashlib.sha256(content).hexdigest(), len(content))
        name = file_name(part.name, f"scan-{index}.{_ENDINGS.get(part.media_type, 'bin')}")
        found.append((Enclosure(file, name, part.media_type), NewFile(file, content)))
    return found
