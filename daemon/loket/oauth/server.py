"""The authorization server: RFC 6749 with PKCE (RFC 7636) and the device flow (RFC 8628) through oauthlib, by HTTP.

oauthlib and HTTP are imported where they are used: between two refreshes the daemon has no need of them.
"""

from __future__ import annotations

import base64
import binascii
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from loket import tls
from loket.config.login import Endpoints
from loket.config.storeurl import is_loopback
from loket.core.headers import clean_text

if TYPE_CHECKING:
    from oauthlib.oauth2 import WebApplicationClient

HTTP_SECONDS = 15.0
_MOST = 1_000_000
# An hour is what servers give that do not say (RFC 6749 5.1 recommends that they do).
_UNSAID_SECONDS = 3600.0
# Codes of RFC 6749 4.1.2.1 and 5.2 and of the providers that another attempt mends.
_PASSING = {"temporarily_unavailable", "server_error", "request_timeout", "too_many_requests", "rate_limit_exceeded"}


class Denied(Exception):
    """The authorization server said no; `code` is its error code, the text its explanation."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(f"{code}: {said}" if said else code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """Tokens as they were issued; `refresh` is None where the server issued none, `email` where it does not say."""

    access: str
    lifetime: float
    refresh: str | None
    email: str | None

    def __repr__(self) -> str:
        """Without a token: this may end in a log."""
        return f"Answer(lifetime={self.lifetime})"


@dataclass(frozen=True, slots=True)
class Device:
    """What a person is to do elsewhere, and how often to ask whether it is done (RFC 8628 3.2); seconds."""

    code: str
    user_code: str
    where: str
    whole: str | None
    interval: float
    lifetime: float


@dataclass(frozen=True, slots=True)
class Server:
    """One client at one authorization server; every call may raise Denied, or OSError where it was not reached."""

    endpoints: Endpoints
    client_id: str
    client_secret: str | None
    ca_file: str | None = None

    def __repr__(self) -> str:
        """Without the client's secret."""
        return f"Server({self.endpoints.token!r})"

    def authorization_url(self, redirect: str, state: str, verifier: str, user: str) -> str:
        """Where a browser is to go (RFC 6749 4.1.1, RFC 7636 4.3)."""
        endpoint = self.endpoints.authorize or ""
        client = self._client()
        url = client.prepare_request_uri(
            _as_https(endpoint),
            redirect_uri=redirect,
            scope=list(self.endpoints.scopes),
            state=state,
            code_challenge=client.create_code_challenge(verifier, "S256"),
            code_challenge_method="S256",
            login_hint=user,
            **dict(self.endpoints.extra),
        )
        return endpoint.partition(":")[0] + ":" + str(url).partition(":")[2]

    def code_of(self, url: str, state: str) -> str:
        """The code with which the browser came back; Denied for an error, or for another login's answer."""
        from oauthlib.oauth2 import OAuth2Error  # noqa: PLC0415 - see above

        try:
            return str(self._client().parse_request_uri_response(_as_https(url), state=state)["code"])
        except OAuth2Error as error:
            raise _denied(error) from None

    def exchange(self, code: str, redirect: str, verifier: str) -> Answer:
        """Tokens for a code (RFC 6749 4.1.3)."""
        said: dict[str, Any] = {"redirect_uri": redirect, "code_verifier": verifier, **self._secret()}
        body = self._client().prepare_request_body(code=code, **said)
        return self._tokens(body)

    def refresh(self, token: str) -> Answer:
        """Tokens for a refresh token (RFC 6749 6)."""
        body = self._client().prepare_refresh_body(refresh_token=token, client_id=self.client_id, **self._secret())
        return self._tokens(body)

    def begin_device(self) -> Device:
        """The codes of the device flow."""
        scope = " ".join(self.endpoints.scopes)
        asked = urlencode({"client_id": self.client_id, "scope": scope, **self._secret()})
        status, text = self._post(self.endpoints.device or "", asked)
        found = _json(text)
        if "error" in found or "device_code" not in found:
            said = clean_text(str(found.get("error_description", f"answer {status}")), 300)
            raise Denied(clean_text(str(found.get("error", "no_device_code")), 60), said)
        where = found.get("verification_uri") or found.get("verification_url")
        return Device(
            code=str(found["device_code"]),
            user_code=clean_text(str(found.get("user_code", "")), 60),
            where=clean_text(str(where), 300),
            whole=clean_text(str(found["verification_uri_complete"]), 300)
            if found.get("verification_uri_complete")
            else None,
            interval=float(found.get("interval") or 5),
            lifetime=float(found.get("expires_in") or 900),
        )

    def poll_device(self, code: str) -> Answer:
        """Tokens once the person has agreed; until then Denied with `authorization_pending` or `slow_down`."""
        from oauthlib.oauth2 import DeviceClient  # noqa: PLC0415 - see above

        client = DeviceClient(self.client_id)
        return self._tokens(client.prepare_request_body(code, include_client_id=True, **self._secret()))

    def _client(self) -> WebApplicationClient:
        from oauthlib.oauth2 import WebApplicationClient  # noqa: PLC0415 - see above

        return WebApplicationClient(self.client_id)

    def _secret(self) -> dict[str, str]:
        return {} if self.client_secret is None else {"client_secret": self.client_secret}

    def _tokens(self, body: str) -> Answer:
        from oauthlib.oauth2 import OAuth2Error  # noqa: PLC0415 - see above

        status, text = self._post(self.endpoints.token, body)
        found = _json(text)
        if status == 429 or status >= 500 or found.get("error") in _PASSING:
            said = clean_text(str(found.get("error_description") or found.get("error") or ""), 200)
            raise ConnectionError(f"{_host(self.endpoints.token)} answers {status} {said}".rstrip())
        try:
            token = self._client().parse_request_body_response(text)
        except OAuth2Error as error:
            if not found:
                raise ConnectionError(f"{_host(self.endpoints.token)} answers {status} without tokens") from None
            raise _denied(error) from None
        return Answer(
            access=str(token["access_token"]),
            lifetime=float(found.get("expires_in") or _UNSAID_SECONDS),
            refresh=str(token["refresh_token"]) if token.get("refresh_token") else None,
            email=_email(str(found.get("id_token") or "")),
        )

    def _post(self, url: str, body: str) -> tuple[int, str]:
        """Status and text; a redirection is not followed, since what is sent is for this address alone."""
        from http.client import HTTPException  # noqa: PLC0415 - see above
        from urllib import error, request  # noqa: PLC0415 - see above

        handlers: list[request.BaseHandler] = [_no_redirects()]
        if urlsplit(url).scheme == "https":
            handlers.append(request.HTTPSHandler(context=tls.context(self.ca_file)))
        if is_loopback(urlsplit(url).hostname or ""):
            handlers.append(request.ProxyHandler({}))
        form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        asked = request.Request(url, body.encode(), form, method="POST")  # noqa: S310 - https, or loopback
        try:
            with request.build_opener(*handlers).open(asked, timeout=HTTP_SECONDS) as answer:
                return answer.status, answer.read(_MOST).decode("utf-8", "replace")
        except error.HTTPError as refused:
            with refused:
                return refused.code, refused.read(_MOST).decode("utf-8", "replace")
        except (error.URLError, ssl.SSLError, HTTPException, OSError) as trouble:
            why = trouble.reason if isinstance(trouble, error.URLError) else trouble
            raise ConnectionError(f"{_host(url)} cannot be reached: {why}") from None


def _no_redirects() -> Any:
    from urllib import request  # noqa: PLC0415 - see above

    class Stay(request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    return Stay()


def _as_https(url: str) -> str:
    """The library wants https of whatever it is given; the configuration has seen to it that http is loopback's."""
    scheme, separator, rest = url.partition("://")
    return f"https://{rest}" if separator and scheme == "http" else url


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _denied(error: Any) -> Denied:
    """What the library found, without what was asked."""
    return Denied(clean_text(str(error.error), 60), clean_text(str(error.description or ""), 300))


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _email(id_token: str) -> str | None:
    """Whose login it was, where the server says so.

    From the token endpoint itself by TLS, so its signature need not be verified (OpenID Connect Core 3.1.3.7, 6).
    """
    parts = id_token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return None
    if not isinstance(claims, dict):
        return None
    said = claims.get("email") or claims.get("preferred_username")
    return clean_text(str(said), 200).lower() if said else None
