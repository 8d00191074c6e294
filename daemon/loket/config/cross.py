"""What only shows when the files of a configuration are seen together; each at its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from loket.config.daysoff import known_country
from loket.config.snapshot import Rulebook, Snapshot, fields_of, spelled
from loket.config.wording import Loc, meant
from loket.config.yamlfile import Document, Problem
from loket.core import confirm, orders
from loket.core.refuse import without_detail
from loket.core.rules import Escalation, render_queue


def cross_checks(snapshot: Snapshot) -> Iterator[Problem]:
    """What only shows when the files are seen together; each at its place."""
    config, document = snapshot.config, snapshot.document
    country = config.office.holidays.country
    if country is not None and not known_country(country):
        yield document.problem(("office", "holidays", "country"), f"no holidays are known for {country}")
    yield from _mailboxes(snapshot)
    yield from _officers(snapshot)
    admin = config.office.admin
    if admin in config.mailboxes:
        yield document.problem(("office", "admin"), "the admin's address may not be a counter's mailbox")
    yield from _escalations(snapshot)
    for index, entry in enumerate(config.reports):
        for place, reader in enumerate(entry.to):
            if reader in config.mailboxes:
                where: Loc = ("reports", index, "for", place)
                yield document.problem(where, "a report may not go to a counter's mailbox: mail would go in circles")
    yield from _book_checks(snapshot)
    yield from _registers(snapshot)


def _escalations(snapshot: Snapshot) -> Iterator[Problem]:
    """Nobody is told at an address of our own, or at one of an officer who has left."""
    said: list[tuple[Document, Loc, Escalation]] = [
        (snapshot.document, ("escalation", "supervisor"), snapshot.config.escalation)
    ]
    for book in snapshot.books.values():
        for name, queue in book.counter.queues.items():
            if queue.escalation is not None:
                said.append((book.document, ("queues", name, "escalation", "supervisor"), queue.escalation))
    for document, loc, escalation in said:
        officer = snapshot.config.officers.get(escalation.supervisor or "")
        if escalation.supervisor in snapshot.config.mailboxes:
            yield document.problem(loc, "a supervisor's address may not be a counter's mailbox")
        elif officer is not None and not officer.active:
            yield document.problem(loc, f"{officer.name} is no active officer any more")


def _mailboxes(snapshot: Snapshot) -> Iterator[Problem]:
    config, document, office = snapshot.config, snapshot.document, snapshot.office
    for address, mailbox in config.mailboxes.items():
        loc: Loc = ("mailboxes", spelled(document, "mailboxes", address))
        if not mailbox.server:
            there = ", ".join(sorted(config.servers))
            message = (
                f"{address} is at no provider whose servers are known: write server: with one of servers ({there})"
            )
            yield document.problem(loc, message)
        elif mailbox.server not in config.servers:
            hint = meant(mailbox.server, set(config.servers))
            yield document.problem((*loc, "server"), f"there is no server {mailbox.server}{hint}")
        other = mailbox.sends.server
        if other is not None and other not in config.servers:
            hint = meant(other, set(config.servers))
            yield document.problem((*loc, "sends", "server"), f"there is no server {other}{hint}")
        archive = mailbox.archive
        if archive is not None and without_detail(archive) not in config.mailboxes:
            yield document.problem(
                (*loc, "archive"), "the copy must come home: write a mailbox of this file, or one with +something in it"
            )
        known = {name for book in mailbox.rules for name, _ in fields_of(snapshot.books[book].counter)}
        for name, value in mailbox.fields.items():
            values = office.values.get(name, ())
            if name not in known:
                message = f"no rule of this mailbox has a field {name}{meant(name, known)}"
                yield document.problem((*loc, "fields", name), message)
            elif values and value not in values:
                yield document.problem((*loc, "fields", name), f"{value} is none of {', '.join(values)}")


def _officers(snapshot: Snapshot) -> Iterator[Problem]:
    config, document, office = snapshot.config, snapshot.document, snapshot.office
    for address, officer in config.officers.items():
        if address in config.mailboxes:
            where: Loc = ("officers", spelled(document, "officers", address))
            yield document.problem(
                where, "an officer's address may not be a counter's mailbox: mail would go in circles"
            )
        if officer.deputy is not None:
            at: Loc = ("officers", spelled(document, "officers", address), "deputy")
            if officer.deputy == address:
                yield document.problem(at, "nobody is their own deputy")
            elif officer.deputy not in config.officers:
                hint = meant(officer.deputy, set(config.officers))
                yield document.problem(at, f"there is no officer {officer.deputy}{hint}")
        for index, queue in enumerate(officer.queues):
            if queue not in office.queues:
                hint = meant(queue, set(office.queues))
                at = ("officers", spelled(document, "officers", address), "queues", index)
                yield document.problem(at, f"there is no queue {queue}{hint}")
    for index, entry in enumerate(config.digests):
        for place, reader in enumerate(entry.to):
            if reader not in config.officers:
                message = f"there is no officer {reader}{meant(reader, set(config.officers))}"
                yield document.problem(("digests", index, "for", place), message)


def _book_checks(snapshot: Snapshot) -> Iterator[Problem]:
    office = snapshot.office
    where: dict[str, str] = {}
    for book in snapshot.books.values():
        document, counter = book.document, book.counter
        for queue in counter.concrete_queues():
            if queue in where:
                yield document.problem(("queues",), f"the queue {queue} is in {where[queue]}.yaml too")
            where[queue] = book.name
        for index, rule in enumerate(counter.rules):
            yield from _rule_queue(snapshot, book, index)
            for place_of, own in enumerate(rule.answers):
                if f"{own.template}.txt" not in office.letters.names:
                    loc: Loc = ("rules", index, "answers", place_of, "template")
                    hint = meant(own.template, {known.removesuffix(".txt") for known in office.letters.names})
                    yield document.problem(loc, f"there is no template {own.template}.txt{hint}")
        for name, queue_entry in counter.queues.items():
            for outcome_name, outcome in queue_entry.outcomes.items():
                for word in (outcome.command, *outcome.aliases):
                    if word in orders.WORDS or word in confirm.WORDS:
                        key = "command" if word == outcome.command else "aliases"
                        place: Loc = ("queues", name, "outcomes", outcome_name, key)
                        yield document.problem(place, f"{word} is a command of Loket's own in every queue")
                if f"{outcome.template}.txt" not in office.letters.names:
                    hint = meant(outcome.template, {known.removesuffix(".txt") for known in office.letters.names})
                    at: Loc = ("queues", name, "outcomes", outcome_name, "template")
                    yield document.problem(at, f"there is no template {outcome.template}.txt{hint}")


def _registers(snapshot: Snapshot) -> Iterator[Problem]:
    """Two registers may not give the same number: each counts for itself."""
    forms: dict[str, str] = {}
    for book in snapshot.books.values():
        for name, queue in book.counter.queues.items():
            if queue.agenda is not None:
                there = forms.setdefault(queue.agenda.number, queue.agenda.name)
                if there != queue.agenda.name:
                    message = f"the registers {there} and {queue.agenda.name} would give the same numbers"
                    loc: Loc = ("queues", name, "agenda", "number")
                    yield book.document.problem(loc, f"{message}; write them differently")


def _rule_queue(snapshot: Snapshot, book: Rulebook, index: int) -> Iterator[Problem]:
    """Every queue a rule can render must exist."""
    rule = book.counter.rules[index]
    used = [mailbox.fields for mailbox in snapshot.config.mailboxes.values() if book.name in mailbox.rules]
    places = re.findall(r"\{([^{}]*)\}", rule.queue)
    for name in places:
        if used and name not in rule.pattern_fields and not any(name in fixed for fixed in used):
            known = {*rule.pattern_fields, *(key for fixed in used for key in fixed)}
            message = f"{{{name}}} is no field of the subject, nor of a mailbox{meant(name, known)}"
            yield book.document.problem(("rules", index, "queue"), message)
            return
    rendered: set[str] = set()
    for fixed in used or [{}]:
        choices = [dict(fixed)]
        for name in rule.pattern_fields:
            values = list(book.counter.field(name).values)
            choices = [{**one, name: value} for one in choices for value in values] if values else choices
        rendered |= {queue for queue in (render_queue(rule.queue, one) for one in choices) if queue}
    for queue in sorted(rendered - set(snapshot.office.queues)):
        hint = meant(queue, set(snapshot.office.queues))
        yield book.document.problem(("rules", index, "queue"), f"there is no queue {queue}{hint}")
