"""Another one of a dataclass with some values changed, for what is made several times a mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


def anew(of: T, **changes: Any) -> T:
    """What `dataclasses.replace` gives, of a class whose fields its maker all takes; it asks each object for them.

    KeyError for a field that there is not.
    """
    kind: Any = type(of)
    values, places = _fields(kind)
    row = list(values(of))
    for name, value in changes.items():
        row[places[name]] = value
    made: T = kind(*row)
    return made


@lru_cache(maxsize=64)
def _fields(kind: type) -> tuple[Callable[[Any], tuple[Any, ...]], Mapping[str, int]]:
    names = [one.name for one in fields(kind)]
    return attrgetter(*names), {name: place for place, name in enumerate(names)}
