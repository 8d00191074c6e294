"""A digest worth opening: late first, counts, what is put off or in other hands left out, however large the mail."""

from __future__ import annotations

import mmap
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from loket.core import notice, token
from loket.core.command import Proven, speaker
from loket.core.compose import ByteForm
from loket.core.decide import decide
from loket.core.item import on_desk
from loket.core.known import hints
from loket.core.mail import Post
from loket.core.model import Occurrence, Plan, StoredFile, Ticket
from loket.core.notice import MAX_ITEMS, DigestItem
from loket.core.understand import understand
from loket.files import FolderFiles
from tests.contract.conftest import Store
from tests.core.desk import KEYS, NOW, letter, office, standard
from tests.core.room import DEWI, GITA, HADI, IKLAN, Room

FORM = ByteForm(eight_bit=False, unsafe=False)


def post(room: Room) -> Post:
    return Post(room.office, room.office.counters[IKLAN], KEYS, room.now)


def digest(room: Room, tickets: list[Ticket], *, others: tuple[tuple[Ticket, str], ...] = (), size: int = 100) -> Plan:
    items = [DigestItem(one, ((StoredFile("ab" * 32, size), FORM),)) for one in tickets]
    return notice.digest(post(room), room.office.officers[DEWI], items, Occurrence("d", DEWI, room.now), others=others)


def read(plan: Plan, part: int = 0) -> tuple[str, str, str]:
    """Subject, text and HTML of a part."""
    literal = b"".join(segment for segment in plan.outbox[part].segments if isinstance(segment, bytes))
    mail = standard(literal)
    text, markup = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert markup is not None
    return str(mail["Subject"]), str(text.get_content()).replace("\r\n", "\n"), str(markup.get_content())


def several(count: int) -> tuple[Room, list[Ticket]]:
    room = Room()
    return room, [room.ticket(room.ask(f"Iklan nomor {at}")) for at in range(count)]


def test_late_ones_come_first_then_what_came_back_then_by_due_time() -> None:
    room, (soon, late, back, later) = several(4)
    hour = timedelta(hours=1)
    tickets = [
        replace(later, due_at=NOW + 48 * hour),
        replace(soon, due_at=NOW + 2 * hour),
        replace(back, due_at=NOW + 60 * hour, answered_by=DEWI, outcome="jawaban"),
        replace(late, due_at=NOW - hour),
    ]
    subject, text, markup = read(digest(room, tickets))
    numbers = [late.number, back.number, soon.number, later.number]
    for said in (text, markup):
        assert list(dict.fromkeys(re.findall(r"LKT-2026-\d{6}-\d(?!\.)", said)))[:4] == numbers
    assert subject.endswith("4 tiket, 1 terlambat")
    assert "Jatuh tempo hari ini: 1 tiket." in text
    assert "Pemohon menulis lagi setelah email Anda: 1 tiket." in text


def test_what_is_put_off_or_in_a_colleagues_hands_is_out_of_sight() -> None:
    room, [ticket] = several(1)
    dewi, hadi = room.office.officers[DEWI], room.office.officers[HADI]
    later = room.now + timedelta(hours=1)
    for there, seen in (
        (ticket, True),
        (replace(ticket, snoozed_until=later), False),
        (replace(ticket, snoozed_until=room.now), True),
        (replace(ticket, claimed_by=GITA, claimed_until=later), False),
        (replace(ticket, claimed_by=GITA, claimed_until=room.now), True),
        (replace(ticket, claimed_by=DEWI, claimed_until=later), True),
    ):
        assert on_desk(post(room), there, dewi, {}) is seen
    taken = replace(ticket, claimed_by=DEWI, claimed_until=later)
    assert not on_desk(post(room), taken, hadi, {})
    assert on_desk(post(room), taken, hadi, {DEWI: later}), "who stands in has what she had taken"


def test_what_colleagues_have_is_named_and_alone_no_reason_to_write() -> None:
    room, (mine, theirs) = several(2)
    _, text, markup = read(digest(room, [mine], others=((theirs, "Gita"),)))
    assert f"{theirs.number}, {theirs.about}: Gita" in text
    assert "Sedang dikerjakan petugas lain" in markup
    assert digest(room, [], others=((theirs, "Gita"),)).outbox == ()


class Links(HTMLParser):
    """The targets of a page's links."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.feed(markup)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value or "" for name, value in attrs if name in ("href", "src")]


def test_every_link_opens_an_answer_with_its_own_token() -> None:
    room, tickets = several(2)
    _, _, markup = read(digest(room, tickets))
    found = Links(markup).targets
    assert all(target.startswith(f"mailto:{IKLAN}?subject=") for target in found)
    said = []
    for target in found:
        subject, body = (unquote(part.partition("=")[2]) for part in target.partition("?")[2].split("&"))
        proven = speaker(letter(subject, body, author=DEWI, to=IKLAN), room.office, KEYS, room.now)
        assert isinstance(proven, Proven)
        said.append((proven.number, body.split()[0]))
    commands = ["JAWAB", "TANYA", "AMBIL", "TUNDA", "CATATAN", "ALIH"]
    desk = [(token.desk("LKT"), word) for word in ("CATAT", "STATUS", "CUTI", "BANTUAN")]
    assert said == [*((one.number, word) for one in tickets for word in commands), *desk]


def test_a_reply_to_a_digest_speaks_for_the_officers_desk_and_for_nobody_elses() -> None:
    room, tickets = several(1)
    [mail] = digest(room, tickets).outbox
    assert KEYS.read_officer(mail.message_id, DEWI, room.now) == token.desk("LKT")
    assert KEYS.read_officer(mail.message_id, GITA, room.now) is None


@pytest.mark.parametrize("count", [MAX_ITEMS, MAX_ITEMS + 1, 3 * MAX_ITEMS])
def test_a_part_holds_no_more_than_gmail_shows(count: int) -> None:
    """It cuts a letter off after 102 KB of HTML, and with it the buttons."""
    room, tickets = several(count)
    plan = digest(room, [replace(one, note="Dewi: " + "x" * 200) for one in tickets])
    assert len(plan.outbox) == -(-count // MAX_ITEMS)
    for part in range(len(plan.outbox)):
        subject, text, markup = read(plan, part)
        assert len(markup.encode()) < 102_000
        assert f"{count} tiket" in text
        assert (f"bagian {part + 1} dari {len(plan.outbox)}" in subject) == (len(plan.outbox) > 1)


DIGEST = """
import sys
from pathlib import Path
from loket.files import ContentReader, FolderFiles
from loket.store.contents import ContentStore
from loket.store.schema import outbox
from loket.timers import Timers
from tests.contract.conftest import Store
from tests.core.desk import ANI, KEYS, NOW, office

class Clock:
    def now(self):
        return NOW.replace(hour=6)

folder = Path(sys.argv[1])
store = Store(f"sqlite:///{folder / 'loket.db'}")
store.desk.founded(NOW.replace(day=1))
reader = ContentReader(ContentStore(store.database), FolderFiles(folder / "files"))
Timers(store.desk, office, KEYS, Clock(), reader.form, lambda _: True, lambda _: None).tick()
# Not by getrusage: what a process inherits at exec counts the memory of the one that started it.
[peak] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(len(store.rows(outbox, kind="digest")), peak)
"""


def test_five_hundred_items_with_300_mb_of_originals_compose_within_150_mb(tmp_path: Path) -> None:
    """As the timer does it, on a store with the originals in files; measured from outside."""
    room = Room(office=office())
    store = Store(f"sqlite:///{tmp_path / 'loket.db'}")
    line = b"x" * 76 + b"\r\n"
    with store.intake.begin() as batch:
        for at in range(500):
            mail = letter(f"Revisi Desain_OT_Jamu {at}", f"Nomor {at}\n", uid=at + 1)
            data = bytes(mail.raw.data) + line * 7800
            path = FolderFiles(tmp_path / "files").path(sha256(data).hexdigest())
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            # Larger than what the database keeps: intake has it as a map of the file.
            large = replace(mail, raw=replace(mail.raw, data=mapped(path), stored=StoredFile(path.name, len(data))))
            batch.keep([large.raw], NOW)
            known = batch.known(hints([large]), NOW)
            plan = decide(large, understand(large, room.office, KEYS, known, NOW), room.office, KEYS, known, NOW)
            batch.apply([plan], NOW)
    assert sum(path.stat().st_size for path in (tmp_path / "files").rglob("*") if path.is_file()) > 300_000_000
    store.database.close()
    command = [sys.executable, "-c", DIGEST, str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    *_, mails, kilobytes = done.stdout.split()
    assert int(mails) > 15, "so many parts"
    assert int(kilobytes) < 150_000


def mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as handle:
        return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
