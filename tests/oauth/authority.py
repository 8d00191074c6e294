"""An authorization server on Authlib: codes with PKCE, the device flow, rotation, revocation, introspection.

It keeps everything in memory, and a test says when a token expires or is revoked and what goes wrong.
"""

from __future__ import annotations

import base64
import json
import threading
import time
import warnings
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qsl, urlsplit

from authlib.common.security import generate_token
from authlib.oauth2.rfc6749 import (
    AuthorizationCodeMixin,
    AuthorizationServer,
    ClientMixin,
    OAuth2Request,
    TokenMixin,
    grants,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant, DeviceCredentialDict

CLIENT_ID, CLIENT_SECRET = "loket-test", "a client secret"
SCOPE = "mail"


class _Client(ClientMixin):
    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return urlsplit(redirect_uri).hostname in ("127.0.0.1", "localhost") or redirect_uri == "oob"

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint != "token" or method == "client_secret_post"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, _: str) -> bool:
        return True


@dataclass
class Issued(TokenMixin):  # type: ignore[misc] # Authlib publishes no types
    """What was issued in one answer, and whether it is good still."""

    access: str
    refresh: str | None
    user: str
    until: float
    revoked: bool = False
    refresh_revoked: bool = False

    def check_client(self, _: ClientMixin) -> bool:
        return True

    def get_scope(self) -> str:
        return SCOPE

    def get_expires_in(self) -> float:
        return self.until - time.time()

    def is_expired(self) -> bool:
        return self.until <= time.time()

    def is_revoked(self) -> bool:
        return self.revoked


@dataclass
class _Code(AuthorizationCodeMixin):  # type: ignore[misc] # Authlib publishes no types
    code: str
    user: str
    redirect: str
    challenge: str
    challenge_method: str
    code_challenge: str = ""
    code_challenge_method: str = ""

    def __post_init__(self) -> None:
        self.code_challenge, self.code_challenge_method = self.challenge, self.challenge_method

    def get_redirect_uri(self) -> str:
        return self.redirect

    def get_scope(self) -> str:
        return SCOPE


@dataclass
class Authority:
    """Listens for the length of a `with`; whoever comes with a browser is `user` and agrees."""

    port: int = 0
    user: str = ""
    lifetime: int = 3600
    rotates: bool = True
    gives_refresh: bool = True
    names_user: bool = False
    agrees: bool = True
    # Statuses and texts that the token endpoint answers first, before it does its work again.
    trouble: list[tuple[int, str]] = field(default_factory=list)
    delay: float = 0.0
    # Device codes: what a person said to them, by user code; None where nobody has yet.
    slow_downs: int = 0
    issued: list[Issued] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    _codes: dict[str, _Code] = field(default_factory=dict)
    devices: dict[str, DeviceCredentialDict] = field(default_factory=dict)
    decided: dict[str, bool] = field(default_factory=dict)
    _http: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        self._server = _server(self)
        authority = self

        class Handler(_Handler):
            of = authority

        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._http is not None
        self._http.shutdown()
        self._http.server_close()

    def at(self, path: str) -> str:
        """The address of an endpoint."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def client(self, *, device: bool = False) -> dict[str, Any]:
        """What config.yaml says of a client here."""
        ways = {"device": self.at("device")} if device else {"authorize": self.at("authorize")}
        secret = {"client_id": CLIENT_ID, "client_secret": "${file:client-secret}"}
        return {**secret, "token": self.at("token"), "scopes": [SCOPE], **ways}

    def issue(self, user: str) -> Issued:
        """Tokens as from a login."""
        made = Issued(generate_token(40), generate_token(40), user, time.time() + self.lifetime)
        self.issued.append(made)
        return made

    def expire(self) -> None:
        """Every access token has had its time."""
        for one in self.issued:
            one.until = 0

    def revoke_access(self) -> None:
        """Every access token is taken back before its time."""
        for one in self.issued:
            one.revoked = True

    def revoke(self) -> None:
        """The person takes the permission back: nothing that was issued is good any more."""
        for one in self.issued:
            one.revoked = one.refresh_revoked = True

    def good(self, access: str) -> Issued | None:
        """Whose token that is, where it is good."""
        return next(
            (one for one in self.issued if one.access == access and not one.revoked and one.until > time.time()), None
        )

    def refreshes(self) -> int:
        """How often tokens were asked for with a refresh token."""
        return sum(one.get("grant_type") == "refresh_token" for one in self.asked)


class _Request(OAuth2Request):
    def __init__(self, method: str, uri: str, fields: dict[str, str], headers: dict[str, str]) -> None:
        super().__init__(method, uri, headers=headers)
        self.payload = BasicOAuth2Payload(fields)

    @property
    def form(self) -> dict[str, str]:
        return cast("dict[str, str]", self.payload.data)

    @property
    def args(self) -> dict[str, str]:
        return cast("dict[str, str]", self.payload.data)


def _server(of: Authority) -> AuthorizationServer:
    class Server(AuthorizationServer):
        def query_client(self, client_id: str) -> _Client | None:
            return _Client() if client_id == CLIENT_ID else None

        def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
            until = time.time() + token["expires_in"]
            if not of.gives_refresh:
                del token["refresh_token"]
            of.issued.append(Issued(token["access_token"], token.get("refresh_token"), request.user, until))
            if of.names_user:
                claims = base64.urlsafe_b64encode(json.dumps({"email": request.user}).encode()).decode().rstrip("=")
                token["id_token"] = f"e30.{claims}.signed"

        def create_oauth2_request(self, request: Any) -> Any:
            return request

        def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
            """Nobody listens."""

        def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> tuple[int, Any, Any]:
            return status, body, headers

    class Codes(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]

        def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
            data = request.payload.data
            method = data.get("code_challenge_method", "")
            made = _Code(code, request.user, data["redirect_uri"], data.get("code_challenge", ""), method)
            of._codes[code] = made

        def query_authorization_code(self, code: str, _: _Client) -> _Code | None:
            return of._codes.get(code)

        def delete_authorization_code(self, authorization_code: _Code) -> None:
            del of._codes[authorization_code.code]

        def authenticate_user(self, authorization_code: _Code) -> str:
            return authorization_code.user

    class Refreshes(grants.RefreshTokenGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]
        INCLUDE_NEW_REFRESH_TOKEN = of.rotates

        def authenticate_refresh_token(self, refresh_token: str) -> Issued | None:
            return next((one for one in of.issued if one.refresh == refresh_token and not one.refresh_revoked), None)

        def authenticate_user(self, refresh_token: Issued) -> str:
            return refresh_token.user

        def revoke_old_credential(self, refresh_token: Issued) -> None:
            refresh_token.refresh_revoked = of.rotates

    class Devices(DeviceAuthorizationEndpoint):
        INTERVAL = 1

        def get_verification_uri(self) -> str:
            return of.at("agree")

        def save_device_credential(self, client_id: str, scope: str, data: dict[str, Any]) -> None:
            kept = {**data, "client_id": client_id, "scope": scope, "expires_at": time.time() + data["expires_in"]}
            of.devices[data["device_code"]] = DeviceCredentialDict(kept)

    class DeviceCodes(DeviceCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]

        def query_device_credential(self, device_code: str) -> DeviceCredentialDict | None:
            return of.devices.get(device_code)

        def query_user_grant(self, user_code: str) -> tuple[str, bool] | None:
            return (of.user, of.decided[user_code]) if user_code in of.decided else None

        def should_slow_down(self, _: DeviceCredentialDict) -> bool:
            of.slow_downs -= 1
            return of.slow_downs >= 0

    def long(**_: Any) -> str:
        return cast("str", generate_token(200))

    made = Server()
    made.register_token_generator("default", BearerTokenGenerator(long, long, lambda *_: of.lifetime))
    made.register_grant(Codes, [CodeChallenge(required=True)])
    made.register_grant(Refreshes)
    made.register_grant(DeviceCodes)
    made.register_endpoint(Devices)
    return made


class _Handler(BaseHTTPRequestHandler):
    of: Authority

    def do_GET(self) -> None:
        """A browser: it is sent back with a code, or with what its person said instead."""
        url = urlsplit(self.path)
        fields = dict(parse_qsl(url.query))
        if url.path == "/authorize":
            self._say(self._asked(fields, "create_authorization_response", self.of.user if self.of.agrees else None))
        else:
            self._say((404, {}, []))

    def do_POST(self) -> None:
        """A client, or a mail server that wants to know of a token."""
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        fields = dict(parse_qsl(body))
        path = urlsplit(self.path).path
        if path == "/introspect":
            found = self.of.good(fields.get("token", ""))
            said = {"active": True, "username": found.user, "scope": SCOPE} if found else {"active": False}
            self._say((200, said, []))
        elif path == "/device":
            self._say(self._asked(fields, "device_authorization"))
        else:
            self.of.asked.append(fields)
            time.sleep(self.of.delay)
            if self.of.trouble:
                status, text = self.of.trouble.pop(0)
                self._say((status, text, [("Content-Type", "application/json")]))
            else:
                self._say(self._asked(fields, "create_token_response"))

    def _asked(self, fields: dict[str, str], what: str, user: str | None = None) -> tuple[int, Any, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Authlib wants https of whatever it is told.
            uri = f"https://authority.test{self.path}"
            request = _Request(self.command, uri, fields, dict(self.headers.items()))
            server = self.of._server
            if what == "device_authorization":
                return cast("tuple[int, Any, Any]", server.create_endpoint_response(what, request))
            if what == "create_authorization_response":
                grant = server.get_consent_grant(request, user)
                return cast("tuple[int, Any, Any]", server.create_authorization_response(request, user, grant))
            return cast("tuple[int, Any, Any]", server.create_token_response(request))

    def _say(self, answer: tuple[int, Any, Any]) -> None:
        status, body, headers = answer
        data = (body if isinstance(body, str) else json.dumps(body or {})).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing: tests say themselves what went wrong."""
