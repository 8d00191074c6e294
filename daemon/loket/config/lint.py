"""What loading alone does not find: examples that fail, templates that do not render, queues nobody serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loket.config.load import Rulebook, Snapshot
from loket.config.yamlfile import Loc, Problem
from loket.core import context
from loket.core.letters import LetterError
from loket.core.model import TRIAGE, State, StoredFile, Ticket, Verdict
from loket.core.office import Office
from loket.core.parse import subject_only
from loket.core.understand import subject_verdict

_NOON = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)


def lint(snapshot: Snapshot) -> Iterator[Problem]:
    """Errors and warnings of a configuration that loads."""
    for book in snapshot.books.values():
        used = [address for address, mailbox in snapshot.config.mailboxes.items() if book.name in mailbox.rules]
        if not used and not book.counter.rules:
            continue  # queues that any counter's mail may be moved to
        if not used:
            yield book.document.problem(("counter",), "no mailbox uses these rules", warning=True)
            continue
        for index in range(len(book.counter.rules)):
            yield from _examples(snapshot.office, book, index, used[0])
        yield from _letters(snapshot, book, used[0])
    yield from _nobody(snapshot)


def _examples(office: Office, book: Rulebook, index: int, mailbox: str) -> Iterator[Problem]:
    rule = book.counter.rules[index]
    for subject, wanted in rule.examples.items():
        loc: Loc = ("rules", index, "examples", subject)
        verdict = subject_verdict(subject_only(subject, mailbox), office)
        if wanted is None:
            if verdict.rule == rule.name:
                yield book.document.problem(loc, f"must not be {rule.name}, and is")
        elif verdict.rule != rule.name:
            yield book.document.problem(loc, f"must be {rule.name}, and is {verdict.rule or 'unmatched'}")
        elif wrong := _difference(office, mailbox, wanted, verdict):
            yield book.document.problem(loc, wrong)


def _difference(office: Office, mailbox: str, wanted: Mapping[str, str], verdict: Verdict) -> str:
    fixed = office.desks[mailbox].fixed
    got = {name: value for name, value in verdict.fields.items() if name in wanted or name not in fixed}
    if got == dict(wanted):
        return ""
    return f"gives {_said(got)}, not {_said(wanted)}"


def _said(fields: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in fields.items()) or "no field"


def _sample(office: Office, mailbox: str, queue: str) -> Ticket:
    """A ticket as ordinary as they come, for rendering templates."""
    return Ticket(
        number=f"{office.prefix}-2026-000001-0",
        mailbox=mailbox,
        counter=None,
        rule=None,
        queue=queue,
        state=State.OPEN,
        applicant="pemohon@example.org",
        applicant_name="Pemohon",
        subject="",
        fields={},
        missing=(),
        identity="",
        original=StoredFile("0" * 64, 0),
        message_id="",
        last_message_id="",
        attachments=0,
        links=0,
        created_at=_NOON,
        updated_at=_NOON,
        due_at=None,
    )


def _letters(snapshot: Snapshot, book: Rulebook, mailbox: str) -> Iterator[Problem]:
    """Every outcome's letter, rendered with a sample ticket, so that an undefined variable is found now."""
    office = snapshot.office
    concrete = book.counter.concrete_queues()
    for queue_name, queue in concrete.items():
        for name, outcome in queue.outcomes.items():
            said: dict[str, Any] = {
                **context.ticket(office, office.counters[mailbox], _sample(office, mailbox, queue_name), _NOON),
                "words": "",
                "argument": "1",
                "files": ["scan.pdf"],
                "outcome": {"title": outcome.title or name},
            }
            try:
                office.letters.render(outcome.template, said)
            except LetterError as error:
                yield _letter_problem(snapshot, error)


def _letter_problem(snapshot: Snapshot, error: LetterError) -> Problem:
    folder = snapshot.root / snapshot.config.rules / "templates" / snapshot.office.language
    return Problem(Path(folder / error.name), error.line or 1, 1, str(error))


def _nobody(snapshot: Snapshot) -> Iterator[Problem]:
    """Queues that no active officer serves: their mail would wait for nobody."""
    office, document = snapshot.office, snapshot.document
    reachable = {TRIAGE}
    for book in snapshot.books.values():
        reachable |= set(book.counter.concrete_queues())
    for queue in sorted(reachable):
        if not office.serving(queue):
            yield document.problem(("officers",), f"no active officer serves the queue {queue}", warning=True)
    if office.admin is None:
        yield document.problem(("office",), "office.admin is not set: nobody is told of mail that fails", warning=True)
