"""Templates into letters: Jinja2, sandboxed, and an undefined variable is an error, never an empty place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import BaseLoader, DictLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from loket.core.headers import clean_text

SUBJECT = "Subject:"


class LetterError(Exception):
    """A template that cannot be rendered; `line` is where, counted from 1, or None where Jinja2 does not say."""

    def __init__(self, name: str, message: str, line: int | None) -> None:
        super().__init__(message)
        self.name = name
        self.line = line


@dataclass(frozen=True, slots=True)
class Letter:
    """What a template gave: one line of subject, and a body of lines."""

    subject: str
    body: str


class Letters:
    """All templates of one language, compiled on first use.

    A template's first line is `Subject: …`; an empty line and the body follow. `.html` templates escape.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        loader: BaseLoader = DictLoader(dict(sources))
        self.names = frozenset(sources)
        self._env = ImmutableSandboxedEnvironment(
            loader=loader,
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
        )
        self._get = lru_cache(maxsize=None)(self._env.get_template)

    def render(self, name: str, context: Mapping[str, Any]) -> Letter:
        """The letter; LetterError names the template and line at fault."""
        text = self._render(f"{name}.txt", context)
        first, _, rest = text.partition("\n")
        if not first.startswith(SUBJECT):
            raise LetterError(f"{name}.txt", f"the first line must be `{SUBJECT} …`", 1)
        body = "\n".join(line.rstrip() for line in rest.strip("\n").split("\n"))
        return Letter(clean_text(first.removeprefix(SUBJECT), 400), _squeeze(body) + "\n")

    def html(self, name: str, context: Mapping[str, Any]) -> str:
        """The HTML form of a letter."""
        return self._render(f"{name}.html", context) + "\n"

    def _render(self, name: str, context: Mapping[str, Any]) -> str:
        try:
            template: Template = self._get(name)
            return template.render(context)
        except TemplateError as error:
            raise LetterError(name, str(error), _line(error)) from error


def _squeeze(body: str) -> str:
    """Never more than one empty line in a row: an optional paragraph that stayed out leaves no hole."""
    while "\n\n\n" in body:
        body = body.replace("\n\n\n", "\n\n")
    return body


def _line(error: TemplateError) -> int | None:
    line = getattr(error, "lineno", None)
    if isinstance(line, int):
        return line
    trace = error.__traceback__
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith("<template>"):
            found = trace.tb_lineno
        trace = trace.tb_next
    return found
