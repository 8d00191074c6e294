"""Copies of what was sent, filed in the account's Sent folder where the provider files none; each once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from loket import maillog
from loket.bounds import Bounds
from loket.core import retry
from loket.core.headers import clean_text
from loket.core.model import Outbound
from loket.files import FolderFiles
from loket.imap import SESSION_ERRORS, Door, Refused
from loket.ports import Clock, Copies
from loket.sentfolder import SentFolder

MOST = 50
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
# What could not be filed by then never will be: the outbox has the mail in any case.
EXPIRY = timedelta(days=5)


@dataclass(slots=True)
class SentCopies:
    """Files one mailbox's copies, in a session of its own: neither sending nor intake waits for it."""

    mailbox: str
    store: Copies
    door: Callable[[], Door]
    bounds: Bounds
    files: FolderFiles
    render: Callable[[Outbound], bytes]
    clock: Clock
    stopping: bool = False
    _failures: int = 0
    _rest_until: float = field(default=0.0)

    def tick(self) -> None:
        """File what waits; trouble with the server is logged, and waited out with growing patience."""
        if time.monotonic() < self._rest_until:
            return
        self.store.forget(self.mailbox, self.clock.now() - EXPIRY)
        if not self.store.wanted(self.mailbox, 1):
            return
        try:
            with SentFolder(self.door(), self.bounds, self.files) as folder:
                self._file(folder)
        except (Refused, *SESSION_ERRORS) as error:
            self._failures += 1
            wait = retry.wait(self._failures, 0, FIRST_WAIT, LONGEST_WAIT).total_seconds()
            self._rest_until = time.monotonic() + wait
            maillog.not_copied(self.mailbox, clean_text(str(error), 300), wait)
            return
        self._failures = 0

    def _file(self, folder: SentFolder) -> None:
        wanted = self.store.wanted(self.mailbox, MOST)
        begun = [one for one in wanted if one.from_uid is not None]
        # Of those whose APPEND may have happened, the folder itself tells; made anew, it has to be looked at whole.
        known = [one.from_uid or 1 if one.uidvalidity == folder.uidvalidity else 1 for one in begun]
        there = folder.message_ids(min(known)) if known else set()
        for one in wanted:
            if self.stopping:
                return
            if one.from_uid is None or one.message_id not in there:
                self.store.begin_copy(one.number, folder.uidvalidity, folder.uidnext)
                folder.file_copy(self.render(self.store.mail(one.number)), one.sent_at)
            self.store.copied(one.number)
