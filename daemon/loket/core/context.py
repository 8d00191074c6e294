"""What letters may say: the variables of the templates, plain values already cleaned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from loket.core import orders, tongue
from loket.core.calendar import Calendar, parse_hours
from loket.core.headers import clean_text
from loket.core.mail import Post
from loket.core.model import InboundMail, Ticket
from loket.core.office import Counter, Office, Officer
from loket.core.rules import Channel
from loket.core.worktime import WorkingTime

# The letters that the program itself writes.
LETTERS = (
    *(f"umum/{name}.txt" for name in ("terima", "koreksi", "petunjuk", "status", "status-tidak-ada", "tercatat")),
    *(f"umum/{name}.txt" for name in ("pengingat", "ditutup", "pertanyaan")),
    *(f"umum/jadwal-{name}.txt" for name in ("pilihan", "kosong", "tunggu", "tetap", "batal", "pengingat")),
    *(f"petugas/{name}.txt" for name in ("jadwal", "dijadwalkan", "giliran", "giliran-diberi")),
    *(f"umum/{name}.txt" for name in ("giliran", "giliran-tempat", "giliran-batal")),
    *(f"petugas/{name}.txt" for name in ("pemberitahuan", "rekap", "selesai", "ditolak", "dipindah", "tidak-dikenal")),
    *(
        f"petugas/{name}.txt"
        for name in ("diambil", "ditanyakan", "ditunda", "dicatat", "keadaan", "meja", "dibatalkan")
    ),
    *(f"petugas/{name}.txt" for name in ("cuti", "wakil", "bantuan", "beberapa")),
    *(f"petugas/{name}.txt" for name in ("tercatat", "catat-ulang", "catatan-kontak", "selesai-luar")),
    *(f"petugas/{name}.txt" for name in ("konfirmasi", "dikonfirmasi", "tidak-dikonfirmasi")),
    *(
        f"petugas/{name}.txt"
        for name in ("karantina", "mesin", "tidak-terkirim", "menunggu", "aturan-ditolak", "hari-libur")
    ),
    "petugas/masuk-ulang.txt",
    *(f"petugas/{name}.txt" for name in ("batas-waktu", "eskalasi", "laporan")),
    *(f"petugas/{name}.html" for name in ("pemberitahuan", "rekap", "batas-waktu", "eskalasi", "laporan")),
)

_PLAIN = """
    channels notes fields attachments links place linked wrong words argument files missing send needs_attachment
    forms state outcome_title since updated asked command commands reason subject at by target queues recipient
    state_text nearest said mail_ref kind phase reply now late_total oldest part parts total until several
    problems more attached inside kept taken note due_text late holder waiting back deputy alone leaves items why
    desk_links today_total others first_total queue_counts letters code link file flags
    year joint_leave days
    week rows officers groups whole picture
    slots wished before length agenda example item
    contact form channel entered history story
    mailbox
"""
# Every variable that some letter has, with its parts.
WORDS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(_PLAIN.split(), ()),
    "office": ("name",),
    "counter": ("name", "address", "hours", "open", "opens"),
    "applicant": ("name",),
    "officer": ("name", "address"),
    "ticket": ("number", "tag", "about", "agenda"),
    "queue": ("title", "next"),
    "due": ("low", "high", "unit"),
    "outcome": ("title",),
    "registered": ("number", "channel", "name", "contact", "queue", "agenda"),
    "slot": ("when", "place", "attendance"),
    "turn": ("place", "served", "at_once", "wait", "until", "where", "length"),
}


def base(office: Office, counter: Counter, now: datetime, applicant: str = "") -> dict[str, Any]:
    """The variables of every letter to an applicant."""
    zone_name = now.astimezone(office.zone).tzname() or ""
    calendar = counter.calendar
    is_open = calendar.is_open(now)
    opens = None if is_open or not counter.hours_printed else calendar.next_open(now)
    return {
        "office": {"name": office.name},
        "counter": {
            "name": counter.name,
            "address": counter.address,
            "hours": tongue.hours(calendar.hours.text, zone_name, office.language) if counter.hours_printed else "",
            "open": is_open,
            "opens": tongue.day_and_time(opens, office.zone, office.language) if opens else "",
        },
        "channels": [_channel(office, calendar, channel, now) for channel in counter.channels],
        "notes": list(counter.notes),
        "applicant": {"name": clean_text(applicant, 80)},
    }


def _channel(office: Office, calendar: Calendar, channel: Channel, now: datetime) -> dict[str, str]:
    """One entry of the address book, in the language the office speaks; where it is closed now, when it opens."""
    said = {"name": channel.name, "at": channel.at, "note": channel.note, "hours": "", "opens": ""}
    if not channel.hours:
        return said
    own = replace(calendar, hours=parse_hours(channel.hours))
    opens = None if own.is_open(now) else own.next_open(now)
    zone_name = now.astimezone(office.zone).tzname() or ""
    return {
        **said,
        "hours": tongue.hours(channel.hours, zone_name, office.language),
        "opens": tongue.day_and_time(opens, office.zone, office.language) if opens else "",
    }


def ticket(
    office: Office,
    counter: Counter,
    of: Ticket,
    now: datetime,
    *,
    place: int = 0,
    linked: Sequence[str] = (),
    wrong: Sequence[str] = (),
    attachments: Sequence[str] = (),
    links: int = 0,
    due: WorkingTime | None = None,
    turn: Mapping[str, Any] | None = None,
    history: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The variables of a letter about a ticket; `due` is what may be promised, else what the queue sets itself.

    `turn` is its place in a line, where its queue calls in turn.
    """
    queue = office.queues.get(of.queue)
    due = due or (queue.due if queue else None)
    sheet = office.sheets.get(of.queue)
    own = (
        {
            "channels": [_channel(office, counter.calendar, channel, now) for channel in sheet.channels],
            "notes": list(sheet.notes),
        }
        if sheet
        else {}
    )
    return {
        **base(office, counter, now, of.applicant_name),
        **own,
        "ticket": named(of),
        "fields": [
            {"label": office.labels.get(name, name), "value": clean_text(value)} for name, value in of.fields.items()
        ],
        "queue": {"title": queue.title if queue else of.queue, "next": queue.next if queue else ""},
        "attachments": list(attachments),
        "links": links,
        "attached": of.attachments,
        "place": place,
        "due": {"low": due.low, "high": due.high, "unit": due.unit} if due else None,
        "linked": list(linked),
        "history": list(history),
        "several": of.several,
        "wrong": list(wrong),
        "turn": turn,
    }


def named(of: Ticket) -> dict[str, str]:
    """What a ticket is called."""
    return {"number": of.number, "tag": f"[{of.number}]", "about": of.about, "agenda": of.registered}


def attachment_names(mail: InboundMail) -> list[str]:
    """How a person would call what is enclosed."""
    return [part.name or part.media_type for part in mail.attachments]


def masked(address: str) -> str:
    """An address an officer can recognise and a bystander cannot use: `b***i@example.org`."""
    local, _, domain = address.partition("@")
    ends = local[-1] if len(local) > 2 else ""
    return f"{local[:1]}***{ends}@{domain}"


def officer(of: Officer) -> dict[str, str]:
    """Whom a letter to an officer is for."""
    return {"name": of.name, "address": of.address}


def day(post: Post, at: datetime | None) -> str:
    """A day in the office's words; empty for none."""
    return tongue.day(at, post.office.zone, post.office.language) if at else ""


def outcomes(office: Office, queue: str) -> list[Mapping[str, str]]:
    """The commands of a queue's own outcomes, with what they mean."""
    found = office.queues.get(queue)
    return [
        {"command": outcome.command, "title": outcome.title or name}
        for name, outcome in (found.outcomes.items() if found else ())
    ]


def commands(office: Office, queue: str | None) -> list[Mapping[str, str]]:
    """The commands that apply in a queue, or without a ticket, with what they mean."""
    found = office.queues.get(queue or "")
    by_appointment = found is not None and found.appointments is not None
    in_turn = found is not None and found.live is not None
    not_here = {orders.SCHEDULE: not by_appointment, orders.TURN: not in_turn}
    words = [word for word in orders.MEANING["id"] if not not_here.get(word)]
    own = outcomes(office, queue) if queue is not None else []
    shown = words if queue is not None else orders.TICKETLESS
    return [*own, *({"command": word, "title": orders.meaning(word, office.language)} for word in shown)]
