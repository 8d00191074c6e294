"""Read config.yaml, its rules and templates into one immutable snapshot, or refuse the whole with every reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from loket.config.cross import cross_checks
from loket.config.daysoff import DaysOff
from loket.config.letters import WORDS, Tongue, faults, read_tongue, translated
from loket.config.lists import Lists
from loket.config.models import Config
from loket.config.passed import Passed
from loket.config.snapshot import Rulebook, Snapshot, fields_of, section_of, spelled
from loket.config.trust import TrustEntry
from loket.config.wording import meant
from loket.config.yamlfile import ConfigError, Document, Problem
from loket.core import context
from loket.core.authres import Trust
from loket.core.calendar import Calendar, parse_hours, parse_times
from loket.core.classify import Compiled, Desk, Elsewhere
from loket.core.letters import Letters
from loket.core.office import Confirm, Counter, DigestTime, Office, Officer, Patience, Sheet
from loket.core.rules import BUILT_IN, CounterFile, Queue

__all__ = ["Rulebook", "Snapshot", "load"]


# More missing templates than anybody took away by mistake: a language that was only begun.
FEW = 5


def load(path: Path, rules: Path | None = None, *, trusting: bool = False) -> Snapshot:
    """The snapshot of a configuration; ConfigError lists everything that is wrong with it.

    `trusting`: where the same files passed before, the branches of their templates are not looked through again.
    """
    document = Document.read(path)
    root = path.resolve().parent
    problems = list(_one_twice(document))
    try:
        config = _validated(document, Config)
    except ConfigError as error:
        # The rules are read all the same: who mends one file wants to know of the others.
        folder = rules or root / "rules"
        raise ConfigError([*error.problems, *problems, *read_books(folder, Lists(folder))[1]]) from None
    folder = rules or root / config.rules
    lists = Lists(folder)
    books, wrong = _books(document, config, folder, lists)
    tongues, ill = _tongues(document, config, folder)
    problems += [*wrong, *ill]
    texts = {
        **{book.document.path.name: book.document.text for book in books.values()},
        **{f"{tongue.language}/{name}": text for tongue in tongues for name, text in tongue.sources.items()},
        **{f"{tongue.language}/{WORDS}": repr(sorted(tongue.words.items())) for tongue in tongues},
        **{f"{name} as a list": text for name, text in lists.texts.items()},
    }
    rules_hash = _hash(document.text, texts)
    if not (trusting and Passed(root, config.store).knows(rules_hash)):
        problems += [fault for tongue in tongues for fault in faults(tongue)]
    if problems:
        raise ConfigError(problems)
    office = _office(config, books, tongues[0].letters, rules_hash)
    office = replace(office, tongues={tongue.language: translated(office, tongue) for tongue in tongues[1:]})
    snapshot = Snapshot(path, root, folder, document, config, books, office, tuple(tongues))
    problems = list(cross_checks(snapshot))
    if problems:
        raise ConfigError(problems)
    return snapshot


Model = TypeVar("Model", Config, CounterFile)


def _validated(document: Document, model: type[Model], lists: Lists | None = None) -> Model:
    if document.value is None:
        raise ConfigError([document.problem((), "the file is empty")])
    try:
        return model.model_validate(document.value, context={"read_list": lists.read} if lists else None)
    except ValidationError as error:
        raise ConfigError(list(document.problems(error, model))) from None


def _one_twice(document: Document) -> Iterator[Problem]:
    """Addresses that differ only in letter case are one."""
    for section in ("mailboxes", "officers"):
        seen: set[str] = set()
        for key in section_of(document, section):
            if key.lower() in seen:
                yield document.problem((section, key), f"{key.lower()} stands here twice")
            seen.add(key.lower())


def _books(document: Document, config: Config, folder: Path, lists: Lists) -> tuple[dict[str, Rulebook], list[Problem]]:
    if not folder.is_dir():
        return {}, [document.problem(("rules",), f"there is no folder {folder}")]
    books, problems = read_books(folder, lists)
    there = {file.stem for file in folder.glob("*.yaml")}
    for address, mailbox in config.mailboxes.items():
        for index, name in enumerate(mailbox.rules):
            if name not in there:
                loc = ("mailboxes", spelled(document, "mailboxes", address), "rules", index)
                problems.append(document.problem(loc, f"there is no {folder / name}.yaml{meant(name, there)}"))
    return books, problems


def read_books(folder: Path, lists: Lists) -> tuple[dict[str, Rulebook], list[Problem]]:
    """The rules files of a folder by name, and what is wrong with the others."""
    books: dict[str, Rulebook] = {}
    problems: list[Problem] = []
    for file in sorted(folder.glob("*.yaml")):
        try:
            found = Document.read(file)
            books[file.stem] = Rulebook(file.stem, found, _validated(found, CounterFile, lists))
        except ConfigError as error:
            problems.extend(error.problems)
    return books, problems


def _tongues(document: Document, config: Config, folder: Path) -> tuple[list[Tongue], list[Problem]]:
    """The office's own language, then the others that there are templates in."""
    home = folder / "templates" / config.office.language
    if not home.is_dir():
        problem = document.problem(("office", "language"), f"there are no templates in {home}")
        return [], [problem] if folder.is_dir() else []
    own, problems = read_tongue(folder, config.office.language, {})
    unread = {problem.file for problem in problems}
    missing = [name for name in sorted(set(context.LETTERS) - own.letters.names) if home / name not in unread]
    if len(missing) > FEW:
        said = (
            f"{len(missing)} templates are not in {home}, {missing[0]} the first: an office's own language has them "
            "all, those for officers too; copy them from another language there and translate them"
        )
        problems.append(document.problem(("office", "language"), said))
    else:
        where = ("office", "language")
        problems += [document.problem(where, f"there is no template {home / name}") for name in missing]
    tongues = [own]
    for other in sorted(path.name for path in home.parent.iterdir() if path.is_dir() and path != home):
        tongue, wrong = read_tongue(folder, other, own.sources)
        tongues.append(tongue)
        problems += wrong
    return tongues, problems


def _hash(config: str, texts: Mapping[str, str]) -> str:
    """What stands on every event that these rules cause: another byte anywhere is another hash."""
    digest = hashlib.sha256(config.encode() + b"\0")
    for name in sorted(texts):
        digest.update(f"{name}\0{texts[name]}\0".encode())
    return digest.hexdigest()[:16]


def _office(config: Config, books: Mapping[str, Rulebook], letters: Letters, rules_hash: str) -> Office:
    zone = ZoneInfo(config.office.timezone)
    is_off = DaysOff(config.office.holidays)
    queues: dict[str, Queue] = dict(BUILT_IN)
    labels: dict[str, str] = {}
    blanks: dict[str, str] = {}
    sheets: dict[str, Sheet] = {}
    for book in books.values():
        own = book.counter.concrete_queues()
        queues.update(own)
        if book.counter.rules:
            sheet = Sheet(tuple(book.counter.channels), tuple(book.counter.notes), book.counter.counter)
            sheets.update(dict.fromkeys(own, sheet))
        for name, spec in fields_of(book.counter):
            labels.setdefault(name, spec.label or name.replace("_", " ").title())
            blanks.setdefault(name, "/".join(spec.values) or (spec.placeholders or [f"Nama {name.title()}"])[0])
    desks = _desks(config, books)
    counters = {}
    for address, mailbox in config.mailboxes.items():
        used = [books[name].counter for name in mailbox.rules]
        server, sends_by = config.servers.get(mailbox.server), config.servers.get(config.sending(address)[0])
        counters[address] = Counter(
            address=address,
            name=mailbox.name or used[0].counter,
            channels=tuple({channel.name: channel for one in used for channel in one.channels}.values()),
            notes=tuple(dict.fromkeys(note for one in used for note in one.notes)),
            calendar=Calendar(zone, parse_hours(mailbox.hours or config.office.hours), is_off),
            hours_printed=mailbox.hours is not None,
            max_size=sends_by.max_size if sends_by else 25_000_000,
            trust=_trust(mailbox.trust or (server.trust if server else TrustEntry())),
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
            address: Officer(address, entry.name, tuple(entry.queues), entry.active, entry.deputy)
            for address, entry in config.officers.items()
        },
        digests=tuple(
            DigestTime(f"{index}:{entry.at}", tuple(entry.to), parse_times(entry.at))
            for index, entry in enumerate(config.digests)
        ),
        labels=labels,
        blanks=blanks,
        values={name: tuple(spec.values) for book in books.values() for name, spec in fields_of(book.counter)},
        letters=letters,
        rules_hash=rules_hash,
        patience=Patience(config.waiting.remind, config.waiting.close),
        related=timedelta(days=config.office.related),
        confirm=Confirm(config.confirm.window, config.confirm.life, config.confirm.tries),
        claim=config.claims.release,
        escalation=config.escalation,
        reports=tuple(DigestTime(entry.at, tuple(entry.to), parse_times(entry.at)) for entry in config.reports),
        unsettled=is_off.unsettled,
    )


def _trust(entry: TrustEntry) -> Trust:
    return Trust(tuple(entry.authserv), tuple(entry.border), tuple(entry.hops), entry.strips, entry.dkim)


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
            zone=ZoneInfo(config.office.timezone),
        )
    return desks
