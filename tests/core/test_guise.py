"""A mail that shows its reader an officer's address, and is from another."""

from __future__ import annotations

import pytest

from loket.core import guise
from loket.core.command import Doubt, Doubtful
from loket.core.model import Fate
from tests.core.desk import ANI, BUDI, TONO, Desk, letter, office, read

OFFICERS = (ANI, BUDI)

SHOWN = [
    f'"{ANI}" <{TONO}>',
    f"{ANI} <{TONO}>",
    f"ANI@POM.GO.ID <{TONO}>",
    f'"Ani ({ANI})" <{TONO}>',
    f"{TONO} ({ANI})",
    f"=?utf-8?q?ani=40pom.go.id?= <{TONO}>",
    f"=?utf-8?q?ani=40?= =?utf-8?b?cG9tLmdvLmlk?= <{TONO}>",
    f"=?utf-8?b?0LBuaUBwb20uZ28uaWQ=?= <{TONO}>",
    "=?utf-8?b?YW5pQHBvbS5nby5pZA==?=",
    f"\u202e{ANI}\u202c <{TONO}>",
    "ani\u200b@pom.go.id",
    "\u0430ni@pom.go.id",
    "ani@p\u043em.go.id",
    "\u00e1ni@pom.go.id",
    "\uff41ni@pom.go.id",
    "ani@xn--pm-fmc.go.id",
    "ani@p0m.go.id",
    "an1@pom.go.id",
    f"{ANI}.",
    '"ani"@pom.go.id',
    f"Petugas: {TONO}, {ANI};",
]


@pytest.mark.parametrize("author", SHOWN)
def test_an_officers_address_is_seen_wherever_a_reader_sees_it(author: str) -> None:
    assert guise.shown(read(f"From: {author}\r\n\r\nx\r\n".encode()), OFFICERS) == ANI


OTHERS = [
    f"Tono <{TONO}>",
    # An officer's own name is everybody's.
    f"Ani <{TONO}>",
    "anni@pom.go.id",
    "ani@pom.go.id.lain.example",
    "ani@xn--\u00ff.go.id",
    "ani@",
    "",
]


@pytest.mark.parametrize("author", OTHERS)
def test_other_people_are_themselves(author: str) -> None:
    assert guise.shown(read(f"From: {author}\r\n\r\nx\r\n".encode()), OFFICERS) is None


def test_nobody_else_than_our_officers_is_looked_for() -> None:
    assert guise.shown(read(f'From: "{ANI}" <{TONO}>\r\n\r\nx\r\n'.encode()), ()) is None


def test_such_a_mail_opens_no_ticket_and_its_writer_is_told_nothing() -> None:
    """Set aside, and the real officer told."""
    desk = Desk()
    mail = letter("Ambil SK_OT_Jamu", author=f'"{ANI}" <{TONO}>')
    assert desk.understand(mail) == Doubtful(office().officers[ANI], Doubt.DISGUISED)
    plan = desk.take(mail)
    assert (plan.fate, plan.opened, [one.recipient for one in plan.outbox]) == (Fate.QUARANTINE, None, [ANI])
