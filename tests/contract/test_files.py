"""Stored bytes: put by content, found by SHA-256, and rendered the same at every attempt."""

from __future__ import annotations

import base64
import errno
import random
import tempfile
from collections.abc import Iterator

import pytest

from loket.core.model import FileSegment, Kind, NewFile, Plan
from loket.files import FolderFiles
from tests.contract.conftest import Store
from tests.contract.values import HERE, NOW, large, outbound, stored

LARGE = random.Random(1).randbytes(300_001)


def test_what_was_put_is_found_by_its_hash(files: FolderFiles) -> None:
    file = files.put([LARGE[:100_000], b"", LARGE[100_000:]])
    assert file == stored(LARGE)
    with files.map(file) as mapped:
        assert mapped[:] == LARGE


def test_the_same_bytes_are_one_file(files: FolderFiles) -> None:
    assert files.put([LARGE]) == files.put([LARGE[:7], LARGE[7:]])
    assert len([path for path in files.root.rglob("*") if path.is_file()]) == 1


def test_a_map_outlives_a_second_put(files: FolderFiles) -> None:
    with files.map(files.put([LARGE])) as mapped:
        files.put([LARGE])
        assert mapped[-10:] == LARGE[-10:]


def test_a_put_that_breaks_off_leaves_nothing(files: FolderFiles) -> None:
    def broken() -> Iterator[bytes]:
        yield LARGE
        raise ConnectionResetError("the server went away")

    with pytest.raises(ConnectionResetError):
        files.put(broken())
    assert [path for path in files.root.rglob("*") if path.is_file()] == []
    with pytest.raises(FileNotFoundError):
        files.map(stored(LARGE))


def test_a_file_that_comes_piece_by_piece_is_the_same_as_one_that_is_put(files: FolderFiles) -> None:
    incoming = files.incoming()
    for at in range(0, len(LARGE), 70_000):
        incoming.add(LARGE[at : at + 70_000])
    incoming.end()
    assert incoming.stored() == stored(LARGE)
    with files.map(stored(LARGE)) as mapped:
        assert mapped[:] == LARGE


def test_a_file_that_stops_coming_leaves_nothing(files: FolderFiles) -> None:
    incoming = files.incoming()
    incoming.add(LARGE)
    incoming.end(ConnectionResetError("the server went away"))
    incoming.over()
    assert [path for path in files.root.rglob("*") if path.is_file()] == []
    with pytest.raises(ConnectionResetError):
        incoming.stored()


def test_pieces_for_which_there_is_no_room_are_not_waited_with(
    files: FolderFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever fetches hears of a full disk, and need not fetch the rest."""

    def full(**_where: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def fetch() -> None:
        while True:
            incoming.add(LARGE)

    monkeypatch.setattr(tempfile, "mkstemp", full)
    incoming = files.incoming()
    with pytest.raises(OSError, match="No space left"):
        fetch()
    incoming.end()
    with pytest.raises(OSError, match="No space left"):
        incoming.stored()


def test_small_bytes_are_read_from_the_database_and_large_ones_from_their_file(
    store: Store, files: FolderFiles
) -> None:
    files.put([LARGE])
    store.take([large(1, LARGE)], [Plan(files=(NewFile(stored(b"small"), b"small"), NewFile(stored(b""), b"")))])
    reader = store.reader(files)
    for content in (LARGE, b"small", b""):
        with reader.open(stored(content)) as data:
            assert data[:] == content
        assert reader.load(stored(content))[:] == content
    with pytest.raises(FileNotFoundError), reader.open(stored(b"nowhere")):
        pass


def test_a_mail_is_the_same_bytes_at_every_attempt(store: Store, files: FolderFiles) -> None:
    """As composed, as claimed, and as claimed after a restart (promise P10)."""
    files.put([LARGE])
    original = b"From: siti@jamu.test\r\n\r\n\xff\xfe raw octets\r\n"
    segments = (
        b"head\r\n\r\n",
        FileSegment(stored(LARGE), "base64"),
        b"--between\r\n",
        FileSegment(stored(original), "identity"),
        b"--end--\r\n",
    )
    mail = outbound("letter", kind=Kind.DELIVERY, segments=segments, eight_bit=True)
    store.take([large(1, LARGE)], [Plan(outbox=(mail,), files=(NewFile(stored(original), original),))])
    composed = store.reader(files).render(mail)
    folded = base64.encodebytes(LARGE).replace(b"\n", b"\r\n")
    assert composed == b"head\r\n\r\n" + folded + b"--between\r\n" + original + b"--end--\r\n"
    assert len(composed) == mail.size
    for _ in range(2):
        with store.another() as restarted:
            [claimed] = restarted.outgoing.claim(NOW, 1, [HERE])
            assert restarted.reader(FolderFiles(files.root)).render(claimed.mail) == composed
            restarted.outgoing.release([claimed.id])


@pytest.mark.parametrize("length", [0, 1, 2, 3, 56, 57, 58, 113, 114, 115, 5000])
def test_a_rendered_file_is_as_long_as_its_segment_says(store: Store, files: FolderFiles, length: int) -> None:
    content = b"x" * length
    store.take([], [Plan(files=(NewFile(stored(content), content),))])
    mail = outbound("letter", segments=(FileSegment(stored(content), "base64"),))
    rendered = store.reader(files).render(mail)
    assert len(rendered) == mail.size
    assert rendered == base64.encodebytes(content).replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("content", "eight_bit", "unsafe"),
    [
        (b"Subject: plain\r\n\r\nfine\r\n", False, False),
        ("Subject: plain\r\n\r\n“fine”\r\n".encode(), True, False),
        (b"Subject: bare\n\nline feeds\n", False, True),
        (b"Subject: nul\r\n\r\n\0\r\n", False, True),
        (b"Subject: long\r\n\r\n" + b"x" * 999 + b"\r\n", False, True),
    ],
)
def test_the_bytes_say_how_they_may_travel(
    store: Store, files: FolderFiles, content: bytes, eight_bit: bool, unsafe: bool
) -> None:
    store.take([], [Plan(files=(NewFile(stored(content), content),))])
    form = store.reader(files).form(stored(content))
    assert (form.eight_bit, form.unsafe) == (eight_bit, unsafe)


def test_a_mail_too_large_to_look_at_travels_as_base64(store: Store, files: FolderFiles) -> None:
    content = b"x" * 78 + b"\r\n"
    file = files.put([content] * 100_001)
    assert store.reader(files).form(file).unsafe
