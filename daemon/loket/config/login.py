"""How a mailbox logs in: a password, or tokens of the provider's authorization server (OAuth 2.0, RFC 6749)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from loket.config.storeurl import REFERENCE, is_loopback
from loket.config.wording import InTheClear
from loket.core.rules import written
from loket.core.strict import Misplaced, Strict, also_written


@also_written(type="string", pattern=r"^\$\{(env|file):.+\}$")
def secret_reference(value: Any) -> str:
    """A reference; what stands in its place may be the secret itself, and is never repeated."""
    if not isinstance(value, str) or not REFERENCE.fullmatch(value):
        raise InTheClear("secrets stand elsewhere: write ${env:NAME} or ${file:/path}")
    return value


def _address(value: str) -> str:
    """An endpoint of the authorization server: tokens and secrets go there, so never in the clear over a network."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        sound = bool(host) and parts.port != 0 and not parts.fragment and parts.username is None
    except ValueError:
        sound, host, parts = False, "", urlsplit("")
    if not sound or parts.scheme not in ("https", "http"):
        raise ValueError("write the whole address, as in https://login.example.org/oauth2/token")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("without TLS only a server on this machine (loopback) may be used: write https://")
    return value


def _redirect(value: str) -> str:
    """Where the browser is sent back to; `oob` where the provider shows the code instead."""
    return value if value == "oob" else _address(value)


Secret = Annotated[str, BeforeValidator(secret_reference)]
HttpsUrl = Annotated[str, AfterValidator(_address)]
Redirect = Annotated[str, AfterValidator(_redirect)]
Scope = Annotated[str, written(r"[\x21\x23-\x5b\x5d-\x7e]+", "write one scope, without spaces (RFC 6749 3.3)")]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What is known of an authorization server; `device` is None where its device flow grants no mail."""

    authorize: str | None
    token: str
    device: str | None
    scopes: tuple[str, ...]
    redirect: str | None = None
    # What its authorization endpoint wants beside the standard.
    extra: tuple[tuple[str, str], ...] = ()


# The providers' own documentation. `openid email` says who logged in, so that a wrong account is noticed.
PROVIDERS: dict[str, Endpoints] = {
    # A refresh token only comes with access_type and, at a second login, with prompt. Its device flow has no mail.
    "google": Endpoints(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        None,
        ("https://mail.google.com/", "openid", "email"),
        extra=(("access_type", "offline"), ("prompt", "consent")),
    ),
    # It takes no http address to come back to: the browser's address is pasted.
    "yahoo": Endpoints(
        "https://api.login.yahoo.com/oauth2/request_auth",
        "https://api.login.yahoo.com/oauth2/get_token",
        None,
        ("mail-w",),
        redirect="https://localhost",
    ),
    "microsoft": Endpoints(
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode",
        (
            "https://outlook.office.com/IMAP.AccessAsUser.All",
            "https://outlook.office.com/SMTP.Send",
            "offline_access",
            "openid",
            "email",
        ),
    ),
}


class OAuth2(Strict):
    """A client of an authorization server; `provider` fills in what is not written."""

    provider: Literal["google", "yahoo", "microsoft"] | None = None
    client_id: str = Field(min_length=1)
    client_secret: Secret | None = None
    tenant: Annotated[str, written(r"[A-Za-z0-9.-]+", "write the tenant's id or domain")] = Field(
        default="common", description="of Microsoft's: an organisation's id or domain"
    )
    authorize: HttpsUrl | None = Field(default=None, description="the authorization endpoint")
    token: HttpsUrl | None = Field(default=None, description="the token endpoint")
    device: HttpsUrl | None = Field(default=None, description="the device authorization endpoint (RFC 8628)")
    scopes: list[Scope] | None = Field(default=None, min_length=1)
    redirect: Redirect | None = Field(default=None, description="as registered; a port of this machine if left out")
    ca: str | None = Field(default=None, description="PEM of the authorization server's own authority")
    tokens: str | None = Field(default=None, description="the file of the tokens, in place of the one beside the store")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.provider is None:
            for name in ("token", "scopes"):
                if getattr(self, name) is None:
                    raise ValueError(f"{name} is missing; write it, or provider: google, yahoo or microsoft")
            if self.authorize is None and self.device is None:
                raise ValueError("authorize or device is missing: where does one log in?")
        if self.provider == "microsoft" or self.tenant == "common":
            return self
        raise Misplaced(("tenant",), "only provider: microsoft has tenants")

    @property
    def endpoints(self) -> Endpoints:
        """The authorization server, as written and else as its provider documents it."""
        known = PROVIDERS.get(self.provider or "", Endpoints(None, "", None, ()))

        def at(own: str | None, theirs: str | None) -> str | None:
            return own or (theirs.format(tenant=self.tenant) if theirs else None)

        return Endpoints(
            at(self.authorize, known.authorize),
            at(self.token, known.token) or "",
            at(self.device, known.device),
            tuple(self.scopes or known.scopes),
            self.redirect or known.redirect,
            known.extra,
        )


class Login(Strict):
    """How to log in, to IMAP and SMTP alike; `user` is the address where it is not given."""

    user: str | None = None
    password: Secret | None = None
    oauth2: OAuth2 | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_reference(cls, value: Any) -> Any:
        if not isinstance(value, (dict, cls)):
            raise InTheClear('write {password: "${env:NAME}"}')
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.password is None) == (self.oauth2 is None):
            raise ValueError('write one of password: "${env:NAME}" and oauth2: {provider: …, client_id: …}')
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """The references that logging in needs."""
        client = self.oauth2.client_secret if self.oauth2 else None
        return tuple(one for one in (self.password, client) if one is not None)
