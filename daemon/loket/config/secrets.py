"""Secrets by reference: `${env:NAME}` and `${file:/path}`, resolved only where something is really opened."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from loket.config.models import Config, Store
from loket.config.storeurl import POSTGRESQL, REFERENCE
from loket.core.token import Keys

MIN_KEY_LENGTH = 16


class SecretError(Exception):
    """A secret that is not there or is too weak; the message says what to do."""


def resolve(reference: str, root: Path, environment: Mapping[str, str] | None = None) -> str:
    """The secret behind a reference; a file's last line break is not part of it."""
    kind, _, name = reference.removeprefix("${").removesuffix("}").partition(":")
    if kind == "env":
        value = (os.environ if environment is None else environment).get(name)
        if value is None:
            raise SecretError(f"the environment variable {name} is not set; the configuration takes a secret from it")
    else:
        try:
            value = (root / name).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SecretError(f"the secret file {name} cannot be read: {error}") from None
    if not value:
        raise SecretError(f"the secret {kind}:{name} is empty")
    return value


def database_url(store: Store, root: Path, environment: Mapping[str, str] | None = None) -> str:
    """The URL of the store with its secrets in it, asked for by each command that opens the store.

    A secret within the URL may hold any character; one that is the whole URL is taken as it is.
    """
    written = store.database
    if REFERENCE.fullmatch(written):
        url = resolve(written, root, environment)
    else:
        url = REFERENCE.sub(lambda found: quote(resolve(found[0], root, environment), safe=""), written)
    scheme, separator, rest = url.partition("://")
    if not separator:
        return f"sqlite:///{root / url}"
    if scheme in POSTGRESQL:
        return f"postgresql+psycopg://{rest}"
    if scheme != "sqlite":
        raise SecretError("the secret of store.database is not the URL of a database that can be a store")
    path = rest.removeprefix("/")
    return f"sqlite:///{root / path}" if path and path != ":memory:" else url


def keys(config: Config, root: Path, environment: Mapping[str, str] | None = None) -> Keys:
    """The keys of the tokens, the first of which signs."""
    found: dict[str, bytes] = {}
    for entry in config.office.keys:
        value = resolve(entry.key, root, environment)
        if len(value) < MIN_KEY_LENGTH:
            raise SecretError(f"the office secret {entry.id} is shorter than {MIN_KEY_LENGTH} characters")
        found[entry.id] = value.encode()
    return Keys(config.office.keys[0].id, found)
