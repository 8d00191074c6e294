"""The base of everything that is read from YAML."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from loket.core import normal

Function = TypeVar("Function", bound=Callable[..., Any])


def also_written(**schema: Any) -> Callable[[Function], Function]:
    """For a validator that takes a shorter form apart: that form as JSON Schema, for editors (`loket schema`)."""

    def mark(function: Function) -> Function:
        vars(function)["also_written"] = schema
        return function

    return mark


class Strict(BaseModel):
    """Nothing unknown, nothing changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_ADDRESS = re.compile(r"[^\s@<>()\",:;\\\[\]]+@[A-Za-z0-9][A-Za-z0-9.-]*")


def mail_address(value: str) -> str:
    """An address in small letters; ValueError where it is none that mail can go to."""
    if not _ADDRESS.fullmatch(value):
        raise ValueError("write one mail address, as in ani@pom.go.id")
    return value.lower()


MailAddress = Annotated[str, AfterValidator(mail_address)]


def _has_letters(value: str) -> str:
    if not normal.words(value):
        raise ValueError("write letters or digits; a star beside them stands for any letters")
    return value


# A word or phrase that is looked for: one without letters would be found everywhere, or nowhere.
Word = Annotated[str, AfterValidator(_has_letters)]


class Misplaced(ValueError):
    """What is wrong with the whole, and at which place in it."""

    def __init__(self, loc: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.loc = loc
