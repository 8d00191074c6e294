"""Whose mail is this and what kind: a machine's, an officer's, part of a ticket, or a new request?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from loket.core import parse
from loket.core.bounce import Bounce, read_bounce
from loket.core.calendared import Calendared, CalendarOnly, calendared
from loket.core.classify import classify
from loket.core.command import Doubtful, Proven, speaker
from loket.core.known import Known
from loket.core.model import STATUS_RULE, InboundMail, Refusal, Sent, Ticket, Verdict
from loket.core.office import Office
from loket.core.refuse import refusal
from loket.core.same import fingerprint
from loket.core.thread import Mention, Thread, belongs
from loket.core.token import Keys

# Where people keep files they do not attach; a link there counts as the attachment it stands for.
_FILE_STORES = re.compile(
    r"https?://(?:[\w-]+\.)*(?:drive\.google\.com|docs\.google\.com|dropbox\.com|1drv\.ms|onedrive\.live\.com"
    r"|sharepoint\.com|we\.tl|wetransfer\.com|mediafire\.com|mega\.nz|icloud\.com|box\.com|terabox\.com"
    r"|s\.id|bit\.ly/\w+drive)[/?][^\s\"'<>]+",
    re.IGNORECASE,
)
MAX_LINKS = 100


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine's own mail: recorded, never answered, no ticket."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Bounced:
    """A report about a mail that really left here."""

    bounce: Bounce
    sent: Sent


@dataclass(frozen=True, slots=True)
class Returned:
    """A copy of a mail of ours that nobody was sure had left: it did."""

    sent: Sent


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A mail about a ticket there is; `verdict` is what its own subject asks for."""

    thread: Thread
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Resent:
    """The mail that opened a ticket, sent once more to the same mailbox."""

    ticket: Ticket
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Request:
    """A new request, or a question for the status of one.

    `mention` is a ticket it names without being its own, `twin` the ticket that its copy to another mailbox opened.
    """

    verdict: Verdict
    mention: str | None = None
    twin: str | None = None


Understood = Machine | Bounced | Returned | Calendared | CalendarOnly | Proven | Doubtful | FollowUp | Resent | Request


def links(mail: InboundMail) -> int:
    """How many different files in file stores the letter points at."""
    return parse.once(mail, "links", _links)


def _links(mail: InboundMail) -> int:
    text = parse.body_text(mail)
    found = _FILE_STORES.findall(text) if "http" in text else []
    source = parse.html_source(mail)
    return len({*found, *(_FILE_STORES.findall(source) if "http" in source else [])} - {""}) if text or source else 0


def is_own(mail: InboundMail, keys: Keys) -> bool:
    """Whether this is a mail of ours come back: our signature stands in its own Message-ID."""
    return keys.read_ticket(mail.message_id) is not None


def request_verdict(mail: InboundMail, office: Office, *, own: bool = False, thorough: bool = False) -> Verdict:
    """The verdict on a mail taken by itself, as `loket explain` shows it, `thorough` with every rule tried."""
    why = refusal(mail, office.own_addresses, own)
    desk = office.desks[mail.raw.ref.mailbox]
    enclosed = len(mail.attachments) if desk.counts_attachments else 0
    if desk.counts_attachments and not enclosed and not (why is not None and why.machine):
        enclosed = links(mail)
    return classify(mail, desk, refusal=why, enclosed=enclosed, thorough=thorough)


def subject_verdict(mail: InboundMail, office: Office, *, thorough: bool = False) -> Verdict:
    """The verdict on a subject alone: attachments are not judged."""
    return classify(mail, office.desks[mail.raw.ref.mailbox], thorough=thorough)


def understand(mail: InboundMail, office: Office, keys: Keys, known: Known, now: datetime) -> Understood:
    """Machine mail first, since a bounce must be seen as one before anything is believed of it; then officers."""
    verdict = request_verdict(mail, office, own=is_own(mail, keys))
    calendar = calendared(mail, office, known, verdict.refusal)
    if calendar is not None:
        return calendar
    if verdict.refusal is not None and verdict.refusal.machine:
        return _machine(mail, verdict.refusal, known)
    speaking = speaker(mail, office, keys, now)
    if speaking is not None:
        return speaking
    thread = belongs(mail, known.tickets, keys)
    if isinstance(thread, Thread) and verdict.rule != STATUS_RULE:
        return FollowUp(thread, verdict)
    if verdict.rule != STATUS_RULE:
        for ticket in known.same(fingerprint(mail)):
            if ticket.mailbox == mail.raw.ref.mailbox:
                return Resent(ticket, verdict)
            return Request(verdict, twin=ticket.number)
    return Request(verdict, thread.number if isinstance(thread, Mention) else None)


def _machine(mail: InboundMail, refusal: Refusal, known: Known) -> Machine | Bounced | Returned:
    """A report is believed only about a mail the outbox knows, and to the recipient it went to."""
    if refusal is Refusal.DSN:
        bounce = read_bounce(mail)
        for message_id in bounce.message_ids if bounce else ():
            sent = known.sent.get(message_id)
            if bounce and sent and bounce.recipient in ("", sent.recipient):
                return Bounced(bounce, sent)
    if refusal is Refusal.OWN_MAIL and mail.message_id in known.sent:
        return Returned(known.sent[mail.message_id])
    return Machine(refusal)
