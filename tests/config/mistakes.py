"""The mistakes: what is changed in the shipped configuration, and what is said of it, to the column."""

from __future__ import annotations

from dataclasses import dataclass

CONFIG, D, B = "config.yaml", "rules/loket-d.yaml", "rules/loket-b.yaml"
DESAIN = "rules/templates/id/loket-d/desain.txt"

SUBJ = "subject: Revisi Desain_{kategori}_{produk}"
HOURS = "hours: Mon-Fri 08:30-16:00          #"
AT = 'at: "Mon-Fri 08:30, 13:00"'
LOGIN = '"${env:LOKET_DESAIN_PASSWORD}"'
RULES = "    rules: [loket-d]\n"


@dataclass(frozen=True)
class Broken:
    """A mistake: texts replaced in files (None: the whole file, by None: taken away), and what is said of it."""

    name: str
    changes: tuple[tuple[str, str | None, str | bytes | None], ...]
    said: tuple[str, ...]


def one(name: str, file: str, old: str | None, new: str | bytes | None, *said: str) -> Broken:
    return Broken(name, ((file, old, new),), said)
