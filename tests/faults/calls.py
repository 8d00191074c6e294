"""What a process asked of the kernel, in order, as `strace` saw it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

# Long enough for a page of the database or a line of a protocol; `-y` names what a descriptor is.
STRACE = ("strace", "-f", "-y", "-qq", "-s", "5000", "-e", "signal=none")
TRACED = "trace=fsync,fdatasync,rename,renameat,renameat2,write,pwrite64,sendto,sendmsg"
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")


@dataclass(frozen=True, slots=True)
class Call:
    """One system call: where in the trace it began and was over, its name, and its arguments as written there."""

    began: int
    over: int
    name: str
    text: str

    @property
    def on(self) -> str:
        """The file or socket of its first descriptor."""
        found = re.match(r"\d+<([^>]*)>", self.text)
        return found[1] if found else ""


def why_not() -> str:
    """Why system calls cannot be watched here; empty where they can."""
    if shutil.which("strace") is None:
        return "strace is not installed (tests/servers/install.sh installs it)"
    tried = subprocess.run([*STRACE, "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"strace: {tried.stderr.strip()[-200:]}"


def watched(command: Sequence[str], trace: Path) -> list[Call]:
    """Run a command to its end and return its calls, by their beginning; an assertion where it fails."""
    done = subprocess.run(
        [*STRACE, "-e", TRACED, "-o", str(trace), *command], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return read(trace.read_text(errors="replace").splitlines())


def read(lines: Sequence[str]) -> list[Call]:
    """Calls of several threads; one that another thread interrupted in the trace is put together again."""
    calls: list[Call] = []
    begun: dict[str, tuple[int, str]] = {}
    for at, line in enumerate(lines):
        thread, _, said = line.partition(" ")
        said = said.lstrip()
        if said.endswith(_UNFINISHED):
            begun[thread] = (at, said.removesuffix(_UNFINISHED))
            continue
        began, rest = at, said
        if (resumed := _RESUMED.match(said)) and thread in begun:
            began, first = begun.pop(thread)
            rest = first + resumed[2]
        name, bracket, text = rest.partition("(")
        if bracket:
            calls.append(Call(began, at, name, text))
    return sorted(calls, key=lambda call: call.began)


def first(calls: Sequence[Call], what: str, holds: Callable[[Call], bool], after: Call | None = None) -> Call:
    """The first call of that kind that began after another was over; an assertion where there is none."""
    start = after.over if after is not None else -1
    found = next((call for call in calls if call.began > start and holds(call)), None)
    assert found is not None, f"never {what}{f' after {after.text[:120]}' if after else ''}"
    return found
