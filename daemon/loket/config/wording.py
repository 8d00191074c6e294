"""What pydantic found, said to the person who edits the file: what was expected here, and what stands there instead."""

from __future__ import annotations

import types
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from rapidfuzz import process

from loket.core.strict import Misplaced

Loc = tuple[str | int, ...]

_EXPECTED = {
    "string_type": "write text",
    "bool_type": "write yes or no",
    "bool_parsing": "write yes or no",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "list_type": "write a list, as in [a, b]",
    "dict_type": "write keys and values, as in `key: value`",
    "model_type": "write keys and values, as in `key: value`",
    "model_attributes_type": "write keys and values, as in `key: value`",
    "date_type": "write a date, as in 2026-03-20",
    "date_parsing": "write a date, as in 2026-03-20",
    "date_from_datetime_parsing": "write a date, as in 2026-03-20",
    "date_from_datetime_inexact": "write a date, as in 2026-03-20",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
    "too_short": "write at least {min_length}",
    "string_too_short": "write at least {min_length} character",
    "string_too_long": "write at most {max_length} characters",
    "literal_error": "write {expected}",
}


class InTheClear(ValueError):
    """A secret stands in the file itself: neither it nor its line may be repeated."""


def meant(name: str, known: Collection[str]) -> str:
    """The nearest of the names that would have been right, as the end of a sentence."""
    near = process.extractOne(name, sorted(known), score_cutoff=75)
    return f"; did you mean {near[0]}?" if near else ""


def said(found: Any, model: type[BaseModel]) -> tuple[Loc, str]:
    """Where one of pydantic's findings belongs, and in which words."""
    loc: Loc = found["loc"]
    kind: str = found["type"]
    context: Mapping[str, Any] = found.get("ctx", {})
    if kind == "extra_forbidden":
        return loc, f"{loc[-1]} is not known here{meant(str(loc[-1]), _names(model, loc[:-1]))}"
    if kind == "missing":
        return loc[:-1], f"{loc[-1]} is missing"
    if kind == "value_error":
        error = context["error"]
        return (*loc, *error.loc) if isinstance(error, Misplaced) else loc, str(error)
    if kind == "union_tag_not_found":
        return loc, f"{context['discriminator']} is missing".replace("'", "")
    if kind == "union_tag_invalid":
        tags = str(context["expected_tags"]).replace("'", "")
        hint = meant(str(context["tag"]), set(tags.split(", ")))
        loc = (*loc, str(context["discriminator"]).strip("'"))
        return loc, f"{context['tag']} is not known here{hint or f'; write one of {tags}'}"
    if kind not in _EXPECTED:
        return loc, str(found["msg"])
    return loc, f"{_EXPECTED[kind].format_map(context)}, not {_shown(found['input'])}"


def _shown(value: Any) -> str:
    """A value as it stands in a file; of a long one only its kind."""
    if value is None:
        return "nothing"
    if isinstance(value, list | dict):
        return "an empty one" if not value else "a list" if isinstance(value, list) else "keys and values"
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:58]}…"


def _names(model: type[BaseModel], loc: Loc) -> set[str]:
    """The keys that may stand at a place: the fields of the model that reads it."""
    here: Any = model
    for step in loc:
        options = list(_plain(here))
        mapping = next((one for one in options if get_origin(one) in (dict, list)), None)
        fields = [one.model_fields for one in options if isinstance(one, type) and issubclass(one, BaseModel)]
        found = [info for each in fields for name, info in each.items() if step in (info.alias or name, name)]
        if found:
            here = Annotated[found[0].annotation, None]
        elif mapping is not None:
            here = get_args(mapping)[-1]
    keys: set[str] = set()
    for one in _plain(here):
        if isinstance(one, type) and issubclass(one, BaseModel):
            keys |= {info.alias or name for name, info in one.model_fields.items()}
    return keys


def _plain(annotation: Any) -> Iterator[Any]:
    """The types that an annotation stands for, unions and validators aside."""
    if get_origin(annotation) is Annotated:
        yield from _plain(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for one in get_args(annotation):
            yield from _plain(one)
    else:
        yield annotation
