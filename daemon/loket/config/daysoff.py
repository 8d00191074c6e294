"""Days off of a country, public holidays and joint leave, with the office's own additions and removals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache

import holidays as registry

from loket.config.models import Holidays


def known_country(code: str) -> bool:
    """Whether the registry of holidays knows this country (ISO 3166-1)."""
    return code in registry.list_supported_countries()


def days_off(settings: Holidays) -> Callable[[date], bool]:
    """Whether a date is a day off. Years are computed when they are first asked for."""
    add, remove = frozenset(settings.add), frozenset(settings.remove)

    @lru_cache(maxsize=16)
    def year(number: int) -> frozenset[date]:
        if settings.country is None:
            return frozenset()
        country = getattr(registry, settings.country)
        # The default leaves out joint leave (cuti bersama), which is a `government` day there.
        wanted = [kind for kind in ("public", "government") if kind in country.supported_categories]
        return frozenset(registry.country_holidays(settings.country, years=number, categories=tuple(wanted)))

    def is_off(day: date) -> bool:
        return day in add or (day not in remove and day in year(day.year))

    return is_off
