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
    """VmRSS (resident now) or VmHWM (the most so far) of a process, in MB of 2^20 octets."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(what + ":"))
    return int(line.split()[1]) / 1024


def cpu_seconds(pid: int) -> float:
    """Processor time a process has used, in user and kernel mode together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
