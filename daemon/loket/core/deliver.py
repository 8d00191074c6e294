"""An officer answers an applicant: the outcome's letter leaves, is kept back, is sent after all, or called off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from loket.core import context, inspected, proof, story
from loket.core.authres import Standing
from loket.core.command import Speech
from loket.core.enclosed import Scan
from loket.core.entering import entered
from loket.core.errand import Done, Errand, clean_lines, holder, unheld
from loket.core.headers import clean_text
from loket.core.item import state_text
from loket.core.letterbook import own_number
from loket.core.model import Entry, Given, Held, HeldState, Kind, Move, Outbound, Phase, State, Ticket, Undo
from loket.core.orders import Answer
from loket.core.rules import Outcome
from loket.core.term import go_on, worked

# Why an answer is kept back and may be sent anyway, by the word of its author alone.
ANSWERED = "already-answered"
CLAIMED = "claimed"
OVERRULED = (ANSWERED, CLAIMED)
# So many answers of a ticket are remembered with it; its events have them all.
MOST = 50


def answer(errand: Errand, order: Answer) -> Done:
    """The outcome's letter with the scans leaves for the ticket's applicant and nobody else (promise P14).

    What stands in its way without being wrong keeps it back, written to the last byte: here a colleague who was
    first (P16). Whatever else must be settled before an answer leaves is one more reason in the same place.
    """
    lacks = proof.missing(order.outcome, _standing(errand))
    if lacks == proof.NOT_AUTHENTICATED:
        return errand.set_aside(lacks)
    ticket, entries = entered(errand.about, errand.post.office, errand.known, errand.post.now)
    errand = replace(errand, ticket=ticket)
    return _entering(_given(errand, order, lacks), ticket, entries)


def _entering(done: Done, ticket: Ticket, entries: tuple[Entry, ...]) -> Done:
    """What was no letter until an officer took it for one has its number with the answer, or with one kept back."""
    if not entries or not (done.plan.changed or done.plan.held):
        return done
    return replace(done, plan=replace(done.plan, changed=done.plan.changed or (ticket,), entries=entries))


def _given(errand: Errand, order: Answer, lacks: str | None) -> Done:
    ticket = errand.about
    argument, words = _said(errand.speech, order.outcome, registered=bool(ticket.registered))
    reason = collision(errand, ticket)
    wrong = _wrong(errand, order.outcome, argument, words)
    if wrong:
        return errand.refused(reason, **_first(errand, reason)) if reason else errand.refused(wrong)
    scans = errand.scans or ()
    flaw = inspected.flaw(errand.mail, order.outcome, scans)
    if flaw:
        return errand.refused(flaw[0], file=flaw[1])
    if not errand.about.applicant:
        return (
            errand.refused(reason, **_first(errand, reason)) if reason else by_channel(errand, order, argument, words)
        )
    letter = _letter(errand, order, argument, words, scans)
    reason = reason or lacks
    if reason:
        return hold(errand, order.name, letter, argument, scans, reason)
    told = {"words": words, "argument": argument, "flags": inspected.flags(errand.mail, scans)}
    return answered(errand, order, letter, _facts(errand, scans), told, new=scans)


def _facts(errand: Errand, scans: Sequence[Scan]) -> list[dict[str, str]]:
    return [scan.facts(errand.post.office.language) for scan in scans]


def by_channel(errand: Errand, order: Answer, argument: str, words: str) -> Done:
    """Whoever came without an address of mail is answered there; Loket keeps what was said, and nothing leaves."""
    ticket, settled = errand.about, _settled(errand, order, None)
    facts = {"outcome": order.name, "channel": ticket.channel, "argument": argument, "words": words}
    event = replace(errand.event("answered", **facts), worked=_worked(errand))
    said = {
        "outcome": {"title": order.outcome.title or order.name},
        "contact": reached(ticket),
        "state_text": state_text(errand.post.office.language, settled.state),
        "argument": argument,
        "words": words,
    }
    return errand.done("petugas/selesai-luar", event, said, changed=(settled,))


def _settled(errand: Errand, order: Answer, undo: Undo | None) -> Ticket:
    """The ticket once it is answered."""
    ticket, now, outcome = errand.about, errand.post.now, order.outcome
    state = State.CLOSED if outcome.closes else State.WAITING if outcome.then == "waiting" else State.OPEN
    return replace(
        unheld(ticket),
        state=state,
        outcome=order.name,
        answered_by=errand.officer.address,
        answered_at=now,
        updated_at=now,
        closed_at=now if state is State.CLOSED else None,
        missing=(),
        term=go_on(ticket.term, now),
        given=(*ticket.given, Given(now, order.name, errand.officer.address, undo.key if undo else errand.key))[-MOST:],
        undo=undo,
    )


def reached(ticket: Ticket) -> str:
    """How a person reaches an applicant who came by another channel: `0812 …, WhatsApp`."""
    return ", ".join(part for part in (ticket.applicant_name, ticket.contact, ticket.channel) if part)


def _standing(errand: Errand) -> Standing:
    """What is known of the mail's author, at the counter that the mail came to."""
    counter = errand.post.office.counters[errand.mail.raw.ref.mailbox]
    return proof.standing(errand.mail, errand.officer.address.rpartition("@")[2], counter.trust)


def _wrong(errand: Errand, outcome: Outcome, argument: str, words: str) -> str | None:
    """Why an answer cannot leave, whoever gives it."""
    if errand.scans is None:
        return "whose-scan"
    scans = errand.scans
    size = sum(scan.new.file.size for scan in scans) * 4 // 3
    for wrong, reason in (
        # Of a file that is there and empty `flaw` tells.
        (
            outcome.attachments == "required" and not scans and inspected.empty(errand.mail) is None,
            "attachment-required",
        ),
        (outcome.attachments == "none" and bool(scans), "attachment-forbidden"),
        (outcome.words == "required" and not words, "words-required"),
        (outcome.argument is not None and not argument and not errand.about.registered, "argument-required"),
        (size > inspected.limit(errand.mail, errand.post.counter.max_size) * 95 // 100, "too-large"),
        (not errand.about.applicant and not errand.about.channel, "no-applicant"),
    ):
        if wrong:
            return reason
    return None


def collision(errand: Errand, ticket: Ticket) -> str | None:
    """Why this answer would be a second one, or step on a colleague's (promise P16)."""
    mine = ticket.answered_by == errand.officer.address
    if ticket.state is State.CLOSED or (ticket.answered_at is not None and not mine):
        return ANSWERED
    return CLAIMED if holder(errand, ticket) not in (None, errand.officer.address) else None


def _letter(errand: Errand, order: Answer, argument: str, words: str, scans: Sequence[Scan]) -> Outbound:
    post, ticket = errand.post, errand.about
    spoken = post.speaking(ticket.language)
    theirs = spoken.office.queues[ticket.queue].outcomes[order.name]
    said = {
        **context.ticket(
            spoken.office, spoken.counter, ticket, post.now, history=story.told(spoken, errand.known, ticket)
        ),
        "words": words,
        "argument": argument,
        "files": [scan.enclosure.name for scan in scans],
        "outcome": {"title": theirs.title or order.name},
    }
    return spoken.write(
        Kind.DELIVERY,
        f"delivery:{errand.key}",
        spoken.office.letters.render(order.outcome.template, said),
        ticket.applicant,
        to_name=ticket.applicant_name,
        root=post.keys.ticket(ticket.number),
        reply_to=ticket.last_message_id,
        ticket=ticket.number,
        enclosures=[scan.enclosure for scan in scans],
    )


def hold(errand: Errand, outcome: str, letter: Outbound, argument: str, scans: Sequence[Scan], reason: str) -> Done:
    """The answer is kept back with its scans, and its author told why and what to do."""
    ticket, now = errand.about, errand.post.now
    kept = Held(
        key=letter.key,
        mail=str(errand.mail.raw.ref),
        ticket=ticket.number,
        officer=errand.officer.address,
        outcome=outcome,
        reason=reason,
        at=now,
        argument=argument,
        files=tuple((facts["name"], facts["size"], facts["sha256"]) for facts in _facts(errand, scans)),
        recipient=letter.recipient,
    )
    done = errand.refused(reason, kept=True, **_first(errand, reason))
    plan = replace(
        done.plan,
        outbox=(replace(letter, held=True),),
        held=(kept,),
        files=tuple(scan.new for scan in scans),
    )
    return replace(done, plan=plan)


def _first(errand: Errand, reason: str) -> dict[str, str]:
    """Who was first, and when; or who has the ticket, and until when."""
    ticket = errand.about
    if reason == ANSWERED:
        at = errand.moment(ticket.answered_at or ticket.closed_at)
        return {"by": errand.name_of(ticket.answered_by), "at": at}
    return {"by": errand.name_of(holder(errand, ticket)), "at": errand.moment(ticket.claimed_until)}


def answered(
    errand: Errand,
    order: Answer,
    letter: Outbound | Held,
    files: Sequence[dict[str, str]],
    told: dict[str, Any],
    new: Sequence[Scan] = (),
) -> Done:
    """The ticket after its answer; the letter is a new one, or one that was kept back."""
    ticket, post, outcome = errand.about, errand.post, order.outcome
    leaves = post.now + outcome.undo if outcome.undo else None
    settled = _settled(errand, order, before(errand, letter.key))
    said = {
        "outcome": {"title": outcome.title or order.name},
        "recipient": context.masked(ticket.applicant),
        "files": files,
        "state_text": state_text(post.office.language, settled.state),
        "leaves": errand.moment(leaves),
        **told,
    }
    facts = {"outcome": order.name, "recipient": ticket.applicant, "files": files, "argument": told["argument"]}
    event = replace(errand.event("answered", **facts), worked=_worked(errand))
    changes: dict[str, Any] = {"changed": (settled,)}
    if isinstance(letter, Held):
        changes["held"] = (replace(letter, state=HeldState.SENT),)
        changes["moves"] = (Move(letter.key, Phase.DUE, leaves),)
    else:
        changes["outbox"] = (replace(letter, not_before=leaves),)
        changes["files"] = tuple(scan.new for scan in new)
    return errand.done("petugas/selesai", event, said, **changes)


def _worked(errand: Errand) -> int:
    """The seconds of working time that the answer took the office."""
    ticket, now, calendar = errand.about, errand.post.now, errand.post.counter.calendar
    taken = worked(ticket.term, calendar, now) if ticket.term else calendar.open_between(ticket.created_at, now)
    return int(taken.total_seconds())


def before(errand: Errand, key: str) -> Undo:
    """What BATAL goes back to; an earlier answer that has not left either can still be called off."""
    ticket, unsent = errand.about, errand.known.unsent.get(errand.about.number, [])
    return Undo(
        key=key,
        state=ticket.state,
        outcome=ticket.outcome,
        answered_by=ticket.answered_by,
        answered_at=ticket.answered_at,
        closed_at=ticket.closed_at,
        due_at=ticket.due_at,
        missing=ticket.missing,
        term=ticket.term,
        by=errand.officer.address,
        earlier=chained([one for one in chain(ticket.undo) if one.key in unsent]),
    )


def chain(undo: Undo | None) -> list[Undo]:
    """The answers that could be called off, the latest first."""
    return [] if undo is None else [undo, *chain(undo.earlier)]


def chained(undos: Sequence[Undo]) -> Undo | None:
    """The same, as a ticket holds them."""
    return replace(undos[0], earlier=chained(undos[1:])) if undos else None


def _said(speech: Speech, outcome: Outcome, *, registered: bool = False) -> tuple[str, str]:
    """The outcome's argument, where it takes one, and the officer's words; cleaned line by line.

    A letter in the register has its number: one that is written all the same is that of another register.
    """
    if outcome.argument is not None and registered:
        number, rest = own_number(speech.argument)
        return clean_text(number, 100), clean_lines("\n".join(text for text in (rest, speech.words) if text))
    if outcome.argument is not None:
        argument, rest = (speech.argument, speech.words) if speech.argument else _first_line(speech.words)
        return clean_text(argument, 100), clean_lines(rest)
    return "", clean_lines("\n".join(text for text in (speech.argument, speech.words) if text))


def _first_line(text: str) -> tuple[str, str]:
    first, _, rest = text.partition("\n")
    return first.strip(), rest.strip()
