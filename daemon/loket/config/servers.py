"""Mail servers as config.yaml writes them: their doors, their limits, and what their refusals mean."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from loket.config.login import Login
from loket.config.presets import FILE_COPIES, GENERIC, PRESETS
from loket.config.storeurl import is_loopback
from loket.config.trust import TrustEntry
from loket.config.wording import meant
from loket.core.replies import Meaning, Reply
from loket.core.rules import written
from loket.core.strict import Misplaced, Strict, also_written

Security = Literal["tls", "starttls", "plain"]

_ENDPOINT = re.compile(r"(?:(?P<scheme>[a-z+]+)://)?(?P<host>\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(?P<port>\d{1,5})")
_SCHEMES: dict[str, Security] = {
    "imaps": "tls",
    "smtps": "tls",
    "imap+starttls": "starttls",
    "smtp+starttls": "starttls",
    "imap": "plain",
    "smtp": "plain",
}


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
