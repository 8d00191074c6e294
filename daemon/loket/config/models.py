"""config.yaml as frozen models: who the office is, where its mailboxes are, who answers."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from loket.config.login import Login, Secret, secret_reference
from loket.config.presets import FILE_COPIES, GENERIC, PRESETS, of_domain
from loket.config.storeurl import DatabaseUrl, is_loopback
from loket.config.trust import ConfirmEntry, TrustEntry
from loket.config.wording import meant
from loket.core.calendar import parse_hours, parse_times
from loket.core.replies import Meaning, Reply
from loket.core.rules import Escalation, written
from loket.core.strict import MailAddress, Misplaced, Strict, also_written
from loket.core.worktime import WorkingDays, WorkingHours

Security = Literal["tls", "starttls", "plain"]
# Under another name where a field is called `date`.
Date = date

_ENDPOINT = re.compile(r"(?:(?P<scheme>[a-z+]+)://)?(?P<host>\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(?P<port>\d{1,5})")
_SCHEMES: dict[str, Security] = {
    "imaps": "tls",
    "smtps": "tls",
    "imap+starttls": "starttls",
    "smtp+starttls": "starttls",
    "imap": "plain",
    "smtp": "plain",
}


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


class Endpoint(Strict):
    """A server's host, port and transport security.

    Written `host:port`: 993 and 465 speak TLS at once, all others STARTTLS, except on loopback, where it is plain.
    Or with a scheme that says so: imaps, imap+starttls, imap (plain, loopback only), and the same for smtp.
    """

    host: str
    port: int = Field(ge=1, le=65535)
    security: Security

    @model_validator(mode="before")
    @classmethod
    @also_written(type="string")
    def _written(cls, value: Any) -> Any:
        if isinstance(value, (dict, cls)):
            return value
        match = _ENDPOINT.fullmatch(value) if isinstance(value, str) else None
        if not match or (match["scheme"] and match["scheme"] not in _SCHEMES):
            raise ValueError("write host:port, as in mail.pom.go.id:993, or with imaps://, imap+starttls:// in front")
        host, port = match["host"].strip("[]"), int(match["port"])
        if match["scheme"]:
            security = _SCHEMES[match["scheme"]]
        elif port in (993, 465):
            security = "tls"
        else:
            security = "plain" if is_loopback(host) else "starttls"
        return {"host": host, "port": port, "security": security}

    @model_validator(mode="after")
    def _plain_only_at_home(self) -> Self:
        if self.security == "plain" and not is_loopback(self.host):
            raise ValueError("without TLS only a server on this machine (loopback) may be used")
        return self


def _preset_name(value: Any) -> Any:
    known = {GENERIC, *PRESETS}
    if isinstance(value, str) and value not in known:
        others = f"; write one of {', '.join(sorted(known))}"
        raise ValueError(f"there is no preset {value}{meant(value, known) or others}")
    return value


class ReplyEntry(Strict):
    """Refusals of one kind, and what they mean; at least one of `code`, `status` and `words` tells which."""

    code: int | None = Field(default=None, ge=400, le=599, description="the reply code, as in 550")
    status: Annotated[str, written(r"[45]\.\d{1,3}\.\d{1,3}", "write an enhanced status code, as in 5.4.5")] | None = (
        None
    )
    words: str | None = Field(default=None, min_length=3, description="any part of its text, letter case aside")
    means: Literal["never", "later", "quota", "crowded", "session"]

    @model_validator(mode="after")
    def _of_some(self) -> Self:
        if self.code is None and self.status is None and self.words is None:
            raise ValueError("say which refusals: by code, status or words")
        return self

    @property
    def reply(self) -> Reply:
        """The same, as core knows it."""
        return Reply(Meaning(self.means), self.code, self.status, self.words.lower() if self.words else None)


class Server(Strict):
    """A mail provider's two doors, its limits and ways; a preset fills in what is not written."""

    preset: Annotated[Literal["gmail", "yahoo", "microsoft"] | None, BeforeValidator(_preset_name)] = None
    imap: Endpoint | None = None
    smtp: Endpoint | None = None
    ca: str | None = None
    idle_renewal: int = Field(default=540, ge=5, le=1740, description="seconds before IDLE is renewed")
    sessions: int | None = Field(default=None, ge=1, description="IMAP sessions at once; mailboxes beyond take turns")
    connections: int = Field(default=4, ge=1, le=50, description="SMTP connections at once")
    per_connection: int | None = Field(default=None, ge=1, description="mails on one SMTP connection")
    per_minute: int | None = Field(default=None, ge=1, description="mails a minute of one login")
    per_day: int | None = Field(default=None, ge=10, description="recipients in any 24 hours of one login")
    recipients: int | None = Field(default=None, ge=1, description="recipients of one mail")
    max_size: int = Field(default=25_000_000, ge=100_000, description="octets of an outgoing mail at the most")
    sent: Literal["none", "append"] = Field(default="none", description="copies in the Sent folder, filed by Loket")
    replies: list[ReplyEntry] = Field(default=[], description="refusals that mean something else than they say")
    trust: TrustEntry = TrustEntry()

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if value.get("preset") == GENERIC:
            # What stands here is all there is to it, as where no preset is named.
            return {key: one for key, one in value.items() if key != "preset"}
        preset = value.get("preset")
        known = PRESETS.get(preset, {}) if isinstance(preset, str) else {}
        merged = {**known, **value}
        if isinstance(value.get("replies"), list) and "replies" in known:
            # The first that fits counts: the admin's own go before.
            merged["replies"] = [*value["replies"], *known["replies"]]
        return merged

    @model_validator(mode="after")
    def _both_doors(self) -> Self:
        if self.imap is None or self.smtp is None:
            raise ValueError("a server needs imap: host:port and smtp: host:port, or a preset")
        if self.sent == "append" and self.preset in FILE_COPIES:
            raise Misplaced(("sent",), f"{self.preset} files a copy by itself, and would have two: write none")
        return self

    @property
    def doors(self) -> tuple[Endpoint, Endpoint]:
        """IMAP and SMTP; loading made sure that both are there."""
        if self.imap is None or self.smtp is None:
            raise ValueError("a server without its doors")
        return self.imap, self.smtp


class Submission(Strict):
    """By which server and login a mailbox's mail leaves, where those are not the ones it is read with.

    From stays the counter's own address in any case, since answers have to come home.
    """

    server: str | None = None
    login: Login | None = None

    @model_validator(mode="after")
    def _by_password(self) -> Self:
        if self.login is not None and self.login.oauth2 is not None:
            said = "write a password here; tokens are the mailbox's own login's, which sends too where none is written"
            raise Misplaced(("login", "oauth2"), said)
        return self


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
