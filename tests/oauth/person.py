"""The person at the terminal: `loket login` as a process, and the browser that its address is opened in."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ended:
    """How the command ended, and all that it said."""

    status: int
    out: str
    err: str


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def browse(url: str) -> str:
    """Open an address as a browser that is logged in; returns where it is sent."""
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay).open(url, timeout=10)
    except urllib.error.HTTPError as answer:
        with answer:
            return str(answer.headers["Location"])
    raise AssertionError(f"{url} sends nowhere")


class Terminal:
    """`loket login` for the length of a `with`."""

    def __init__(self, folder: Path, address: str, *options: str) -> None:
        command = [sys.executable, "-m", "loket", "login", address, "-c", str(folder / "config.yaml"), *options]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self.said = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def shown(self, pattern: str, seconds: float = 20) -> str:
        """What stands there of that form, once it does."""
        until = time.monotonic() + seconds
        stream = self.process.stdout
        assert stream is not None
        while not (found := re.search(pattern, self.said)):
            poll = select.poll()
            poll.register(stream, select.POLLIN | select.POLLHUP)
            ready = poll.poll(max(0, until - time.monotonic()) * 1000)
            # Not by lines: what the stream holds back from select would be waited for in vain.
            text = os.read(stream.fileno(), 4096).decode() if ready else ""
            if not text:
                self.process.kill()
                raise AssertionError(f"{pattern} is not shown in\n{self.said}\n{self.process.communicate()[1]}")
            self.said += text
        return found[0]

    def types(self, text: str) -> None:
        """A line and Enter."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def ended(self, seconds: float = 20) -> Ended:
        """How it ended."""
        out, err = self.process.communicate(timeout=seconds)
        return Ended(self.process.returncode, self.said + out, err)


def logged_in(folder: Path, address: str) -> Ended:
    """Log in as a person with a browser on this machine does."""
    with Terminal(folder, address) as terminal:
        back = browse(terminal.shown(r"http://127\.0\.0\.1:\d+/authorize\S+"))
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(back, timeout=10).close()
        return terminal.ended()
