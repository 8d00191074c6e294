"""`CATAT`: an officer registers whoever came by another channel; it is a ticket like any other from then on."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from loket.core import compose, contact, context, notice, turnmail
from loket.core.contact import ABOUT, CHANNEL, CONTACT, EMAIL, NAME, QUEUE, Form
from loket.core.enclosed import Scan
from loket.core.entering import entered
from loket.core.errand import Done, Errand
from loket.core.known import identity
from loket.core.mail import Post
from loket.core.model import TRIAGE, FileSegment, Kind, NewFile, Outbound, RawMail, State, StoredFile, Ticket
from loket.core.pace import promise
from loket.core.same import fingerprint
from loket.core.term import begin, timed

_FIELD = re.compile(r"\\\{\w+\\\}")


def register(errand: Errand) -> Done:
    """A ticket with its channel, or what is missing and the form to fill in once more."""
    office = errand.post.office
    labels = {name: label for name, label in office.labels.items() if label}
    form = contact.read("\n".join((errand.speech.argument, errand.speech.words)).strip(), labels)
    print_ = fingerprint(errand.mail)
    twin = next((one for one in errand.known.same(print_) if one.channel), None)
    if twin is not None:
        return _refused(errand, form, "registered-already", target=twin.number)
    if errand.scans is None:
        return errand.refused("whose-scan")
    channel, queue = contact.channel(form.get(CHANNEL)), _queue(errand, form.get(QUEUE))
    mail_to = contact.address(form.get(EMAIL)) if form.get(EMAIL) else ""
    for wrong, reason in (
        (not form.get(CHANNEL), "channel-required"),
        (channel is None, "channel-unknown"),
        (not form.get(NAME), "name-required"),
        (mail_to is None or mail_to in (*office.counters, *office.officers), "address-wrong"),
        (not mail_to and not _reachable(channel or "", form.get(CONTACT)), "contact-required"),
        (queue is None, "queue-required"),
    ):
        if wrong:
            return _refused(errand, form, reason)
    # The checks above leave no other; said again for the type checker.
    return _registered(errand, form, channel or "", queue or TRIAGE, mail_to or "", print_)


def _reachable(channel: str, written: str) -> bool:
    """Who came in person or by post need leave nothing behind."""
    return channel in ("Tatap muka", "Pos") or contact.reaches(channel, written)


def _refused(errand: Errand, form: Form, reason: str, target: str = "") -> Done:
    """Nothing is registered; the officer has the form back, with what was read in it."""
    names = _of_counter(errand, form.get(QUEUE)) or [
        name for name in _own_queues(errand) if name in errand.post.office.queues
    ]
    said = {
        "form": [{"name": line, "value": form.get(line)} for line in contact.LINES],
        "channels": list(contact.CHANNELS),
        "queues": names,
        "target": target,
        "reason": reason,
    }
    event = errand.event("command-refused", command=errand.speech.command, reason=reason)
    return errand.done("petugas/catat-ulang", event, said)


def _own_queues(errand: Errand) -> list[str]:
    """Where an officer may register: the queues they answer in, and triage, from which others are moved."""
    office = errand.post.office
    return list(dict.fromkeys([*office.queues_of(errand.officer, errand.known.away), TRIAGE]))


def _of_counter(errand: Errand, written: str) -> list[str]:
    """The officer's queues of a counter that was named instead: `Loket D`."""
    flat, sheets = " ".join(written.casefold().split()), errand.post.office.sheets
    if not flat:
        return []
    return [
        name
        for name in _own_queues(errand)
        if name in sheets and f"{sheets[name].counter} ".casefold().startswith(f"{flat} ")
    ]


def _queue(errand: Errand, written: str) -> str | None:
    """The queue by its name or title; the only one of an officer who has one, where nothing is written."""
    own = [name for name in _own_queues(errand) if name in errand.post.office.queues]
    if not written:
        mine = [name for name in own if name != TRIAGE]
        return mine[0] if len(mine) == 1 else None
    flat = " ".join(written.casefold().split())
    titles = {name: errand.post.office.queues[name].title.casefold() for name in own}
    exact = [name for name in own if flat in (name, titles[name], name.replace("-", " "))]
    near = [name for name in own if flat in titles[name] or name.startswith(flat.replace(" ", "-"))]
    found = exact or near or _of_counter(errand, written)
    return found[0] if len(found) == 1 else None


def _registered(errand: Errand, form: Form, channel: str, queue: str, mail_to: str, print_: str) -> Done:
    post, mail = _at(errand.post, queue), errand.mail
    about = form.get(ABOUT) or f"Kontak melalui {channel}"
    ticket = Ticket(
        number=errand.known.next_number(post.office.prefix),
        mailbox=post.counter.address,
        counter=post.counter.name,
        rule=None,
        queue=queue,
        state=State.OPEN,
        applicant=mail_to,
        applicant_name=contact.name(form.get(NAME)),
        subject=about,
        fields=form.fields,
        missing=(),
        identity=identity(dict(form.fields), list(form.fields)[-1] if form.fields else None),
        original=StoredFile("", 0),
        message_id="",
        last_message_id="",
        attachments=len(errand.scans or ()),
        links=0,
        created_at=post.now,
        updated_at=post.now,
        due_at=None,
        respond=bool(mail_to),
        fingerprint=print_,
        channel=channel,
        contact=form.get(CONTACT),
    )
    ticket, entries = entered(ticket, post.office, errand.known, post.now)
    kept = _record(post, ticket, form, errand.officer.name, errand.scans or ())
    ticket = replace(ticket, original=kept.file)
    work = post.office.queues.get(queue)
    ticket = timed(ticket, begin(work.due if work else None, post.now), post.counter.calendar)
    place = errand.known.open_in_queue.get(queue, 0) + 1
    raw = RawMail(mail.raw.ref, post.now, kept.content, kept.file)
    told = notice.notices(post, ticket, raw, {**errand.known.away, errand.officer.address: post.now})
    event = replace(
        errand.event(
            "opened",
            outcome="registered",
            queue=queue,
            channel=channel,
            recipient=mail_to or None,
            number=ticket.registered,
        ),
        ticket=ticket.number,
    )
    said = {
        "registered": {
            "number": ticket.number,
            "channel": channel,
            "name": ticket.applicant_name,
            "contact": ticket.contact,
            "queue": work.title if work else queue,
            "agenda": ticket.registered,
        },
        "recipient": context.masked(mail_to) if mail_to else "",
        "files": [scan.facts(post.office.language) for scan in errand.scans or ()],
        "due_text": errand.moment(ticket.due_at),
        "turn": turnmail.shown(post, errand.known, ticket),
    }
    letters = (_acknowledgement(errand, post, ticket, place),) if mail_to else ()
    done = errand.done(
        "petugas/tercatat", event, said, opened=ticket, outbox=(*letters, *told), files=(kept,), entries=entries
    )
    return replace(done, plan=replace(done.plan, ticket_of_mail=ticket.number))


def _acknowledgement(errand: Errand, post: Post, ticket: Ticket, place: int) -> Outbound:
    """The applicant has the number and what was noted, and can answer it like any other letter."""
    queue = post.office.queues.get(ticket.queue)
    answers = errand.known.pace.get(ticket.queue, [])
    due = promise(queue.due, answers, post.counter.calendar, post.now, place=place) if queue and queue.due else None
    turn = turnmail.shown(post, errand.known, ticket)
    said = {
        **context.ticket(post.office, post.counter, ticket, post.now, place=place, due=due, turn=turn),
        "channel": contact.in_text(ticket.channel),
    }
    return post.write(
        Kind.ACKNOWLEDGEMENT,
        f"acknowledgement:{errand.key}",
        post.office.letters.render("umum/tercatat", said),
        ticket.applicant,
        to_name=ticket.applicant_name,
        root=post.keys.ticket(ticket.number),
        ticket=ticket.number,
    )


def _at(post: Post, queue: str) -> Post:
    """Writing from the counter whose mail goes to that queue; from the one written to, where several do or none."""
    office = post.office
    takers = [
        address
        for address, desk in office.desks.items()
        if any(_leads_to(one.rule.queue, queue) for one in desk.own if one.rule.queue)
    ]
    if post.counter.address in takers or len(takers) != 1:
        return post
    return replace(post, counter=office.counters[takers[0]])


def _leads_to(pattern: str, queue: str) -> bool:
    return re.fullmatch(_FIELD.sub(r"[^-]+", re.escape(pattern)), queue) is not None


def _record(post: Post, ticket: Ticket, form: Form, by: str, scans: Sequence[Scan]) -> NewFile:
    """What is kept as the ticket's original: the officer's own mail holds their token, which is for nobody else."""
    said: dict[str, Any] = {
        **context.base(post.office, post.counter, post.now),
        "form": [{"name": line, "value": form.get(line)} for line in contact.LINES if form.get(line)],
        "words": form.words,
        "by": by,
        "subject": ticket.subject,
    }
    letter = post.office.letters.render("petugas/catatan-kontak", said)
    written = post.write(
        Kind.NOTICE,
        f"record:{ticket.number}",
        letter,
        post.counter.address,
        enclosures=[scan.enclosure for scan in scans],
    )
    contents = {scan.new.file.sha256: scan.new.content for scan in scans}
    content = b"".join(
        _folded(contents[segment.file.sha256]) if isinstance(segment, FileSegment) else segment
        for segment in written.segments
    )
    return NewFile(StoredFile(hashlib.sha256(content).hexdigest(), len(content)), content)


def _folded(content: bytes) -> bytes:
    return base64.encodebytes(content).replace(b"\n", compose.CRLF)
