"""Mistakes in how letters are numbered, and in the address book."""

from __future__ import annotations

from tests.config.mistakes import one

P = "rules/persuratan.yaml"
FORM = '"{nomor}/{tahun}"'

REGISTERS = [
    one(
        "numbers without a year",
        P,
        FORM,
        '"{nomor}"',
        "rules/persuratan.yaml:21:5: write {nomor} and {tahun} in it, as in {nomor}/{tahun}: numbers begin anew each "
        "year",
    ),
    one(
        "a part of a number that is none",
        P,
        FORM,
        '"{nomer}/{tahun}"',
        "rules/persuratan.yaml:21:5: {nomer} is not known here; write {nomor}, {nomor:4}, {bulan} or {tahun}",
    ),
    one(
        "a number that runs into the year",
        P,
        FORM,
        '"{nomor}{tahun}"',
        "rules/persuratan.yaml:21:5: set the number off from digits beside it, as in {nomor}/{tahun}",
    ),
    one(
        "two registers with the same numbers",
        "rules/umum.yaml",
        "    due: 1 working day\n",
        '    due: 1 working day\n    agenda: {name: lain, number: "{nomor}/{tahun}"}\n',
        "rules/umum.yaml:9:26: the registers agenda and lain would give the same numbers; write them differently",
    ),
    one(
        "hours of a channel in other words",
        "rules/iklan.yaml",
        "hours: Mon-Fri 08:30-16:00",
        "hours: Senin-Jumat 08.30-16.00",
        "rules/iklan.yaml:30:5: write opening hours as `Mon-Fri 08:30-16:00`, several set off by commas",
    ),
    one(
        "hours of a channel that end before they begin",
        "rules/iklan.yaml",
        "hours: Mon-Fri 08:30-16:00",
        "hours: Mon-Fri 16:00-08:30",
        "rules/iklan.yaml:30:5: opening hours end after they begin, on the same day",
    ),
]
