"""Hops 2 to 7 for one mailbox: raw bytes kept, mails understood, plans applied, then filed."""

from __future__ import annotations

import errno
import imaplib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

from loket import maillog
from loket.bounds import chunks
from loket.core import retry
from loket.core.model import Fate, MailRef, RawMail, StoredFile
from loket.imap import LISTED_AT_ONCE, SESSION_ERRORS, ImapSession
from loket.line import Line, line
from loket.ports import Cursor, Listed
from loket.taker import Taker

# How often a mail may end the session before it is passed over, and how long it is let be then.
BREAKS_OFF = 3
WITHHELD_FIRST = timedelta(minutes=1)
WITHHELD_LONGEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Habits:
    """What the configuration says about one mailbox's intake."""

    mailbox: str
    folder: str
    history: str | date
    file_to: str | None


@dataclass(frozen=True, slots=True)
class MailboxIntake:
    """One mailbox's intake over an open session."""

    habits: Habits
    taker: Taker
    # Mails that the server could not give: after how many tries, and when each may be asked for again.
    _withheld: dict[MailRef, tuple[int, datetime]] = field(default_factory=dict)

    def poll(self, session: ImapSession, stopping: Callable[[], bool] = bool) -> int:
        """Take in what is new and what was left pending, then file; returns how many mails were taken.

        Asked between batches, `stopping` ends it: what is left comes at the next start.
        """
        store, mailbox = self.taker.store, self.habits.mailbox
        standing = store.standing(mailbox, session.uidvalidity)
        self._kept(standing.kept)
        cursor = self._cursor(session, standing.cursor)
        pending = standing.pending
        above = session.above(cursor.last_uid)
        # What the server withheld before comes last. A long listing is read while the mails before are taken in.
        new = sorted(set(above).difference(pending))
        portions = [*chunks(new, LISTED_AT_ONCE), *([pending] if pending else [])]
        taken = 0
        with line(self.taker, len(new)) as taking:
            for portion in portions:
                listed = session.facts(pending) if portion is pending else session.listed(portion)
                fresh = self._without_end(session, listed)
                for batch in session.batches(fresh):
                    if stopping():
                        taking.leave()
                        return taken
                    self._take(session, batch, taking)
                    if portion is not portions[-1] or batch[-1] is not fresh[-1]:
                        taking.then(partial(self._advance, cursor, batch[-1].uid))
                    taken += len(batch)
                self._gone(session, set(portion) - {one.uid for one in listed})
        # What has an end already is passed over.
        last = max([cursor.last_uid, *above])
        if self.habits.file_to is not None:
            # A server that never lets us move must not have us list the same mails for ever.
            self._advance(cursor, last)
            self._file(session, self.habits.file_to)
        store.reached(mailbox, self.taker.clock.now(), last)
        return taken

    def _kept(self, kept: Sequence[tuple[MailRef, datetime, StoredFile]]) -> None:
        """Mails whose bytes are here and that have no end yet: they raised before, or were released by hand."""
        for ref, internaldate, stored in kept:
            try:
                data = self.taker.load(stored)
            except FileNotFoundError as error:
                # Nothing to work on until a person puts the file back; the mail stays pending, in sight.
                maillog.unreadable(ref, str(error))
                continue
            Line(self.taker).take([RawMail(ref, internaldate, data, stored)])

    def verify(self, session: ImapSession) -> int:
        """Count every UID on the server against the ledger (promise P1); what is absent is taken in now."""
        store, mailbox = self.taker.store, self.habits.mailbox
        cursor = self._cursor(session, store.cursor(mailbox))
        known = store.known_uids(mailbox, session.uidvalidity)
        absent = absent_uids(session, known, cursor)
        for batch in session.batches(session.facts(absent)):
            self._take(session, batch, Line(self.taker))
        store.verified(mailbox, len(absent), self.taker.clock.now())
        maillog.verified(mailbox, len(known), len(absent))
        return len(absent)

    def _cursor(self, session: ImapSession, found: Cursor | None) -> Cursor:
        """Where to go on; a first start and a change of UIDVALIDITY begin at the first UID, less what is history."""
        store, mailbox = self.taker.store, self.habits.mailbox
        if found is not None and found.uidvalidity == session.uidvalidity:
            return found
        now = self.taker.clock.now()
        if found is not None:
            maillog.renumbered(mailbox, found.uidvalidity, session.uidvalidity)
        cursor = Cursor(session.uidvalidity, 0, found.started_at if found else now)
        # With `all`, nothing that lies there is history, and it need not be listed to be told so. Nor is anything where
        # nothing lay: Courier numbers an empty folder anew at each opening.
        empty = found is not None and not found.last_uid and not store.known_uids(mailbox, found.uidvalidity)
        there = session.listing(0) if self.habits.history != "all" and not empty else []
        old = [one for one in there if self._is_history(one, found)]
        refs = [MailRef(mailbox, session.uidvalidity, one.uid) for one in old]
        store.watch(mailbox, self.habits.folder, cursor, refs, now)
        if refs:
            maillog.history_left(mailbox, len(refs))
        return cursor

    def _is_history(self, one: Listed, before: Cursor | None) -> bool:
        """At the first start all that lies there, or what is older than the configured date.

        A renumbered folder brings it up again: there the date of the first start tells what it was. Later
        arrivals are never judged by their date, since an old mail moved in by hand is work.
        """
        if isinstance(self.habits.history, date):
            return one.internaldate.date() < self.habits.history
        return before is None or one.internaldate < before.started_at

    def _without_end(self, session: ImapSession, listed: Sequence[Listed]) -> list[Listed]:
        """What is to be fetched now; what the server withheld before is not, at every poll."""
        refs = [MailRef(self.habits.mailbox, session.uidvalidity, one.uid) for one in listed]
        now = self.taker.clock.now()
        wanted = {ref.uid for ref in self.taker.store.without_end(refs) if self._may_be_asked(ref, now)}
        return [one for one in listed if one.uid in wanted]

    def _may_be_asked(self, ref: MailRef, now: datetime) -> bool:
        return ref not in self._withheld or now >= self._withheld[ref][1]

    def _withhold(self, ref: MailRef, error: BaseException, tries_at_once: int) -> None:
        """Pass over a mail that the server does not give, for a while that grows; it stays pending, in sight."""
        tries, now = self._withheld.get(ref, (0, None))[0] + 1, self.taker.clock.now()
        wait = timedelta()
        if tries >= tries_at_once:
            maillog.unreadable(ref, str(error))
            # Only what the store has may be passed over.
            self.taker.store.ended([ref], Fate.PENDING, now)
            wait = retry.wait(tries - tries_at_once + 1, 0, WITHHELD_FIRST, WITHHELD_LONGEST)
        self._withheld[ref] = (tries, now + wait)

    def _advance(self, cursor: Cursor, uid: int) -> None:
        last = max(uid, cursor.last_uid)
        self.taker.store.advance(
            self.habits.mailbox, self.habits.folder, Cursor(cursor.uidvalidity, last, cursor.started_at)
        )

    def _take(self, session: ImapSession, batch: Sequence[Listed], taking: Line) -> None:
        mailbox = self.habits.mailbox
        try:
            raws = session.fetch(mailbox, batch)
        except SESSION_ERRORS as error:
            if len(batch) == 1 and not _is_ours(error):
                # One that ends the session each time it is asked for must not keep the mails behind it for ever.
                ref = MailRef(mailbox, session.uidvalidity, batch[0].uid)
                self._withhold(ref, error, BREAKS_OFF if _lost(error) else 1)
                if not _lost(error):
                    return
            if _lost(error):
                raise
            # One mail the server cannot give must not keep the others (imapsync/imapsync#119).
            for one in batch:
                self._take(session, [one], taking)
            return
        for one in batch:
            self._withheld.pop(MailRef(mailbox, session.uidvalidity, one.uid), None)
        self._gone(session, {one.uid for one in batch} - {raw.ref.uid for raw in raws})
        if raws:
            taking.take(raws)

    def _gone(self, session: ImapSession, uids: set[int]) -> None:
        if uids:
            refs = [MailRef(self.habits.mailbox, session.uidvalidity, uid) for uid in uids]
            self.taker.store.ended(refs, Fate.VANISHED, self.taker.clock.now())
            maillog.vanished(self.habits.mailbox, len(uids))

    def _file(self, session: ImapSession, folder: str) -> None:
        """Move handled mail, only now that its end is durable; a failure is tried again and changes nothing else."""
        mailbox = self.habits.mailbox
        uids = self.taker.store.to_file(mailbox, session.uidvalidity)
        if not uids:
            return
        try:
            session.file(uids, folder)
        except SESSION_ERRORS as error:
            maillog.not_filed(mailbox, folder, str(error))
            if _lost(error):
                raise
            return
        self.taker.store.filed([MailRef(mailbox, session.uidvalidity, uid) for uid in uids])


def absent_uids(session: ImapSession, known: set[int], cursor: Cursor) -> list[int]:
    """UIDs on the server that intake has passed and the ledger does not have; there should be none, ever."""
    return [uid for uid in session.uids() if uid not in known and uid <= cursor.last_uid]


def _is_ours(error: BaseException) -> bool:
    """Whether our own disk failed, where a large mail was to be kept, rather than the server or the way to it."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


def _lost(error: BaseException) -> bool:
    """Whether the session is gone, rather than one command refused."""
    return isinstance(error, (OSError, imaplib.IMAP4.abort))
