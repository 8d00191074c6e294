"""A first config.yaml, made from a few answers: one mailbox, one officer, one counter of those that are shipped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loket.config.lists import Lists
from loket.config.load import read_books
from loket.config.yamlfile import ConfigError
from loket.core.rules import CounterFile

TRIAGE_FILE = "umum"


@dataclass(frozen=True, slots=True)
class Counter:
    """A rules file on offer: what it is called, and which fields the mailbox must answer for it."""

    name: str
    title: str
    queues: tuple[str, ...]
    asked: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Answers:
    """What is asked of an admin; `doors` is a preset's name, or the IMAP and the SMTP server as `host:port`.

    `password` is its reference; with a `client` it logs in with tokens of the preset's provider instead.
    """

    office: str
    admin: str
    address: str
    doors: str | tuple[str, str]
    password: str
    counter: Counter
    officer: str
    officer_name: str
    secret: str
    client: str | None = None
    user: str | None = None
    ca: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    timezone: str = "Asia/Jakarta"


def counters(rules: Path) -> list[Counter]:
    """The counters of a folder of rules, those that take any subject first; ConfigError where a file is not sound."""
    books, problems = read_books(rules, Lists(rules))
    if problems:
        raise ConfigError(problems)
    found = [(all(rule.subject for rule in book.counter.rules), name) for name, book in books.items()]
    return [_counter(name, books[name].counter) for _, name in sorted(found) if name != TRIAGE_FILE]


def _counter(name: str, read: CounterFile) -> Counter:
    queues = tuple(read.concrete_queues())
    said = {field for rule in read.rules for field in rule.pattern_fields}
    asked = {
        field: tuple(spec.values)
        for field, spec in read.fields.items()
        if field not in said and any(f"{{{field}}}" in queue for queue in read.queues)
    }
    return Counter(name, read.counter, queues, asked)


def written(answers: Answers) -> str:
    """The file; comments say what may be changed next."""
    return f"""\
# Who the office is, where its mailboxes are, who answers. What each counter does stands in rules/*.yaml.
# After every change run `loket check`; a running daemon takes it over by itself, or says why not.

office:
  name: {_text(answers.office)}
  timezone: {_text(answers.timezone)}
  language: id                        # of the mails to applicants; a folder under rules/templates
  secret: {_text(answers.secret)}
  admin: {_text(answers.admin)}
  hours: Mon-Fri 08:30-16:00
  holidays: {{country: ID}}

servers:
  mine: {_server(answers)}

mailboxes:
  {_text(answers.address)}:
    server: mine
    login: {_login(answers)}
    rules: {_flow([answers.counter.name])}
{_fields(answers.fields)}\
    history: none                     # mail that lies there already is left alone; all, or a date, takes it in

# Who answers, each from exactly this address, and in which queues.
officers:
  {_text(answers.officer)}:
    name: {_text(answers.officer_name)}
    queues: {_flow([*answers.counter.queues, *(["triase"] if "triase" not in answers.counter.queues else [])])}

digests:
  - {{for: officers, at: "Mon-Fri 08:30, 13:00"}}

waiting: {{remind: 3 working days, close: 10 working days}}
"""


def _server(answers: Answers) -> str:
    ca = {"ca": answers.ca}
    if isinstance(answers.doors, str):
        return _flow({"preset": answers.doors, **ca})
    imap, smtp = answers.doors
    return _flow({"imap": imap, "smtp": smtp, **ca})


def _login(answers: Answers) -> str:
    user = {"user": answers.user}
    if answers.client is None:
        return _flow({**user, "password": answers.password})
    tokens = _flow({"provider": str(answers.doors), "client_id": answers.client})
    return f"{{{''.join(f'{key}: {_text(one)}, ' for key, one in user.items() if one)}oauth2: {tokens}}}"


def _fields(fields: Mapping[str, str]) -> str:
    return f"    fields: {_flow(fields)}\n" if fields else ""


def _flow(value: Mapping[str, str | None] | Sequence[str]) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key}: {_text(one)}" for key, one in value.items() if one is not None)
        return f"{{{inner}}}"
    return f"[{', '.join(map(_text, value))}]"


def _text(value: str) -> str:
    """A JSON string is a YAML string (YAML 1.2 section 1.3), whatever a person typed."""
    return json.dumps(value, ensure_ascii=False)
