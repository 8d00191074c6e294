"""Machines that answer each other: what Loket says to one ends by itself, whatever the other makes of it (P8, P9)."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import parseaddr
from itertools import count

import pytest

from loket.core.gate import LOOP_COUNT
from loket.core.model import Fate
from loket.store import schema
from tests.faults.poison import drop
from tests.flows.office import Mail
from tests.intake.bureau import Bureau, mail
from tests.intake.conftest import OpenBureau

# More turns than any exchange may last.
TURNS = 12
MARKS = re.compile(
    rb"^(?:X-Loket-[\w-]+|Auto-Submitted|Precedence|X-Auto-Response-Suppress|Return-Path):.*\r?\n(?:[ \t].*\r?\n)*",
    re.MULTILINE | re.IGNORECASE,
)


def work(office: Bureau) -> None:
    """One pass of the daemon, by IMAP and SMTP; what it sent lies in its mailbox, and it could begin anew."""
    assert asyncio.run(office.app.once()) == {}
    office.configure()
    for recipient, mails in Counter(row.recipient for row in office.rows(schema.outbox, phase="sent")).items():
        office.servers.wait_for(recipient, mails)


def responses(office: Bureau) -> int:
    """How many mails an office has written to anybody but its own people."""
    return sum(row.kind not in ("alert", "notice", "digest") for row in office.rows(schema.outbox))


@pytest.fixture
def pair(bureau: OpenBureau) -> tuple[Bureau, Bureau]:
    """Two offices that know nothing of each other: other mailboxes, other secrets."""
    first, second = bureau(history="all"), bureau(history="all")
    (second.folder / "secret").write_text("quite another secret, long enough too")
    second.restart()
    return first, second


def unmarked(office: Bureau) -> int:
    """Take the marks off what came into an office's mailbox; returns from how many mails."""
    marked = [
        path
        for path in (office.servers.root / "mail" / office.address / "new").glob("*")
        if MARKS.search(path.read_bytes())
    ]
    for path in marked:
        # The server's own name of the file tells the size that it had.
        drop(office.servers, office.address, MARKS.sub(b"", path.read_bytes()))
        path.unlink()
    return len(marked)


@pytest.mark.parametrize("subject", ["Selamat pagi", "Status LKT-2026-000001-1"])
def test_two_offices_that_write_to_each_other_stop_after_one_answer(pair: tuple[Bureau, Bureau], subject: str) -> None:
    """The answer of the first is a machine's mail to the second, and recorded."""
    first, second = pair
    first.put(mail(subject, second.address))
    for _ in range(3):
        work(first)
        work(second)
    assert (responses(first), responses(second)) == (1, 0)
    assert second.fates() == [Fate.MACHINE]


@pytest.mark.parametrize("subject", ["Selamat pagi", "Status LKT-2026-000001-1"])
def test_two_offices_whose_marks_a_relay_takes_off_stop_all_the_same(pair: tuple[Bureau, Bureau], subject: str) -> None:
    """Only addresses, subjects and references are left, as when a ticket system in between writes the mails anew."""
    first, second = pair
    first.put(mail(subject, second.address))
    for _ in range(TURNS):
        came = 0
        for office, other in ((first, second), (second, first)):
            work(office)
            came += unmarked(other)
        if not came:
            break
    else:
        pytest.fail(f"{responses(first)} and {responses(second)} answers, and no end")
    assert 1 <= responses(first) <= LOOP_COUNT
    assert 1 <= responses(second) <= LOOP_COUNT


numbers = count(1)


def answer_of(asked: bytes, subject: str, *fields: tuple[str, str]) -> bytes:
    """A mail to whoever wrote `asked`, from whoever got it."""
    said = Mail(asked).message
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = str(said["To"]), parseaddr(str(said["From"]))[1], subject
    number = next(numbers)
    message["Message-ID"] = f"<vacation.{number}@pemohon.test>"
    for name, value in fields:
        message[name] = value
    # Each in words of its own, so that none is known as the one before it sent once more.
    message.set_content(f"Saya sedang cuti dan membaca surat Anda ({number}) setelah kembali.\n")
    return message.as_bytes().replace(b"\n", b"\r\n")


def polite(asked: bytes) -> bytes:
    """As RFC 3834 has it."""
    said = Mail(asked)
    own_id = str(said.message["Message-ID"])
    return answer_of(asked, f"Auto: {said.subject}", ("Auto-Submitted", "auto-replied"), ("In-Reply-To", own_id))


def threading(asked: bytes) -> bytes:
    """Without a mark, as an answer."""
    said = Mail(asked)
    return answer_of(asked, f"Re: {said.subject}", ("In-Reply-To", str(said.message["Message-ID"])))


def echoing(asked: bytes) -> bytes:
    """Without a mark and without a reference, under the subject it got."""
    return answer_of(asked, Mail(asked).subject)


def constant(asked: bytes) -> bytes:
    """Always the same subject."""
    return answer_of(asked, "Saya sedang cuti")


@pytest.mark.parametrize(
    ("respond", "subject"),
    [
        (polite, "Selamat pagi"),
        *((each, said) for each in (threading, echoing) for said in ("Status LKT-2026-000001-1", "Ambil SK_OT_Jamu")),
        (constant, "Selamat pagi"),
    ],
)
def test_a_vacation_responder_gets_few_answers_and_then_none(
    bureau: OpenBureau, subject: str, respond: Callable[[bytes], bytes]
) -> None:
    """However it marks its mail; all of it is kept."""
    office = bureau(history="all")
    away = office.servers.unique("siti")
    office.put(mail(subject, away))
    answered: set[bytes] = set()
    for _ in range(TURNS):
        work(office)
        fresh = [raw for raw in office.servers.messages(away) if raw not in answered]
        if not fresh:
            break
        answered.update(fresh)
        for raw in fresh:
            office.put(respond(raw))
    else:
        pytest.fail(f"{responses(office)} answers to a machine, and no end: {[Mail(raw).subject for raw in answered]}")
    assert len(office.fates()) == 1 + len(answered)
    assert Fate.PENDING not in office.fates()
    assert responses(office) <= LOOP_COUNT + 1
