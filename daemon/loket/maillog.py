"""One function per event of a mail's life, so that a log reads like the post book of an office."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO, cast

import structlog

from loket.core.model import Ending, MailRef, Outbound, Receipt

_log = structlog.get_logger("loket")


# Made once: an encoder a line costs as much as the line.
_encoder = json.JSONEncoder(ensure_ascii=False, default=str)


def _as_json(event: object, **_: object) -> str:
    return _encoder.encode(event)


class _Patient:
    """A stream of log lines that takes no mailbox along when it fails: its disk may be full, or its reader gone.

    There is nowhere left to say so; `loket status` tells of a full disk, and the lines go on when there is room.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        """As much as can be written."""
        with contextlib.suppress(OSError):
            return self._out.write(text)
        return 0

    def flush(self) -> None:
        """Likewise."""
        with contextlib.suppress(OSError):
            self._out.flush()


def set_up(*, as_json: bool, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send log lines to standard error or a stream: JSON for machines, aligned words for people."""
    out = stream or sys.stderr
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(_as_json) if as_json else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        # A line in one write: two threads may log their first at once, before they share a lock.
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Patient(out))),
        cache_logger_on_first_use=False,
    )


def started(mailboxes: int, rules: str) -> None:
    """The daemon runs."""
    _log.info("started", mailboxes=mailboxes, rules=rules)


def stopping(signal: str) -> None:
    """Asked to stop."""
    _log.info("stopping", signal=signal)


def connected(mailbox: str, folder: str, uidvalidity: int, *, idle: bool) -> None:
    """An IMAP session is open."""
    _log.info("connected", mailbox=mailbox, folder=folder, uidvalidity=uidvalidity, idle=idle)


def unreachable(mailbox: str, error: str, seconds: float) -> None:
    """A mailbox cannot be worked for now; it is tried again."""
    _log.warning("mailbox-unreachable", mailbox=mailbox, error=error, again_in=round(seconds, 1))


def history_left(mailbox: str, count: int) -> None:
    """Mail older than the first start was left alone (promise P5)."""
    _log.info("history-left-alone", mailbox=mailbox, mails=count)


def renumbered(mailbox: str, before: int, now: int) -> None:
    """The server changed UIDVALIDITY: mails are recognised by their bytes from here."""
    _log.warning("uidvalidity-changed", mailbox=mailbox, before=before, now=now)


def no_clerk(error: str) -> None:
    """No second process for backlogs: they take longer."""
    _log.warning("no-clerk", error=error)


def unread(first: MailRef, mails: int, why: str) -> None:
    """The process that helps with backlogs could not say what comes of a batch; it is thought through here."""
    _log.warning("clerk-unread", first=str(first), mails=mails, why=why)


def taken_in(end: Ending) -> None:
    """A mail has its end, durably."""
    _log.info(
        "taken-in",
        mail=str(end.ref),
        fate=end.fate.value if end.fate else None,
        ticket=end.ticket,
        queue=end.queue,
        replies=end.replies,
    )


def raised(ref: MailRef, error: str, tried: int) -> None:
    """A mail made the program fail; it stays pending, the mails behind it go on."""
    _log.error("mail-raised", mail=str(ref), error=error, tried=tried)


def odd(ref: MailRef, why: str) -> None:
    """A mail is built so oddly that it is read in a process of its own first."""
    _log.warning("mail-odd", mail=str(ref), why=why)


def verified(mailbox: str, known: int, absent: int) -> None:
    """Every UID on the server was counted against the ledger."""
    (_log.error if absent else _log.info)("ledger-verified", mailbox=mailbox, known=known, absent=absent)


def vanished(mailbox: str, count: int) -> None:
    """Mails were expunged before they could be read."""
    _log.warning("vanished", mailbox=mailbox, mails=count)


def unreadable(ref: MailRef, error: str) -> None:
    """The server would not give one mail; it is asked again at the next poll."""
    _log.warning("mail-unreadable", mail=str(ref), error=error)


def not_filed(mailbox: str, folder: str, error: str) -> None:
    """Handled mail could not be moved on the server; it is tried again and changes nothing else."""
    _log.warning("not-filed", mailbox=mailbox, folder=folder, error=error)


def store_unavailable(error: str) -> None:
    """The database cannot be written; nothing is flagged or reported as done meanwhile."""
    _log.error("store-unavailable", error=error)


def submitted(mail: Outbound, receipt: Receipt, attempt: int) -> None:
    """A submission attempt has its verdict."""
    _log.info(
        "submitted",
        kind=mail.kind.value,
        ticket=mail.ticket,
        recipient=mail.recipient,
        message_id=mail.message_id,
        verdict=receipt.kind.value,
        code=receipt.code,
        reply=receipt.text[:200],
        attempt=attempt,
    )


def not_archived(mail: Outbound, code: int, said: str) -> None:
    """The copy to our own address was refused; the letter itself goes on."""
    _log.warning("not-archived", message_id=mail.message_id, code=code, reply=said)


def not_copied(mailbox: str, why: str, seconds: float) -> None:
    """Copies for the Sent folder could not be filed; tried again after so long. The mails themselves have left."""
    _log.warning("not-copied", mailbox=mailbox, why=why, again_in=round(seconds))


def over_quota(mailbox: str, said: str, until: datetime) -> None:
    """Mail waits, since its account may send no more for now."""
    _log.warning("over-quota", mailbox=mailbox, reply=said, until=until.isoformat())


def in_doubt(count: int) -> None:
    """Mails whose handing over was cut off by the last stop; a person decides."""
    _log.error("in-doubt-after-restart", mails=count)


def timer_failed(what: str, error: str) -> None:
    """A timer raised; its occurrence is still due."""
    _log.error("timer-failed", what=what, error=error)


def clock_set(seconds: float) -> None:
    """The machine's clock was set, or the machine slept; what is due is looked at anew."""
    _log.warning("clock-set", seconds=round(seconds))


def configured(rules: str, restart: bool) -> None:
    """An edit of the configuration is taken."""
    _log.info("configured", rules=rules, restart=restart)


def configuration_refused(problems: Sequence[str]) -> None:
    """An edit of the configuration is not taken; the old one goes on."""
    _log.error("configuration-refused", problems=list(problems))


def waited(ticket: str, kind: str) -> None:
    """A ticket waited for its applicant long enough to be reminded, or closed."""
    _log.info("waited", ticket=ticket, what=kind)


def lapsed(officer: str, letters: int) -> None:
    """A confirmation code was not answered in time; its letters have not left."""
    _log.warning("code lapsed", officer=officer, letters=letters)


def due_moved(tickets: int) -> None:
    """Hours or days off have changed; so many open tickets are due at another time."""
    _log.info("due-moved", tickets=tickets)


def escalated(mailbox: str, tickets: int, mails: int) -> None:
    """Items near their due time or have passed it; so many mails to officers and supervisors."""
    _log.info("escalated", mailbox=mailbox, tickets=tickets, mails=mails)


def reported(reader: str, week: str) -> None:
    """The figures of a week were written to whoever reads them."""
    _log.info("reported", reader=reader, week=week)


def days_off_unsettled(what: str) -> None:
    """A year's joint leave is not known yet, or some of its dates are estimates; the admin is told."""
    _log.warning("days-off-unsettled", what=what)


def digests_missed(officer: str, mailbox: str, dues: list[str]) -> None:
    """Digests that were due while nothing ran; the one that is written now stands for them."""
    _log.warning("digests-missed", officer=officer, mailbox=mailbox, due=dues)


def digest_due(officer: str, mailbox: str, items: int) -> None:
    """A digest was written, or there was nothing to say."""
    _log.info("digest", officer=officer, mailbox=mailbox, items=items)


def refreshed(mailbox: str, seconds: float, *, rotated: bool) -> None:
    """A mailbox has another access token, good for so many seconds, and perhaps another refresh token."""
    _log.info("token-refreshed", mailbox=mailbox, seconds=round(seconds), rotated=rotated)


def login_lost(mailbox: str, why: str) -> None:
    """The authorization server gives no more tokens: somebody must log in again."""
    _log.error("login-lost", mailbox=mailbox, why=why)
