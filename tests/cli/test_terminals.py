"""Whatever the output goes to, a command ends with words and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
EXPLAIN = ("explain", "--mailbox", "desainsk.otsk2020@gmail.com", "--subject", "Ambil SK_OT_Jamu\u2122")


def said(*words: str, out: Path | None = None, **environment: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command in a process of its own."""
    with (out or Path(os.devnull)).open("wb") as where:
        done = subprocess.run(
            [sys.executable, "-m", "loket", *words],
            cwd=TOP,
            env={**os.environ, **environment},
            stdout=where if out else subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
        )
    return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()


def test_a_terminal_without_unicode_shows_what_it_can() -> None:
    code, shown, errors = said(*EXPLAIN, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert (code, errors) == (0, "")
    assert "Jamu\\u2122" in shown


@pytest.mark.parametrize("words", [EXPLAIN, ("check",), ("schema", "config")], ids=lambda words: words[0])
def test_a_full_disk_is_said_in_one_line(words: tuple[str, ...]) -> None:
    code, _, errors = said(*words, out=Path("/dev/full"))
    assert code != 0
    assert "Traceback" not in errors
    assert "no space is left" in errors


@pytest.mark.parametrize("words", [EXPLAIN, ("schema", "config"), ("--help",)], ids=lambda words: words[0])
def test_a_pipe_that_nobody_reads_is_no_error_to_speak_of(words: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "loket", *words], cwd=TOP, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")
