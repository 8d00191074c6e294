"""All mails of the demo, oldest first: what some forty applicants and machines wrote in the day before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loket.demo.letter import DemoMail, PostBox
from loket.demo.mails_asks import asks
from loket.demo.mails_design import loket_d
from loket.demo.mails_files import loket_a
from loket.demo.mails_machine import machines, oddities

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["DemoMail", "mails"]


def mails(now: datetime) -> list[DemoMail]:
    """The same octets for the same `now`, which must carry a time zone; dates lie within 25 hours before it."""
    box = PostBox(now)
    written = [*loket_a(box), *loket_d(box), *asks(box), *machines(box), *oddities(box)]
    return sorted(written, key=lambda mail: mail.at)
