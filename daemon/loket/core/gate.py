"""The gate that everything automatic passes: bounded per address and in all, the excess later, never dropped (P9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loket.core.anew import anew
from loket.core.model import Kind, Outbound

WINDOW = timedelta(hours=1)
# The same words from one address so often in so short a time are two machines talking.
LOOP_WINDOW = timedelta(minutes=10)
LOOP_COUNT = 5
# Whoever wrote longer ago than this no longer has the phone in hand.
BACKLOG = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Caps:
    """Automatic responses in an hour: to one address, and to all together; None for no bound."""

    per_address: int | None = 60
    total: int | None = 2000


@dataclass(slots=True)
class Gate:
    """When recent automatic responses left or will leave; each one admitted counts for the next."""

    caps: Caps
    by_address: dict[str, list[datetime]] = field(default_factory=dict)
    total: list[datetime] = field(default_factory=list)

    def admit(self, mails: Sequence[Outbound], now: datetime, asked: datetime | None = None) -> tuple[Outbound, ...]:
        """The mails, automatic ones with the moment from which they may leave.

        `asked` is when the mail that they answer arrived: one that has waited long lets those go first who wait now.
        """
        late = asked is not None and now - asked > BACKLOG
        # Who is called now is waited for now, whatever mail ended the turn before.
        return tuple(
            self._one(mail, now, late and mail.kind is not Kind.CALL) if mail.kind.automatic else mail for mail in mails
        )

    def _one(self, mail: Outbound, now: datetime, late: bool) -> Outbound:
        mine = self.by_address.setdefault(mail.recipient, [])
        at = max([now, *_free_at(mine, self.caps.per_address), *_free_at(self.total, self.caps.total)])
        mine.append(at)
        self.total.append(at)
        if late:
            mail = anew(mail, late=True)
        return mail if at == now else anew(mail, not_before=at)


def _free_at(times: Sequence[datetime], cap: int | None) -> tuple[datetime, ...]:
    """When a full window has room again: an hour after the one that is `cap` places back; nothing while it has room."""
    return () if cap is None or len(times) < cap else (sorted(times)[-cap] + WINDOW,)
