"""Letters that wait for their officer's word: one mail says what would leave and tells a code, `YA code` lets it go.

A letter whose proof is a code is written to the last byte and kept back (`Held`, reason `unconfirmed`). The mail with
the code waits a short while; each further letter takes the place of a mail that has not left, so that a session needs
one code. A code lets go exactly the letters its mail lists: what was kept back later has another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from loket.core import codes, context, token, tongue
from loket.core.codes import Codes
from loket.core.command import Proven, Speech, listen
from loket.core.headers import clean_text
from loket.core.known import Known
from loket.core.mail import Post
from loket.core.model import (
    Code,
    CodeState,
    Event,
    Held,
    HeldState,
    InboundMail,
    Kind,
    Leaf,
    MailRef,
    Move,
    Outbound,
    Pending,
    Phase,
    Plan,
    Quarantined,
    Scan,
)
from loket.core.office import Officer
from loket.core.proof import UNCONFIRMED

WORDS = ("YA", "YES")


def asked(mail: InboundMail) -> Speech | None:
    """The confirmation in an officer's mail; None where its first line is another command."""
    speech = listen(mail)
    return speech if speech.command in WORDS else None


def with_code(plan: Plan, mail: InboundMail, proven: Proven, post: Post, known: Known) -> Plan:
    """The plan of an officer's commands, with the mail that asks for a word on the letters it keeps back."""
    new = [one for one in plan.held if one.reason == UNCONFIRMED and one.state is HeldState.HELD]
    if not new:
        return plan
    officer = proven.officer
    settled = {one.key for one in plan.held}
    before = [one for one in _waiting(known, officer.address) if one.key not in settled]
    # An officer who answers a ticket once more means the later answer.
    replaced = [one for one in before if one.ticket in {held.ticket for held in new}]
    listed = {letter.key: letter for code in known.codes.of(officer.address) for letter in code.letters}
    letters = [
        *(listed[one.key] for one in before if one not in replaced and one.key in listed),
        *(_pending(one, plan.outbox, mail, post, known) for one in new),
    ]
    code, told = _told(letters, mail, officer, post)
    unsent = [one.id for one in known.codes.of(officer.address) if one.id in known.codes.unsent]
    event = Event(
        post.now,
        "code-written",
        None,
        officer.address,
        str(mail.raw.ref),
        post.office.rules_hash,
        {"letters": [letter.key for letter in letters], "until": code.until.isoformat()},
    )
    return replace(
        plan,
        events=(*plan.events, event),
        outbox=(*plan.outbox, told),
        held=(*plan.held, *(replace(one, state=HeldState.DROPPED) for one in replaced)),
        moves=(*plan.moves, *(Move(key, Phase.CANCELLED) for key in (*unsent, *(one.key for one in replaced)))),
        codes=(code,),
    )


def _waiting(known: Known, officer: str) -> list[Held]:
    """The letters of an officer that wait for a code, the oldest first."""
    every = (one for there in known.held.values() for one in there)
    mine = [one for one in every if one.officer == officer and one.reason == UNCONFIRMED]
    return sorted(mine, key=lambda one: (one.at, one.key))


def _pending(held: Held, outbox: Iterable[Outbound], mail: InboundMail, post: Post, known: Known) -> Pending:
    """What the officer is shown of a letter: a new one, or one that was kept back for another reason until now."""
    ticket = known.tickets[held.ticket]
    recipient = next((one.recipient for one in outbox if one.key == held.key), ticket.applicant)
    found = ((*facts, mail.evidence.scans.get(facts[2], Scan("other"))) for facts in held.files)
    files = tuple(Leaf(name, size, sha256, seen.pages, seen.active) for name, size, sha256, seen in found)
    queue = post.office.queues.get(ticket.queue)
    outcome = queue.outcomes.get(held.outcome) if queue else None
    title = (outcome.title if outcome else "") or held.outcome
    return Pending(held.key, held.ticket, clean_text(ticket.about), title, recipient, files)


def _told(letters: Sequence[Pending], mail: InboundMail, officer: Officer, post: Post) -> tuple[Code, Outbound]:
    """The code, and the mail to the registered address that tells it."""
    key, confirm = f"code:{mail.raw.ref}", post.office.confirm
    word = codes.make(post.keys, str(mail.raw.ref), letters)
    until = post.now + confirm.life
    digest = codes.digest(
        post.keys, word, key, officer.address, [(letter.key, codes.kept_of(letter)) for letter in letters]
    )
    reference = post.keys.officer(token.desk(post.office.prefix), officer.address, post.now)
    answer = f"YA {codes.shown(word)}"
    said = {
        **_base(post, officer),
        "letters": shown(letters),
        "total": len(letters),
        "code": codes.shown(word),
        "until": _moment(post, until),
        "link": f"mailto:{quote(post.counter.address, safe='@')}?subject={quote(f'YA [{reference}]', safe='')}"
        f"&body={quote(answer, safe='')}%0D%0A",
    }
    written = post.write(
        Kind.NOTICE,
        key,
        post.office.letters.render("petugas/konfirmasi", said),
        officer.address,
        to_name=officer.name,
        root=reference,
        reply_to=mail.message_id,
        references=mail.references[-10:],
        ticket=letters[0].ticket if len(letters) == 1 else None,
    )
    leaves = post.now + confirm.window if confirm.window else None
    return Code(key, officer.address, digest, tuple(letters), post.now, until), replace(written, not_before=leaves)


def shown(letters: Iterable[Pending]) -> list[dict[str, Any]]:
    """Letters as the templates list them."""
    return [
        {
            "number": letter.ticket,
            "about": letter.about,
            "title": letter.title,
            "recipient": context.masked(letter.recipient),
            "files": [
                {
                    "name": file.name,
                    "size": file.size,
                    "sha256": file.sha256,
                    "pages": file.pages,
                    "active": list(file.active),
                }
                for file in letter.files
            ],
        }
        for letter in letters
    ]


def lapsed(officer: Officer, post: Post, known: Known) -> Plan:
    """No word came in time: what waited is set aside, and its officer told; nothing has left."""
    over = [one for one in known.codes.of(officer.address) if one.until <= post.now]
    alive = {letter.key for one in known.codes.of(officer.address) if one.until > post.now for letter in one.letters}
    gone = tuple(replace(one, state=CodeState.LAPSED) for one in over)
    letters = {letter.key: letter for one in over for letter in one.letters if letter.key not in alive}
    dropped = [one for one in _waiting(known, officer.address) if one.key in letters]
    if not dropped:
        return Plan(codes=gone)
    plan = given_up(officer, dropped, known.codes, post, "code-lapsed", f"lapsed:{over[0].id}")
    return replace(plan, codes=gone)


def given_up(officer: Officer, dropped: Sequence[Held], known: Codes, post: Post, reason: str, key: str) -> Plan:
    """Letters that nobody confirmed go into quarantine with the mails that asked for them."""
    listed = {letter.key: letter for one in known.of(officer.address) for letter in one.letters}
    said = {**_base(post, officer), "reason": reason, "letters": shown(listed[one.key] for one in dropped)}
    letter = post.office.letters.render("petugas/tidak-dikonfirmasi", said)
    events = (
        Event(post.now, reason, one.ticket, officer.address, one.mail, post.office.rules_hash, {"outcome": one.outcome})
        for one in dropped
    )
    aside = {one.mail: Quarantined(f"held: {reason}", f"{one.outcome} {one.ticket}") for one in dropped}
    return Plan(
        events=tuple(events),
        outbox=(post.write(Kind.ALERT, key, letter, officer.address, to_name=officer.name),),
        held=tuple(replace(one, state=HeldState.DROPPED) for one in dropped),
        moves=tuple(Move(one.key, Phase.CANCELLED) for one in dropped),
        set_aside=tuple((MailRef.of(mail), why) for mail, why in aside.items()),
    )


def _base(post: Post, officer: Officer) -> dict[str, Any]:
    return {**context.base(post.office, post.counter, post.now), "officer": context.officer(officer)}


def _moment(post: Post, at: datetime) -> str:
    return tongue.day_and_time(at, post.office.zone, post.office.language)
