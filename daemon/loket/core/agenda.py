"""An officer's word on appointments: `JADWAL`, `BATAL JADWAL`; and the day's appointments in the digest."""

from __future__ import annotations

import re
from typing import Any

from loket.core import choice, diary, slotmail, tongue
from loket.core.appointments import FURTHEST
from loket.core.errand import Done, Errand, clean_lines, holder
from loket.core.headers import clean_text
from loket.core.known import Known
from loket.core.mail import Post
from loket.core.model import BookingState, Plan
from loket.core.office import Officer
from loket.core.table import Table, table

_LINK = re.compile(r"https?://[^\s<>\"']+")
MOST_SHOWN = 10


def _table(errand: Errand) -> Table | None:
    words = clean_lines(errand.speech.words)
    by = errand.officer.address
    return table(
        errand.post, errand.known, errand.about, errand.key, actor=by, mail=errand.mail, personal=True, words=words
    )


def _hindrance(errand: Errand, at: Table) -> Done | None:
    """Why nothing can be done with this ticket's appointment, whatever it is."""
    other = holder(errand, errand.about)
    if other not in (None, errand.officer.address):
        return errand.refused("claimed", by=errand.name_of(other), at=errand.moment(errand.about.claimed_until))
    if not at.ticket.applicant:
        return errand.refused("no-applicant")
    strange = [scan for scan in errand.scans or () if not scan.enclosure.name.lower().endswith(".ics")]
    return errand.refused("attachment-forbidden") if strange or errand.scans is None else None


def schedule(errand: Errand, text: str) -> Done:
    """`JADWAL 7 Desember 10.00`, with or without a link; a link alone; or nothing: the free times to choose from.

    An officer is bound to the queue's hours and to what is free, not to the notice and the horizon of applicants.
    """
    at = _table(errand)
    if at is None:
        return errand.refused("no-appointments")
    hindrance = _hindrance(errand, at)
    if hindrance is not None:
        return hindrance
    link = _LINK.search(text)
    place = clean_text(link[0].rstrip(".,;)"), 400) if link else ""
    said = _LINK.sub(" ", text).strip(" .,;:()<>")
    if said:
        return _at_moment(errand, at, said, place)
    if not place:
        made = diary.offer(at, "officer")
        waits = not made.offers[0].starts and at.own is None
        shown = slotmail.numbered(errand.post, made.offers[0].starts)
        return _done(errand, made, "waits" if waits else "offered", slots=shown)
    own = at.own
    return errand.refused("no-appointment") if own is None else _booked(errand, diary.update(at, own, place), "place")


def _at_moment(errand: Errand, at: Table, said: str, place: str) -> Done:
    now, zone = errand.post.now, errand.post.office.zone
    found, readings = choice.moment(said, zone, now)
    if found is None:
        return errand.refused("no-moment")
    free = slotmail.numbered(errand.post, at.book.free(now, at.ticket.number, MOST_SHOWN))
    start = next((one for one in readings if at.book.is_moment(one) and now < one <= now + FURTHEST), None)
    if start is None:
        return errand.refused("no-slot", target=slotmail.when(errand.post, found), slots=free)
    before = at.own
    if before is not None and before.start == start:
        if place in ("", before.place):
            return errand.refused("then-already", target=slotmail.when(errand.post, start))
        return _booked(errand, diary.update(at, before, place), "place")
    made = diary.take(at, start, place=place)
    if made is None:
        return errand.refused("slot-taken", target=slotmail.when(errand.post, start), slots=free)
    moved = before.start if before is not None else None
    return _booked(errand, made, "booked", before=slotmail.when(errand.post, moved))


def unschedule(errand: Errand) -> Done:
    """`BATAL JADWAL`: its applicant and the officers are told, and may agree on another time."""
    at = _table(errand)
    if at is None:
        return errand.refused("no-appointments")
    own = at.own
    if own is None:
        return errand.refused("no-appointment")
    hindrance = _hindrance(errand, at)
    if hindrance is not None:
        return hindrance
    ended = Plan(changed=(diary.waits(at.ticket, errand.post.now),), offers=diary.forget(at))
    gone = diary.together(diary.give_back(at, own, BookingState.CANCELLED, "officer"), ended)
    return _booked(errand, gone, "cancelled")


def _booked(errand: Errand, plan: Plan, why: str, before: str = "") -> Done:
    return _done(errand, plan, why, slot=slotmail.shown(errand.post, plan.bookings[0]), before=before)


def _done(errand: Errand, plan: Plan, why: str, **said: Any) -> Done:
    told = {"why": why, "slots": [], "slot": None, "before": "", **said}
    return errand.done(
        "petugas/dijadwalkan",
        plan.events[0],
        told,
        changed=plan.changed,
        outbox=plan.outbox,
        bookings=plan.bookings,
        offers=plan.offers,
    )


def today(post: Post, officer: Officer, standing: Known) -> list[dict[str, str]]:
    """The day's appointments at this counter in an officer's queues, as the digest shows them."""
    office, zone = post.office, post.office.zone
    queues, day = office.queues_of(officer, standing.away), post.now.astimezone(zone).date()
    words = _ATTENDANCE.get(office.language, _ATTENDANCE["en"])
    shown: list[dict[str, str]] = []
    for booking in sorted(standing.bookings.values(), key=lambda one: (one.start, one.seat)):
        ticket = standing.tickets.get(booking.ticket)
        if ticket is None or ticket.mailbox != post.counter.address or ticket.queue not in queues:
            continue
        local = booking.start.astimezone(zone)
        if local.date() == day:
            shown.append(
                {
                    "time": tongue.clock(f"{local:%H:%M}", office.language),
                    "number": ticket.number,
                    "about": ticket.about,
                    "applicant": ticket.applicant_name or ticket.applicant,
                    "place": booking.place,
                    "attendance": words.get(booking.attendance, booking.attendance),
                }
            )
    return shown


_ATTENDANCE = {
    "id": {"accepted": "akan hadir", "tentative": "belum pasti", "needs-action": "belum menjawab undangan"},
    "en": {"accepted": "will attend", "tentative": "not certain", "needs-action": "has not answered the invitation"},
}
