"""`loket init`, answered as a person does: what it writes passes `loket check`, logs in, and keeps its secrets."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from loket.cli.main import app
from loket.config.first import counters
from loket.config.lint import lint
from loket.config.load import load
from loket.config.secrets import keys, resolve
from tests.servers import PASSWORD, MailServers

TOP = Path(__file__).parents[2]
HOST = "127.0.0.1"


def init(folder: Path, *options: str, said: str = "", env: dict[str, str] | None = None) -> Result:
    done = CliRunner().invoke(app, ["init", str(folder), *options], input=said, env=env or {})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def ports(servers: MailServers) -> tuple[str, ...]:
    smtp = f"smtp+starttls://{HOST}:{servers.smtp_port}"
    return "--imap", f"imaps://{HOST}:{servers.imaps_port}", "--smtp", smtp, "--ca", str(servers.ca_file)


GIVEN = ("--office", "Kantor: Uji", "--officer", "ani@kantor.test", "--officer-name", "Ani", "--admin", "a@kantor.test")


def test_a_person_who_answers_its_questions_has_an_office_that_works(servers: MailServers, tmp_path: Path) -> None:
    """A wrong address, a wrong number and a wrong password are asked for again; nothing needs an editor."""
    address = servers.unique("loket")
    answers = (
        *("kantor.test", address, "99", "persuratan", address, "Ani@kantor.test"),
        *('Kantor "Uji": satu', "", "", "not the password", "n", PASSWORD),
    )
    done = init(tmp_path / "kantor", *ports(servers), said="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    assert "write one mail address" in done.output
    assert "there are persuratan" in done.output or "there are" in done.output
    assert "the mailbox cannot answer itself" in done.output
    assert "login refused" in done.output
    assert PASSWORD not in done.output
    config = tmp_path / "kantor/config.yaml"
    snapshot = load(config)
    assert list(lint(snapshot)) == []
    assert snapshot.office.name == 'Kantor "Uji": satu'
    assert snapshot.config.officers["ani@kantor.test"].name == "Ani"
    assert snapshot.config.officers["ani@kantor.test"].queues == ["persuratan", "triase"]
    assert snapshot.config.office.admin == "ani@kantor.test"
    [reference] = snapshot.config.mailboxes[address].login.secrets
    assert resolve(reference, snapshot.root) == PASSWORD
    [secret] = keys(snapshot.config, snapshot.root).keys.values()
    assert len(secret) == 64
    for path, mode in (("secrets", 0o700), ("secrets/password", 0o600), ("secrets/office", 0o600)):
        assert stat.S_IMODE((tmp_path / "kantor" / path).stat().st_mode) == mode
    assert f'"{PASSWORD}"' not in config.read_text()
    checked = CliRunner().invoke(app, ["check", str(config)])
    assert (checked.exit_code, "sound" in checked.stdout) == (0, True)


def test_the_first_mail_becomes_the_first_ticket(servers: MailServers, tmp_path: Path) -> None:
    """The way of the README: from nothing to a ticket and its acknowledgement."""
    address = servers.unique("loket")
    done = init(tmp_path, "--address", address, *ports(servers), *GIVEN, "--counter", "loket-d", said=f"{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    config = str(tmp_path / "config.yaml")
    assert CliRunner().invoke(app, ["run", "--once", "-c", config]).exit_code == 0
    applicant = servers.unique("siti")
    servers.submit(
        f"From: {applicant}\r\nTo: {address}\r\nSubject: Revisi Desain_OT_Jamu Kunyit\r\n\r\nHalo\r\n".encode(),
        applicant,
        [address],
    )
    servers.wait_for(address, 1)
    assert CliRunner().invoke(app, ["run", "--once", "-c", config]).exit_code == 0
    [reply] = servers.wait_for(applicant, 1)
    assert b"LKT-" in reply
    tickets = CliRunner().invoke(app, ["tickets", "-c", config, "--json"])
    assert '"revisi-desain-ot"' in tickets.stdout


@pytest.mark.parametrize("counter", [one.name for one in counters(TOP / "rules")])
def test_every_counter_on_offer_passes_check(tmp_path: Path, counter: str) -> None:
    """No warning either; a counter whose subject does not say its category has the mailbox say it."""
    done = init(
        tmp_path,
        *("--address", "loket@gmail.com", "--counter", counter, "--password-from", "LOKET_PASSWORD", "--no-test"),
        *GIVEN,
        said="lain\nsk\n",
        env={"LOKET_PASSWORD": "x"},
    )
    assert done.exit_code == 0, done.output
    snapshot = load(tmp_path / "config.yaml")
    assert list(lint(snapshot)) == []
    assert snapshot.config.mailboxes["loket@gmail.com"].fields == ({"kategori": "SK"} if counter == "loket-a" else {})
    assert snapshot.config.mailboxes["loket@gmail.com"].login.password == "${env:LOKET_PASSWORD}"
    assert not (tmp_path / "secrets/password").exists()


def test_a_provider_that_takes_no_passwords_is_given_a_client_and_the_next_step_is_said(tmp_path: Path) -> None:
    done = init(tmp_path, "--address", "loket@outlook.com", *GIVEN, "--counter", "loket-c", said="0000-1111\n")
    assert done.exit_code == 0, done.output
    snapshot = load(tmp_path / "config.yaml")
    assert list(lint(snapshot)) == []
    login = snapshot.config.mailboxes["loket@outlook.com"].login
    assert login.oauth2 is not None
    assert (login.password, login.oauth2.provider, login.oauth2.client_id) == (None, "microsoft", "0000-1111")
    assert "loket login loket@outlook.com -c" in done.output
    assert not (tmp_path / "secrets/password").exists()


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine\n")
    done = init(tmp_path, *GIVEN)
    assert done.exit_code == 1
    assert "is there already" in done.stderr
    assert (tmp_path / "config.yaml").read_text() == "mine\n"


def test_rules_of_ones_own_are_taken_as_they_are(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "templates").symlink_to(TOP / "rules/templates")
    for name in ("umum", "loket-c"):
        (rules / f"{name}.yaml").write_bytes((TOP / f"rules/{name}.yaml").read_bytes())
    options = ("--address", "a@gmail.com", "--counter", "loket-d", "--no-test", "--password-from", "HOME")
    done = init(tmp_path, *options, *GIVEN)
    assert done.exit_code == 2
    assert "there are loket-c" in done.stderr
    assert init(tmp_path, *options[:2], "--counter", "loket-c", *options[4:], *GIVEN).exit_code == 0
    assert sorted(path.name for path in rules.iterdir()) == ["loket-c.yaml", "templates", "umum.yaml"]


def test_a_server_that_says_no_to_a_password_from_the_environment_leaves_nothing_behind(
    servers: MailServers, tmp_path: Path
) -> None:
    options = ("--address", servers.unique("refused"), *ports(servers), *GIVEN, "--counter", "loket-c")
    done = init(tmp_path / "x", *options, "--password-from", "LOKET_PASSWORD", env={"LOKET_PASSWORD": PASSWORD})
    assert done.exit_code == 1
    assert "login refused" in done.output
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--address", "kantor"), "write one mail address"),
        (("--address", "a@kantor.test", "--imap", "mail.kantor.test"), "write host:port"),
        (("--address", "a@kantor.test", "--imap", "gmial"), "write host:port"),
        (("--address", "a@gmail.com", "--password-from", "LOKET_NOBODY"), "LOKET_NOBODY is not set"),
    ],
)
def test_an_option_that_is_not_sound_is_wrong_usage(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    done = init(tmp_path / "x", *options, *GIVEN, "--counter", "loket-c", "--no-test")
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (tmp_path / "x").exists()
