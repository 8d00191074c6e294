"""Takes mails in: raw bytes kept, mails understood, plans applied, as many of a batch as are written together."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime

from loket import maillog
from loket.clerk import Clerk, Reading, Unread
from loket.core.batch import Found, plans
from loket.core.headers import clean_text
from loket.core.known import Hints, hints
from loket.core.model import Buffer, Ending, Event, Fate, InboundMail, Plan, Quarantined, RawMail, StoredFile
from loket.core.office import Office
from loket.core.parse import parse
from loket.core.report import give_up
from loket.core.token import Keys
from loket.files import let_go
from loket.guard import Guard
from loket.ports import Clock, Intake, Transaction
from loket.sheet import Sheet, WriteDown

ATTEMPTS = 3
# So many at the most are thought through in one go: others wait for it.
TOGETHER = 100
# Of those so many are written as soon as they are thought of, then twice as many, and so on: a server announces what
# came within half a second together, and the first need not wait for the last.
FIRST = 8


@dataclass(frozen=True, slots=True)
class Lot:
    """Mails of one mailbox that are taken in together, and the clerk's reading of the plain ones, where it has them."""

    plain: Sequence[RawMail]
    odd: Sequence[RawMail]
    reading: Reading | None = None


def _stops_all(asked: Hints) -> bool:
    """Whether verdicts must wait: officers and what comes back of our own mail ask how far an outgoing mail has come.

    Others ask of it only how many automatic responses an hour had, where one that is tried again later counts once.
    """
    return bool(asked.officers or asked.message_ids)


@dataclass(frozen=True, slots=True)
class Taker:
    """Takes mails in, batch by batch; when anything in one raises, one mail at a time."""

    store: Intake
    office: Callable[[], Office]
    keys: Keys
    clock: Clock
    unavailable: Callable[[BaseException], bool]
    wrote: Callable[[str], None]
    load: Callable[[StoredFile], Buffer]
    guard: Guard
    write_down: WriteDown
    # What an officer's mail needs found out before it is decided on.
    examine: Callable[[InboundMail, Office, datetime], InboundMail]
    # Hears of each mail's end once it is durable.
    told: Callable[[Ending], None] = maillog.taken_in
    # Helps with backlogs, where there is one.
    clerk: Clerk | None = None

    def sort(self, raws: Sequence[RawMail], clerk: Clerk | None = None) -> Lot:
        """Mails to be taken, those that are built oddly set apart; the clerk begins to read the others."""
        odd = [raw for raw in raws if self._doubts(raw)]
        plain = [raw for raw in raws if raw not in odd] if odd else raws
        if clerk is None or not plain or clerk.office is not self.office():
            return Lot(plain, odd)
        return Lot(plain, odd, clerk.hand(plain))

    def _doubts(self, raw: RawMail) -> bool:
        doubtful = self.guard.doubts(raw)
        let_go(raw.data)
        return doubtful

    def take(self, lot: Lot) -> None:
        """Bring each mail to its end; a mail that raises harms no other and is quarantined at its third attempt.

        One that is built oddly comes after the others, alone, and is first read where it can do no harm.
        """
        if lot.plain and not self._by_clerk(lot):
            self._together(lot.plain)
        for raw in lot.odd:
            self._alone(raw, guarded=True)

    def _by_clerk(self, lot: Lot) -> bool:
        """Whether the plain mails have been taken in as the clerk thought; if not, those are left that have no end."""
        reading, office, now = lot.reading, self.office(), self.clock.now()
        if reading is None or reading.office is not office:
            return False
        try:
            asked = reading.hints()
            if asked is None or _stops_all(asked):
                return False
            self._decide(lot.plain, asked, lambda found: reading.plans(found, now), office, now)
        except Unread as error:
            maillog.unread(lot.plain[0].ref, len(lot.plain), clean_text(str(error), 500))
            return False
        except Exception as error:
            if self.unavailable(error):
                raise
            return False
        return True

    def _together(self, raws: Sequence[RawMail]) -> None:
        for at in range(0, len(raws), TOGETHER):
            some = raws[at : at + TOGETHER]
            try:
                self._batch(some)
            except Exception as error:
                if self.unavailable(error):
                    raise
                for raw in some:
                    self._alone(raw)

    def _alone(self, raw: RawMail, *, guarded: bool = False) -> None:
        try:
            if guarded:
                self.guard.read(raw, self.office().desks[raw.ref.mailbox])
            self._batch([raw])
        except Exception as error:
            if self.unavailable(error):
                raise
            now = self.clock.now()
            said = clean_text(f"{type(error).__name__}: {error}", 500)
            tried = self.store.failed(raw, said, now)
            maillog.raised(raw.ref, said, tried)
            if tried >= ATTEMPTS:
                sheet = self.write_down([self._give_up(raw, said, now)], now)
                with self.store.begin() as transaction:
                    transaction.take([], sheet, now)
                self._tell(sheet, raw.ref.mailbox)

    def _give_up(self, raw: RawMail, said: str, now: datetime) -> Plan:
        try:
            return give_up(raw, said, self.office(), self.keys, now)
        except Exception as error:  # noqa: BLE001 - without this end it would keep the mails behind it for ever
            said = clean_text(f"{said}; and telling of it: {type(error).__name__}: {error}", 500)
            event = Event(now, "quarantined", None, "?", str(raw.ref), self.office().rules_hash, {"error": said})
            return Plan(raw.ref, Fate.QUARANTINE, events=(event,), quarantine=Quarantined("raised", said))

    def _batch(self, raws: Sequence[RawMail]) -> None:
        office, now = self.office(), self.clock.now()
        mails = [self.examine(parse(raw), office, now) for raw in raws]

        def think(found: Found) -> Generator[Sheet]:
            at, many = 0, FIRST
            while at < len(mails):
                planned = plans(mails[at : at + many], found, office, self.keys, now)
                yield self.write_down(planned, now)
                at, many = at + many, 2 * many

        self._decide(raws, hints(mails), think, office, now)

    def _decide(
        self,
        raws: Sequence[RawMail],
        asked: Hints,
        think: Callable[[Found], Generator[Sheet]],
        office: Office,
        now: datetime,
    ) -> None:
        mailbox = raws[0].ref.mailbox

        def look(transaction: Transaction) -> Found:
            fresh = transaction.unseen([raw.ref for raw in raws])
            same = transaction.same_bytes(mailbox, [raw.stored.sha256 for raw in raws])
            return Found(fresh, dict(same), transaction.known(asked, now.astimezone(office.zone)))

        def write(transaction: Transaction, sheet: Sheet) -> None:
            ended = {ending.ref for ending in sheet.endings}
            transaction.take([raw for raw in raws if raw.ref in ended], sheet, now)

        def told(sheet: Sheet) -> None:
            self._tell(sheet, mailbox)

        self.store.decide(look, think, write, told, still=_stops_all(asked))

    def _tell(self, sheet: Sheet, mailbox: str) -> None:
        for ending in sheet.endings:
            self.told(ending)
        if any(ending.replies for ending in sheet.endings):
            self.wrote(mailbox)
