"""How `store.database` is written: SQLite's file or the URL of a PostgreSQL database, its secrets by reference."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import BeforeValidator

from loket.config.wording import InTheClear

REFERENCE = re.compile(r"\$\{(?:env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\}")
POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")
# Stands for each reference while the URL around it is looked at.
_SECRET = "a-secret"  # noqa: S105 - not one


def is_loopback(host: str) -> bool:
    """Whether traffic to that host never leaves the machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_here(host: str | None) -> bool:
    """Whether a PostgreSQL server is on this machine: by loopback or, without a host or with a path, by a socket."""
    return not host or host.startswith(("/", "@")) or is_loopback(host)


def _database(value: Any) -> str:
    """As written; a password in it is never repeated."""
    if not isinstance(value, str):
        raise ValueError("write var/loket.db, or postgresql://user:${env:NAME}@host/database")  # noqa: TRY004 - pydantic's
    if REFERENCE.fullmatch(value):
        return value
    text = REFERENCE.sub(_SECRET, value)
    scheme, separator, _ = text.partition("://")
    if scheme in POSTGRESQL and separator:
        _server(text)
    elif separator and scheme != "sqlite":
        raise ValueError("write var/loket.db, or postgresql://user:${env:NAME}@host/database")
    return value


def _server(url: str) -> None:
    try:
        parts = urlsplit(url)
        words = parse_qs(parts.query)
        password = parts.password or words.get("password", [None])[0]
        host = parts.hostname or words.get("host", [None])[0]
    except ValueError:
        raise InTheClear("write postgresql://user:${env:NAME}@host/database") from None
    if password not in (None, _SECRET):
        raise InTheClear("the password stands elsewhere: write ${env:NAME} or ${file:/path} in its place")
    if words.get("sslmode", [""])[0] in ("disable", "allow", "prefer") and not is_here(host):
        raise ValueError("without TLS only a server on this machine (loopback) may be used")


DatabaseUrl = Annotated[str, BeforeValidator(_database)]
