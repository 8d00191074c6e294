"""Read config.yaml, its rules and templates into one immutable snapshot, or refuse the whole with every reason."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from rapidfuzz import process

from loket.config.daysoff import days_off, known_country
from loket.config.models import Config
from loket.config.yamlfile import ConfigError, Document, Loc, Problem
from loket.core.calendar import Calendar, parse_hours, parse_times
from loket.core.classify import Compiled, Desk, Elsewhere
from loket.core.letters import Letters
from loket.core.office import Counter, DigestTime, Office, Officer, Sheet
from loket.core.rules import BUILT_IN, CounterFile, FieldSpec, Queue, render_queue

MAX_TEMPLATE = 100_000


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One rules file, read."""

    name: str
    document: Document
    counter: CounterFile


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A configuration that holds together; `root` is the folder of config.yaml."""

    path: Path
    root: Path
    document: Document
    config: Config
    books: Mapping[str, Rulebook]
    office: Office


def load(path: Path, rules: Path | None = None) -> Snapshot:
    """The snapshot of a configuration; ConfigError lists everything that is wrong with it."""
    document = Document.read(path)
    config = _validated(document, Config)
    root = path.resolve().parent
    folder = rules or root / config.rules
    books, problems = _books(document, config, folder)
    if problems:
        raise ConfigError(problems)
    letters, sources, problems = _letters(document, config, folder)
    office = _office(config, books, letters, _hash([document, *(book.document for book in books.values())], sources))
    snapshot = Snapshot(path, root, document, config, books, office)
    problems += list(_cross_checks(snapshot))
    if problems:
        raise ConfigError(problems)
    return snapshot


Model = TypeVar("Model", Config, CounterFile)


def _validated(document: Document, model: type[Model]) -> Model:
    if document.value is None:
        raise ConfigError([document.problem((), "the file is empty")])
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        raise ConfigError(list(document.problems(error))) from None


def _books(document: Document, config: Config, folder: Path) -> tuple[dict[str, Rulebook], list[Problem]]:
    books: dict[str, Rulebook] = {}
    problems: list[Problem] = []
    if not folder.is_dir():
        return books, [document.problem(("rules",), f"there is no folder {folder}")]
    for file in sorted(folder.glob("*.yaml")):
        try:
            found = Document.read(file)
            books[file.stem] = Rulebook(file.stem, found, _validated(found, CounterFile))
        except ConfigError as error:
            problems.extend(error.problems)
    there = {file.stem for file in folder.glob("*.yaml")}
    for address, mailbox in config.mailboxes.items():
        for index, name in enumerate(mailbox.rules):
            if name not in there:
                loc = ("mailboxes", _spelled(document, "mailboxes", address), "rules", index)
                problems.append(document.problem(loc, f"there is no {folder / name}.yaml{_meant(name, there)}"))
    return books, problems


def _spelled(document: Document, section: str, address: str) -> str:
    """An address as the file spells it; the models lower its case."""
    written: Mapping[str, object] = document.value[section] if isinstance(document.value, dict) else {}
    return next((key for key in written if key.lower() == address), address)


def _meant(name: str, known: set[str]) -> str:
    near = process.extractOne(name, sorted(known), score_cutoff=60)
    return f"; did you mean {near[0]}?" if near else ""


def _letters(document: Document, config: Config, folder: Path) -> tuple[Letters, dict[str, str], list[Problem]]:
    home = folder / "templates" / config.office.language
    if not home.is_dir():
        problem = document.problem(("office", "language"), f"there are no templates in {home}")
        return Letters({}), {}, [problem]
    sources: dict[str, str] = {}
    problems: list[Problem] = []
    for file in sorted(home.rglob("*")):
        if file.suffix not in (".txt", ".html"):
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(file, 1, 1, f"cannot be read as UTF-8 text: {error}"))
            continue
        if len(text) > MAX_TEMPLATE:
            problems.append(Problem(file, 1, 1, f"longer than {MAX_TEMPLATE} characters"))
        sources[file.relative_to(home).as_posix()] = text
    return Letters(sources), sources, problems


def _hash(documents: list[Document], templates: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for document in documents:
        digest.update(document.text.encode() + b"\0")
    for name in sorted(templates):
        digest.update(f"{name}\0{templates[name]}\0".encode())
    return digest.hexdigest()[:16]


def _office(config: Config, books: Mapping[str, Rulebook], letters: Letters, rules_hash: str) -> Office:
    zone = ZoneInfo(config.office.timezone)
    is_off = days_off(config.office.holidays)
    queues: dict[str, Queue] = dict(BUILT_IN)
    labels: dict[str, str] = {}
    blanks: dict[str, str] = {}
    sheets: dict[str, Sheet] = {}
    for book in books.values():
        own = book.counter.concrete_queues()
        queues.update(own)
        if book.counter.rules:
            sheet = Sheet(tuple(book.counter.channels), tuple(book.counter.notes))
            sheets.update(dict.fromkeys(own, sheet))
        for name, spec in _fields(book.counter):
            labels.setdefault(name, spec.label or name.replace("_", " ").title())
            blanks.setdefault(name, "/".join(spec.values) or (spec.placeholders or [f"Nama {name.title()}"])[0])
    desks = _desks(config, books)
    counters = {}
    for address, mailbox in config.mailboxes.items():
        used = [books[name].counter for name in mailbox.rules]
        server = config.servers.get(mailbox.server)
        counters[address] = Counter(
            address=address,
            name=mailbox.name or used[0].counter,
            channels=tuple({channel.name: channel for one in used for channel in one.channels}.values()),
            notes=tuple(dict.fromkeys(note for one in used for note in one.notes)),
            calendar=Calendar(zone, parse_hours(mailbox.hours or config.office.hours), is_off),
            hours_printed=mailbox.hours is not None,
            max_size=server.max_size if server else 25_000_000,
        )
    return Office(
        name=config.office.name,
        zone=zone,
        language=config.office.language,
        prefix=config.office.prefix,
        admin=config.office.admin,
        desks=desks,
        counters=counters,
        queues=queues,
        sheets=sheets,
        officers={
            address: Officer(address, entry.name, tuple(entry.queues), entry.active)
            for address, entry in config.officers.items()
        },
        digests=tuple(
            DigestTime(f"{index}:{entry.at}", () if entry.to == "officers" else tuple(entry.to), parse_times(entry.at))
            for index, entry in enumerate(config.digests)
        ),
        labels=labels,
        blanks=blanks,
        values={name: tuple(spec.values) for book in books.values() for name, spec in _fields(book.counter)},
        letters=letters,
        rules_hash=rules_hash,
    )


def _fields(counter: CounterFile) -> Iterator[tuple[str, FieldSpec]]:
    yield from counter.fields.items()
    for rule in counter.rules:
        for name in rule.pattern_fields:
            if name not in counter.fields:
                yield name, counter.field(name)


def _desks(config: Config, books: Mapping[str, Rulebook]) -> dict[str, Desk]:
    compiled = {name: [Compiled.of(rule, book.counter) for rule in book.counter.rules] for name, book in books.items()}
    desks = {}
    for address, mailbox in config.mailboxes.items():
        others: list[Elsewhere] = []
        for name in books:
            takers = tuple((other, theirs.fields) for other, theirs in config.mailboxes.items() if name in theirs.rules)
            if name not in mailbox.rules and takers:
                others += [Elsewhere(one, takers) for one in compiled[name] if one.pattern is not None]
        desks[address] = Desk(
            address=address,
            own=tuple(one for name in mailbox.rules for one in compiled[name]),
            fixed=mailbox.fields,
            elsewhere=tuple(others),
            number_prefix=config.office.prefix,
        )
    return desks


def _cross_checks(snapshot: Snapshot) -> Iterator[Problem]:
    """What only shows when the files are seen together; each at its place."""
    config, document, office = snapshot.config, snapshot.document, snapshot.office
    country = config.office.holidays.country
    if country is not None and not known_country(country):
        yield document.problem(("office", "holidays", "country"), f"no holidays are known for {country}")
    for address, mailbox in config.mailboxes.items():
        loc: Loc = ("mailboxes", _spelled(document, "mailboxes", address))
        if mailbox.server not in config.servers:
            hint = _meant(mailbox.server, set(config.servers))
            yield document.problem((*loc, "server"), f"there is no server {mailbox.server}{hint}")
        archive = mailbox.archive
        if archive is not None and re.sub(r"\+[^@]*@", "@", archive) not in config.mailboxes:
            yield document.problem(
                (*loc, "archive"), "the copy must come home: write a mailbox of this file, or one with +something in it"
            )
        for name, value in mailbox.fields.items():
            values = office.values.get(name, ())
            if values and value not in values:
                yield document.problem((*loc, "fields", name), f"{value} is none of {', '.join(values)}")
    for address, officer in config.officers.items():
        if address in config.mailboxes:
            where: Loc = ("officers", _spelled(document, "officers", address))
            yield document.problem(
                where, "an officer's address may not be a counter's mailbox: mail would go in circles"
            )
        for index, queue in enumerate(officer.queues):
            if queue not in office.queues:
                hint = _meant(queue, set(office.queues))
                at = ("officers", _spelled(document, "officers", address), "queues", index)
                yield document.problem(at, f"there is no queue {queue}{hint}")
    admin = config.office.admin
    if admin in config.mailboxes:
        yield document.problem(("office", "admin"), "the admin's address may not be a counter's mailbox")
    yield from _book_checks(snapshot)


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
            for kind, template in rule.templates.items():
                if f"{template}.txt" not in office.letters.names:
                    loc: Loc = ("rules", index, "templates", kind)
                    yield document.problem(loc, f"there is no template {template}.txt")
        for name, queue_entry in counter.queues.items():
            for outcome_name, outcome in queue_entry.outcomes.items():
                if f"{outcome.template}.txt" not in office.letters.names:
                    hint = _meant(outcome.template, {known.removesuffix(".txt") for known in office.letters.names})
                    at: Loc = ("queues", name, "outcomes", outcome_name, "template")
                    yield document.problem(at, f"there is no template {outcome.template}.txt{hint}")


def _rule_queue(snapshot: Snapshot, book: Rulebook, index: int) -> Iterator[Problem]:
    """Every queue a rule can render must exist."""
    rule = book.counter.rules[index]
    used = [mailbox.fields for mailbox in snapshot.config.mailboxes.values() if book.name in mailbox.rules]
    rendered: set[str] = set()
    for fixed in used or [{}]:
        choices = [dict(fixed)]
        for name in rule.pattern_fields:
            values = list(book.counter.field(name).values)
            choices = [{**one, name: value} for one in choices for value in values] if values else choices
        rendered |= {queue for queue in (render_queue(rule.queue, one) for one in choices) if queue}
    for queue in sorted(rendered - set(snapshot.office.queues)):
        hint = _meant(queue, set(snapshot.office.queues))
        yield book.document.problem(("rules", index, "queue"), f"there is no queue {queue}{hint}")
