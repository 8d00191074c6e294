"""The guard's child as a hostile mail would have it: `python tests/faults/reader.py SECONDS PATIENCE OCTETS`.

A mail with `X-Fault: hang` is never done, `eat` asks for more and more memory, `die` ends the process.
"""

from __future__ import annotations

import os
import re

from loket.core.classify import Desk
from loket.core.doubt import trial
from loket.core.model import RawMail
from loket.guard import serve


def read(raw: RawMail, desk: Desk) -> None:
    """Read the mail, or do what it says."""
    fault = re.search(rb"X-Fault: (\w+)", bytes(raw.data[:2000]))
    if fault and fault[1] == b"hang":
        # Inside the expression engine no Python code runs: nothing but the kernel ends this.
        re.fullmatch(r"(a|aa)+b", "a" * 100)
    elif fault and fault[1] == b"eat":
        eaten = []
        while True:
            eaten.append(bytearray(10_000_000))
    elif fault and fault[1] == b"die":
        os.abort()
    trial(raw, desk)


if __name__ == "__main__":
    serve(read)
