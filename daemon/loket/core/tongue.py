"""Dates, sizes and weekdays in the words of a language."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAYS = {
    "id": ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = {
    "id": (
        *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
        *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
_WORDS = {
    "id": {"at": "pukul", "and": "dan", "days": "hari", "hours": "jam", "minutes": "menit"},
    "en": {"at": "at", "and": "and", "days": "days", "hours": "hours", "minutes": "minutes"},
}


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Small words that only one of the languages has; letters in it hold several in every sentence.
_WORD = re.compile(r"[a-z]+")
_TELLING = {
    "id": _set(
        """
        yang dan di ke dari untuk dengan pada ini itu kami saya adalah tidak sudah belum akan mohon terima kasih
        terlampir berikut permohonan produk berkas agar juga atau bapak ibu apakah bagaimana oleh telah kepada dapat
        """
    ),
    "en": _set(
        """
        the and of to for with this that we our is are was were have has not please find attached thank thanks would
        could from been will your you regarding about kindly hereby enclosed dear which any
        """
    ),
}
_ENOUGH = 3


def language_of(text: str, among: Collection[str]) -> str | None:
    """The language a text is plainly written in, of those asked about; None where it is not plain."""
    words = _WORD.findall(text[:2000].casefold())
    counts = {name: sum(map(telling.__contains__, words)) for name, telling in _TELLING.items()}
    best = max(counts, key=counts.__getitem__)
    others = max(count for name, count in counts.items() if name != best)
    return best if best in among and counts[best] >= _ENOUGH and counts[best] >= 3 * others else None


# Words of greetings and thanks: a line of nothing else says nothing.
COURTESY = _set(
    """
    assalamualaikum assalamu alaikum wr wb warahmatullahi wabarakatuh waalaikumsalam salam sejahtera selamat pagi siang
    sore malam halo hallo hai hi hello dear yth yang terhormat kepada bapak ibu bapa pak bu kak min admin tim petugas
    loket sir madam team good morning afternoon evening terima kasih terimakasih makasih trims thanks thank you ya iya
    baik ok oke siap mohon maaf dan and hormat kami saya regards best
    """
)
# Words that make a line a sentence rather than a name.
SENTENCE = _set(
    """
    mohon tolong berikut terlampir lampirkan kirim kirimkan dikirim saya kami anda ini itu sudah belum akan apakah
    bagaimana kapan kenapa mengapa dimana bisa dapat perlu minta ingin mau adalah untuk dengan bahwa karena jika kalau
    apabila maksud maksudnya salah benar maaf email balasan please find attached here is are was the we our i this that
    would could can should how when why what
    """
)


def day_and_time(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """`Senin, 30 November 2026, pukul 08.30 WIB`."""
    local = moment.astimezone(zone)
    tongue = language if language in _DAYS else "en"
    at = clock(f"{local:%H:%M}", tongue)
    return f"{day(moment, zone, language)}, {_WORDS[tongue]['at']} {at} {local.tzname()}"


def day(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """`Senin, 30 November 2026`."""
    return date_text(moment.astimezone(zone).date(), language)


def short_day(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """`30 November 2026`."""
    return day(moment, zone, language).partition(", ")[2]


def date_text(of: date, language: str) -> str:
    """The same of a date."""
    tongue = language if language in _DAYS else "en"
    return f"{_DAYS[tongue][of.weekday()]}, {of.day} {_MONTHS[tongue][of.month - 1]} {of.year}"


def clock(time_text: str, language: str) -> str:
    """Indonesian writes 08.30."""
    return time_text.replace(":", ".") if language == "id" else time_text


@lru_cache(maxsize=256)
def hours(text: str, zone_name: str, language: str) -> str:
    """`Mon-Fri 08:30-12:00, Mon-Fri 13:00-16:00` as `Senin–Jumat, 08.30–12.00 dan 13.00–16.00 WIB`."""
    tongue = language if language in _DAYS else "en"
    by_days: dict[str, list[str]] = {}
    for item in text.split(","):
        days, _, span = item.strip().partition(" ")
        names = [_DAYS[tongue][("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun").index(day)] for day in days.split("-")]
        by_days.setdefault("–".join(names), []).append(clock(span.strip(), tongue).replace("-", "–"))
    between = f" {_WORDS[tongue]['and']} "
    return f"{'; '.join(f'{days}, {between.join(spans)}' for days, spans in by_days.items())} {zone_name}"


def span(length: timedelta, language: str) -> str:
    """`30 menit`, `1 jam`, `1 jam 30 menit`."""
    words = _WORDS.get(language, _WORDS["en"])
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    said = [(hours, words["hours"]), (minutes, words["minutes"])]
    text = " ".join(f"{count} {word}" for count, word in said if count)
    return text.replace("1 hours", "1 hour") if language != "id" else text


def age(span: timedelta, language: str) -> str:
    """`3 hari`, `5 jam`: the largest unit that is at least one."""
    words = _WORDS.get(language, _WORDS["en"])
    if span >= timedelta(days=1):
        return f"{span.days} {words['days']}"
    if span >= timedelta(hours=1):
        return f"{span.seconds // 3600} {words['hours']}"
    return f"{max(0, int(span.total_seconds())) // 60} {words['minutes']}"


def working(span: timedelta, language: str) -> str:
    """`7 jam 30 menit`: working time, which has no days of a length that everybody knows."""
    words, minutes = _WORDS.get(language, _WORDS["en"]), int(span.total_seconds()) // 60
    hours, rest = divmod(minutes, 60)
    said = [f"{hours} {words['hours']}"] * bool(hours) + [f"{rest} {words['minutes']}"] * bool(rest or not hours)
    return " ".join(said)


def octets(count: int, language: str = "en") -> str:
    """`12 KB`, `3.4 MB` (Indonesian `3,4 MB`): decimal units, as mail clients show them."""
    if count < 1000:
        return f"{count} B"
    if count < 999_500:
        return f"{count / 1000:.0f} KB"
    said = f"{count / 1_000_000:.1f} MB"
    return said.replace(".", ",") if language == "id" else said
