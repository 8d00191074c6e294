"""Decide on one mail: the whole plan, every change and every outgoing mail, before anything happens."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from loket.core import answer, confirm, proof, slots, turnwish, yes
from loket.core.authres import Standing
from loket.core.calendared import Calendared, CalendarOnly, decide_calendared, only_noted
from loket.core.case import Case
from loket.core.command import Doubt, Doubtful, Proven
from loket.core.follow import again, differs, join
from loket.core.headers import clean_text
from loket.core.known import Known
from loket.core.lineup import lined
from loket.core.model import (
    STATUS_RULE,
    Fate,
    InboundMail,
    Plan,
)
from loket.core.office import Office
from loket.core.question import status
from loket.core.report import bounced, returned
from loket.core.request import open_ticket
from loket.core.settled import settled
from loket.core.token import Keys
from loket.core.understand import Bounced, FollowUp, Machine, Request, Resent, Returned, Understood


def decide(mail: InboundMail, understood: Understood, office: Office, keys: Keys, known: Known, now: datetime) -> Plan:
    """The plan for one mail, with what it means for whoever stands in line; nothing has happened yet."""
    case = Case(mail, office, keys, known, now)
    return lined(_decided(case, understood), case.post, known, str(mail.raw.ref))


def _decided(case: Case, understood: Understood) -> Plan:
    mail, known = case.mail, case.known
    match understood:
        case Machine(refusal):
            event = case.event("machine-mail", None, refusal=refusal.value, subject=clean_text(mail.subject))
            return Plan(mail.raw.ref, Fate.MACHINE, events=(event,))
        case Bounced(bounce, sent):
            return bounced(case, bounce, sent)
        case Returned(sent):
            return returned(case, sent)
        case Calendared():
            return decide_calendared(case, understood)
        case CalendarOnly():
            return only_noted(case, understood)
        case Proven():
            plan = _officer(case, understood)
            return settled(plan, case.post, known, str(mail.raw.ref), actor=case.author, mail=mail)
        case Doubtful():
            return answer.decide_doubt(mail, understood, case.post)
        case FollowUp():
            return _follow_up(case, understood)
        case Resent(ticket, verdict):
            return slots.resent(case, again(case, ticket, verdict))
        case Request():
            return _request(case, understood)
        case _:
            assert_never(understood)


def _follow_up(case: Case, found: FollowUp) -> Plan:
    """Something new after all, a word about the ticket's appointment, or a mail of the ticket's."""
    thread, verdict = found.thread, found.verdict
    if thread.own and differs(verdict, thread.ticket):
        return slots.begin(case, open_ticket(case, verdict, linked=(thread.ticket.number,)))
    about = slots.follow(case, thread.ticket) if thread.own and verdict.refusal is None else None
    if about is None and thread.own:
        about = turnwish.follow(case, thread.ticket, verdict)
    return about or slots.completed(case, join(case, thread.ticket, verdict, own=thread.own))


def _request(case: Case, found: Request) -> Plan:
    """The status of a ticket, another time for an appointment there is, or a new ticket."""
    verdict = found.verdict
    if verdict.rule == STATUS_RULE:
        return status(case, verdict)
    links = [one for one in (found.mention, found.twin) if one]
    standing = slots.standing(case, verdict) if not links else None
    about = slots.follow(case, standing, new=True) if standing is not None else None
    return about or slots.begin(case, open_ticket(case, verdict, linked=links, answered=found.twin is not None))


def _officer(case: Case, proven: Proven) -> Plan:
    """A proven officer's mail: a word on letters that wait for one, or commands; a forged one is neither."""
    mail, post, known = case.mail, case.post, case.known
    domain = proven.officer.address.rpartition("@")[2]
    if proof.standing(mail, domain, post.counter.trust) is Standing.FAIL:
        return answer.decide_doubt(mail, Doubtful(proven.officer, Doubt.FORGED), post)
    word = confirm.asked(mail)
    if word is not None and yes.meant(word, proven, known):
        return yes.decide_yes(mail, proven, word, post, known)
    return confirm.with_code(answer.decide_answer(mail, proven, post, known), mail, proven, post, known)
