"""docs/notice.md quotes the whole public notice and says where each sentence is fulfilled, by files and tests there
are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from loket.config.load import load

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "notice.md"
COPY = TOP / "tests" / "corpus" / "notice.txt"
# Where the office's own copy lies beside the project.
SEED = TOP.parent / "shared" / "seed" / "pelayanan-loket.txt"


def rows() -> list[tuple[str, str, str]]:
    """Sentence, place and test of each row."""
    return re.findall(r"^\| `([^`]+)` \| (.+?) \| `([^`]+)` \|$", PAGE.read_text(), re.MULTILINE)


def test_no_word_of_the_notice_is_left_out() -> None:
    assert " ".join(sentence for sentence, _, _ in rows()).split() == COPY.read_text("utf-8-sig").split()


def test_the_copy_is_the_notice() -> None:
    """Byte for byte, where the original is at hand."""
    assert not SEED.exists() or SEED.read_bytes() == COPY.read_bytes()


def test_every_file_and_test_that_is_named_exists() -> None:
    for _, where, shown in rows():
        for named in re.findall(r"`((?:rules|tests|docs)/[^`]*|config\.yaml)`", where):
            assert (TOP / named).exists(), named
        file, _, name = shown.partition("::")
        tree = ast.parse((TOP / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, shown


def test_every_mailbox_and_number_of_the_notice_is_configured() -> None:
    """Each address is a mailbox, each telephone number an entry of the address book, each counter has its file."""
    notice, snapshot = COPY.read_text("utf-8-sig"), load(TOP / "config.yaml")
    assert set(re.findall(r"[\w.]+@[\w.]+\w", notice)) == set(snapshot.office.desks)
    told = {channel.at for sheet in snapshot.office.sheets.values() for channel in sheet.channels}
    assert set(re.findall(r"\b0\d{3} \d{4} \d{3,4}\b", notice)) <= told
    files = {book.counter.counter for book in snapshot.books.values()}
    assert {f"Loket {letter}" for letter in "ABCD"} <= files
