"""YAML 1.2 core values with the place of every key and value, so that an error can point at it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from loket.config.wording import InTheClear, Loc, said

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?")
# yes, no, on and off stay words, as YAML 1.2 has it; 08:30 is never a number.
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset({f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")})
_NODE_LIMIT = 200_000
# libyaml's composer calls itself for each level, and takes the process down on thousands of them.
_DEPTH_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """One error or warning of the configuration; line and column count from 1."""

    file: Path
    line: int
    column: int
    message: str
    warning: bool = False
    source: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {'warning: ' if self.warning else ''}{self.message}"


class ConfigError(Exception):
    """The configuration is refused whole (promise P21); `problems` says where and why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class Document:
    """A YAML file's values, and where each of them stands."""

    def __init__(self, path: Path, text: str) -> None:
        """Parse; ConfigError for what is not YAML, for duplicate keys, anchors that never end and odd tags."""
        self.path = path
        self.text = text
        self.lines = text.splitlines()
        self._places: dict[Loc, tuple[int, int]] = {(): (1, 1)}
        self._count = 0
        self._open: list[yaml.Node] = []
        try:
            self._measure()
            node = yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            begun = error.context_mark
            where = f", in what begins at {begun.line + 1}:{begun.column + 1}" if begun and mark is not begun else ""
            problem = error.problem or error.context
            if problem == "found undefined alias":
                problem = "what begins with a star needs quotes"
            message = f"not YAML: {problem}{where}"
            raise ConfigError([self._problem(line, column, message)]) from None
        except yaml.reader.ReaderError:
            found = yaml.reader.Reader.NON_PRINTABLE.search(text)
            at = found.start() if found else 0
            line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
            message = f"not YAML: the character U+{ord(text[at]):04X} may not stand here"
            raise ConfigError([self._problem(line, column, message)]) from None
        self.value = self._value(node, ()) if node is not None else None

    @classmethod
    def read(cls, path: Path) -> Document:
        """The file's document; ConfigError where it cannot be read or is not UTF-8."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError([Problem(path, 1, 1, f"cannot be read: {error.strerror or error}")]) from None
        try:
            return cls(path, data.decode("utf-8-sig").replace("\r\n", "\n"))
        except UnicodeDecodeError as error:
            before = data[: error.start]
            line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
            message = f"not UTF-8: the byte {data[error.start]:#04x} may not stand here"
            raise ConfigError([Problem(path, line, column, message)]) from None

    def _measure(self) -> None:
        """Refuse what is nested too deep to be composed."""
        depth = 0
        for event in yaml.parse(self.text, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEPTH_LIMIT:
                mark = event.start_mark
                line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
                raise ConfigError([self._problem(line, column, "nested deeper than any configuration needs")])

    def _problem(self, line: int, column: int, message: str, *, warning: bool = False) -> Problem:
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return Problem(self.path, line, column, message, warning, source)

    def _value(self, node: yaml.Node, loc: Loc) -> Any:
        self._count += 1
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        if self._count > _NODE_LIMIT:
            raise ConfigError([self._problem(line, column, "more values than any configuration needs")])
        self._places.setdefault(loc, (line, column))
        if isinstance(node, yaml.ScalarNode):
            if node.tag not in _TAGS:
                raise ConfigError(
                    [self._problem(line, column, f"the tag {node.tag.replace(_TAG, '!!')} is not known here")]
                )
            return self._scalar(node)
        if node in self._open:
            raise ConfigError([self._problem(line, column, "this stands inside itself")])
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, loc)
            return [self._value(item, (*loc, index)) for index, item in enumerate(node.value)]
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError([self._problem(line, column, "a key is one word or phrase")])
            key = str(key_node.value)
            if key in found:
                raise ConfigError([self._problem(line, column, f"{key} stands here twice")])
            self._places[(*loc, key)] = (line, column)
            found[key] = self._value(value_node, (*loc, key))
        return found

    @staticmethod
    def _scalar(node: yaml.ScalarNode) -> Any:
        text = str(node.value)
        if node.style:
            return text
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        if _INT.fullmatch(text) and (text == "0" or not text.lstrip("+-").startswith("0")):
            return int(text)
        return float(text) if _FLOAT.fullmatch(text) else text

    def place(self, loc: Loc) -> tuple[int, int]:
        """Line and column of the value at `loc`, or of the nearest thing around it."""
        while loc not in self._places:
            loc = loc[:-1]
        return self._places[loc]

    def problem(self, loc: Loc, message: str, *, warning: bool = False) -> Problem:
        """An error at a place in this file."""
        line, column = self.place(self._known(loc))
        return self._problem(line, column, message, warning=warning)

    def _known(self, loc: Loc) -> Loc:
        """`loc` without the names that pydantic adds for unions and validators."""
        known: Loc = ()
        for step in loc:
            if (*known, step) in self._places:
                known = (*known, step)
        return known

    def problems(self, error: ValidationError, model: type[BaseModel]) -> Iterator[Problem]:
        """A pydantic error's findings at their places, each with what was expected."""
        for found in error.errors(include_url=False):
            problem = self.problem(*said(found, model))
            hidden = isinstance(found.get("ctx", {}).get("error"), InTheClear)
            yield replace(problem, source="") if hidden else problem
