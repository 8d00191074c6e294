"""Dates, sizes and weekdays in the words of a language."""

from __future__ import annotations

from datetime import datetime, timedelta
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
    "id": {"at": "pukul", "days": "hari", "hours": "jam", "minutes": "menit"},
    "en": {"at": "at", "days": "days", "hours": "hours", "minutes": "minutes"},
}


def day_and_time(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """`Senin, 30 November 2026, pukul 08.30 WIB`."""
    local = moment.astimezone(zone)
    tongue = language if language in _DAYS else "en"
    day = f"{_DAYS[tongue][local.weekday()]}, {local.day} {_MONTHS[tongue][local.month - 1]} {local.year}"
    return f"{day}, {_WORDS[tongue]['at']} {clock(f'{local:%H:%M}', tongue)} {local.tzname()}"


def clock(time_text: str, language: str) -> str:
    """Indonesian writes 08.30."""
    return time_text.replace(":", ".") if language == "id" else time_text


def hours(text: str, zone_name: str, language: str) -> str:
    """`Mon-Fri 08:30-16:00` as `Senin–Jumat, 08.30–16.00 WIB`."""
    tongue = language if language in _DAYS else "en"
    said = []
    for item in text.split(","):
        days, _, span = item.strip().partition(" ")
        names = [_DAYS[tongue][("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun").index(day)] for day in days.split("-")]
        said.append(f"{'–'.join(names)}, {clock(span, tongue).replace('-', '–')}")
    return f"{'; '.join(said)} {zone_name}"


def age(span: timedelta, language: str) -> str:
    """`3 hari`, `5 jam`: the largest unit that is at least one."""
    words = _WORDS.get(language, _WORDS["en"])
    if span >= timedelta(days=1):
        return f"{span.days} {words['days']}"
    if span >= timedelta(hours=1):
        return f"{span.seconds // 3600} {words['hours']}"
    return f"{max(0, int(span.total_seconds())) // 60} {words['minutes']}"


def octets(count: int) -> str:
    """`12 KB`, `3.4 MB`: decimal units, as mail clients show them."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
