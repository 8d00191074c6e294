"""The office's register of letters: numbers without a gap, from 1 in each year of the office's own calendar."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from loket.core.strict import Strict, also_written

NUMBER, YEAR, MONTH = "nomor", "tahun", "bulan"
_PLACE = re.compile(r"\{([^{}]*)\}")
_WIDTH = re.compile(rf"{NUMBER}:([1-9])")
# Months as letters are numbered in Indonesia: 12/XI/2026.
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


def _form(value: str) -> str:
    places = _PLACE.findall(value)
    for place in places:
        if place not in (NUMBER, YEAR, MONTH) and not _WIDTH.fullmatch(place):
            raise ValueError(f"{{{place}}} is not known here; write {{nomor}}, {{nomor:4}}, {{bulan}} or {{tahun}}")
    if not any(place.startswith(NUMBER) for place in places) or YEAR not in places:
        raise ValueError("write {nomor} and {tahun} in it, as in {nomor}/{tahun}: numbers begin anew each year")
    if re.sub(_PLACE, "", value).count("{") or re.sub(_PLACE, "", value).count("}"):
        raise ValueError("a brace is left open; write {nomor}/{tahun}")
    if re.search(r"\{nomor[:\d]*\}\{|\}\{nomor", value) or re.search(r"\d\{nomor|\{nomor[:\d]*\}\d", value):
        # 1 and 12026 would be read as 11 and 2026.
        raise ValueError("set the number off from digits beside it, as in {nomor}/{tahun}")
    return value


class Agenda(Strict):
    """The register that letters of a queue are entered in; queues that name the same one share its numbers."""

    number: Annotated[str, AfterValidator(_form)] = Field(max_length=60)
    name: str = Field(default="agenda", pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")

    @model_validator(mode="before")
    @classmethod
    @also_written(type="string")
    def _written(cls, value: Any) -> Any:
        return value if isinstance(value, (Mapping, cls)) else {"number": value}

    def text(self, number: int, day: date) -> str:
        """The number as the office writes it."""

        def filled(place: re.Match[str]) -> str:
            if place[1] == YEAR:
                return str(day.year)
            if place[1] == MONTH:
                return _ROMAN[day.month - 1]
            width = _WIDTH.fullmatch(place[1])
            return str(number).zfill(int(width[1]) if width else 1)

        return _PLACE.sub(filled, self.number)


_OWN_NUMBER = re.compile(r"(?:(?:nomor|no)\b\.?\s*:?\s*)?((?=\S*\d)[\w./()-]+)(?:\s+(.*))?", re.IGNORECASE)


def own_number(argument: str) -> tuple[str, str]:
    """What an officer wrote behind the command: the number of another register, and words to the applicant.

    A lone word with a digit is a number, and so is a first one that is put together: `1234/XI/2026 sudah diteruskan`.
    """
    match = _OWN_NUMBER.fullmatch(argument.strip())
    if match and (match[2] is None or re.search(r"\d\S*[/.-]\S*\w|\w\S*[/.-]\S*\d", match[1])):
        return match[1], match[2] or ""
    return "", argument.strip()


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before what begins like one."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Rows as RFC 4180 has them: commas, CRLF, quotes where they are needed, no formulas."""
    return "".join(",".join(_quoted(defused(cell)) for cell in row) + "\r\n" for row in rows)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if re.search(r'[",\r\n]', cell) else cell
