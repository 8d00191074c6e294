"""A mail that breaks the program harms no other: three tries, then quarantine with its bytes, and somebody is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loket import taker
from loket.core import batch
from loket.core.model import Fate
from loket.store import schema
from tests.intake.bureau import ADMIN, OFFICER, Bureau, client, mail
from tests.intake.conftest import OpenBureau

POISON = mail("Racun")


def poisoned(monkeypatch: pytest.MonkeyPatch, where: str, error: Exception) -> None:
    """Loket fails at this mail, every time, in parsing or in deciding."""
    room = {"parse": taker, "decide": batch}[where]
    healthy: Callable[..., Any] = getattr(room, where)

    def fail(given: Any, *others: Any) -> Any:
        raw = given if where == "parse" else given.raw
        if b"Racun" in bytes(raw.data):
            raise error
        return healthy(given, *others)

    monkeypatch.setattr(room, where, fail)


def kept(office: Bureau) -> bytes:
    """The poison's bytes, out of the store."""
    [row] = [row for row in office.rows(schema.ledger) if row.fate in ("pending", "quarantine")]
    return office.app.stores.contents.contents.small(row.sha256) or b""


@pytest.mark.parametrize("where", ["parse", "decide"])
def test_a_mail_that_raises_is_tried_three_times_and_set_aside(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Its neighbours are taken in at the first poll; its raw bytes are kept from then on (P4)."""
    poisoned(monkeypatch, where, ValueError("odd"))
    office = bureau(history="all")
    office.fill([mail("Sebelum"), POISON, mail("Sesudah")])
    office.poll()
    assert office.fates() == [Fate.TICKET, Fate.PENDING, Fate.TICKET]
    assert office.rows(schema.ledger)[1].attempts == 1
    assert kept(office) == POISON
    office.put(mail("Kemudian"))
    office.poll()
    assert office.fates() == [Fate.TICKET, Fate.PENDING, Fate.TICKET, Fate.TICKET]
    assert office.rows(schema.quarantine) == []
    office.poll()
    assert office.fates() == [Fate.TICKET, Fate.QUARANTINE, Fate.TICKET, Fate.TICKET]
    [aside] = office.rows(schema.quarantine)
    assert (aside.uid, aside.reason, aside.detail) == (2, "raised", "ValueError: odd")
    assert kept(office) == POISON
    alerts = office.rows(schema.outbox, kind="alert")
    assert [(alert.recipient, alert.phase) for alert in alerts] == [(OFFICER, "due"), (ADMIN, "due")]
    office.poll()
    assert len(office.rows(schema.outbox, kind="alert")) == 2
    assert len(office.rows(schema.outbox, kind="acknowledgement") + office.rows(schema.outbox, kind="correction")) == 3


def test_a_mail_that_was_mended_in_time_is_a_ticket(bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when a client has taken it from the server meanwhile: its bytes are here."""
    office = bureau(history="all")
    office.put(POISON)
    with monkeypatch.context() as broken:
        poisoned(broken, "decide", ValueError("odd"))
        office.poll()
    with client(office.servers, office.address, "INBOX") as person:
        person.throw_away(1)
    office.poll()
    assert office.fates() == [Fate.TICKET]
    assert office.rows(schema.outbox, kind="alert") == []


def test_a_mail_waits_for_its_end_before_it_is_filed(bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned(monkeypatch, "decide", ValueError("odd"))
    office = bureau(history="all", file_to="Selesai")
    office.fill([POISON, mail("Sehat")])
    office.poll()
    assert office.servers.messages(office.address) == [POISON]
    office.poll()
    office.poll()
    assert office.servers.messages(office.address) == []
    assert office.servers.messages(office.address, "Selesai") == [mail("Sehat"), POISON]


@pytest.mark.parametrize("error", [ValueError("\udcff\0\r\nx"), RecursionError(), KeyError("x" * 5000)])
def test_whatever_an_error_says_can_be_written_down(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Half a character, NUL, or nothing at all."""
    poisoned(monkeypatch, "decide", error)
    office = bureau(history="all")
    office.put(POISON)
    for _ in range(3):
        office.poll()
    assert office.fates() == [Fate.QUARANTINE]
    assert office.rows(schema.quarantine)[0].detail.startswith(type(error).__name__)
    assert len(office.rows(schema.outbox, kind="alert")) == 2


def test_a_mail_is_set_aside_even_when_nobody_can_be_told(bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken template for the alert must not make the mails behind it wait for ever."""

    def broken(*_: object) -> None:
        raise LookupError("no such template")

    poisoned(monkeypatch, "decide", ValueError("odd"))
    monkeypatch.setattr(taker, "give_up", broken)
    office = bureau(history="all")
    office.put(POISON)
    for _ in range(3):
        office.poll()
    office.put(mail("Sehat"))
    office.poll()
    assert office.fates() == [Fate.QUARANTINE, Fate.TICKET]
    assert "no such template" in office.rows(schema.quarantine)[0].detail
    assert office.rows(schema.event)[0].kind == "quarantined"


def test_every_tenth_mail_may_be_poison(bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred mails ninety are tickets at the first poll."""
    poisoned(monkeypatch, "parse", ValueError("odd"))
    office = bureau(history="all")
    office.fill(
        POISON.replace(b"<", b"<%d." % count) if count % 10 == 0 else mail(f"Surat {count}") for count in range(100)
    )
    office.poll()
    assert [fate is Fate.PENDING for fate in office.fates()] == [count % 10 == 0 for count in range(100)]
    assert office.fates().count(Fate.TICKET) == 90
