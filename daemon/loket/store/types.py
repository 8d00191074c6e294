"""Column types: moments in UTC, text that both databases keep, keys that count by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Text, TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; SQLite has no zones, so none is written and UTC is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        """One call a value and not three: every row of every mail goes through here."""
        return _as_sqlite_writes if dialect.name == "sqlite" else _in_utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the interface
        """Aware again."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _in_utc(value: datetime | None) -> datetime | None:
    """A naive moment is a mistake of ours."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a moment without a zone cannot be stored")
    return value.astimezone(UTC)


# The moment that was written last, and how: most rows of a batch have the same one.
_lately: tuple[datetime | None, str | None] = (None, None)


def _as_sqlite_writes(value: datetime | None) -> str | None:
    """As SQLAlchemy writes a moment without a zone, which sorts as it counts."""
    global _lately  # noqa: PLW0603 - both halves at once, so that threads may overtake each other
    moment, text = _lately
    if value is moment:
        return text
    utc = _in_utc(value)
    text = utc.replace(tzinfo=None).isoformat(" ", "microseconds") if utc else None
    if value is not None:
        _lately = (value, text)
    return text


_UNFIT = re.compile("[\0\ud800-\udfff]")


class CleanText(TypeDecorator[str]):
    """Text of any length, fit to be kept.

    PostgreSQL keeps no NUL, neither database keeps half a surrogate pair, and mail brings both: each becomes U+FFFD
    here, on the way in and in what is looked for.
    """

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:  # noqa: ARG002 - the interface
        """Fit to be kept."""
        return _fit


def _fit(value: str | None) -> str | None:
    if value is None or (value.isascii() and "\0" not in value):
        return value
    return _UNFIT.sub("\ufffd", value)


# In the order of code points on both databases, which no update of the system's locales changes under an index.
Words = CleanText().with_variant(CleanText(collation="C"), "postgresql")

# SQLite counts only an INTEGER primary key by itself.
Serial = BigInteger().with_variant(Integer, "sqlite")
