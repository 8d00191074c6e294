"""Templates and translations from their folders: one folder a language, the office's own complete, others as far as
they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from loket.config.yamlfile import ConfigError, Document, Problem
from loket.core import context
from loket.core.letters import LetterError, Letters
from loket.core.office import Counter, Office, Sheet
from loket.core.rules import Channel, Outcome, Queue

MAX_TEMPLATE = 100_000
WORDS = "words.yaml"


@dataclass(frozen=True, slots=True)
class Tongue:
    """The letters of one language, and the office's own words in it."""

    language: str
    folder: Path
    letters: Letters
    sources: Mapping[str, str]
    words: Mapping[str, str]


def read_tongue(folder: Path, language: str, under: Mapping[str, str]) -> tuple[Tongue, list[Problem]]:
    """One language's templates; those that are missing are the ones of `under`, the office's own language."""
    home = folder / "templates" / language
    own, problems = _sources(home)
    words, ill = _words(home / WORDS)
    letters = _letters(tuple(sorted({**under, **own}.items())))
    return Tongue(language, home, letters, own, words), [*problems, *ill]


def faults(tongue: Tongue) -> Iterator[Problem]:
    """What is wrong with its templates; of the office's own it is told once, with the language they stand in."""
    for fault in _faults(tongue.letters):
        if fault.name in tongue.sources:
            line = tongue.sources[fault.name].split("\n")[fault.line - 1]
            yield Problem(tongue.folder / fault.name, fault.line, fault.column, str(fault), source=line)


# A reload in which no template changed reads and compiles none again.
@lru_cache(maxsize=4)
def _letters(sources: tuple[tuple[str, str], ...]) -> Letters:
    return Letters(dict(sources))


@lru_cache(maxsize=4)
def _faults(letters: Letters) -> tuple[LetterError, ...]:
    return tuple(letters.faults(context.WORDS))


def _sources(home: Path) -> tuple[dict[str, str], list[Problem]]:
    sources: dict[str, str] = {}
    problems: list[Problem] = []
    for file in sorted(home.rglob("*")):
        if file.suffix not in (".txt", ".html"):
            continue
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else f"not UTF-8 at byte {error.start + 1}"
            problems.append(Problem(file, 1, 1, f"cannot be read: {why}"))
            continue
        if len(text) > MAX_TEMPLATE:
            problems.append(Problem(file, 1, 1, f"longer than {MAX_TEMPLATE} characters"))
        sources[file.relative_to(home).as_posix()] = text
    return sources, problems


def _words(file: Path) -> tuple[dict[str, str], list[Problem]]:
    """The office's words and sentences in another language: what stands in the rules, and what to say instead."""
    if not file.exists():
        return {}, []
    try:
        document = Document.read(file)
    except ConfigError as error:
        return {}, list(error.problems)
    found = document.value if document.value is not None else {}
    if not isinstance(found, dict):
        return {}, [document.problem((), "write `what the rules say: what to say instead`")]
    wrong = [document.problem((key,), "write text") for key, value in found.items() if not isinstance(value, str)]
    return {_squeezed(key): value for key, value in found.items() if isinstance(value, str)}, wrong


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def translated(office: Office, tongue: Tongue) -> Office:
    """The office as it speaks in another language; what has no translation stays as it is."""

    office = replace(office, language=tongue.language, letters=tongue.letters, words=tongue.words)
    say = office.say
    return replace(
        office,
        labels={name: say(label) for name, label in office.labels.items()},
        counters={address: _counter(one, say) for address, one in office.counters.items()},
        queues={name: _queue(one, say) for name, one in office.queues.items()},
        sheets={
            name: Sheet(_channels(one.channels, say), tuple(map(say, one.notes)), one.counter)
            for name, one in office.sheets.items()
        },
    )


Say = Callable[[str], str]


def _counter(one: Counter, say: Say) -> Counter:
    return replace(one, channels=_channels(one.channels, say), notes=tuple(map(say, one.notes)))


def _channels(channels: tuple[Channel, ...], say: Say) -> tuple[Channel, ...]:
    return tuple(
        one.model_copy(update={name: say(getattr(one, name)) for name in ("name", "at", "note")}) for one in channels
    )


def _queue(one: Queue, say: Say) -> Queue:
    outcomes = {name: _outcome(outcome, say) for name, outcome in one.outcomes.items()}
    return one.model_copy(update={"title": say(one.title), "next": say(one.next), "outcomes": outcomes})


def _outcome(one: Outcome, say: Say) -> Outcome:
    return one.model_copy(update={"title": say(one.title)})


def untranslated(office: Office, tongue: Tongue) -> Iterator[str]:
    """What applicants would still read in the office's own language, each once."""
    said: list[str] = [*office.labels.values()]
    for queue in office.queues.values():
        said += [queue.title, queue.next, *(outcome.title for outcome in queue.outcomes.values())]
        said += [queue.appointments.place] if queue.appointments else []
        said += queue.live.where.values() if queue.live else []
    for desk in office.desks.values():
        for compiled in desk.own:
            said += [compiled.rule.title if compiled.pattern else "", compiled.rule.needs.label]
    sheets: list[Sheet | Counter] = [*office.sheets.values(), *office.counters.values()]
    for sheet in sheets:
        said += [*sheet.notes, *(text for one in sheet.channels for text in (one.name, one.note))]
    for text in dict.fromkeys(map(_squeezed, said)):
        if text and text not in tongue.words:
            yield text
