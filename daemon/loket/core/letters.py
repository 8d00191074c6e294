"""Templates into letters: Jinja2, sandboxed, and an undefined variable is an error, never an empty place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    __version__,
    meta,
    nodes,
    pass_environment,
)
from jinja2.filters import do_wordwrap
from jinja2.sandbox import ImmutableSandboxedEnvironment
from rapidfuzz import process

from loket.core.headers import clean_text

SUBJECT = "Subject:"
# Another engine may find other faults.
ENGINE = f"Jinja2 {__version__}"


class LetterError(Exception):
    """A template that cannot be rendered; `line` and `column` are where, counted from 1, 1 where nobody knows."""

    def __init__(self, name: str, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.name = name
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Letter:
    """What a template gave: one line of subject, and a body of lines."""

    subject: str
    body: str


# An include of a whole template by its name, alone on its line as the letters write it.
_INCLUDE = re.compile(r"""^[ \t]*\{%\s*include\s+"([^"]+)"\s*(\+?)%\}(\n?)""", re.MULTILINE)
_DEEPEST = 10


def flattened(name: str, sources: Mapping[str, str], depth: int = 0) -> str:
    """A template with its includes written out: each costs more than the text it brings.

    The same to the letter as with includes; a part's own `set` stays in it.
    """

    def part(found: re.Match[str]) -> str:
        if found[1] not in sources or depth >= _DEEPEST:
            return found[0]
        text = flattened(found[1], sources, depth + 1).removesuffix("\n")
        return f"{{%+ with +%}}{text}{{%+ endwith +%}}{found[3] if found[2] else ''}"

    return _INCLUDE.sub(part, sources[name])


class _Shelf(BaseLoader):
    """Templates by name; the name stands in tracebacks, so that a fault in an included one is found there."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, None]:  # noqa: ARG002 - the interface's
        if template not in self.sources:
            raise TemplateNotFound(template, f"there is no template {template}")
        return self.sources[template], template, None


class _Nothing(StrictUndefined):
    """An undefined value that says what there is instead."""

    @property
    def _undefined_message(self) -> str:
        name, around = self._undefined_name, self._undefined_obj
        if isinstance(around, Mapping):
            return f"there is no {name} here, but {', '.join(sorted(around))}"
        return f"there is no {name}" if isinstance(name, str) else super()._undefined_message


# What a mapping has of its own comes before what is in it.
_OF_MAPPINGS = frozenset(dir(dict))


class _Sandbox(ImmutableSandboxedEnvironment):
    """Looks into mappings, which most of what a letter says is in, without first asking them for an attribute."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As the sandbox does it: what is forbidden to see stays so."""
        if type(obj) is dict and attribute in obj and attribute not in _OF_MAPPINGS:
            return obj[attribute]
        return super().getattr(obj, attribute)


_FAULTS = (TemplateError, ArithmeticError, AttributeError, TypeError, ValueError, LookupError, RecursionError)


def _environment(sources: Mapping[str, str]) -> _Sandbox:
    found = _Sandbox(
        loader=_Shelf(sources),
        undefined=_Nothing,
        autoescape=lambda name: name is not None and name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    # The same few notes and hints are wrapped for every mail.
    found.filters["wordwrap"] = pass_environment(lru_cache(maxsize=4096)(do_wordwrap))
    return found


@dataclass(frozen=True, slots=True)
class _Mention:
    """A word of a template: a variable, a part `of` one, or another template that it includes."""

    word: str
    line: int
    of: str | None = None
    included: bool = False


@dataclass(frozen=True, slots=True)
class _Mentions:
    """What a template mentions, the names it sets or loops over, and those its context must bring."""

    all: tuple[_Mention, ...]
    stored: frozenset[str]
    undeclared: frozenset[str]


_READER = _environment({})
# What brings names of its own into a template, or what only the compiler knows the faults of.
_COMPILED = (
    *(nodes.For, nodes.With, nodes.Macro, nodes.CallBlock),
    *(nodes.Import, nodes.FromImport, nodes.Block, nodes.Extends),
)
_LOOKED_AT = (nodes.Filter, nodes.Test, nodes.Name, nodes.Getattr, nodes.Include, *_COMPILED)


@lru_cache(maxsize=512)
def _mentions(source: str) -> _Mentions:
    """What there is to check in a template; languages share many, and a reload changes few. Raises TemplateError."""
    tree = _READER.parse(source)
    found: dict[type[nodes.Node], list[Any]] = {kind: [] for kind in _LOOKED_AT}
    # One way through the tree for all: asked kind by kind, it would be half of the work.
    for node in tree.find_all(_LOOKED_AT):
        found[type(node)].append(node)
    for kind, there in ((nodes.Filter, _READER.filters), (nodes.Test, _READER.tests)):
        for node in found[kind]:
            if node.name not in there:
                raise TemplateSyntaxError(f"there is no {kind.__name__.lower()} {node.name}", node.lineno)
    names = found[nodes.Name]
    stored = frozenset(node.name for node in names if node.ctx != "load")
    said = [_Mention(node.name, node.lineno) for node in names if node.ctx == "load"]
    for part in found[nodes.Getattr]:
        said.append(_Mention(part.attr, part.lineno, part.node.name if isinstance(part.node, nodes.Name) else ""))
    for include in found[nodes.Include]:
        if isinstance(include.template, nodes.Const) and isinstance(include.template.value, str):
            said.append(_Mention(include.template.value, include.lineno, included=True))
    if stored or any(found[kind] for kind in _COMPILED):
        undeclared = frozenset(meta.find_undeclared_variables(tree))
    else:
        # Jinja tells by compiling, as long as all else takes; where no name is made, they are all the names there.
        undeclared = frozenset(node.name for node in names).difference(_READER.globals)
    return _Mentions(tuple(dict.fromkeys(said)), stored, undeclared)


class Letters:
    """All templates of one language, compiled on first use.

    A template's first line is `Subject: …`; an empty line and the body follow. `.html` templates escape.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = dict(sources)
        self.names = frozenset(sources)
        self._env = _environment(self._sources)
        self._get = lru_cache(maxsize=None)(self._env.get_template)
        flat = _environment({name: flattened(name, self._sources) for name in self._sources})
        self._flat = lru_cache(maxsize=None)(flat.get_template)

    def render(self, name: str, context: Mapping[str, Any]) -> Letter:
        """The letter; LetterError names the template and line at fault."""
        text = self._render(f"{name}.txt", context)
        first, _, rest = text.partition("\n")
        if not first.startswith(SUBJECT):
            raise LetterError(f"{name}.txt", f"the first line must be `{SUBJECT} …`", 1)
        body = "\n".join(map(str.rstrip, rest.strip("\n").split("\n")))
        return Letter(clean_text(first.removeprefix(SUBJECT), 400), _squeeze(body) + "\n")

    def html(self, name: str, context: Mapping[str, Any]) -> str:
        """The HTML form of a letter."""
        return self._render(f"{name}.html", context) + "\n"

    def _render(self, name: str, context: Mapping[str, Any]) -> str:
        try:
            return str(self._flat(name).render(context))
        except _FAULTS:
            return self.by_parts(name, context)

    def by_parts(self, name: str, context: Mapping[str, Any]) -> str:
        """The same with its includes where they are: what is wrong is found in the part it stands in."""
        try:
            template: Template = self._get(name)
            return template.render(context)
        except _FAULTS as error:
            message = error.message if isinstance(error, TemplateError) else str(error)
            where, line = self._place(error, name)
            raise LetterError(where, message or type(error).__name__, line) from error

    def _place(self, error: BaseException, name: str) -> tuple[str, int]:
        """The template and line that were being read or run when it happened, innermost."""
        if isinstance(error, TemplateSyntaxError):
            return error.name or name, error.lineno
        place, trace = (name, 1), error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in self.names:
                place = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
            trace = trace.tb_next
        return place

    def faults(self, words: Mapping[str, Collection[str]]) -> Iterator[LetterError]:
        """What is wrong with any template, in branches that no sample takes too.

        `words` are the variables a letter may have, each with its parts, none where it is a plain value.
        """
        read: dict[str, _Mentions] = {}
        for name in sorted(self.names):
            try:
                read[name] = _mentions(self._sources[name])
            except TemplateError as error:
                yield LetterError(name, error.message or "is no template", self._place(error, name)[1])
        stored = frozenset().union(*(one.stored for one in read.values()))
        for name, one in read.items():
            # A part is included where the whole may have set or looped over more.
            free = one.undeclared - stored if name.rpartition("/")[2].startswith("_") else one.undeclared
            for mention in one.all:
                if mention.included:
                    if mention.word not in self.names:
                        yield self._fault(name, mention, self.names)
                elif mention.of is None:
                    if mention.word in free and mention.word not in words:
                        yield self._fault(name, mention, set(words))
                elif mention.of in free:
                    known = words.get(mention.of, ())
                    if known and mention.word not in known:
                        yield self._fault(name, mention, known)

    def _fault(self, name: str, mention: _Mention, known: Collection[str]) -> LetterError:
        word, of = mention.word, f" of {mention.of}" if mention.of else ""
        line = self._sources[name].split("\n")[mention.line - 1]
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", line)
        near = process.extractOne(word, sorted(known), score_cutoff=75)
        hint = f"; did you mean {near[0]}?" if near else ""
        return LetterError(name, f"there is no {word}{of}{hint}", mention.line, found.start() + 1 if found else 1)


def _squeeze(body: str) -> str:
    """Never more than one empty line in a row: an optional paragraph that stayed out leaves no hole."""
    while "\n\n\n" in body:
        body = body.replace("\n\n\n", "\n\n")
    return body
