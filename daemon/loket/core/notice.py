"""Mail to officers about items: ready answers, notices of single items, and the digest of a queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from loket.core import compose, context, tongue
from loket.core.compose import ByteForm, Enclosure
from loket.core.mail import Post
from loket.core.model import Kind, Occurrence, Outbound, Plan, RawMail, State, StoredFile, Ticket
from loket.core.office import Officer


def ready_answer(counter: str, command: str, token: str) -> str:
    """A `mailto:` link (RFC 6068) that opens an answer with the command and the item's token in its subject."""
    subject = quote(f"{command} [{token}]", safe="")
    return f"mailto:{quote(counter, safe='@')}?subject={subject}&body={quote(command, safe='')}%0D%0A%0D%0A"


def item(post: Post, ticket: Ticket, officer: Officer, original: str) -> dict[str, Any]:
    """One item as the templates see it."""
    office, now = post.office, post.now
    token = post.keys.officer(ticket.number, officer.address, now)
    late = ticket.due_at is not None and ticket.due_at < now and ticket.state is State.OPEN
    return {
        "number": ticket.number,
        "about": ticket.about,
        "applicant": ticket.applicant,
        "applicant_name": ticket.applicant_name,
        "age": tongue.age(now - ticket.created_at, office.language),
        "due": tongue.day_and_time(ticket.due_at, office.zone, office.language) if ticket.due_at else "",
        "late": late,
        "state": ticket.state.value,
        "state_text": state_text(office.language, ticket.state),
        "several": ticket.several,
        "attachments": ticket.attachments,
        "file_links": ticket.links,
        "original": original,
        "links": [
            {
                "label": f"{command['command']} – {command['title']}",
                "href": ready_answer(post.counter.address, command["command"], token),
            }
            for command in context.commands(office, ticket.queue)
        ],
    }


_STATE_TEXT = {"id": {"open": "menunggu petugas", "waiting": "menunggu pemohon", "closed": "selesai"}}


def state_text(language: str, state: State) -> str:
    """A ticket's state in an officer's words."""
    return _STATE_TEXT.get(language, {}).get(state.value, state.value)


def _officer(officer: Officer) -> dict[str, str]:
    return {"name": officer.name, "address": officer.address}


def _queues(post: Post, items: Sequence[tuple[Ticket, dict[str, Any]]]) -> list[dict[str, Any]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for ticket, shown in items:
        grouped.setdefault(ticket.queue, []).append(shown)
    return [
        {
            "title": post.office.queues[queue].title if queue in post.office.queues else queue,
            "total": len(shown),
            "late": sum(one["late"] for one in shown),
            "items": shown,
        }
        for queue, shown in grouped.items()
    ]


def notices(post: Post, ticket: Ticket, raw: RawMail) -> list[Outbound]:
    """One notice to each officer of the queue, where the queue asks for them as items arrive."""
    queue = post.office.queues.get(ticket.queue)
    if queue is None or not queue.notices:
        return []
    form = compose.byte_form(bytes(raw.data)) if not raw.large else ByteForm(eight_bit=False, unsafe=True)
    written = []
    for officer in post.office.serving(ticket.queue):
        name = f"{ticket.number}.eml"
        said = {
            **context.base(post.office, post.counter, post.now),
            "officer": _officer(officer),
            "queues": _queues(post, [(ticket, item(post, ticket, officer, name))]),
            "total": 1,
            "late_total": 0,
            "oldest": "",
            "part": 1,
            "parts": 1,
            "now": tongue.day_and_time(post.now, post.office.zone, post.office.language),
        }
        fits = raw.stored.size * 4 // 3 < post.counter.max_size * 9 // 10
        written.append(
            post.write(
                Kind.NOTICE,
                f"notice:{raw.ref}:{officer.address}",
                post.office.letters.render("petugas/pemberitahuan", said),
                officer.address,
                to_name=officer.name,
                root=post.keys.officer(ticket.number, officer.address, post.now),
                ticket=ticket.number,
                markup=post.office.letters.html("petugas/pemberitahuan", said),
                enclosures=[Enclosure(raw.stored, name, form=form)] if fits else [],
            )
        )
    return written


@dataclass(frozen=True, slots=True)
class DigestItem:
    """A ticket due in a digest, with the mails that belong to it and the form of their bytes."""

    ticket: Ticket
    originals: tuple[tuple[StoredFile, ByteForm], ...]


def digest(
    post: Post,
    officer: Officer,
    items: Sequence[DigestItem],
    occurrence: Occurrence,
    *,
    eight_bit_way: bool = False,
) -> Plan:
    """The digest of one officer and mailbox: late ones first, then by due time; originals up to the size budget.

    What does not fit goes into following parts, each a mail of its own; with nothing to say the plan holds
    only the occurrence.
    """
    far = datetime.max.replace(tzinfo=post.now.tzinfo)
    ordered = sorted(items, key=lambda one: (one.ticket.due_at or far, one.ticket.number))
    parts = _into_parts(ordered, post.counter.max_size * 8 // 10)
    outbox = tuple(
        _part(post, officer, ordered, part, number, len(parts), occurrence, eight_bit_way)
        for number, part in enumerate(parts, start=1)
    )
    return Plan(occurrence=occurrence, outbox=outbox)


_Enclosed = list[tuple[DigestItem, list[Enclosure], bool]]


def _into_parts(items: Sequence[DigestItem], budget: int) -> list[_Enclosed]:
    """Items in order, a new part whenever the originals would outgrow the budget (encoded sizes count)."""
    parts: list[_Enclosed] = []
    room = 0
    for one in items:
        enclosures, size = [], 0
        too_large = False
        for index, (file, form) in enumerate(one.originals):
            cost = file.size * 4 // 3 if form.unsafe or form.eight_bit else file.size
            if size + cost > budget:
                too_large = True
                continue
            suffix = "" if index == 0 else f"-{index + 1}"
            enclosures.append(Enclosure(file, f"{one.ticket.number}{suffix}.eml", form=form))
            size += cost
        if not parts or size > room:
            parts.append([])
            room = budget
        parts[-1].append((one, enclosures, too_large))
        room -= size
    return parts


def _part(
    post: Post,
    officer: Officer,
    ordered: Sequence[DigestItem],
    part: _Enclosed,
    number: int,
    parts: int,
    occurrence: Occurrence,
    eight_bit_way: bool,
) -> Outbound:
    office, now = post.office, post.now
    oldest = min((one.ticket.created_at for one in ordered), default=now)
    shown = [
        (one.ticket, item(post, one.ticket, officer, _original(office.language, enclosures, too_large)))
        for one, enclosures, too_large in part
    ]
    said: Mapping[str, Any] = {
        **context.base(office, post.counter, now),
        "officer": _officer(officer),
        "queues": _queues(post, shown),
        "total": len(ordered),
        "late_total": sum(one.ticket.due_at is not None and one.ticket.due_at < now for one in ordered),
        "oldest": tongue.age(now - oldest, office.language),
        "part": number,
        "parts": parts,
        "now": tongue.day_and_time(now, office.zone, office.language),
    }
    return post.write(
        Kind.DIGEST,
        f"digest:{occurrence.what}:{occurrence.whom}:{occurrence.due_at.isoformat()}:{number}",
        office.letters.render("petugas/rekap", said),
        officer.address,
        to_name=officer.name,
        markup=office.letters.html("petugas/rekap", said),
        enclosures=[enclosure for _, enclosures, _ in part for enclosure in enclosures],
        eight_bit_way=eight_bit_way,
    )


_TOO_LARGE = {
    "id": "terlalu besar untuk dilampirkan; mohon dibuka di kotak surat loket",
    "en": "too large to attach; please open it in the counter's mailbox",
}


def _original(language: str, enclosures: Sequence[Enclosure], too_large: bool) -> str:
    names = ", ".join(enclosure.name for enclosure in enclosures)
    if not too_large:
        return names
    said = _TOO_LARGE.get(language, _TOO_LARGE["en"])
    return f"{names}; {said}" if names else said
