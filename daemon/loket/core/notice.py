"""Mail to officers about items: notices of single ones, and the digest of a queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from loket.core import compose, context, orders, token, tongue
from loket.core.compose import ByteForm, Enclosure
from loket.core.errand import in_hand
from loket.core.item import is_due_today, is_late, is_returned, item, ready_answer, state_text
from loket.core.mail import Post
from loket.core.model import Chapter, Kind, Occurrence, Outbound, Plan, RawMail, StoredFile, Ticket
from loket.core.office import Officer

__all__ = ["DigestItem", "by_queue", "digest", "notices", "single", "state_text"]

# A mail of more is no overview, and Gmail cuts what is longer than 102 KB of HTML off.
MAX_ITEMS = 25


def by_queue(post: Post, items: Sequence[tuple[Ticket, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Items as the templates list them: their queues, in the order in which each comes up."""
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


def notices(
    post: Post, ticket: Ticket, raw: RawMail, away: Mapping[str, datetime], *, first: Officer | None = None
) -> list[Outbound]:
    """A notice at once to whom it concerns, with the mail that causes it.

    To each officer of the queue, where the queue asks for them; to `first`, whose answer or question the mail is
    about, in any case; to nobody else where somebody has the ticket in hand.
    """
    queue = post.office.queues.get(ticket.queue)
    told = post.office.at_work(ticket.queue, away) if queue is not None and queue.notices else []
    whose = in_hand(ticket, post, away)
    told = [officer for officer in told if whose in (None, officer.address)]
    if first is not None and first not in told:
        told = [first, *told]
    if not told:
        return []
    form = compose.byte_form(bytes(raw.data)) if not raw.large else ByteForm(eight_bit=False, unsafe=True)
    name = f"{ticket.number}.eml"
    fits = raw.stored.size * 4 // 3 < post.counter.max_size * 9 // 10
    enclosures = [Enclosure(raw.stored, name, form=form)] if fits else []
    return [
        single(
            post,
            ticket,
            officer,
            f"notice:{raw.ref}:{officer.address}",
            why="answered" if officer == first else "",
            enclosures=enclosures,
        )
        for officer in told
    ]


def single(
    post: Post,
    ticket: Ticket,
    officer: Officer,
    key: str,
    *,
    why: str = "",
    by: str = "",
    enclosures: Sequence[Enclosure] = (),
) -> Outbound:
    """A notice of one item; `why` is what makes it this officer's, `by` the colleague who says so."""
    original = ", ".join(enclosure.name for enclosure in enclosures)
    said = {
        **context.base(post.office, post.counter, post.now),
        "officer": context.officer(officer),
        "queues": by_queue(post, [(ticket, item(post, ticket, officer, original))]),
        "why": why,
        "by": by,
    }
    written = post.write(
        Kind.NOTICE,
        key,
        post.office.letters.render("petugas/pemberitahuan", said),
        officer.address,
        to_name=officer.name,
        root=post.keys.officer(ticket.number, officer.address, post.now),
        ticket=ticket.number,
        markup=post.office.letters.html("petugas/pemberitahuan", said),
        enclosures=enclosures,
    )
    # Nobody is called to work on a day off.
    calendar = post.counter.calendar
    works = calendar.works(post.now.astimezone(post.office.zone).date())
    return written if works else replace(written, not_before=calendar.next_open(post.now))


@dataclass(frozen=True, slots=True)
class DigestItem:
    """A ticket due in a digest, with the mails that belong to it and the form of their bytes."""

    ticket: Ticket
    originals: tuple[tuple[StoredFile, ByteForm], ...]
    # The other tickets of its story.
    earlier: tuple[Chapter, ...] = ()


def digest(
    post: Post,
    officer: Officer,
    items: Sequence[DigestItem],
    occurrence: Occurrence,
    *,
    eight_bit_way: bool = False,
    others: Sequence[tuple[Ticket, str]] = (),
    appointments: Sequence[Mapping[str, str]] = (),
) -> Plan:
    """The digest of one officer and mailbox: late ones first, then what came back to this officer, then by due time.

    What does not fit goes into following parts, each a mail of its own; with nothing to say the plan holds
    only the occurrence. `appointments` are the day's, worth a mail alone; `others` are tickets that colleagues have in
    hand, and who: alone they are no reason to write.
    """
    far = datetime.max.replace(tzinfo=post.now.tzinfo)

    def place(one: DigestItem) -> tuple[bool, bool, datetime, str]:
        ticket = one.ticket
        return (
            not is_late(ticket, post.now),
            not is_returned(ticket, officer),
            ticket.due_at or far,
            ticket.number,
        )

    ordered = sorted(items, key=place)
    said = {**_whole(post, officer, [one.ticket for one in ordered], others), "agenda": list(appointments)}
    parts = _into_parts(ordered, post.counter.max_size * 8 // 10) or [[]] * bool(appointments)
    outbox = tuple(
        _part(post, officer, said, part, number, len(parts), occurrence, eight_bit_way)
        for number, part in enumerate(parts, start=1)
    )
    return Plan(occurrence=occurrence, outbox=outbox)


def _whole(
    post: Post, officer: Officer, tickets: Sequence[Ticket], others: Sequence[tuple[Ticket, str]]
) -> dict[str, Any]:
    """What every part says of the whole."""
    office, now = post.office, post.now
    oldest = min((ticket.created_at for ticket in tickets), default=now)
    desk = post.keys.officer(token.desk(office.prefix), officer.address, now)
    counts: dict[str, list[int]] = {}
    for ticket in tickets:
        count = counts.setdefault(ticket.queue, [0, 0])
        count[0] += 1
        count[1] += is_late(ticket, now)
    return {
        **context.base(office, post.counter, now),
        "officer": context.officer(officer),
        "total": len(tickets),
        "late_total": sum(is_late(ticket, now) for ticket in tickets),
        "today_total": sum(is_due_today(post, ticket) for ticket in tickets),
        "oldest": tongue.age(now - oldest, office.language) if tickets else "",
        "queue_counts": [
            {"title": office.queues[queue].title if queue in office.queues else queue, "total": total, "late": late}
            for queue, (total, late) in counts.items()
        ],
        "others": [{"number": ticket.number, "about": ticket.about, "by": name} for ticket, name in others],
        "first_total": sum(is_returned(ticket, officer) for ticket in tickets),
        "desk_links": [
            {"command": word, "href": ready_answer(post.counter.address, word, desk)} for word in orders.TICKETLESS
        ],
        "now": tongue.day_and_time(now, office.zone, office.language),
    }


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
        if not parts or size > room or len(parts[-1]) == MAX_ITEMS:
            parts.append([])
            room = budget
        parts[-1].append((one, enclosures, too_large))
        room -= size
    return parts


def _part(
    post: Post,
    officer: Officer,
    whole: Mapping[str, Any],
    part: _Enclosed,
    number: int,
    parts: int,
    occurrence: Occurrence,
    eight_bit_way: bool,
) -> Outbound:
    office = post.office
    shown = [
        (one.ticket, item(post, one.ticket, officer, _original(office.language, enclosures, too_large), one.earlier))
        for one, enclosures, too_large in part
    ]
    said = {**whole, "queues": by_queue(post, shown), "part": number, "parts": parts}
    return post.write(
        Kind.DIGEST,
        f"digest:{occurrence.what}:{occurrence.whom}:{occurrence.due_at.isoformat()}:{number}",
        office.letters.render("petugas/rekap", said),
        officer.address,
        to_name=officer.name,
        root=post.keys.officer(token.desk(office.prefix), officer.address, post.now),
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
