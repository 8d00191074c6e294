"""Large mail comes in pieces: byte for byte, and without being held in memory."""

from __future__ import annotations

import base64
import errno
import os
import random
import time
import tracemalloc
from collections.abc import Callable
from hashlib import sha256

import pytest

from loket.core.model import Fate
from loket.files import FolderFiles
from loket.intake import BREAKS_OFF
from loket.store import schema
from tests.intake.bureau import mail
from tests.intake.conftest import OpenBureau, every_server

MIB = 1024 * 1024


def attached(subject: str, octets: int) -> bytes:
    """A mail of about that size with one attachment that no compression shrinks."""
    content = base64.encodebytes(random.Random(1).randbytes(octets * 3 // 4)).replace(b"\n", b"\r\n")
    head = mail(subject).partition(b"\r\n\r\n")[0]
    return (
        head
        + b'\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        + b"--b\r\nContent-Type: text/plain\r\n\r\nTerlampir.\r\n"
        + b"--b\r\nContent-Type: application/pdf; name=berkas.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + content
        + b"--b--\r\n"
    )


def text(subject: str, octets: int) -> bytes:
    """A mail that is one long letter."""
    return mail(subject, body=("Kepada Yth. Bapak dan Ibu di loket, " * 2 + "\r\n") * (octets // 74))


@pytest.mark.parametrize("write", [attached, text])
def test_thirty_megabytes_pass_byte_for_byte_in_bounded_memory(
    bureau: OpenBureau, write: Callable[[str, int], bytes]
) -> None:
    """At no time is more than a fraction of the mail held; the mail behind it is taken in too."""
    office = bureau(history="all")
    raw = write("Besar", 30 * MIB)
    assert len(raw) > 30 * MIB
    office.put(raw)
    office.put(mail("Kecil"))
    digest = sha256(raw).hexdigest()
    del raw
    tracemalloc.start()
    try:
        office.poll()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert office.fates() == [Fate.TICKET, Fate.TICKET]
    large = office.rows(schema.ledger)[0]
    assert large.sha256 == digest
    file = office.app.stores.files.path(digest)
    assert sha256(file.read_bytes()).hexdigest() == digest
    assert office.rows(schema.content, sha256=digest)[0].data is None
    assert peak < 12 * MIB, f"{peak / MIB:.1f} MiB"


@every_server
@pytest.mark.parametrize(("pieces", "more"), [(1, 0), (1, 1), (2, -1), (2, 0), (2, 1)])
def test_a_mail_around_whole_pieces_is_whole(bureau: OpenBureau, pieces: int, more: int) -> None:
    """The last piece may be full, empty, or a single octet."""
    piece = 65_536
    office = bureau(history="all", batch={"piece": piece})
    raw = mail("Tepat")
    raw += b"x" * (pieces * piece + more - len(raw) - 2) + b"\r\n"
    assert len(raw) == pieces * piece + more
    office.put(raw)
    office.poll()
    [row] = office.rows(schema.ledger)
    assert (row.fate, row.sha256, row.size) == ("ticket", sha256(raw).hexdigest(), len(raw))
    [kept] = office.rows(schema.content)
    assert (kept.data is None) == (len(raw) > piece)


@every_server
def test_a_large_mail_shares_its_batch_with_small_ones_as_far_as_the_octets_go(bureau: OpenBureau) -> None:
    """Each byte for byte, in the order of the mailbox; the bytes of the large ones lie in files."""
    office = bureau(history="all", batch={"piece": 65_536, "octets": 500_000})
    raws = [
        mail("Satu"),
        attached("Besar dua", 200_000),
        mail("Tiga"),
        attached("Besar empat", 200_000),
        attached("Besar lima", 600_000),
        mail("Enam"),
    ]
    office.fill(raws)
    with office.session() as session:
        batches = list(session.batches(session.listing(0)))
        assert [len(batch) for batch in batches] == [4, 1, 1]
        fetched = [raw for batch in batches for raw in session.fetch(office.address, batch)]
    assert [raw.stored.sha256 for raw in fetched] == [sha256(raw).hexdigest() for raw in raws]
    assert [raw.large for raw in fetched] == [len(raw) > 65_536 for raw in raws]
    del fetched
    office.poll()
    assert office.subjects() == ["Satu", "Besar dua", "Tiga", "Besar empat", "Besar lima", "Enam"]
    kept = {row.sha256: row.data for row in office.rows(schema.content)}
    for raw in raws:
        data = kept[sha256(raw).hexdigest()]
        assert data is None if len(raw) > 65_536 else data == raw


@every_server
def test_a_large_mail_that_comes_twice_is_a_duplicate(bureau: OpenBureau) -> None:
    office = bureau(history="all", batch={"piece": 65_536})
    raw = attached("Besar", 200_000)
    office.fill([raw, raw])
    office.poll()
    assert office.fates() == [Fate.TICKET, Fate.DUPLICATE]
    assert len([path for path in office.app.stores.files.root.rglob("*") if path.is_file()]) == 1


def test_a_full_disk_is_none_of_the_servers_doing(bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a large mail could not be kept here, it is asked for again as soon as there is room."""
    office = bureau(history="all")
    office.put(attached("Besar", 3 * MIB))

    def full(_files: FolderFiles, _pieces: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(FolderFiles, "put", full)
        for _ in range(BREAKS_OFF + 1):
            assert "No space left" in (office.watcher().once() or "")
    office.poll()
    assert office.fates() == [Fate.TICKET]


def test_nothing_is_written_any_more_once_a_fetch_has_failed(
    bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever tidies up then, as a dry run does, must not have a file come to it."""
    office = bureau(history="all", batch={"piece": 65_536})
    office.fill([attached("Satu", 200_000), attached("Dua", 200_000)])
    honest_sync = os.fsync

    def slowly(handle: int) -> None:
        time.sleep(0.3)
        honest_sync(handle)

    with office.session() as session:
        [batch] = session.batches(session.listing(0))
        honest = session._piece

        def cut_off(uid: int, at: int) -> bytes | None:
            if uid == batch[1].uid and at:
                raise ConnectionResetError("the server went away")
            return honest(uid, at)

        monkeypatch.setattr(session, "_piece", cut_off)
        monkeypatch.setattr(os, "fsync", slowly)
        with pytest.raises(ConnectionResetError):
            session.fetch(office.address, batch)
        [file] = [path for path in office.app.stores.files.root.rglob("*") if path.is_file()]
    assert not file.name.startswith("incoming-")
