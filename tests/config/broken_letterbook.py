"""Mistakes in how letters are numbered."""

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
]
