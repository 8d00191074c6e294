"""One thread a mailbox: connect, poll, wait for news, and come back after trouble with growing patience."""

from __future__ import annotations

import imaplib
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from loket import maillog
from loket.bounds import Bounds
from loket.core import patience, retry
from loket.core.headers import clean_text
from loket.files import FolderFiles
from loket.imap import SESSION_ERRORS, Door, ImapSession, LoggedOut, Refused
from loket.intake import MailboxIntake
from loket.places import Places
from loket.wake import Wake

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=5)
STORE_WAIT = timedelta(seconds=10)
VERIFY_SECONDS = 24 * 3600
MOST_NARROWED = 5
# A mailbox that gave up its place for another asks for one again after so long.
TURN_SECONDS = 10.0


@dataclass(slots=True)
class Watcher:
    """Owns one mailbox's session; `poke` asks for a poll now, `stop` for an end."""

    intake: MailboxIntake
    door: Callable[[], Door]
    bounds: Bounds
    files: FolderFiles
    idle_renewal: float
    unavailable: Callable[[BaseException], bool]
    # Told when there is no token to log in with: which login is over, and why.
    logged_out: Callable[[str, str], None] = lambda _which, _why: None
    places: Places = field(default_factory=Places)
    _wake: Wake = field(default_factory=Wake)
    # Ends the wait after trouble.
    _patience: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _verified: float | None = None
    # How often in a row a session ended in trouble.
    _failures: int = 0
    # How often the server broke off lately in the middle of its answers.
    _broke_off: int = 0

    @property
    def mailbox(self) -> str:
        """The mailbox's address."""
        return self.intake.habits.mailbox

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name=f"imap {self.mailbox}", daemon=True)
        self._thread.start()

    def poke(self) -> None:
        """Poll now; APScheduler's part of the wait."""
        self._wake.set()

    def stop(self) -> None:
        """End after the batch in hand; `join` waits for it."""
        self._stopping.set()
        self._patience.set()
        self._wake.set()

    def again(self) -> None:
        """Somebody has logged in anew: whoever waits after trouble waits no longer."""
        self._patience.set()

    def join(self, seconds: float) -> None:
        """Wait for the thread's end."""
        if self._thread is not None:
            self._thread.join(seconds)

    def once(self) -> str | None:
        """Connect, poll, let go; returns what went wrong, or None."""
        try:
            with self._session() as session:
                self.intake.poll(session)
        except (Refused, *SESSION_ERRORS) as error:
            self._failed(error)
            return str(error)
        return None

    def _session(self) -> ImapSession:
        session = ImapSession(self.door(), self.bounds.narrowed(self._broke_off), self.files)
        maillog.connected(self.mailbox, self.door().folder, session.uidvalidity, idle=session.idles)
        return session

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                with self.places.one(self._stopping):
                    gave_way = self._work()
                if gave_way:
                    self._stopping.wait(TURN_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it is, this mailbox comes back and the others go on
                long = time.monotonic() - began > LONGEST_WAIT.total_seconds()
                self._failures = 1 if long else self._failures + 1
                self._failed(error)
                # Our own store is back when there is room again; a server is left in peace.
                longest = STORE_WAIT if self.unavailable(error) else LONGEST_WAIT
                wait = retry.wait(self._failures, random.random(), FIRST_WAIT, longest)  # noqa: S311 - jitter
                seconds = max(wait, patience.asked(str(error)) or wait).total_seconds()
                maillog.unreachable(self.mailbox, f"{type(error).__name__}: {error}", seconds)
                if not self._stopping.is_set():
                    self._patience.wait(seconds)
                    self._patience.clear()

    def _work(self) -> bool:
        """Poll in one session, at least once, until another mailbox waits for its place; True where one did."""
        if self._stopping.is_set():
            return False
        with self._session() as session:
            while not self._stopping.is_set():
                self._poll(session)
                self._failures = 0
                if self._stopping.is_set():
                    return False
                self._verify_daily(session)
                if self.places.wanted:
                    return True
                session.wait(self._wake, self.idle_renewal)
        return False

    def _poll(self, session: ImapSession) -> None:
        try:
            self.intake.poll(session, self._stopping.is_set)
        except (OSError, imaplib.IMAP4.abort):
            self._broke_off = min(self._broke_off + 1, MOST_NARROWED)
            raise
        self._broke_off = max(0, self._broke_off - 1)

    def _verify_daily(self, session: ImapSession) -> None:
        if self._verified is None or time.monotonic() - self._verified > VERIFY_SECONDS:
            self.intake.verify(session)
            self._verified = time.monotonic()

    def _failed(self, error: BaseException) -> None:
        """Say in the store why the mailbox cannot be worked, where the store itself can be written."""
        try:
            self.intake.taker.store.troubled(self.mailbox, self.intake.taker.clock.now(), clean_text(str(error), 500))
            if isinstance(error, LoggedOut):
                self.logged_out(error.which, str(error))
        except Exception as trouble:  # noqa: BLE001 - what cannot be said must not end the thread that comes back
            maillog.store_unavailable(str(trouble))
