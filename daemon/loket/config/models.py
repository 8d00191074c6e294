"""config.yaml as frozen models: who the office is, where its mailboxes are, who answers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from loket.config.login import Login, Secret, secret_reference
from loket.config.presets import of_domain
from loket.config.servers import Server, Submission
from loket.config.storeurl import DatabaseUrl
from loket.config.trust import ConfirmEntry, TrustEntry
from loket.core.calendar import parse_hours, parse_times
from loket.core.rules import Escalation, written
from loket.core.strict import MailAddress, Misplaced, Strict, also_written
from loket.core.worktime import WorkingDays, WorkingHours

# Under another name where a field is called `date`.
Date = date


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A folder of zones is an OSError where the tzdata package is installed.
        raise ValueError("write a zone of the tz database, as in Asia/Jakarta") from None
    return value


def _hours(value: str) -> str:
    parse_hours(value)
    return value


def _times(value: str) -> str:
    parse_times(value)
    return value


HoursText = Annotated[str, AfterValidator(_hours)]
TimesText = Annotated[str, AfterValidator(_times)]


History = Literal["none", "all"] | date


@also_written(type=["string", "null"])
def _since(value: Any) -> Any:
    """`null` is the word none."""
    if value is None or value in ("none", "all"):
        return value or "none"
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"write none, all, or a date, as in 2026-01-05, not {value}") from None


class Mailbox(Strict):
    """One counter's mailbox: where it is, which rules it follows, what it answers by itself."""

    server: str = Field(default="", description="one of `servers`; a provider's own domain needs none")
    login: Login
    sends: Submission = Submission()
    name: str | None = None
    rules: list[str] = Field(min_length=1)
    fields: dict[str, str] = {}
    folder: str = "INBOX"
    history: Annotated[History, BeforeValidator(_since)] = "none"
    file_to: str | None = None
    trust: TrustEntry | None = Field(default=None, description="in place of the server's")
    archive: MailAddress | None = Field(default=None, description="our own address for a copy of each letter")
    hours: HoursText | None = None
    poll: int = Field(default=60, ge=1, le=3600, description="seconds between polls where IDLE is silent")


class OfficerEntry(Strict):
    """Someone who answers: the queues they may answer in, and whether they still work here."""

    name: str
    queues: list[str] = Field(min_length=1)
    active: bool = True
    deputy: MailAddress | None = Field(default=None, description="the officer who has the items meanwhile (CUTI)")


@also_written(const="officers")
def _readers(value: Any) -> Any:
    if value == "officers":
        return []
    if not isinstance(value, list) or not value:
        raise ValueError("write officers, or a list of their addresses")
    return value


class DigestEntry(Strict):
    """When digests go out, and to whom; to nobody in particular is to all officers."""

    to: Annotated[list[MailAddress], BeforeValidator(_readers)] = Field(alias="for")
    at: TimesText


class Day(Strict):
    """A date, and why it is here: the decree that says so."""

    date: Date
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    @also_written(type="string", format="date")
    def _written(cls, value: Any) -> Any:
        return value if isinstance(value, (dict, cls)) else {"date": value}


class ReportEntry(Strict):
    """When the figures of the last whole week go out, and to whom."""

    to: list[MailAddress] = Field(alias="for", min_length=1)
    at: TimesText


class Holidays(Strict):
    """Days off: a country's public and joint-leave days, with this office's additions and removals."""

    country: Annotated[str, written(r"[A-Z]{2}", "write a country's two letters, as in ID")] | None = None
    add: list[Day] = []
    remove: list[Day] = []

    @model_validator(mode="after")
    def _either(self) -> Self:
        added = {one.date for one in self.add}
        for index, one in enumerate(self.remove):
            if one.date in added:
                raise Misplaced(("remove", index), f"{one.date} stands under add too")
        return self


class Key(Strict):
    """One key of the tokens; its id stands in every token made with it."""

    id: Annotated[str, written(r"[a-z0-9]{1,8}", "write up to eight small letters or digits, as in k2")]
    key: Secret


@also_written(type="string", pattern=r"^\$\{(env|file):.+\}$")
def _keys(value: Any) -> Any:
    """One secret is a list of one key."""
    if isinstance(value, list):
        return value
    return [{"id": "k1", "key": secret_reference(value)}]


def _differ(keys: list[Key]) -> list[Key]:
    for index, key in enumerate(keys):
        if key.id in {before.id for before in keys[:index]}:
            raise Misplaced((index, "id"), f"two keys are named {key.id}")
    return keys


class Office(Strict):
    """Who the office is."""

    name: str = Field(min_length=1, max_length=100)
    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Jakarta"
    language: Annotated[str, written(r"[a-z]{2}", "write a language's two letters, as in id")] = "id"
    keys: Annotated[list[Key], BeforeValidator(_keys), AfterValidator(_differ)] = Field(alias="secret", min_length=1)
    prefix: Annotated[str, written(r"[A-Z]{2,8}", "write two to eight capitals, as in LKT")] = "LKT"
    admin: MailAddress | None = None
    hours: HoursText = "Mon-Fri 08:30-16:00"
    holidays: Holidays = Holidays()
    related: int = Field(default=365, ge=0, description="days back in which a ticket about the same thing is linked")


class Store(Strict):
    """Where tickets and mail are kept; relative paths count from config.yaml."""

    database: DatabaseUrl = "sqlite:///var/loket.db"
    files: str = "var/files"


class Batch(Strict):
    """How much is taken in at once."""

    mails: int = Field(default=100, ge=1, le=1000)
    octets: int = Field(default=8_000_000, ge=100_000)
    piece: int = Field(default=2_000_000, ge=65_536, description="octets of a large mail fetched at once")


class Responses(Strict):
    """How many automatic responses leave in an hour; the excess leaves later. `null` lifts a bound."""

    per_address: int | None = Field(default=60, ge=1)
    total: int | None = Field(default=2000, ge=1)


class Waiting(Strict):
    """How long a ticket waits for its applicant, in the counter's working days; null for ever."""

    remind: WorkingDays | None = None
    close: WorkingDays | None = None

    @model_validator(mode="after")
    def _reminded_before(self) -> Self:
        if self.remind and self.close and self.remind.high >= self.close.high:
            raise Misplaced(("close",), "a ticket is closed some working days after its reminder, not before")
        return self


class Claims(Strict):
    """How long an item that an officer took (AMBIL) is theirs alone, in the counter's working hours."""

    release: WorkingHours = timedelta(hours=8)


class Config(Strict):
    """The whole of config.yaml."""

    office: Office
    store: Store = Store()
    rules: str = "rules"
    servers: dict[str, Server] = {}
    mailboxes: dict[MailAddress, Mailbox] = Field(min_length=1)
    officers: dict[MailAddress, OfficerEntry] = {}
    digests: list[DigestEntry] = []
    batch: Batch = Batch()
    responses: Responses = Responses()
    waiting: Waiting = Waiting()
    confirm: ConfirmEntry = ConfirmEntry()
    claims: Claims = Claims()
    escalation: Escalation = Escalation()
    reports: list[ReportEntry] = []

    def sending(self, address: str) -> tuple[str, Login]:
        """The name of the server and the login that a mailbox's mail leaves by."""
        mailbox = self.mailboxes[address]
        return mailbox.sends.server or mailbox.server, mailbox.sends.login or mailbox.login

    @model_validator(mode="before")
    @classmethod
    def _at_providers(cls, value: Any) -> Any:
        """A mailbox at a provider's own domain that names no server has the provider's preset, under its name.

        By the domain alone: where mail is read and sent must not hang on what DNS answers today, and `loket check` asks
        nobody. A domain of one's own names its server.
        """
        mailboxes = value.get("mailboxes") if isinstance(value, dict) else None
        servers = (value.get("servers") or {}) if isinstance(value, dict) else {}
        if not isinstance(mailboxes, dict) or not isinstance(servers, dict):
            return value
        found = {
            address: preset
            for address, entry in mailboxes.items()
            if isinstance(entry, dict) and "server" not in entry and (preset := of_domain(str(address)))
        }
        return {
            **value,
            "servers": {**{preset: {"preset": preset} for preset in found.values()}, **servers},
            "mailboxes": {
                address: {**entry, "server": found[address]} if address in found else entry
                for address, entry in mailboxes.items()
            },
        }
