"""Values changed in another one of the same kind."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from loket.core.anew import anew
from loket.core.model import Event, Kind, MailRef, Outbound, Plan, Term, Ticket
from tests.contract.values import ticket

TICKET = ticket()


@pytest.mark.parametrize("kind", [Ticket, Plan, Outbound])
def test_every_field_is_one_that_its_maker_takes(kind: type) -> None:
    """Of those that are made anew."""
    assert all(one.init for one in fields(kind))


def test_it_is_what_the_library_makes() -> None:
    now = datetime(2026, 11, 27, tzinfo=UTC)
    term = Term(now, 3, "day")
    assert anew(TICKET, term=term, due_at=now) == replace(TICKET, term=term, due_at=now)
    plan = Plan(MailRef("a@b.test", 1, 2), events=(Event(now, "opened", None, "?", None, "", {}),))
    mail = Outbound("k", Kind.ALERT, "a@b.test", "a@b.test", "c@d.test", "m@b.test", (b"x",))
    assert anew(plan, outbox=(mail,)) == replace(plan, outbox=(mail,))
    assert anew(mail) == mail
    assert anew(mail, late=True).late


def test_a_field_that_there_is_not_is_an_error() -> None:
    with pytest.raises(KeyError):
        anew(TICKET, nothing=1)
