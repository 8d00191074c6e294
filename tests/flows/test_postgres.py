"""A counter's story on PostgreSQL, its password by reference, and the commands that look at its store."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.flows import test_stories
from tests.flows.office import FlowOffice
from tests.flows.test_daemon import command
from tests.servers import DATABASE_PASSWORD, MailServers, Postgres

SQLITE = "database: sqlite:///var/loket.db"


@pytest.fixture
def office(servers: MailServers, postgres: Postgres, tmp_path: Path) -> FlowOffice:
    """The shipped office with its store on PostgreSQL."""
    made = FlowOffice(servers, tmp_path)
    url = postgres.database()
    (tmp_path / "database").write_text(DATABASE_PASSWORD + "\n")
    url = url.replace(quote(DATABASE_PASSWORD, safe=""), "${file:database}").replace("+psycopg", "")
    made.set_up((SQLITE, f"database: {url}"))
    return made


def test_a_story_is_the_same_on_postgresql(office: FlowOffice) -> None:
    """Request, acknowledgement, digest, answer, letter, receipt, each to the letter; then people look."""
    [story] = [path for path in test_stories.STORIES if path.name == "10-ambil-sk-sk"]
    test_stories.test_a_request_is_answered_with_the_officers_scan(office, story)
    [ticket] = json.loads(command(office, "tickets", "--json").stdout)
    assert {row["phase"] for row in json.loads(command(office, "outbox", "list", "--json").stdout)} == {"sent"}
    assert command(office, "show", ticket["number"]).returncode == 0
    assert command(office, "queues").returncode == 0
    assert not (office.folder / "var" / "loket.db").exists()


def test_commands_say_in_one_line_what_is_wrong_with_the_store(office: FlowOffice, postgres: Postgres) -> None:
    """Its secret is missing, or its server is: no traceback, and never the password."""
    (office.folder / "database").unlink()
    missing = command(office, "status")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert "the secret file database cannot be read" in missing.stderr
    (office.folder / "database").write_text(DATABASE_PASSWORD)
    config = office.folder / "config.yaml"
    config.write_text(config.read_text().replace(f":{postgres.port}/", ":1/"))
    gone = command(office, "status")
    assert (gone.returncode, gone.stderr.count("\n")) == (3, 1)
    assert "the store cannot be used" in gone.stderr
    assert "wo/rd" not in gone.stderr
