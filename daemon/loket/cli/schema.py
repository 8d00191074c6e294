"""`loket schema`: JSON Schema of config.yaml and of rules files, for editors that check while one types."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from loket.config.models import Config
from loket.core.rules import CounterFile


class What(StrEnum):
    """Which files are described."""

    CONFIG = "config"
    RULES = "rules"


_MODELS: dict[What, type[BaseModel]] = {What.CONFIG: Config, What.RULES: CounterFile}
_TITLES = {What.CONFIG: "Loket: config.yaml", What.RULES: "Loket: a counter's file under rules/"}


class _AsWritten(GenerateJsonSchema):
    """The forms in which a person may write the file, beside the form after reading."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """A validator that takes a shorter form apart says which (`also_written`)."""
        known = super().function_before_schema(schema)
        shorter = getattr(schema["function"]["function"], "also_written", None)
        return known if shorter is None else {"anyOf": [known, shorter]}

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        """A validator that asks for a form of text says which (`written`)."""
        known = super().function_after_schema(schema)
        pattern = getattr(schema["function"]["function"], "pattern", None)
        return known if pattern is None else {**known, "pattern": pattern}

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:  # noqa: ARG002 - pydantic's interface
        """`yes` and `no` are words to YAML 1.2, and what people write."""
        return {"enum": [True, False, "yes", "no"]}

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:  # noqa: ARG002 - pydantic's interface
        """What only reading can make, a list file's entries, is never written."""
        return {"not": {}}


def schema(what: Annotated[What, typer.Argument(help="config or rules")]) -> None:
    """Print the JSON Schema (draft 2020-12) with which an editor checks and completes YAML."""
    print(json.dumps(described(what), ensure_ascii=False, indent=2))


def described(what: What) -> dict[str, Any]:
    """The schema of one kind of file."""
    found = _MODELS[what].model_json_schema(schema_generator=_AsWritten, by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": _TITLES[what]}
