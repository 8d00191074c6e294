"""Days off of a country, public holidays and joint leave, with the office's own additions and removals."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import holidays as registry
from holidays.registry import EntityLoader

from loket.config.models import Holidays
from loket.config.snapshot import Snapshot
from loket.config.wording import Loc
from loket.config.yamlfile import Problem
from loket.core.calendar import IsHoliday, Unsettled, years_ahead

# The years before one that has no joint leave yet, in which there was some: then there is a decree to wait for.
LOOK_BACK_YEARS = 3


def known_country(code: str) -> bool:
    """Whether the registry of holidays knows this country (ISO 3166-1)."""
    return code in EntityLoader.get_country_codes()


def _country(code: str) -> Any:
    """A country of the registry's; what is asked of it later imports nothing more."""
    country = getattr(registry, code)
    with _one_alone():
        country.get_entity()
    return country


@contextmanager
def _one_alone() -> Iterator[None]:
    """Within, a country is imported without all others.

    The package of the countries imports its 250 modules when one of them is asked for: 8 MB, for as long as the
    daemon runs. Here something stands in its place that has the same path and imports nothing.
    """
    name = "holidays.countries"
    found = find_spec(name) if name not in sys.modules else None
    if found is None or found.submodule_search_locations is None:
        yield
        return
    package = ModuleType(name)
    package.__path__ = list(found.submodule_search_locations)
    sys.modules[name] = package
    try:
        yield
    finally:
        del sys.modules[name]


class DaysOff:
    """A country's days off as this office has them. Years are computed when they are first asked for."""

    def __init__(self, settings: Holidays) -> None:
        self.country = settings.country
        self.add = frozenset(one.date for one in settings.add)
        self.remove = frozenset(one.date for one in settings.remove)
        self.year = lru_cache(maxsize=16)(self._year)

    def __call__(self, day: date) -> bool:
        """Whether a date is a day off."""
        return day in self.add or (day not in self.remove and day in self.year(day.year))

    def unsettled(self, number: int) -> Unsettled:
        """What nobody can know yet of a year, less what the office's own entries say of it."""
        own = self.add | self.remove
        estimates = tuple((day, name) for day, name in self._estimates(number) if day not in own)
        return Unsettled(number, self._lacks_joint_leave(number), estimates)

    def _year(self, number: int) -> frozenset[date]:
        # The default leaves out joint leave (cuti bersama), which is a `government` day there.
        return frozenset(day for kind in ("public", "government") for day in self._named(number, kind))

    def _named(self, number: int, kind: str) -> dict[date, str]:
        """The days of one category with their names, in the country's language: the default is the machine's."""
        if self.country is None:
            return {}
        country = _country(self.country)
        if kind not in country.supported_categories:
            return {}
        return dict(country(years=number, categories=(kind,), language=country.default_language))

    def _estimates(self, number: int) -> Iterator[tuple[date, str]]:
        """Days whose dates the registry only reckons, those of the Islamic calendar for one: it marks their names."""
        if self.country is None:
            return
        label = getattr(_country(self.country), "estimated_label", "")
        mark = label.replace("%s", "").strip(" ()（）")
        found = {day: name for kind in ("public", "government") for day, name in self._named(number, kind).items()}
        for day, name in sorted(found.items()):
            if mark and mark in name:
                yield day, name.replace(f"({mark})", "").strip()

    def _lacks_joint_leave(self, number: int) -> bool:
        """Whether a year has no joint leave that other years have, and none was added by hand."""
        if self._named(number, "government") or any(day.year == number for day in self.add):
            return False
        return any(self._named(number - back, "government") for back in range(1, LOOK_BACK_YEARS + 1))


def days_off(settings: Holidays) -> IsHoliday:
    """Whether a date is a day off."""
    return DaysOff(settings)


def look_ahead(snapshot: Snapshot, today: date) -> Iterator[Problem]:
    """Warnings: what is not settled yet of the years that matter on that day, and removals of no day off."""
    settings = snapshot.config.office.holidays
    off = DaysOff(settings)
    for index, one in enumerate(settings.remove):
        if one.date not in off.year(one.date.year):
            loc: Loc = ("office", "holidays", "remove", index)
            yield snapshot.document.problem(loc, f"{one.date} is a working day anyway", warning=True)
    for number in years_ahead(today):
        unsettled = off.unsettled(number).from_day(today)
        where: Loc = ("office", "holidays")
        if unsettled.no_joint_leave:
            said = f"{number} has no joint leave yet; list its days under `add` once they are decreed"
            yield snapshot.document.problem(where, said, warning=True)
        if unsettled.estimates:
            days = ", ".join(f"{day} ({name})" for day, name in unsettled.estimates)
            said = (
                f"days off of {number} are estimates: {days}; once they are decreed, list the right dates under `add` "
                "and the wrong ones under `remove`"
            )
            yield snapshot.document.problem(where, said, warning=True)
