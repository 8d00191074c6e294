"""What the daemon would do with mail that lies in a mailbox: its own decisions on a store that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from loket.config.models import Store
from loket.config.secrets import keys
from loket.config.snapshot import Snapshot
from loket.core.gate import Caps
from loket.core.model import InboundMail, MailRef, Plan
from loket.core.office import Office
from loket.doors import bounds, imap_door
from loket.examine import Examiner
from loket.guard import Guard
from loket.imap import ImapSession
from loket.intake import Habits, MailboxIntake
from loket.ports import Clock, Cursor
from loket.sheet import Sheet
from loket.signatures import Lookup, Signatures
from loket.store.database import is_unavailable
from loket.stores import Stores, open_store
from loket.taker import ATTEMPTS, Taker


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A mail of the mailbox, its plan, and the final octets of every mail that would leave."""

    mail: InboundMail
    plan: Plan
    letters: tuple[bytes, ...]


@contextmanager
def rehearsal(snapshot: Snapshot, clock: Clock, lookup: Lookup) -> Iterator[Rehearsal]:
    """A store with nothing in it, in a folder that is gone afterwards; the office's own is not opened."""
    responses = snapshot.config.responses
    with tempfile.TemporaryDirectory(prefix="loket-") as folder:
        root = Path(folder)
        caps = Caps(responses.per_address, responses.total)
        where = Store(database=f"sqlite:///{root}/loket.db", files=str(root / "files"))
        stores = open_store(where, root, clock.now(), files_to={}, caps=caps)
        guard = Guard(stores.files)
        try:
            yield Rehearsal(snapshot, stores, guard, clock, lookup)
        finally:
            guard.close()
            stores.database.close()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One after the other, the mailboxes of an office; a reference to another's ticket is known as in earnest."""

    snapshot: Snapshot
    stores: Stores
    guard: Guard
    clock: Clock
    lookup: Lookup

    def mailbox(self, address: str, since: date | None, last: int) -> list[Rehearsed]:
        """What would come of a mailbox's mail since a day, else of its `last` mails; Refused or a SESSION_ERROR.

        The folder is opened with EXAMINE and read with BODY.PEEK (RFC 9051 sections 6.3.3 and 6.4.5), so that no
        flag changes, not even \\Recent.
        """
        mails: dict[MailRef, InboundMail] = {}
        planned: dict[MailRef, Plan] = {}
        ended: list[MailRef] = []
        signing = keys(self.snapshot.config, self.snapshot.root)
        examiner = Examiner(signing, signatures=Signatures(self.lookup))

        def examine(mail: InboundMail, office: Office, now: datetime) -> InboundMail:
            mails[mail.raw.ref] = mail
            return examiner(mail, office, now)

        def write_down(plans: Sequence[Plan], now: datetime) -> Sheet:
            planned.update((plan.ref, plan) for plan in plans if plan.ref is not None)
            return self.stores.intake.write_down(plans, now)

        taker = Taker(
            self.stores.intake,
            lambda: self.snapshot.office,
            signing,
            self.clock,
            is_unavailable,
            lambda _: None,
            self.stores.contents.load,
            self.guard,
            write_down,
            examine,
            lambda ending: ended.append(ending.ref),
        )
        configured = self.snapshot.config.mailboxes[address]
        intake = MailboxIntake(Habits(address, configured.folder, since or "all", None), taker)
        door = replace(imap_door(self.snapshot, address), read_only=True)
        with ImapSession(door, bounds(self.snapshot), self.stores.files) as session:
            if since is None:
                self._begin(session, address, configured.folder, last)
            # What raises has its end at the last attempt, as in earnest.
            for _ in range(ATTEMPTS):
                intake.poll(session)
        return [Rehearsed(mails[ref], planned[ref], self._letters(planned[ref])) for ref in ended if ref in mails]

    def _begin(self, session: ImapSession, address: str, folder: str, last: int) -> None:
        """Just before the last mails: what lies below is passed over."""
        uids = sorted(session.uids())
        before = uids[-last - 1] if len(uids) > last else 0
        now = self.clock.now()
        self.stores.intake.watch(address, folder, Cursor(session.uidvalidity, before, now), [], now)

    def _letters(self, plan: Plan) -> tuple[bytes, ...]:
        return tuple(self.stores.contents.render(mail) for mail in plan.outbox)
