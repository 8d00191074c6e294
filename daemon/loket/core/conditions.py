"""When does a rule apply, beside its subject? One class a kind, each with one predicate.

A new kind is a class here, its name in `Condition`, a row in tests/core/test_conditions.py and one in docs/rules.md.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, model_validator

from loket.core import headers, parse
from loket.core.calendar import parse_hours
from loket.core.model import Address, InboundMail, Part
from loket.core.strict import Strict, Word, also_written
from loket.core.wording import Wording, folded


@dataclass(frozen=True)
class Facts:
    """What conditions look at: a mail, the fields its subject gave, and the office's zone; costly parts once."""

    mail: InboundMail
    fields: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC

    @cached_property
    def body(self) -> str:
        """The letter's own words."""
        return parse.body_text(self.mail)

    def about(self, fields: Mapping[str, str]) -> Facts:
        """The same mail with the fields that a subject gave."""
        if not fields:
            return self
        facts = Facts(self.mail, fields, self.zone)
        if "body" in self.__dict__:
            facts.__dict__["body"] = self.body
        return facts


class SubjectWords(Strict):
    """Some word of the subject is one of `words`: short for `{kind: subject, words: …}`."""

    kind: Literal["subject-words"]
    words: list[Word] = Field(min_length=1)

    @cached_property
    def _wording(self) -> Wording:
        return Wording(words=self.words)

    def matches(self, facts: Facts) -> bool:
        """Letter case, width and punctuation aside."""
        return self._wording.holds(facts.mail.subject)


class Subject(Wording):
    """Something about the decoded subject."""

    kind: Literal["subject"]

    def matches(self, facts: Facts) -> bool:
        """Of the whole subject, prefixes included."""
        return self.holds(facts.mail.subject)


class Body(Wording):
    """Something about the letter's own words, plain text where there is some."""

    kind: Literal["body"]

    def matches(self, facts: Facts) -> bool:
        """Of the text a person reads."""
        return self.holds(facts.body)


class Header(Wording):
    """Something about a header field, decoded; a field that is not there never holds."""

    kind: Literal["header"]
    name: str = Field(pattern=r"^[!-9;-~]{1,100}$")

    def matches(self, facts: Facts) -> bool:
        """Of any field of that name."""
        return self.holds_any(headers.decode_words(one.encode()) for one in facts.mail.all(self.name.lower()))


class FieldIs(Wording):
    """Something about a field that the subject gave."""

    kind: Literal["field"]
    name: str

    def matches(self, facts: Facts) -> bool:
        """A field that is missing never holds."""
        return self.name in facts.fields and self.holds(facts.fields[self.name])


class Addresses(Wording):
    """A wording about mail addresses: a line of a list may be an address or `@domain`."""

    def knows(self, addresses: tuple[Address, ...]) -> bool:
        """Whether it holds for one of them."""
        if self.listing is not None:
            return any(
                one.spec in self.listing.entries or f"@{one.domain}" in self.listing.entries for one in addresses
            )
        return self.holds_any(one.spec for one in addresses)


class From(Addresses):
    """Something about the author's address."""

    kind: Literal["from"]

    def matches(self, facts: Facts) -> bool:
        """Of any address in From."""
        return self.knows(facts.mail.authors)


class To(Addresses):
    """Something about an address in To or Cc."""

    kind: Literal["to"]

    def matches(self, facts: Facts) -> bool:
        """Of any recipient."""
        return self.knows(facts.mail.recipients)


class Mailbox(Addresses):
    """Something about the mailbox the mail came to, for rules that several mailboxes share."""

    kind: Literal["mailbox"]

    def matches(self, facts: Facts) -> bool:
        """Of our own address."""
        return self.knows((Address("", facts.mail.raw.ref.mailbox.lower()),))


@also_written(type=["string", "integer"])
def _octets(value: Any) -> Any:
    """`5 MB` is five million octets, as mail clients say it."""
    return f"{value}B" if isinstance(value, int) else value


Octets = Annotated[ByteSize, BeforeValidator(_octets)]


class Size(Strict):
    """The size of the whole mail in octets: `min` and `max` included."""

    kind: Literal["size"]
    min: Octets | None = None
    max: Octets | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        _in_order(self.min, self.max)
        return self

    def matches(self, facts: Facts) -> bool:
        """As the server gave it."""
        return _within(facts.mail.raw.stored.size, self.min, self.max)


class Attachments(Strict):
    """How many attachments are of a `type` (`image/*`), a `name` (`*.pdf`) and a size: `min` to `max` of them."""

    kind: Literal["attachments"]
    min: int | None = Field(default=None, ge=0)
    max: int | None = Field(default=None, ge=0)
    type: list[str] = []
    name: list[str] = []
    larger: Octets | None = None
    smaller: Octets | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.min is not None or self.max is not None:
            _in_order(self.min, self.max)
        return self

    def matches(self, facts: Facts) -> bool:
        """One is enough where neither `min` nor `max` is given."""
        count = sum(1 for part in facts.mail.attachments if self._counts(part))
        return _within(count, 1 if self.min is None and self.max is None else self.min, self.max)

    def _counts(self, part: Part) -> bool:
        octets = part.size * 3 // 4 if part.encoding == "base64" else part.size
        return (
            _like(part.media_type, self.type)
            and _like(part.name, self.name)
            and _within(octets, self.larger, self.smaller)
        )


class Arrival(Strict):
    """The mail came within these hours of the office's zone: `Mon-Fri 08:30-16:00`."""

    kind: Literal["arrival"]
    within: Annotated[str, AfterValidator(lambda text: parse_hours(text).text)]

    def matches(self, facts: Facts) -> bool:
        """By the server's own date, half open: at closing time it is outside."""
        at = facts.mail.raw.internaldate.astimezone(facts.zone)
        spans = parse_hours(self.within).by_day.get(at.weekday(), ())
        return any(opens <= at.time() < closes for opens, closes in spans)


class AllOf(Strict):
    """Every one of them holds."""

    kind: Literal["all"]
    of: list[Condition] = Field(min_length=1)

    def matches(self, facts: Facts) -> bool:
        """In order, until one does not."""
        return all(one.matches(facts) for one in self.of)


class AnyOf(Strict):
    """At least one of them holds."""

    kind: Literal["any"]
    of: list[Condition] = Field(min_length=1)

    def matches(self, facts: Facts) -> bool:
        """In order, until one does."""
        return any(one.matches(facts) for one in self.of)


class Not(Strict):
    """It does not hold."""

    kind: Literal["not"]
    of: Condition

    def matches(self, facts: Facts) -> bool:
        """The other way round."""
        return not self.of.matches(facts)


Condition = Annotated[
    SubjectWords
    | Subject
    | Body
    | Header
    | FieldIs
    | From
    | To
    | Mailbox
    | Size
    | Attachments
    | Arrival
    | AllOf
    | AnyOf
    | Not,
    Field(discriminator="kind"),
]
for _nested in (AllOf, AnyOf, Not):
    _nested.model_rebuild()


def explained(condition: Condition, facts: Facts) -> list[tuple[str, bool]]:
    """Every single condition in it with its own result, the outermost first, for people who ask why."""
    inner: list[Condition] = []
    if isinstance(condition, AllOf | AnyOf):
        inner = condition.of
    elif isinstance(condition, Not):
        inner = [condition.of]
    found = [(_shown(condition), condition.matches(facts))]
    for one in inner:
        found += explained(one, facts)
    return found


def _shown(condition: Condition) -> str:
    if isinstance(condition, AllOf | AnyOf | Not):
        return condition.kind
    said = condition.model_dump(exclude={"kind", "listing"}, exclude_defaults=True)
    if isinstance(condition, Wording) and condition.listing is not None:
        said["list"] = condition.listing.name
    return f"{condition.kind} " + ", ".join(f"{key} {value}" for key, value in said.items())


def _in_order(low: int | None, high: int | None) -> None:
    if low is None and high is None:
        raise ValueError("give `min`, `max` or both")
    if low is not None and high is not None and low > high:
        raise ValueError("`min` is larger than `max`")


def _within(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _like(value: str, patterns: list[str]) -> bool:
    plain = folded(value)
    return not patterns or any(fnmatch.fnmatchcase(plain, folded(pattern)) for pattern in patterns)
