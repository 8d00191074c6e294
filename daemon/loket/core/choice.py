"""Which appointment does a reply mean? By number, by words, or that it wants another, or none.

Nothing is guessed: what fits more than one moment says so, and a line that is about something else is no choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from loket.core import normal
from loket.core.said import LAST, Said, said
from loket.core.tongue import COURTESY


@dataclass(frozen=True, slots=True)
class Picked:
    """One moment, plainly meant; whether it can be had is another question."""

    start: datetime


@dataclass(frozen=True, slots=True)
class Unclear:
    """A choice that fits several moments, or none that there is; `starts` are those it may have meant."""

    starts: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Again:
    """Another moment is wanted, and not said which."""


@dataclass(frozen=True, slots=True)
class CallOff:
    """No appointment is wanted any more."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """No choice; `courteous` where the letter is greetings and thanks and no more."""

    courteous: bool = False


Choice = Picked | Unclear | Again | CallOff | Nothing


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# A choice stands in the first lines that are more than a greeting.
LINES = 3
MAX_LINE = 300
# So many words that are no part of any choice, and no more.
MAX_LEFT = 3

_NOT = re.compile(
    r"\b(?:bukan|tidak|tak|tdk|nggak|ngga|gak|ga|enggak|jangan|selain|kecuali|belum|not|don't|can't|cannot|except)\b"
)
_NO_MATTER = re.compile(
    r"\b(?:tidak|tdk|nggak|gak|ga) (?:masalah|apa[- ]?apa|papa|keberatan)\b|\bno problem\b|\b(?:do not|don't) mind\b"
)
_AGAIN = re.compile(
    r"^(?:jadwal|schedule|change)(?: (?:zoom|konsultasi|lain|baru))*[ .!]*$"
    r"|\b(?:ganti|diganti|mengganti|geser|digeser|re-?schedul\w*|atur ulang"
    r"|(?:pen|di)?jadwal(?:kan|an)? ulang"
    r"|ubah|diubah|mengubah|perubahan jadwal|pindah|dipindah\w*|memindahkan|diundur|undur|dimajukan"
    r"|(?:jadwal|waktu|hari|tanggal|jam|pilihan|slot|opsi) (?:yang )?lain(?:nya)?|lain (?:waktu|hari)"
    r"|(?:minta|mohon|ingin|mau|butuh|perlu) jadwal|jadwal baru"
    r"|(?:an)?other (?:times?|dates?|days?|slots?|options?|one)|different (?:time|date|day|slot)"
    r"|new (?:time|date|slot|appointment)|change (?:the|my|our) (?:time|date|slot|appointment|schedule)"
    r"|none of (?:them|these)|(?:tidak|tdk|gak|nggak|ga) (?:ada yang (?:cocok|bisa)|bisa|dapat|cocok|memungkinkan)"
    r"|(?:can't|cannot|unable to) (?:attend|make|come|join))\b"
)
_OFF = re.compile(
    r"\b(?:batal|batalkan|dibatalkan|membatalkan|pembatalan|batalin|(?:tidak|tdk|gak|nggak|ga|ngga) jadi"
    r"|cancel|cancell?ed|cancellation|call off)\b"
)
_NOT_OFF = re.compile(r"\b(?:jangan|tidak|tdk|gak|bukan|belum|not|don't|never)(?: \w+)? (?:di)?(?:batal|cancel)")
_ASSENT = re.compile(
    r"\b(?:ya|iya|setuju|ok|oke|okay|baik|siap|bisa|cocok|boleh|bersedia|sepakat|ambil|yes|agreed?|accept|works|fine)\b"
)
# Who asks whether a time is still there has not taken it.
_STILL = re.compile(r"\b(?:masih (?:ada|tersedia|kosong|bisa)|still (?:available|free|open))\b[^?]*\?")
_CHOOSING = re.compile(r"\b(?:pilih|memilih|ambil|mengambil|choose|pick|take|book|prefer|select)\b")
# Words of letterheads and other business: a number beside them is none of ours.
_ELSEWHERE = _set(
    """
    jl jalan jln telp telepon tlp hp wa whatsapp phone tel fax kav blok rt rw lt lantai gedung npwp nib surat
    formulir form lampiran tiket ticket produk berkas dokumen halaman poin point pasal nie akta rumah
    """
)
_FILLERS = COURTESY | _set(
    """
    saja aja deh dong nih ini itu yang utk untuk di ke pada mau ingin akan dengan sesuai pilih memilih pilihan
    ambil mengambil jadwal jadwalnya waktu waktunya slot hari tanggal tgl jam pukul wib konsultasi zoom nomor no
    opsi bisa boleh cocok setuju sepakat bersedia ok okay please the one i we would like to choose pick take
    book prefer works work fine for me us my our on at is it yes number option that will be best ada paling
    lebih kalau mungkin ganti ubah pindah geser diganti diubah dipindah menjadi jadi dari from
    """
)


def read(
    words: str,
    offered: Sequence[datetime],
    free: Sequence[datetime],
    own: datetime | None,
    zone: ZoneInfo,
    now: datetime,
) -> Choice:
    """What the applicant's own words choose, of what is offered by number, or of all that is free.

    `own` is the appointment there is already: of two moments named in one line it is the one to leave.
    """
    lines = [line for line in (normal.visible(line) for line in words.splitlines()) if normal.words(line)]
    telling = [line for line in lines if not COURTESY.issuperset(normal.words(line).split())]
    if not telling:
        assent = len(offered) == 1 and any(_ASSENT.search(_plain(line)) for line in lines)
        return Picked(offered[0]) if assent else Nothing(courteous=True)
    pool = _Pool(tuple(offered), tuple(free), own, zone, now.astimezone(zone).date())
    for line in telling[:LINES]:
        found = pool.line(_plain(line[:MAX_LINE]))
        if isinstance(found, Picked) and _STILL.search(_plain(line)):
            return Unclear((found.start,))
        if not isinstance(found, Nothing):
            return found
    return Nothing()


def moment(text: str, zone: ZoneInfo, now: datetime) -> tuple[datetime | None, tuple[datetime, ...]]:
    """The one moment that a text names by day and time, and its other readings; None where it names none or several."""
    found = said(_plain(text), now.astimezone(zone).date())
    if not found.moment:
        return None, ()
    readings = tuple(_at(found.days[0], one, zone) for one in found.times[0])
    return readings[0], readings


def _plain(line: str) -> str:
    """Letter case, typographic marks and doubled spaces out of the way."""
    text = normal.visible(line).casefold().replace("’", "'").replace("–", "-").replace("*", " ").replace(",", " , ")
    return " ".join(text.split())


def _at(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Pool:
    offered: tuple[datetime, ...]
    free: tuple[datetime, ...]
    own: datetime | None
    zone: ZoneInfo
    today: date

    def line(self, text: str) -> Choice:
        """What one line comes to."""
        found = said(text, self.today)
        negated = bool(_NOT.search(_NO_MATTER.sub(" ", text)))
        again = bool(_AGAIN.search(text))
        starts = () if found.nothing else self.meant(found)
        others = tuple(one for one in starts if one != self.own)
        if _OFF.search(text) and not _NOT_OFF.search(text) and not again:
            if "?" in text:
                return Nothing()
            return CallOff() if found.nothing or not others else Unclear(others)
        if found.nothing or (again and negated):
            return Again() if again else self._assent(text)
        if not self._about(found, again):
            return Nothing()
        if negated:
            return Unclear(others)
        return self._one(found, starts, others, again)

    def _one(self, found: Said, starts: Sequence[datetime], others: tuple[datetime, ...], again: bool) -> Choice:
        if len(others) == 1:
            return Picked(others[0])
        if others:
            return Unclear(others)
        if starts and not again:
            return Picked(starts[0])
        if again:
            return Again()
        if found.moment and not found.numbers:
            return Picked(_at(found.days[0], found.times[0][0], self.zone))
        return Unclear()

    def _assent(self, text: str) -> Choice:
        """A yes to the only moment on offer."""
        left = [word for word in normal.words(text).split() if word not in _FILLERS]
        plain = len(self.offered) == 1 and "?" not in text and not _NOT.search(_NO_MATTER.sub(" ", text))
        return Picked(self.offered[0]) if plain and _ASSENT.search(text) and len(left) <= 1 else Nothing()

    def _about(self, found: Said, again: bool) -> bool:
        """Whether the line is about an appointment, rather than a sentence with a number or a day in it."""
        if found.days and found.times:
            return True
        words = normal.words(found.left).split()
        left = [word for word in words if word not in _FILLERS]
        if _ELSEWHERE.intersection(left):
            return False
        return again or bool(_CHOOSING.search(found.left)) or len(left) <= (1 if found.bare else MAX_LEFT)

    def meant(self, found: Said) -> tuple[datetime, ...]:
        """The moments that a line fits: of the offer, else of all that is free; a number is one of the offer alone."""
        if found.numbers:
            count = len(self.offered)
            places = [count if number == LAST else number for number in found.numbers]
            numbered = [self.offered[place - 1] for place in places if 1 <= place <= count]
            fitting = tuple(self._fitting(numbered, found))
            return fitting if len(numbered) == len(places) and fitting else ()
        mine = [self.own] if self.own is not None else []
        near = tuple(self._fitting([*self.offered, *mine], found))
        if len(near) > 1 and self.own is not None and not (found.days or found.weekdays):
            # Booked already, and only an hour is said: the same day's.
            same = tuple(one for one in near if self._day(one) == self._day(self.own))
            near = same or near
        return near or tuple(self._fitting(self.free, found))

    def _day(self, start: datetime) -> date:
        return start.astimezone(self.zone).date()

    def _fitting(self, starts: Iterable[datetime], found: Said) -> Iterable[datetime]:
        """Those on a day and at a time that the line names."""
        for start in dict.fromkeys(starts):
            local = start.astimezone(self.zone)
            on_day = not found.days or local.date() in found.days
            on_weekday = not found.weekdays or local.weekday() in found.weekdays
            at_time = not found.times or any(local.time() in readings for readings in found.times)
            if on_day and on_weekday and at_time:
                yield start
