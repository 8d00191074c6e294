"""Letters about appointments: to applicants with the invitation that their calendar takes, to officers the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from loket.core import context, tongue
from loket.core.compose import ByteForm, Enclosure
from loket.core.invitation import Guest, Method, Occasion, invitation
from loket.core.mail import Post
from loket.core.model import Booking, Kind, Occurrence, Offer, Outbound
from loket.core.office import Officer
from loket.core.table import Table

# Bytes that nobody looks at here: as a file they travel unchanged whatever they are (promise P6).
_UNSEEN = ByteForm(eight_bit=False, unsafe=True)


def said(at: Table, post: Post) -> dict[str, Any]:
    """The variables of every letter about an appointment; `post` speaks the reader's language."""
    names = context.attachment_names(at.mail) if at.mail is not None and not at.personal else []
    return {
        **context.ticket(post.office, post.counter, at.ticket, post.now, attachments=names),
        "words": at.words,
        "length": tongue.span(at.settings.length, post.office.language),
        "slots": [],
        "slot": None,
        "wished": "",
        "before": "",
        "until": "",
        "place": 0,
        "due": None,
    }


def when(post: Post, start: datetime | None) -> str:
    """A moment in the reader's words; empty for none."""
    return tongue.day_and_time(start, post.office.zone, post.office.language) if start is not None else ""


def numbered(post: Post, starts: Sequence[datetime]) -> list[dict[str, Any]]:
    """Moments as a numbered list."""
    return [{"number": index, "when": when(post, start)} for index, start in enumerate(starts, start=1)]


def shown(post: Post, booking: Booking) -> dict[str, str]:
    """An appointment as the templates see it."""
    place = post.office.say(booking.place)
    return {"when": when(post, booking.start), "place": place, "attendance": booking.attendance}


def offer(
    at: Table,
    made: Offer,
    why: str,
    *,
    wished: datetime | None = None,
    own: Booking | None = None,
    place: int = 0,
    example: datetime | None = None,
    kind: Kind = Kind.OFFER,
) -> Outbound:
    """The numbered moments, or a place on the waiting list; for whoever waited, the one that is kept for them."""
    post = at.post.speaking(at.ticket.language)
    told = {
        **said(at, post),
        "why": why,
        "slots": numbered(post, made.starts),
        "slot": shown(post, own) if own is not None else None,
        "wished": when(post, wished),
        "until": when(post, made.until),
        "place": place,
        "example": when(post, example),
    }
    waits = made.waiting is not None and made.until is None
    template = "umum/jadwal-tunggu" if waits else "umum/jadwal-kosong" if made.until else "umum/jadwal-pilihan"
    return to_applicant(at, post, kind, f"offer:{at.cause}", template, told)


def to_applicant(
    at: Table, post: Post, kind: Kind, key: str, template: str, told: Mapping[str, Any], **more: Any
) -> Outbound:
    """A letter in the ticket's thread; to the applicant alone, never to Reply-To (P8)."""
    ticket, mail = at.ticket, at.mail
    answers = mail.message_id if mail is not None and not at.personal else ticket.last_message_id
    return post.write(
        kind,
        key,
        post.office.letters.render(template, told),
        ticket.applicant,
        to_name=ticket.applicant_name,
        root=post.keys.ticket(ticket.number),
        reply_to=answers,
        references=mail.references[-10:] if mail is not None and not at.personal else (),
        ticket=ticket.number,
        **more,
    )


def invitations(at: Table, booking: Booking, why: str, *, before: datetime | None = None) -> tuple[Outbound, ...]:
    """REQUEST to the applicant and to each officer; the same object with a higher SEQUENCE updates it."""
    return tuple(_send(at, booking, why, "REQUEST", before=before))


def cancellations(at: Table, booking: Booking, why: str, *, silent: bool = False) -> tuple[Outbound, ...]:
    """CANCEL to whoever has the appointment in a calendar; to the applicant none where `silent`."""
    return tuple(_send(at, booking, why, "CANCEL", silent=silent))


def _send(
    at: Table, booking: Booking, why: str, method: Method, *, before: datetime | None = None, silent: bool = False
) -> Sequence[Outbound]:
    post = at.post.speaking(at.ticket.language)
    told = {**said(at, post), "why": why, "slot": shown(post, booking), "before": when(post, before)}
    letters: list[Outbound] = []
    mine = f"{booking.uid}:{booking.sequence}"
    applicant = Guest(at.ticket.applicant, at.ticket.applicant_name, True, booking.attendance)
    if at.writes and not silent:
        template = "umum/jadwal-batal" if method == "CANCEL" else "umum/jadwal-tetap"
        entry = invitation(booking, method, _occasion(at, post), [applicant], post.now)
        kind = Kind.INVITATION
        letters.append(to_applicant(at, post, kind, f"invitation:{mine}", template, told, invitation=entry))
    for address in booking.officers:
        officer = at.post.office.officers.get(address)
        if officer is not None and officer.active:
            letters.append(_to_officer(at, booking, officer, applicant, why, method, before))
    return letters


def _occasion(at: Table, post: Post) -> Occasion:
    """What stands in the calendar: which service, about what, and how to move or call it off."""
    office, counter = post.office, post.counter
    queue = office.queues[at.ticket.queue]
    about = f"{queue.title}: {at.ticket.about}" if at.ticket.about else queue.title
    lines = {
        "id": "Untuk mengganti waktu, balas email undangan dengan kata GANTI; untuk membatalkan, dengan kata BATAL.",
        "en": "To change the time, reply to the email with the word CHANGE; to cancel, with the word CANCEL.",
    }
    number = {"id": "Nomor tiket", "en": "Ticket number"}
    tongues = "id" if office.language == "id" else "en"
    text = f"{number[tongues]}: {at.ticket.number}\n{lines[tongues]}\n{counter.address}"
    name = f"{counter.name} – {office.name}"
    return Occasion(counter.address, name, about, text, office.zone, office.language)


def _to_officer(
    at: Table,
    booking: Booking,
    officer: Officer,
    applicant: Guest,
    why: str,
    method: Method,
    before: datetime | None,
) -> Outbound:
    post, ticket = at.post, at.ticket
    told = {
        **context.base(post.office, post.counter, post.now),
        "officer": context.officer(officer),
        "ticket": {
            "number": ticket.number,
            "tag": f"[{ticket.number}]",
            "about": ticket.about,
            "agenda": ticket.registered,
        },
        "queue": {"title": post.office.queues[ticket.queue].title, "next": ""},
        "applicant": {"name": ticket.applicant_name or ticket.applicant},
        "recipient": ticket.applicant,
        "slot": shown(post, booking),
        "before": when(post, before),
        "why": why,
        "words": at.words,
    }
    guests = [
        Guest(applicant.address, applicant.name, False, applicant.attendance),
        Guest(officer.address, officer.name, False, "accepted"),
    ]
    enclosures = [Enclosure(ticket.original, f"{ticket.number}.eml", form=_UNSEEN)] if method == "REQUEST" else []
    latest = at.mail.raw.stored if at.mail is not None and at.actor == ticket.applicant else ticket.original
    if enclosures and latest != ticket.original:
        enclosures.append(Enclosure(latest, f"{ticket.number}-2.eml", form=_UNSEEN))
    room = post.counter.max_size * 9 // 10
    fits = sum(one.file.size * 4 // 3 for one in enclosures) < room
    return post.write(
        Kind.NOTICE,
        f"invitation:{booking.uid}:{booking.sequence}:{officer.address}",
        post.office.letters.render("petugas/jadwal", told),
        officer.address,
        to_name=officer.name,
        root=post.keys.officer(ticket.number, officer.address, post.now),
        ticket=ticket.number,
        enclosures=enclosures if fits else [],
        invitation=invitation(booking, method, _occasion(at, post), guests, post.now),
    )


def called_off(at: Table, why: str) -> Outbound:
    """To whoever had no appointment yet and wants none any more."""
    post = at.post.speaking(at.ticket.language)
    return to_applicant(at, post, Kind.OFFER, f"offer:{at.cause}", "umum/jadwal-batal", {**said(at, post), "why": why})


def lapsed(at: Table, there: Offer) -> Outbound:
    """What was kept is kept no more."""
    post = at.post.speaking(at.ticket.language)
    told = {**said(at, post), "why": "lapsed", "wished": when(post, there.starts[0])}
    return to_applicant(at, post, Kind.REMINDER, f"offer:{at.cause}", "umum/jadwal-tunggu", told)


def reminder(at: Table, own: Booking, occurrence: Occurrence) -> Outbound:
    """The appointment once more, before it."""
    post = at.post.speaking(at.ticket.language)
    told = {**said(at, post), "slot": shown(post, own)}
    key = f"appointment:{own.uid}:{occurrence.due_at.isoformat()}"
    return to_applicant(at, post, Kind.REMINDER, key, "umum/jadwal-pengingat", told)
