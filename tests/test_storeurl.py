"""How `store.database` may be written, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from loket.config.models import Config, Store
from loket.config.secrets import SecretError, database_url
from tests.flows.office import TOP

ENVIRONMENT = {"PASSWORD": "p@ss:wo/rd%20#?", "URL": "postgres://loket:geheim@db.office.test/loket", "ODD": "mysql://x"}


def config(database: str) -> Config:
    """The shipped office with another store."""
    written = yaml.safe_load((TOP / "config.yaml").read_text())
    return Config.model_validate(written | {"store": {"database": database}})


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("var/loket.db", "sqlite:////etc/loket/var/loket.db"),
        ("sqlite:///var/loket.db", "sqlite:////etc/loket/var/loket.db"),
        ("/var/lib/loket.db", "sqlite:////var/lib/loket.db"),
        ("sqlite:////var/lib/loket.db", "sqlite:////var/lib/loket.db"),
        ("postgresql:///loket", "postgresql+psycopg:///loket"),
        (
            "postgresql://loket:${env:PASSWORD}@db.office.test/loket",
            "postgresql+psycopg://loket:p%40ss%3Awo%2Frd%2520%23%3F@db.office.test/loket",
        ),
        ("${env:URL}", "postgresql+psycopg://loket:geheim@db.office.test/loket"),
    ],
)
def test_a_store_is_a_path_or_a_url(written: str, url: str) -> None:
    """Paths count from config.yaml; a secret within a URL may hold anything, one that is the URL is taken as it is."""
    assert database_url(config(written).store, Path("/etc/loket"), ENVIRONMENT) == url


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("mysql://db.office.test/loket", "write var/loket.db, or postgresql://"),
        ("postgresql://loket:geheim@db.office.test/loket", "the password stands elsewhere"),
        ("postgresql://db.office.test/loket?password=geheim", "the password stands elsewhere"),
        ("postgresql://loket@db.office.test/loket?sslmode=disable", "without TLS only a server on this machine"),
        ("postgresql:///loket?host=db.office.test&sslmode=prefer", "without TLS only a server on this machine"),
    ],
)
def test_a_store_that_would_give_something_away_is_refused(written: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Store.model_validate({"database": written})


@pytest.mark.parametrize("written", ["postgresql://127.0.0.1/loket?sslmode=disable", "postgresql:///loket"])
def test_on_this_machine_tls_is_not_asked_for(written: str) -> None:
    assert Store.model_validate({"database": written}).database == written


def test_a_secret_that_is_no_database_is_said_without_showing_it() -> None:
    with pytest.raises(SecretError, match="is not the URL") as refused:
        database_url(config("${env:ODD}").store, Path("/etc/loket"), ENVIRONMENT)
    assert "mysql" not in str(refused.value)
    with pytest.raises(SecretError, match="MISSING is not set"):
        database_url(config("postgresql://u:${env:MISSING}@h/d").store, Path("/etc/loket"), ENVIRONMENT)
