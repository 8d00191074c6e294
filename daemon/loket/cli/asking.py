"""Questions to a person at a terminal, asked until the answer is sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import typer

from loket.cli.common import USAGE, console, fail
from loket.config.first import Counter
from loket.core.headers import clean_text
from loket.core.strict import mail_address

T = TypeVar("T")


class Asker:
    """Asks until an answer is sound; one given by an option is not asked for, and ends the command if it is not."""

    def __call__(self, question: str, given: str | None, sound: Callable[[str], T], default: str | None = None) -> T:
        while True:
            said = given if given is not None else str(typer.prompt(question, default=default))
            try:
                return sound(said.strip())
            except ValueError as error:
                if given is not None:
                    raise fail(f"{question}: {error}", USAGE) from None
                console().print(f"  {error}", markup=False)

    def one_of(self, question: str, offered: Sequence[Counter], given: str | None) -> Counter:
        """By its number or its name."""
        if given is None:
            console().print(f"{question}:", markup=False)
            for number, one in enumerate(offered, 1):
                console().print(f"  {number}. {one.name}: {one.title}", markup=False, highlight=False)
        names = {key: one for number, one in enumerate(offered, 1) for key in (str(number), one.name)}

        def chosen(said: str) -> Counter:
            if said not in names:
                raise ValueError(f"there are {', '.join(one.name for one in offered)}")
            return names[said]

        return self("Its number or name", given, chosen)


def words(said: str) -> str:
    """A name that a person reads."""
    said = clean_text(said, 100)
    if not said:
        raise ValueError("write at least a word")
    return said


def among(values: Sequence[str]) -> Callable[[str], str]:
    """One of these, letter case aside."""

    def sound(said: str) -> str:
        found = {value.casefold(): value for value in values}.get(said.casefold())
        if found is None:
            raise ValueError(f"write {' or '.join(values)}")
        return found

    return sound


def other_than(mailbox: str) -> Callable[[str], str]:
    """An address that is not the mailbox's."""

    def sound(said: str) -> str:
        found = mail_address(said)
        if found == mailbox:
            raise ValueError("the mailbox cannot answer itself; write a person's own address")
        return found

    return sound
