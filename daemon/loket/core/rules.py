"""What a rules file may say: fields, rules, queues and outcomes, as frozen pydantic models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product as combinations
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from rapidfuzz import fuzz

from loket.core import normal
from loket.core.appointments import Appointments
from loket.core.calendar import parse_hours
from loket.core.conditions import Condition
from loket.core.letterbook import Agenda
from loket.core.model import TRIAGE
from loket.core.strict import MailAddress, Misplaced, Strict, Word, also_written
from loket.core.turns import Live
from loket.core.worktime import Soon, WorkingSpan, WorkingTime

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def written(pattern: str, expected: str) -> AfterValidator:
    """A text of that form; `expected` says which to whoever wrote another."""
    form = re.compile(pattern)

    def check(value: str) -> str:
        if not form.fullmatch(value):
            raise ValueError(expected)
        return value

    vars(check)["pattern"] = f"^(?:{pattern})$"
    return AfterValidator(check)


Name = Annotated[str, written(r"[a-z0-9][a-z0-9-]{0,60}", "write small letters, digits and hyphens, as in ambil-sk")]
QueueName = Annotated[
    str,
    written(
        r"[a-z0-9{][a-z0-9{}_-]{0,80}", "write small letters, digits, hyphens and {fields}, as in ambil-sk-{kategori}"
    ),
]
CommandWord = Annotated[str, written(r"[A-Z][A-Z0-9-]{1,20}", "write one word in capitals, as in REVISI")]


class FieldSpec(Strict):
    """A field of a subject: one of some `values` with their synonyms, or, without values, the writer's own words."""

    values: dict[str, list[str]] = {}
    placeholders: list[str] = []
    label: str = ""

    @property
    def free(self) -> bool:
        """Whether the writer's own words stand here."""
        return not self.values


@also_written(type="object", additionalProperties={"type": "array", "items": {"type": "string"}})
def _field_shorthand(value: Any) -> Any:
    """`{OT: [Obat Tradisional], SK: []}` is short for `{values: …}`."""
    if isinstance(value, Mapping) and not set(value) <= {"values", "placeholders", "label"}:
        return {"values": value}
    return value


FieldEntry = Annotated[FieldSpec, BeforeValidator(_field_shorthand)]


class Needs(Strict):
    """What makes a mail complete, beyond its fields."""

    attachments: int = Field(default=0, ge=0, le=100)
    label: str = ""


class SelfAnswer(Strict):
    """A complete request that needs no officer: when, and the letter that is its answer."""

    when: Condition
    template: str


class Rule(Strict):
    """One kind of request: when it applies, what it needs, where it goes."""

    name: Name
    title: str = ""
    subject: str | None = Field(default=None, max_length=200)
    aliases: list[Word] = []
    when: Condition | None = None
    needs: Needs = Needs()
    queue: QueueName
    answers: list[SelfAnswer] = Field(default=[], description="what is answered without an officer; the first counts")
    examples: dict[str, dict[str, str] | None] = {}

    @model_validator(mode="after")
    def _pattern_is_sound(self) -> Self:
        if self.subject is None:
            if self.aliases:
                raise Misplaced(
                    ("aliases",), "aliases are other spellings of a subject keyword, and this rule has no subject"
                )
            return self
        keyword, fields = split_pattern(self.subject)
        if not normal.words(keyword):
            raise Misplaced(("subject",), "a subject starts with its keyword, as in `Berkas_{produk}`")
        if _rebuild(keyword, fields) != self.subject:
            raise Misplaced(
                ("subject",),
                "a subject is a keyword and then fields, each after one underscore: `Berkas_{produk}`",
            )
        if len(set(fields)) != len(fields):
            raise Misplaced(("subject",), "a field stands in a subject once")
        return self

    @property
    def keywords(self) -> list[str]:
        """The keyword and its other spellings, the longest first."""
        if self.subject is None:
            return []
        return sorted([split_pattern(self.subject)[0], *self.aliases], key=len, reverse=True)

    @property
    def pattern_fields(self) -> list[str]:
        """The fields in the subject, in order."""
        return split_pattern(self.subject)[1] if self.subject else []


def split_pattern(pattern: str) -> tuple[str, list[str]]:
    """The keyword and the field names of `Revisi Desain_{kategori}_{produk}`."""
    fields = _PLACE.findall(pattern)
    return pattern.partition("_{")[0].strip(), fields


def _rebuild(keyword: str, fields: list[str]) -> str:
    return keyword + "".join(f"_{{{name}}}" for name in fields)


class Outcome(Strict):
    """A named end (or pause) of a ticket: the officer's command, the template it sends, and what follows."""

    command: CommandWord
    aliases: list[CommandWord] = []
    title: str = ""
    template: str
    attachments: Literal["required", "optional", "none"] = "optional"
    words: Literal["required", "optional"] = "optional"
    argument: str | None = None
    letter: bool = False
    proof: Literal["token", "trusted", "code", "either", "both"] | None = Field(
        default=None, description="what it takes beside the officer's address and token; either for letters"
    )
    closes: bool = False
    then: Literal["waiting", "open"] | None = None
    undo: Soon | None = Field(default=None, description="how long it waits before it leaves, for BATAL")

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.closes and self.then is not None:
            raise Misplaced(("then",), "an outcome either closes the ticket or says what comes `then`, not both")
        return self


class Escalation(Strict):
    """Who hears of what nears its due time or has passed it: the officers, then a supervisor; `{}` for nobody."""

    remind: WorkingSpan | None = Field(
        default=None, description="how long before it its officers are reminded; at the due time they are once more"
    )
    supervisor: MailAddress | None = Field(default=None, description="who is told of what stays late")
    after: WorkingSpan = Field(
        default=WorkingSpan(low=1, high=1), description="how long after the due time the supervisor is told"
    )


class Queue(Strict):
    """A work queue: its title, how long it takes, and how its tickets can end."""

    title: str
    due: WorkingTime | None = None
    escalation: Escalation | None = Field(default=None, description="in place of the office's")
    notices: bool = False
    next: str = ""
    appointments: Appointments | None = None
    agenda: Agenda | None = Field(default=None, description="the register its letters are entered in")
    live: Live | None = Field(default=None, description="a queue of live contacts, who are called in turn")
    outcomes: dict[str, Outcome] = {}

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.appointments is not None and self.live is not None:
            raise Misplaced(("live",), "a queue works by appointment or calls in turn, not both")
        return self

    @model_validator(mode="after")
    def _commands_differ(self) -> Self:
        said: dict[str, str] = {}
        for name, outcome in self.outcomes.items():
            for word in (outcome.command, *outcome.aliases):
                if word in said:
                    loc = ("outcomes", name, "command" if word == outcome.command else "aliases")
                    raise Misplaced(loc, f"{word} is a command of {said[word]} already")
                said[word] = name
        return self


def _hours(value: str) -> str:
    if value:
        parse_hours(value)
    return value


class Channel(Strict):
    """Another way to reach a counter, as printed for the public."""

    name: str
    at: str = Field(min_length=1)
    hours: Annotated[str, AfterValidator(_hours)] = Field(default="", description="when; no calendar where left out")
    note: str = ""


class CounterFile(Strict):
    """One counter: one file."""

    counter: str
    fields: dict[str, FieldEntry] = {}
    rules: list[Rule] = []
    queues: dict[QueueName, Queue] = {}
    channels: list[Channel] = []
    notes: list[str] = []

    @model_validator(mode="after")
    def _fields_fit(self) -> Self:
        names: set[str] = set()
        for index, rule in enumerate(self.rules):
            loc = ("rules", index, "subject")
            for name in rule.pattern_fields:
                near = [known for known in self.fields if fuzz.ratio(name, known) > 80]
                if name not in self.fields and near:
                    raise Misplaced(loc, f"{{{name}}} is not under fields; did you mean {{{near[0]}}}?")
            free = [name for name in rule.pattern_fields if self.field(name).free]
            if free and (len(free) > 1 or rule.pattern_fields[-1] != free[0]):
                raise Misplaced(
                    loc,
                    f"only the last field may hold the writer's own words; list the values of {free[0]} under fields",
                )
            if rule.name in names:
                raise Misplaced(("rules", index, "name"), f"two rules are named {rule.name}")
            names.add(rule.name)
        return self

    def field(self, name: str) -> FieldSpec:
        """The field of that name; one that is not declared is the writer's own words."""
        return self.fields.get(name, FieldSpec())

    def concrete_queues(self) -> dict[str, Queue]:
        """The queues with every `{field}` in their names rendered for each of its values."""
        found: dict[str, Queue] = {}
        for name, queue in self.queues.items():
            used = _PLACE.findall(name)
            for values in combinations(*(list(self.field(field).values) for field in used)):
                given = dict(zip(used, values, strict=True))
                key = render_queue(name, given)
                if key is not None:
                    found[key] = queue.model_copy(update={"title": _fill(queue.title, given) or queue.title})
        return found


def _fill(text: str, fields: Mapping[str, str]) -> str | None:
    if any(name not in fields for name in _PLACE.findall(text)):
        return None
    return _PLACE.sub(lambda place: fields[place[1]], text)


def render_queue(name: str, fields: Mapping[str, str]) -> str | None:
    """The queue's own name, lower case; None when a field in it is missing."""
    filled = _fill(name, fields)
    return None if filled is None else filled.lower().replace(" ", "-")


TRIAGE_QUEUE = Queue(title="Triase", due=WorkingTime(low=1, high=1))
BUILT_IN = {TRIAGE: TRIAGE_QUEUE}
