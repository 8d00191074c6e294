"""Child processes that end with the bench, and what the kernel knows about them."""

import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tied(command: Sequence[str], *setpriv: str) -> list[str]:
    """The command, asked by the kernel to end when the bench does, however that happens (prctl(2))."""
    return ["setpriv", "--pdeathsig", "TERM", *setpriv, *command]


def stop(process: "subprocess.Popen[bytes]", seconds: float = 20) -> int:
    """End a child, at first politely; returns its exit status."""
    process.terminate()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(10)


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def memory_mb(pid: int, what: str) -> float:
    """VmRSS (resident now), VmHWM (the most so far) or RssAnon of a process, in MB of 2^20 octets (proc(5), status)."""
    return _kilobytes(pid, "status", what) / 1024


def family_mb(pid: int, what: str) -> float:
    """The same with what its children add: a child is a fork, so only pages count that it has for itself now."""
    return memory_mb(pid, what) + sum(_own(child) for child in children(pid)) / 1024


def _own(pid: int) -> int:
    return sum(_kilobytes(pid, "smaps_rollup", f"Private_{which}") for which in ("Clean", "Dirty", "Hugetlb"))


def _kilobytes(pid: int, file: str, what: str) -> int:
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{what}:")).split()[1])


def children(pid: int) -> list[int]:
    """The processes that a process has started, by whichever thread, and that have not ended."""
    started = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in _said(task / "children").split()]
    # One that has ended stays until the process asks about it, which may be half a minute later (proc(5), stat).
    return [
        int(child) for child in started if _said(Path(f"/proc/{child}/stat")).rpartition(")")[2][:2] not in ("", " Z")
    ]


def _said(path: Path) -> str:
    """A thread may have ended meanwhile."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def cpu_seconds(pid: int) -> float:
    """Processor time a process and its children have used, in user and kernel mode together."""
    return sum(_seconds(each) for each in (pid, *children(pid)))


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
