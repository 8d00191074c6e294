"""Does a subject name several products? Flagged for the officer, never split: names hold commas and ampersands."""

from __future__ import annotations

import re

from loket.core import normal

_BETWEEN = re.compile(r"\s*[;\n]\s*|\s*,\s+|\s+(?:dan|and|serta|&|\+|/)\s+")
_NUMBERED = re.compile(r"(?:^|[\s,;])\(?([1-9])[.)]\s*\S")
_COUNTED = re.compile(
    r"\b(?:[2-9]|\d{2,}|dua|tiga|empat|lima|beberapa|two|three|several)\s+(?:buah\s+)?(?:produk|products?)\b"
)
_MEASURE = re.compile(r"^\d+\s*(?:mg|g|gr|ml|l|kapsul|tablet|sachet|saset|botol|strip|box|kaplet)\b")


def names_several(written: str) -> bool:
    """Whether the writer's own words look like more than one product's name.

    `Jamu Kunyit dan Jamu Jahe`, `Satu; Dua`, `A, B, C`, `1. A 2. B`, `3 produk`; but not `Jahe & Madu`.
    """
    text = normal.normal(written).text
    if _COUNTED.search(text) or len({match[1] for match in _NUMBERED.finditer(text)}) > 1:
        return True
    names = [name for name in _BETWEEN.split(text) if normal.words(name) and not _MEASURE.match(name)]
    if len(names) < 2:
        return False
    if ";" in text or "\n" in text or (len(names) > 2 and "," in text):
        return True
    first = [normal.words(name).split()[0] for name in names]
    return len(set(first)) < len(first)
