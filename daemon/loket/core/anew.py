"""Another one of a dataclass with some values changed, for what is made several times a mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")


def anew(of: T, **changes: Any) -> T:
    """What `dataclasses.replace` gives, of a class whose fields its maker all takes; it asks each object for them.

    KeyError for a field that there is not.
    """
    kind: Any = type(of)
    places = _fields(kind)
    row = [getattr(of, name) for name in places]
    for name, value in changes.items():
        row[places[name]] = value
    made: T = kind(*row)
    return made


@lru_cache(maxsize=64)
def _fields(kind: type) -> Mapping[str, int]:
    return {one.name: place for place, one in enumerate(fields(kind))}
