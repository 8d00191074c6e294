"""A configuration that was read: the files, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from loket.config.letters import Tongue
from loket.config.models import Config, Store
from loket.config.yamlfile import ConfigError, Document
from loket.core.office import Office
from loket.core.rules import CounterFile, FieldSpec


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One rules file, read."""

    name: str
    document: Document
    counter: CounterFile


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A configuration that holds together; `root` is the folder of config.yaml, `folder` the rules'.

    `tongues` are the languages with templates, the office's own first.
    """

    path: Path
    root: Path
    folder: Path
    document: Document
    config: Config
    books: Mapping[str, Rulebook]
    office: Office
    tongues: tuple[Tongue, ...]


def store_of(path: Path) -> Store:
    """Where the store is, of a file that need not hold together; the usual place where it says nothing sound."""
    try:
        return Store.model_validate(section_of(Document.read(path), "store"))
    except (ConfigError, ValidationError):
        return Store()


def fields_of(counter: CounterFile) -> Iterator[tuple[str, FieldSpec]]:
    yield from counter.fields.items()
    for rule in counter.rules:
        for name in rule.pattern_fields:
            if name not in counter.fields:
                yield name, counter.field(name)


def spelled(document: Document, section: str, address: str) -> str:
    """An address as the file spells it; the models lower its case."""
    return next((key for key in section_of(document, section) if key.lower() == address), address)


def section_of(document: Document, name: str) -> Mapping[str, object]:
    """A part of the file as written, empty where it is no mapping."""
    found = document.value.get(name) if isinstance(document.value, dict) else None
    return found if isinstance(found, dict) else {}
