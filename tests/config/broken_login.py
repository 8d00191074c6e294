"""Mistakes in how a mailbox logs in."""

from __future__ import annotations

from tests.config.mistakes import CONFIG, LOGIN, Broken, one

_PASSWORD = f"login: {{password: {LOGIN}}}"


def written(name: str, login: str, said: str) -> Broken:
    """In place of the designs' login."""
    return one(name, CONFIG, _PASSWORD, f"login: {login}", f"config.yaml:{said}")


LOGINS = [
    written(
        "a password and tokens",
        f"{{password: {LOGIN}, oauth2: {{provider: google, client_id: x}}}}",
        '89:5: write one of password: "${env:NAME}" and oauth2: {provider: …, client_id: …}',
    ),
    written(
        "no way to log in",
        "{user: desain}",
        '89:5: write one of password: "${env:NAME}" and oauth2: {provider: …, client_id: …}',
    ),
    written(
        "a provider that is not known",
        "{oauth2: {provider: gmail, client_id: x}}",
        "89:22: write 'google', 'yahoo' or 'microsoft', not 'gmail'",
    ),
    written("tokens without a client", "{oauth2: {provider: google}}", "89:13: client_id is missing"),
    written(
        "a client's secret in the clear",
        "{oauth2: {provider: google, client_id: x, client_secret: GOCSPX-geheim}}",
        "89:54: secrets stand elsewhere: write ${env:NAME} or ${file:/path}",
    ),
    written(
        "a token endpoint without TLS",
        "{oauth2: {client_id: x, authorize: https://a.example/, token: http://a.example/token, scopes: [mail]}}",
        "89:67: without TLS only a server on this machine (loopback) may be used: write https://",
    ),
    written(
        "a token endpoint that is no address",
        "{oauth2: {client_id: x, authorize: https://a.example/, token: a.example, scopes: [mail]}}",
        "89:67: write the whole address, as in https://login.example.org/oauth2/token",
    ),
    written(
        "an authorization server without its token endpoint",
        "{oauth2: {client_id: x, authorize: https://a.example/, scopes: [mail]}}",
        "89:13: token is missing; write it, or provider: google, yahoo or microsoft",
    ),
    written(
        "nowhere to log in",
        "{oauth2: {client_id: x, token: https://a.example/token, scopes: [mail]}}",
        "89:13: authorize or device is missing: where does one log in?",
    ),
    written(
        "a tenant of Google's",
        "{oauth2: {provider: google, client_id: x, tenant: pom.go.id}}",
        "89:54: only provider: microsoft has tenants",
    ),
    written(
        "two scopes in one",
        "{oauth2: {provider: google, client_id: x, scopes: [a b]}}",
        "89:63: write one scope, without spaces (RFC 6749 3.3)",
    ),
    Broken(
        "a password for Microsoft",
        ((CONFIG, "  gmail: {preset: gmail}", "  gmail: {preset: microsoft}"),),
        ("config.yaml:89:13: warning: Microsoft takes none: write oauth2: {provider: microsoft, client_id: …}",),
    ),
]
