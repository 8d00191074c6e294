"""What loading alone does not find: examples that fail, templates that do not render, queues nobody serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from loket.config.asks import unproven
from loket.config.letters import WORDS, Tongue, untranslated
from loket.config.lines import lines
from loket.config.snapshot import Rulebook, Snapshot, fields_of, spelled
from loket.config.wording import Loc
from loket.config.yamlfile import Problem
from loket.core import context
from loket.core.calendar import DAYS, parse_hours
from loket.core.conflicts import conflicts
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
            # Queues that any counter's mail may be moved to.
            yield from _letters(snapshot, book, next(iter(snapshot.config.mailboxes)))
            continue
        if not used:
            yield book.document.problem(("counter",), "no mailbox uses these rules", warning=True)
            continue
        for index in range(len(book.counter.rules)):
            yield from _examples(snapshot.office, book, index, used[0])
        yield from _letters(snapshot, book, used[0])
    yield from _conflicts(snapshot)
    yield from _appointments(snapshot)
    yield from lines(snapshot)
    yield from _translations(snapshot)
    yield from unproven(snapshot)
    yield from _nobody(snapshot)
    yield from _passwords(snapshot)


def _passwords(snapshot: Snapshot) -> Iterator[Problem]:
    """Passwords for servers that take none: Exchange Online has no basic authentication for IMAP."""
    for address, mailbox in snapshot.config.mailboxes.items():
        host = snapshot.config.servers[mailbox.server].doors[0].host
        if mailbox.login.password is not None and host.endswith((".office365.com", ".outlook.com")):
            loc: Loc = ("mailboxes", spelled(snapshot.document, "mailboxes", address), "login", "password")
            said = "Microsoft takes none: write oauth2: {provider: microsoft, client_id: …}"
            yield snapshot.document.problem(loc, said, warning=True)


def _conflicts(snapshot: Snapshot) -> Iterator[Problem]:
    """Rules that one subject names both of; told where the later one stands, once for all mailboxes."""
    told: set[tuple[str, str, str]] = set()
    for address, desk in snapshot.office.desks.items():
        for conflict in conflicts(desk):
            first, second = conflict.first.rule.name, conflict.second.rule.name
            if (conflict.kind, first, second) in told:
                continue
            told.add((conflict.kind, first, second))
            book, index = next(
                (book, index)
                for name in snapshot.config.mailboxes[address].rules
                for book in [snapshot.books[name]]
                for index, rule in enumerate(book.counter.rules)
                if rule is conflict.second.rule
            )
            loc: Loc = ("rules", index, "subject" if conflict.second.rule.subject else "name")
            witness = f"`{conflict.witness}` names both and goes to {first}"
            said = (
                f"{second} never gets a mail: {witness}" if conflict.kind == "shadowed" else f"{witness}, not {second}"
            )
            yield book.document.problem(loc, said, warning=True)


def _appointments(snapshot: Snapshot) -> Iterator[Problem]:
    """Appointments at hours at which their counter is closed: meant perhaps, but seldom."""
    for book in snapshot.books.values():
        users = [address for address, mailbox in snapshot.config.mailboxes.items() if book.name in mailbox.rules]
        for name, queue in book.counter.queues.items():
            for address in users if queue.appointments is not None else ():
                opening = snapshot.office.counters[address].calendar.hours
                wanted = parse_hours(queue.appointments.hours).by_day if queue.appointments else {}
                for day, span in ((day, span) for day, spans in wanted.items() for span in spans):
                    if not any(opens <= span[0] and span[1] <= closes for opens, closes in opening.by_day.get(day, ())):
                        said = f"{DAYS[day]} {span[0]:%H:%M}-{span[1]:%H:%M}"
                        loc: Loc = ("queues", name, "appointments", "hours")
                        message = f"at {said} {address} is closed ({opening.text})"
                        yield book.document.problem(loc, message, warning=True)


def _translations(snapshot: Snapshot) -> Iterator[Problem]:
    """What an applicant who writes in another language would read in the office's own."""
    own = snapshot.tongues[0]
    for tongue in snapshot.tongues[1:]:
        letters = [name for name in sorted(own.sources) if not name.startswith("petugas/")]
        missing = [name for name in letters if name not in tongue.sources]
        if missing:
            said = f"{len(missing)} letters are not there and stay in {own.language}: {_first(missing)}"
            yield Problem(tongue.folder, 1, 1, said, warning=True)
        rest = list(untranslated(snapshot.office, tongue))
        if rest:
            said = f"{len(rest)} texts of the rules stay in {own.language}: {_first(rest)}"
            yield Problem(tongue.folder / WORDS, 1, 1, said, warning=True)


def _first(names: Sequence[str]) -> str:
    shown = "; ".join(name if len(name) <= 60 else f"{name[:59]}…" for name in names[:3])
    return f"{shown} …" if len(names) > 3 else shown


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


def _sample(office: Office, mailbox: str, queue: str, fields: Mapping[str, str]) -> Ticket:
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
        fields=fields,
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
    told: set[tuple[str, int, str]] = set()
    concrete = book.counter.concrete_queues()
    fields = {name: next(iter(spec.values), "Contoh") for name, spec in fields_of(book.counter)}
    for tongue in snapshot.tongues:
        office = snapshot.office.speaking(tongue.language)
        for queue_name, name in ((queue, name) for queue in concrete for name in concrete[queue].outcomes):
            outcome = office.queues[queue_name].outcomes[name]
            said: dict[str, Any] = {
                **context.ticket(office, office.counters[mailbox], _sample(office, mailbox, queue_name, fields), _NOON),
                "words": "Kata petugas.",
                "argument": "1",
                "files": ["scan.pdf"],
                "outcome": {"title": outcome.title or name},
            }
            try:
                office.letters.render(outcome.template, said)
            except LetterError as error:
                if (error.name, error.line, str(error)) not in told:
                    yield _letter_problem(tongue, error)
                told.add((error.name, error.line, str(error)))


def _letter_problem(tongue: Tongue, error: LetterError) -> Problem:
    return Problem(tongue.folder / error.name, error.line, error.column, str(error))


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
