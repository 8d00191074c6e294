"""Mail made to break or stall the daemon: one end each, in bounded time, and the mails behind it go on (P4)."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loket.core.classify import Desk
from loket.core.doubt import doubt, trial
from loket.core.model import Fate, MailRef, RawMail, StoredFile
from loket.files import FolderFiles, Packed
from loket.guard import TRIAL_SECONDS, Guard, Job
from loket.store import schema
from loket.taker import ATTEMPTS
from tests.faults.poison import HEAD, POISONS, drop
from tests.intake.bureau import ADMIN, OFFICER, TOP, Bureau, mail
from tests.intake.conftest import OpenBureau
from tests.servers import MailServers

BOUND = 10.0
DESK = Desk("a@b.test", ())
READER = (sys.executable, str(Path(__file__).with_name("reader.py")))
ENDS = {Fate.TICKET, Fate.FOLLOW_UP, Fate.MACHINE}


def polled(office: Bureau) -> float:
    """Poll, and say how long it took."""
    began = time.monotonic()
    office.poll()
    return time.monotonic() - began


@pytest.fixture(scope="module")
def open_office(servers: MailServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """One office that takes all of the poison, one after the other."""
    office = Bureau(
        servers, tmp_path_factory.mktemp("poison") / "office", {servers.unique("desain"): {"history": "all"}}
    )
    yield office
    office.close()


@pytest.mark.parametrize("name", POISONS)
def test_poison_has_one_end_and_the_mail_behind_it_goes_on(open_office: Bureau, name: str) -> None:
    """Straight into the Maildir, since Postfix would mend some of it; read within the bound, by itself or aside."""
    office = open_office
    before = len(office.rows(schema.ledger))
    raw = POISONS[name]()
    drop(office.servers, office.address, raw)
    drop(office.servers, office.address, mail(f"Sesudah {name}"))
    assert polled(office) < BOUND
    poison, behind = office.rows(schema.ledger)[before:]
    assert Fate(poison.fate) in ENDS
    assert behind.fate == Fate.TICKET
    assert poison.size >= len(raw)
    assert office.rows(schema.quarantine) == []
    assert polled(office) < 1
    if doubt(raw) is None:
        # Nothing guards it, so all that could be read of it, were it an officer's, is read in time.
        began = time.process_time()
        trial(RawMail(MailRef(office.address, 1, 1), datetime.now(UTC), raw, StoredFile("", len(raw))), DESK)
        assert time.process_time() - began < TRIAL_SECONDS


def test_three_attempts_at_a_mail_that_never_ends_are_within_the_bound() -> None:
    assert TRIAL_SECONDS * ATTEMPTS < BOUND


def hostile(fault: str) -> bytes:
    """A mail odd enough to be read aside, and what happens to its reader then."""
    words = b"\r\n ".join([b"=?utf-8?Q?a?="] * 400)
    return HEAD + b"X-Fault: " + fault.encode() + b"\r\nX-Words: " + words + b"\r\n\r\nisi\r\n"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("hang", "not read within 1 s of work"),
        ("eat", "MemoryError"),
        ("die", "reading it ended the process (SIGABRT)"),
    ],
)
def test_a_mail_its_reader_does_not_survive_is_set_aside_and_can_be_released(
    bureau: OpenBureau, fault: str, said: str
) -> None:
    """The mail behind it goes on at once; after three attempts it is kept and told of, and a person can let it in."""
    office = bureau(history="all")
    (office.folder / "rules").symlink_to(TOP / "rules")
    office.app.guard.command = READER
    office.app.guard.seconds = 1.0
    raw = hostile(fault)
    office.put(raw)
    for attempt in (1, 2, 3):
        office.put(mail(f"Sesudah {attempt}"))
        assert polled(office) < BOUND
        assert office.fates()[1:] == [Fate.TICKET] * attempt
        assert office.fates()[0] is (Fate.PENDING if attempt < 3 else Fate.QUARANTINE)
    [aside] = office.rows(schema.quarantine)
    assert said in aside.detail
    assert office.app.stores.contents.contents.small(office.rows(schema.ledger)[0].sha256) == raw
    assert [row.recipient for row in office.rows(schema.outbox, kind="alert")] == [OFFICER, ADMIN]
    office.poll()
    assert len(office.rows(schema.outbox, kind="alert")) == 2
    config = str(office.folder / "config.yaml")
    subprocess.run([sys.executable, "-m", "loket", "quarantine", "release", str(aside.id), "-c", config], check=True)
    # A reader that is sound again: a newer version, say.
    office.app.guard.close()
    office.app.guard.command = (sys.executable, "-m", "loket.guard")
    office.poll()
    assert office.fates() == [Fate.TICKET] * 4
    assert len(office.rows(schema.outbox, kind="acknowledgement") + office.rows(schema.outbox, kind="correction")) == 4


def test_a_reader_that_does_not_start_is_not_taken_for_the_mail(bureau: OpenBureau) -> None:
    """It says so, and the mails that need none go on."""
    office = bureau(history="all")
    office.app.guard.command = (sys.executable, "-c", "raise SystemExit(7)")
    office.put(hostile("none"))
    office.put(mail("Sesudah"))
    office.poll()
    assert office.fates() == [Fate.PENDING, Fate.TICKET]
    assert "did not start" in office.rows(schema.ledger)[0].error


def test_mail_as_people_write_it_is_read_without_a_process(bureau: OpenBureau) -> None:
    """A reply to many, a newsletter, a large scan: nothing odd about them."""
    office = bureau(history="all")
    many = ", ".join(f"Bagian {at} <bagian{at}@kantor.test>" for at in range(150)).encode()
    office.put(HEAD + b"Cc: " + many.replace(b", ", b",\r\n ") + b"\r\n\r\nisi\r\n")
    office.put(HEAD + b"Content-Type: text/html\r\n\r\n" + b"<tr><td>Berita</td></tr>\r\n" * 2000)
    office.put(mail("Besar", body="A" * 76 + ("\r\n" + "A" * 76) * 60_000))
    office.poll()
    assert office.fates() == [Fate.TICKET] * 3
    assert office.app.guard._child is None


def test_the_reader_knows_no_secret_and_ends_with_the_daemon(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOKET_SECRET", "known to nobody else")
    office = bureau(history="all")
    raw = hostile("none")
    assert doubt(raw)
    office.put(raw)
    office.poll()
    child = office.app.guard._child
    assert child is not None
    assert b"known to nobody else" not in Path(f"/proc/{child.pid}/environ").read_bytes()
    assert child.stdin is not None
    # All that a killed daemon leaves behind is the end of this pipe.
    child.stdin.close()
    assert child.wait(5) == 0


def test_a_reader_that_hangs_ends_though_the_daemon_is_gone(tmp_path: Path) -> None:
    """The kernel ends it when its time is used up, whatever it is in."""
    guard = Guard(FolderFiles(tmp_path), READER, seconds=0.5)
    child = guard._running()
    raw = hostile("hang")
    job = Job(Packed(MailRef("a@b.test", 1, 1), datetime.now(UTC), StoredFile("", len(raw)), raw), tmp_path, DESK)
    packed = pickle.dumps(job)
    assert child.stdin is not None
    child.stdin.write(len(packed).to_bytes(8, "big") + packed)
    child.stdin.close()
    assert child.wait(10) == -signal.SIGPROF
    guard.close()
