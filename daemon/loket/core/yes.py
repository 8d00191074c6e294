"""`YA code`: an officer confirms, and exactly the letters that the code's mail listed leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from loket.core import answer, codes, confirm, context, deliver
from loket.core.command import Doubt, Doubtful, Proven, Speech
from loket.core.errand import Errand, may_work
from loket.core.known import Known
from loket.core.mail import Post
from loket.core.model import (
    Code,
    CodeState,
    Event,
    Fate,
    Held,
    HeldState,
    InboundMail,
    Kind,
    Move,
    Pending,
    Phase,
    Plan,
    State,
)
from loket.core.orders import Answer
from loket.core.proof import UNCONFIRMED


@dataclass(slots=True)
class _Sum:
    """What the letters of one code come to together."""

    plans: list[Plan] = field(default_factory=list)
    sent: list[Pending] = field(default_factory=list)
    kept: list[tuple[Pending, str]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


def meant(speech: Speech, proven: Proven, known: Known) -> bool:
    """Whether a `YA` is about letters at all: somebody waits for one, or a code stands behind it."""
    return bool(known.codes.of(proven.officer.address)) or len(_code(speech)) == codes.LENGTH


def _code(speech: Speech) -> str:
    return codes.typed(speech.argument or speech.words.partition("\n")[0])


def decide_yes(mail: InboundMail, proven: Proven, speech: Speech, post: Post, known: Known) -> Plan:
    """What a mail that says `YA` comes to: letters that leave, or a mail set aside."""
    said = _code(speech)
    mine = known.codes.of(proven.officer.address)
    if len(said) != codes.LENGTH or not mine:
        return _doubted(mail, proven, post, Doubt.NO_CODE)
    found = codes.matching(post.keys, known.codes, proven.officer.address, said)
    if found is None:
        return _wrong(mail, proven, post, known)
    if found.until <= post.now:
        return _doubted(mail, proven, post, Doubt.STALE_CODE)
    return _right(mail, proven, speech, post, known, found)


def _doubted(mail: InboundMail, proven: Proven, post: Post, why: Doubt) -> Plan:
    return answer.decide_doubt(mail, Doubtful(proven.officer, why), post)


def _wrong(mail: InboundMail, proven: Proven, post: Post, known: Known) -> Plan:
    """Every open code has had one try more; those that have had all are good for nothing, and so are their letters."""
    officer, tries = proven.officer, post.office.confirm.tries
    after = [
        replace(one, wrong=one.wrong + 1, state=CodeState.SPENT if one.wrong + 1 >= tries else CodeState.OPEN)
        for one in known.codes.of(officer.address)
    ]
    plan = replace(_doubted(mail, proven, post, Doubt.WRONG_CODE), codes=tuple(after))
    alive = {letter.key for one in after if one.state is CodeState.OPEN for letter in one.letters}
    spent = {letter.key for one in after if one.state is CodeState.SPENT for letter in one.letters} - alive
    every = (one for there in known.held.values() for one in there)
    dropped = [one for one in every if one.officer == officer.address and one.key in spent]
    if not dropped:
        return plan
    ended = confirm.given_up(officer, dropped, known.codes, post, "code-spent", f"spent:{mail.raw.ref}")
    return replace(
        plan,
        events=(*plan.events, *ended.events),
        outbox=(*plan.outbox, *ended.outbox),
        held=ended.held,
        moves=(*ended.moves, *_unsent((one for one in after if one.state is CodeState.SPENT), known)),
        set_aside=ended.set_aside,
    )


def _right(mail: InboundMail, proven: Proven, speech: Speech, post: Post, known: Known, code: Code) -> Plan:
    total = _Sum()
    for letter in code.letters:
        _settle(letter, mail, proven, speech, post, known, total)
    said = {
        **context.base(post.office, post.counter, post.now),
        "officer": context.officer(proven.officer),
        "letters": confirm.shown(total.sent),
        "kept": [{**one, "reason": why} for (_, why), [one] in _with_shown(total.kept)],
    }
    receipt = post.write(
        Kind.RECEIPT,
        f"receipt:{mail.raw.ref}",
        post.office.letters.render("petugas/dikonfirmasi", said),
        proven.officer.address,
        to_name=proven.officer.name,
        root=post.keys.officer(code.letters[0].ticket, proven.officer.address, post.now),
        reply_to=mail.message_id,
        references=mail.references[-10:],
    )
    event = Event(
        post.now,
        "code-used",
        None,
        proven.officer.address,
        str(mail.raw.ref),
        post.office.rules_hash,
        {"letters": [letter.key for letter in total.sent], "kept": [why for _, why in total.kept]},
    )
    done = {letter.key for letter in code.letters}
    others = [one for one in known.codes.of(proven.officer.address) if one.id != code.id]
    ended = (code, *(one for one in others if {letter.key for letter in one.letters} <= done))
    return Plan(
        mail.raw.ref,
        Fate.COMMAND,
        ticket_of_mail=code.letters[0].ticket if len(code.letters) == 1 else None,
        changed=tuple(ticket for plan in total.plans for ticket in plan.changed),
        events=(event, *(event for plan in total.plans for event in plan.events)),
        outbox=(receipt,),
        held=(*(held for plan in total.plans for held in plan.held), *total.held),
        moves=(
            *(move for plan in total.plans for move in plan.moves),
            *total.moves,
            *_unsent(ended, known),
        ),
        codes=tuple(replace(one, state=CodeState.USED) for one in ended),
    )


def _unsent(ended: Iterable[Code], known: Known) -> list[Move]:
    """The mails with codes that are good no more need not leave."""
    return [Move(one.id, Phase.CANCELLED) for one in ended if one.id in known.codes.unsent]


def _with_shown(kept: Sequence[tuple[Pending, str]]) -> list[tuple[tuple[Pending, str], list[dict[str, object]]]]:
    return [(one, confirm.shown([one[0]])) for one in kept]


def _settle(
    letter: Pending, mail: InboundMail, proven: Proven, speech: Speech, post: Post, known: Known, total: _Sum
) -> None:
    """One letter of the code: it leaves, or the officer is told why it does not."""
    ticket = known.tickets.get(letter.ticket)
    waits = [one for one in known.held.get(letter.ticket, []) if one.key == letter.key]
    if ticket is None or not waits or waits[0].reason != UNCONFIRMED:
        total.kept.append((letter, "gone"))
        return
    [held] = waits
    counter = post.office.counters.get(ticket.mailbox, post.counter)
    errand = Errand(mail, replace(post, counter=counter), proven.officer, known, speech, ticket)
    queue = post.office.queues.get(ticket.queue)
    outcome = queue.outcomes.get(held.outcome) if queue else None
    if ticket.state is State.CLOSED or deliver.collision(errand, ticket):
        why = "already-answered"
    elif outcome is None or not may_work(errand, ticket):
        why = "outcome-gone"
    elif ticket.applicant != known.codes.kept[letter.key].recipient:
        # The letter was written to another address than the ticket has now (promise P14).
        why = "other-recipient"
    else:
        files = [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in letter.files]
        done = deliver.answered(
            errand, Answer(held.outcome, outcome), held, files, {"words": "", "argument": held.argument}
        )
        total.plans.append(done.plan)
        total.sent.append(letter)
        return
    total.kept.append((letter, why))
    total.moves.append(Move(held.key, Phase.CANCELLED))
    total.held.append(replace(held, state=HeldState.DROPPED))
