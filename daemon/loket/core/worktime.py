"""Spans of time as they are written in YAML: working days, working hours, minutes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from loket.core.strict import also_written

_DUE = re.compile(r"\s*(?:(\d{1,3})\s*[-–]\s*)?(\d{1,3})\s+working\s+(day|hour)s?\s*")
_DAYS = re.compile(r"\s*(?:(\d{1,3})\s*[-–]\s*)?(\d{1,3})\s+working\s+(day)s?\s*")
_AMOUNT = re.compile(r"\s*()(\d{1,3})\s+working\s+(day|hour)s?\s*")
_SPAN = re.compile(r"\s*(\d{1,4})\s+(minute|hour|working hour)s?\s*")


class WorkingTime(BaseModel):
    """A range of working time, written `2 working days`, `1-3 working days` or `4 working hours`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: int
    high: int
    unit: Literal["days", "hours"] = "days"

    @model_validator(mode="before")
    @classmethod
    @also_written(type="string", pattern=_DUE.pattern)
    def _written(cls, value: Any) -> Any:
        return _range(cls, value, _DUE, "write `2 working days`, `1-3 working days` or `4 working hours`")


class WorkingDays(WorkingTime):
    """A range of working days, written `2 working days` or `1-3 working days`."""

    unit: Literal["days"] = "days"

    @model_validator(mode="before")
    @classmethod
    @also_written(type="string", pattern=_DAYS.pattern)
    def _written(cls, value: Any) -> Any:
        return _range(cls, value, _DAYS, "write `2 working days` or `1-3 working days`")


class WorkingSpan(WorkingTime):
    """An amount of working time, written `4 working hours` or `1 working day`."""

    @model_validator(mode="before")
    @classmethod
    @also_written(type="string", pattern=_AMOUNT.pattern)
    def _written(cls, value: Any) -> Any:
        return _range(cls, value, _AMOUNT, "write `4 working hours` or `1 working day`")


def _range(kind: type[WorkingTime], value: Any, form: re.Pattern[str], expected: str) -> Any:
    if isinstance(value, (Mapping, kind)):
        return value
    match = form.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise ValueError(expected)
    high, unit = int(match[2]), f"{match[3]}s"
    low = int(match[1]) if match[1] else max(1, high - 1) if unit == "days" else high
    if not 1 <= low <= high:
        raise ValueError(f"working {unit} count from 1, the smaller number first")
    return {"low": low, "high": high, "unit": unit}


def _span(*units: str) -> Callable[[Any], Any]:
    """A span of time in words, `10 minutes`, in one of the units."""
    said = " or ".join(f"`8 {unit}s`" for unit in units)

    @also_written(type="string", pattern=_SPAN.pattern)
    def read(value: Any) -> Any:
        if isinstance(value, timedelta) or value is None:
            return value
        match = _SPAN.fullmatch(value) if isinstance(value, str) else None
        if not match or match[2] not in units:
            raise ValueError(f"write {said}")
        return timedelta(**{f"{match[2].rpartition(' ')[2]}s": int(match[1])})

    return read


Soon = Annotated[timedelta, BeforeValidator(_span("minute", "hour"))]
WorkingHours = Annotated[timedelta, BeforeValidator(_span("working hour"))]
