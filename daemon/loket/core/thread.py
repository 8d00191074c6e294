"""Which ticket does a mail belong to? Only a reference we signed, or the number in the hands of its own applicant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loket.core import token
from loket.core.model import InboundMail, Ticket
from loket.core.token import Keys


@dataclass(frozen=True, slots=True)
class Thread:
    """The ticket a mail belongs to; `own` when its author is that ticket's applicant, else a stranger's note."""

    ticket: Ticket
    own: bool


@dataclass(frozen=True, slots=True)
class Mention:
    """A ticket named by number by somebody whose it is not: a hint for the officer, nothing more."""

    number: str


def references(mail: InboundMail) -> tuple[str, ...]:
    """The msg-ids that say what a mail answers, nearest first."""
    return (*mail.in_reply_to, *reversed(mail.references))


def belongs(mail: InboundMail, tickets: Mapping[str, Ticket], keys: Keys) -> Thread | Mention | None:
    """The thread of a mail; the subject's number counts only for the ticket's own applicant."""
    author = mail.author.spec if mail.author else ""
    for reference in references(mail):
        number = keys.read_ticket(reference)
        if number is not None and number in tickets:
            return Thread(tickets[number], own=tickets[number].applicant == author)
    for match in token.NUMBER.finditer(mail.subject):
        number = match[0].upper()
        if token.is_number(number) and number in tickets:
            mine = tickets[number].applicant == author
            return Thread(tickets[number], own=True) if mine else Mention(number)
    return None
