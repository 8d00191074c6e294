"""Oddly built mail is read first in a process of its own, which has little memory and little time (promise P4).

`python -m loket.guard` is that process. It is started when the first such mail comes, by exec and never by a bare
fork, since the daemon has threads; it knows no secret, and nothing it says is believed but one line of JSON.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import loket
from loket import maillog
from loket.core.classify import Desk
from loket.core.doubt import doubt, trial
from loket.core.headers import clean_text
from loket.core.model import RawMail
from loket.files import FolderFiles, Packed

# Three attempts at a mail that never ends take less than the ten seconds of P4 together, by the processor's time,
# so that no mail is blamed for a busy machine; by the clock, one attempt at a mail that sleeps takes less.
TRIAL_SECONDS = 3.0
PATIENCE_SECONDS = 9.0
START_SECONDS = 30.0
MEMORY = 256 * 1024 * 1024


class Hostile(Exception):
    """A mail that could not be read within the limits, or that ended the process that read it."""


class NotStarted(Exception):
    """The reading process does not come up: no mail's fault, and said as what it is."""


@dataclass(frozen=True, slots=True)
class Job:
    """One mail to read; a large one lies in a file under `root`."""

    mail: Packed
    root: Path
    desk: Desk


@dataclass(slots=True)
class Guard:
    """Reads odd mails in a child; one at a time, whichever mailbox they came to."""

    files: FolderFiles
    command: Sequence[str] = (sys.executable, "-m", "loket.guard")
    seconds: float = TRIAL_SECONDS
    patience: float = PATIENCE_SECONDS
    memory: int = MEMORY
    _child: subprocess.Popen[bytes] | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def doubts(self, raw: RawMail) -> bool:
        """Whether the mail is to be read here before the daemon itself touches it."""
        why = doubt(raw.data)
        if why is not None:
            maillog.odd(raw.ref, why)
        return why is not None

    def read(self, raw: RawMail, desk: Desk) -> None:
        """Return when the mail can be read within the limits; else Hostile, and the child is gone."""
        job = pickle.dumps(Job(Packed.of(raw), self.files.root.absolute(), desk))
        with self._turn:
            child = self._running()
            try:
                answer = self._ask(child, job)
            except BaseException:
                self._kill()
                raise
        if answer is not None:
            raise Hostile(answer)

    def close(self) -> None:
        """End the child, if there is one."""
        with self._turn:
            self._kill()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self._kill()
        # Nothing of our environment goes along: passwords stand there.
        environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(_python_path())}
        self._child = subprocess.Popen(  # noqa: S603 - our own program, and nothing of a mail on its command line
            [*self.command, str(self.seconds), str(self.patience), str(self.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        try:
            self._line(self._child, START_SECONDS)
        except Hostile as error:
            self._kill()
            raise NotStarted(f"the process that reads odd mail did not start: {error}") from error
        return self._child

    def _ask(self, child: subprocess.Popen[bytes], job: bytes) -> str | None:
        assert child.stdin is not None  # noqa: S101 - it was opened as a pipe
        try:
            child.stdin.write(len(job).to_bytes(8, "big") + job)
            child.stdin.flush()
        except BrokenPipeError:
            raise Hostile(self._end(child)) from None
        answer = json.loads(self._line(child, self.patience))
        return None if answer is None else str(answer)

    def _line(self, child: subprocess.Popen[bytes], seconds: float) -> bytes:
        """One line of the child's; Hostile when it does not come in time, or never."""
        assert child.stdout is not None  # noqa: S101 - it was opened as a pipe
        deadline = time.monotonic() + seconds
        said = b""
        descriptor = child.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while not said.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise Hostile(f"not read within {seconds:g} s")
            some = os.read(descriptor, 4096)
            if not some:
                raise Hostile(self._end(child))
            said += some
        return said

    def _end(self, child: subprocess.Popen[bytes]) -> str:
        code = child.wait(5)
        if code == -signal.SIGPROF:
            return f"not read within {self.seconds:g} s of work"
        name = signal.Signals(-code).name if code < 0 else f"exit {code}"
        return f"reading it ended the process ({name})"

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # what it was still to be told


def _python_path() -> list[str]:
    return [str(Path(loket.__file__).parents[1])]


def serve(read: Callable[[RawMail, Desk], None] = trial) -> None:
    """The child: jobs on standard input, one line each on standard output; ends with its input."""
    seconds, patience, memory = float(sys.argv[-3]), float(sys.argv[-2]), int(sys.argv[-1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    base = _address_space()
    _say(None)
    while len(head := sys.stdin.buffer.read(8)) == 8:
        packed = _whole(sys.stdin.buffer, int.from_bytes(head, "big"))
        if packed is None:
            return
        # The kernel ends us in time, whatever we are in, and though the daemon should be gone meanwhile.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, patience + 1)
        job: Job = pickle.loads(packed)  # noqa: S301 - written by the daemon, not by the mail
        room = base + memory + 2 * job.mail.stored.size
        resource.setrlimit(resource.RLIMIT_AS, (room, resource.RLIM_INFINITY))
        _say(_try(job, read))
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _try(job: Job, read: Callable[[RawMail, Desk], None]) -> str | None:
    try:
        read(job.mail.raw(FolderFiles(job.root)), job.desk)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the mail's verdict
        return clean_text(f"{type(error).__name__}: {error}", 500)
    return None


def _say(answer: str | None) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _whole(stream: BinaryIO, octets: int) -> bytes | None:
    data = stream.read(octets)
    return data if len(data) == octets else None


def _address_space() -> int:
    """Octets of address space in use, as Linux counts them (proc(5), statm)."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    serve()
