"""What is asked of an officer before an answer leaves, against what the configuration can know of one (promise P15)."""

from __future__ import annotations

from collections.abc import Iterator

from loket.config.snapshot import Rulebook, Snapshot
from loket.config.wording import Loc
from loket.config.yamlfile import Problem
from loket.core import proof
from loket.core.authres import Standing
from loket.core.rules import Outcome


def unproven(snapshot: Snapshot) -> Iterator[Problem]:
    """Answers that could never leave, and protections that nobody said to do without."""
    for book in snapshot.books.values():
        used = [address for address, mailbox in snapshot.config.mailboxes.items() if book.name in mailbox.rules]
        counters = snapshot.office.counters
        blind = [address for address in used if not counters[address].trust.anybody]
        for queue, entry in book.counter.queues.items():
            for name, outcome in entry.outcomes.items():
                yield from _outcome(book, ("queues", queue, "outcomes", name), name, outcome, blind)


def _outcome(book: Rulebook, loc: Loc, name: str, outcome: Outcome, blind: list[str]) -> Iterator[Problem]:
    asked = proof.asked(outcome)
    if asked in ("trusted", "both") and blind:
        said = f"{name} would never leave: no border is trusted at {', '.join(blind)} (trust: in config.yaml)"
        yield book.document.problem((*loc, "proof"), said)
    elif outcome.letter and asked == "token":
        said = f"{name} is a letter, and leaves on an officer's address and token alone"
        yield book.document.problem((*loc, "proof"), said, warning=True)
    elif outcome.letter and outcome.proof is None and blind:
        said = (
            f"each {name} needs its officer's code: no border is trusted at {', '.join(blind)}; `proof: code` says so"
        )
        yield book.document.problem((*loc, "letter"), said, warning=True)


def protections(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Each mailbox at which nobody vouches for an officer, and what its answers leave on instead.

    No fault of the configuration: an office may have no border to trust. It is said, so that nobody believes otherwise.
    """
    for address, mailbox in snapshot.config.mailboxes.items():
        if snapshot.office.counters[address].trust.anybody:
            continue
        queues = [queue for name in mailbox.rules for queue in snapshot.books[name].counter.queues.values()]
        outcomes = {name: outcome for queue in queues for name, outcome in queue.outcomes.items()}
        coded = sorted(name for name, one in outcomes.items() if proof.missing(one, Standing.NONE))
        alone = sorted(set(outcomes) - set(coded))
        said = [f"{', '.join(coded)}: the officer's code"] if coded else []
        said += [f"{', '.join(alone)}: address and token alone"] if alone else []
        if said:
            yield address, f"no border is trusted here, so answers leave on less ({'; '.join(said)})"
