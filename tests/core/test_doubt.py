"""What is odd about a mail is counted wherever it lies, and what people send is not odd."""

from __future__ import annotations

from base64 import encodebytes

import pytest

from loket.core.doubt import MAX_DELIMITERS, MAX_LINE, MAX_MULTIPARTS, MAX_TAGS, doubt

HEAD = b"From: a@x.example\r\nSubject: s\r\n\r\n"
# As a scan travels: lines of 76, and neither a hyphen nor a bracket among them.
SCAN = encodebytes(bytes(range(256)) * 2000).replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("mark", "most", "said"),
    [
        (b"\n--b", MAX_DELIMITERS, "lines like delimiters"),
        (b"\nmultipart/", MAX_MULTIPARTS, "multiparts"),
        (b"\n<", MAX_TAGS, "tags"),
    ],
)
def test_so_many_of_a_mark_are_odd_and_one_less_is_not(mark: bytes, most: int, said: str) -> None:
    # `multipart/` alone would stand without any hyphen near it, which no header of a part does.
    beside = b"Content-Type: x\r\n" if b"multipart" in mark else b""
    assert doubt(HEAD + SCAN + beside + mark * most) is None
    assert doubt(HEAD + SCAN + beside + mark * (most + 1)) == f"more than {most} {said}"


def test_marks_across_the_windows_are_seen() -> None:
    """One at the end of each window, as somebody would put them who has read how they are counted."""
    mark, head = b"multipart/", b"a: b\n\n"
    filled = b"-\n" * MAX_LINE
    data = head + filled[: MAX_LINE - len(head) - 4] + (mark + filled[: MAX_LINE - len(mark)]) * (MAX_MULTIPARTS + 1)
    assert data[MAX_LINE - 4 : MAX_LINE + 6] == data[5 * MAX_LINE - 4 : 5 * MAX_LINE + 6] == mark
    assert doubt(data) == f"more than {MAX_MULTIPARTS} multiparts"


def test_a_long_line_is_odd_wherever_it_begins() -> None:
    assert doubt(HEAD + SCAN + b"x" * (2 * MAX_LINE)) == f"a line of more than {MAX_LINE} octets"
    assert doubt(HEAD + SCAN + b"x" * (MAX_LINE // 2) + b"\r\n") is None
