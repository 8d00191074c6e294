"""`loket init`: a few questions, each tried as it is answered, and a configuration that passes `loket check`."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer
from pydantic import ValidationError

from loket.cli.asking import Asker, among, other_than, words
from loket.cli.common import NO, USAGE, console, fail, problems_told, read_config
from loket.config.first import TRIAGE_FILE, Answers, Counter, counters, written
from loket.config.lint import lint
from loket.config.presets import PRESETS, of_domain
from loket.config.servers import Endpoint
from loket.config.shipped import ShippedMissing, shipped_office
from loket.core.strict import mail_address

# The provider that takes no passwords.
TOKENS = "microsoft"
PASSWORD_FILE, SECRET_FILE = "secrets/password", "secrets/office"


def init(
    folder: Annotated[Path, typer.Argument(help="Where config.yaml and rules/ are written.")] = Path(),
    office: Annotated[str | None, typer.Option(help="The office's name, as applicants read it.")] = None,
    address: Annotated[str | None, typer.Option(help="The mailbox's address.")] = None,
    imap: Annotated[str | None, typer.Option(help="Its IMAP server, HOST:PORT, or a preset's name.")] = None,
    smtp: Annotated[str | None, typer.Option(help="Its SMTP server, HOST:PORT.")] = None,
    ca: Annotated[str | None, typer.Option(help="An own authority's certificates, a PEM file.")] = None,
    user: Annotated[str | None, typer.Option(help="The name to log in with, where it is not the address.")] = None,
    password_from: Annotated[
        str | None, typer.Option(metavar="NAME", help="The environment variable that has the password.")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(help="The client that logs in at Microsoft, which takes no passwords.")
    ] = None,
    counter: Annotated[str | None, typer.Option(help="The rules that the mailbox follows.")] = None,
    officer: Annotated[str | None, typer.Option(help="Who answers: an address.")] = None,
    officer_name: Annotated[str | None, typer.Option(help="Who answers: a name.")] = None,
    admin: Annotated[str | None, typer.Option(help="Who is told of trouble: an address.")] = None,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Log in before anything is written.")] = True,
) -> None:
    """Ask a few questions, try each answer, and write a config.yaml that passes `loket check`.

    An option answers its question in advance. What is there already is never overwritten.
    """
    if (folder / "config.yaml").exists():
        raise fail(f"{folder / 'config.yaml'} is there already; edit it, or name another folder")
    try:
        shipped = shipped_office()
    except ShippedMissing as error:
        raise fail(str(error)) from None
    rules = folder / "rules" if (folder / "rules").is_dir() else shipped / "rules"
    ask = Asker()
    mailbox = ask("The mailbox's address", address, mail_address)
    domain = mailbox.rpartition("@")[2]
    with problems_told():
        offered = counters(rules)
    chosen = ask.one_of("What lies in it", offered, counter)
    answering = ask("Who answers (another address than the mailbox's)", officer, other_than(mailbox))
    doors = _doors(ask, domain, imap, smtp)
    answers = Answers(
        office=ask("The office's name, as applicants read it", office, words),
        admin=ask("Who is told of trouble", admin, mail_address, answering),
        address=mailbox,
        doors=doors,
        client=_client(ask, doors, client_id),
        password=f"${{env:{password_from}}}" if password_from else f"${{file:{PASSWORD_FILE}}}",
        counter=chosen,
        officer=answering,
        officer_name=ask("The name of who answers", officer_name, words, answering.partition("@")[0].title()),
        secret=f"${{file:{SECRET_FILE}}}",
        user=user,
        ca=str(Path(ca).resolve()) if ca else None,
        fields={
            name: ask(f"This mailbox's {name} ({', '.join(values)})", None, among(values))
            for name, values in chosen.asked.items()
        },
    )
    with tempfile.TemporaryDirectory(prefix="loket-") as made:
        stage = Path(made)
        _lay_out(rules, stage / "rules", chosen)
        answers = _tried(ask, stage, answers, password_from, test=test)
        _move(stage, folder)
    console().print(f"Written: {folder / 'config.yaml'}, which passes `loket check`.", markup=False)
    config = "" if folder == Path() else f" -c {folder / 'config.yaml'}"
    login = [f"loket login {mailbox}{config}"] if answers.client else []
    for line in (*login, f"loket dry-run{config}", f"loket run{config}"):
        console().print(f"    {line}", markup=False, highlight=False)


def _trying() -> ModuleType:
    """What tries answers, whose libraries are not needed for questions."""
    from loket.cli import trying  # noqa: PLC0415 - see above

    return trying


def _lay_out(rules: Path, to: Path, chosen: Counter) -> None:
    """The rules of one counter, those of what nobody can tell, and all templates; an office's own rules whole."""
    wanted = {f"{name}.yaml" for name in (chosen.name, TRIAGE_FILE)}

    def others(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(folder) == rules and name.endswith(".yaml") and name not in wanted]

    shutil.copytree(rules, to, ignore=others if rules.parent == shipped_office() else None)


def _tried(ask: Asker, stage: Path, answers: Answers, password_from: str | None, *, test: bool) -> Answers:
    """Write it aside, read it as the daemon does, log in as the daemon does; ask anew where a server says no."""
    (stage / "secrets").mkdir(mode=0o700)
    _keep(stage / SECRET_FILE, secrets.token_hex(32))
    if password_from is not None and password_from not in os.environ:
        raise fail(f"the environment variable {password_from} is not set", USAGE)
    while True:
        (stage / PASSWORD_FILE).unlink(missing_ok=True)
        if password_from is None and answers.client is None:
            said = typer.prompt("Its password (Gmail and Yahoo: an app password)", hide_input=True)
            _keep(stage / PASSWORD_FILE, said)
        (stage / "config.yaml").write_text(written(answers), encoding="utf-8")
        snapshot = read_config(stage / "config.yaml")
        for problem in lint(snapshot):
            console().print(str(problem), markup=False)
        # Nobody has tokens before `loket login`.
        if not test or answers.client is not None or _trying().logs_in(snapshot):
            return answers
        if password_from is not None:
            raise typer.Exit(NO)
        if typer.confirm("Another server", default=False):
            doors = _doors(ask, answers.address.rpartition("@")[2], None, None)
            answers = replace(answers, doors=doors, client=_client(ask, doors, None))


def _client(ask: Asker, doors: str | tuple[str, str], given: str | None) -> str | None:
    """Who logs in for the office where no password is taken."""
    return ask("The client's id (docs/operations.md, Logging in)", given, words) if doors == TOKENS else None


def _doors(ask: Asker, domain: str, imap: str | None, smtp: str | None) -> str | tuple[str, str]:
    """A preset by the mailbox's domain, else its servers; what answers there is proposed."""
    known = of_domain(f"@{domain}")
    if imap is None and known is not None:
        console().print(f"{domain}: the servers of {known} are known.", markup=False)
        return known
    names = f"HOST:PORT, or {', '.join(sorted(PRESETS))}"
    read = ask(f"Its IMAP server ({names})", imap, _door, _trying().proposed(domain) if imap is None else None)
    if read in PRESETS:
        return read
    host = read.rpartition("://")[2].rpartition(":")[0]
    return read, ask("Its SMTP server (HOST:PORT)", smtp, _endpoint, f"{host.replace('imap.', 'smtp.', 1)}:465")


def _door(said: str) -> str:
    return said if said in PRESETS else _endpoint(said)


def _endpoint(said: str) -> str:
    try:
        Endpoint.model_validate(said)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
    return said


def _keep(path: Path, secret: str) -> None:
    """For its owner's eyes alone, from its first moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{secret}\n")


def _move(stage: Path, folder: Path) -> None:
    """Into place; config.yaml comes last, so that what is half there is no configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "rules").exists():
        shutil.copytree(stage / "rules", folder / "rules")
    (folder / "secrets").mkdir(mode=0o700, exist_ok=True)
    for name in (SECRET_FILE, PASSWORD_FILE):
        if (stage / name).exists():
            if (folder / name).exists():
                raise fail(f"{folder / name} is there already; move it away first")
            _keep(folder / name, (stage / name).read_text(encoding="utf-8").rstrip("\n"))
    shutil.copy(stage / "config.yaml", folder / "config.yaml")
