"""An officer has spoken: each command of the mail carried out, one plan for all, and one letter that tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from loket.core import context, orders, parse, token, tongue
from loket.core.carry import carry_out
from loket.core.command import Doubtful, Proven, Speech, listen, own_words, speech_of
from loket.core.enclosed import scans
from loket.core.errand import Done, Errand
from loket.core.headers import clean_text
from loket.core.known import Known
from loket.core.letters import Letter
from loket.core.lines import Item, read_lines, scans_of
from loket.core.mail import Post
from loket.core.model import Event, Fate, InboundMail, Kind, Outbound, Plan, Quarantined, Ticket

# So many items in one mail and no more: nobody writes them by hand.
MAX_ITEMS = 200


def decide_doubt(mail: InboundMail, doubtful: Doubtful, post: Post) -> Plan:
    """Nothing happens on an unproven word: the mail is set aside, and the real officer told at the known address."""
    subject = clean_text(mail.subject)
    event = Event(
        post.now,
        "officer-doubted",
        None,
        doubtful.officer.address if doubtful.officer else "?",
        str(mail.raw.ref),
        post.office.rules_hash,
        {"reason": doubtful.reason.value, "subject": subject},
    )
    outbox: tuple[Outbound, ...] = ()
    officer = doubtful.officer
    if officer is not None:
        said = {
            **context.base(post.office, post.counter, post.now),
            "officer": context.officer(officer),
            "reason": doubtful.reason.value,
            "subject": subject,
            "at": tongue.day_and_time(mail.raw.internaldate, post.office.zone, post.office.language),
        }
        letter = post.office.letters.render("petugas/karantina", said)
        outbox = (post.write(Kind.ALERT, f"doubt:{mail.raw.ref}", letter, officer.address, to_name=officer.name),)
    return Plan(
        mail.raw.ref,
        Fate.QUARANTINE,
        events=(event,),
        outbox=outbox,
        quarantine=Quarantined(f"officer: {doubtful.reason.value}", subject),
    )


def decide_answer(mail: InboundMail, proven: Proven, post: Post, known: Known) -> Plan:
    """Carry out a proven officer's commands, or say of each why not.

    A ticket's own token speaks about that ticket; the token of a digest about any, named in a line of its own.
    """
    of_desk = token.is_desk(proven.number)
    commands = orders.every_word(post.office) if of_desk else ()
    sheet = read_lines(own_words(parse.body_text(mail), above=of_desk), commands)
    if of_desk:
        # The form of CATAT may hold anything, ticket numbers too.
        if sheet.items and orders.WORDS.get(listen(mail).command) != orders.REGISTER:
            # A greeting above them is none; a command there is one more.
            first = speech_of(sheet.above)
            above = [Item("", first)] if first.command in orders.WORDS else []
            return _several(mail, proven, post, known, [*above, *sheet.items])
        return _one(_errand(mail, proven, post, known, listen(mail), None))
    ticket = known.tickets.get(proven.number)
    speech = listen(mail)
    if ticket is not None and not sheet.above and sheet.items:
        # The first line names a ticket, as in a digest's answer: it must be this one.
        if sheet.items[0].number != ticket.number:
            return _told(_errand(mail, proven, post, known, speech, ticket), "other-ticket")
        speech = replace(sheet.items[0].speech, words=_below(mail))
    if ticket is None:
        return _told(_errand(mail, proven, post, known, speech, None), "ticket-unknown")
    return _one(_errand(mail, proven, post, known, speech, ticket))


def _below(mail: InboundMail) -> str:
    return own_words(parse.body_text(mail)).partition("\n")[2].strip()


def _errand(
    mail: InboundMail, proven: Proven, post: Post, known: Known, speech: Speech, ticket: Ticket | None
) -> Errand:
    return Errand(mail, _at_counter(post, ticket), proven.officer, known, speech, ticket, scans(mail))


def _at_counter(post: Post, ticket: Ticket | None) -> Post:
    """Letters about a ticket leave from its own counter, whichever counter the officer wrote to."""
    counter = post.office.counters.get(ticket.mailbox) if ticket else None
    return replace(post, counter=counter) if counter else post


def _carried(errand: Errand) -> Done:
    return carry_out(errand, orders.read(errand.speech, errand.post.office, _queue(errand)))


def _queue(errand: Errand) -> str | None:
    return errand.ticket.queue if errand.ticket else None


def _one(errand: Errand) -> Plan:
    return _receipted(errand, _carried(errand))


def _told(errand: Errand, reason: str) -> Plan:
    return _receipted(errand, errand.refused(reason))


def _receipted(errand: Errand, done: Done) -> Plan:
    letter = errand.post.office.letters.render(done.template, done.said)
    about = errand.ticket or done.plan.opened
    return replace(done.plan, outbox=(*done.plan.outbox, _receipt(errand, letter, about.number if about else None)))


def _receipt(errand: Errand, letter: Letter, number: str | None) -> Outbound:
    post, officer, mail = errand.post, errand.officer, errand.mail
    return post.write(
        Kind.RECEIPT,
        f"receipt:{mail.raw.ref}",
        letter,
        officer.address,
        to_name=officer.name,
        root=post.keys.officer(number or token.desk(post.office.prefix), officer.address, post.now),
        reply_to=mail.message_id,
        references=mail.references[-10:],
        ticket=number,
    )


def _several(mail: InboundMail, proven: Proven, post: Post, known: Known, items: Sequence[Item]) -> Plan:
    """Each item in its turn, the later ones seeing what the earlier ones did; one letter about all of them."""
    base = _errand(mail, proven, post, known, Speech("", "", ""), None)
    enclosed = base.scans or ()
    tickets = {item.number: known.tickets.get(item.number) for item in items if item.number}
    done: list[Done] = []
    for index, item in enumerate(items[:MAX_ITEMS]):
        ticket = tickets.get(item.number)
        errand = replace(
            base,
            post=_at_counter(post, ticket),
            speech=item.speech,
            ticket=ticket,
            scans=scans_of(item.number, tickets, enclosed) if enclosed else (),
            mark=f"#{index}" if index else "",
        )
        lost = ticket is None and item.number
        done.append(errand.refused("ticket-unknown", target=item.number) if lost else _carried(errand))
        base = replace(base, known=base.known.foreseen(done[-1].plan))
        tickets.update({changed.number: changed for changed in done[-1].plan.changed})
    if len(items) > MAX_ITEMS:
        done.append(base.refused("too-many", target=items[MAX_ITEMS].number))
    plans = [one.plan for one in done]
    shown = [_shown(base, item, one) for item, one in zip(items, done, strict=False)]
    letter = post.office.letters.render("petugas/beberapa", {**base.said(), "items": shown, "total": len(shown)})
    aside = next((plan.quarantine for plan in plans if plan.quarantine), None)
    return Plan(
        mail.raw.ref,
        Fate.QUARANTINE if aside else Fate.COMMAND,
        opened=next((plan.opened for plan in plans if plan.opened), None),
        changed=tuple(ticket for plan in plans for ticket in plan.changed),
        events=tuple(event for plan in plans for event in plan.events),
        outbox=(*(sent for plan in plans for sent in plan.outbox), _receipt(base, letter, None)),
        files=tuple({new.file.sha256: new for plan in plans for new in plan.files}.values()),
        quarantine=aside,
        held=tuple(held for plan in plans for held in plan.held),
        moves=tuple(move for plan in plans for move in plan.moves),
        absences=tuple(absence for plan in plans for absence in plan.absences),
        entries=tuple(entry for plan in plans for entry in plan.entries),
        bookings=tuple(booking for plan in plans for booking in plan.bookings),
        offers=tuple(offer for plan in plans for offer in plan.offers),
        turns=tuple(turn for plan in plans for turn in plan.turns),
    )


def _shown(base: Errand, item: Item, done: Done) -> dict[str, str]:
    """One command's letter as a part of the letter about all."""
    letter = base.post.office.letters.render(done.template, {**done.said, "inside": True})
    return {"number": item.number, "title": letter.subject.removeprefix(f"[{item.number}] "), "text": letter.body}
