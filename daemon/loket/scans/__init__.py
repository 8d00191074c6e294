"""A scan is looked into before it may leave: is it a readable PDF or image, how many pages, could it do anything?

`python -m loket.scans` (`scans/__main__.py`) does the looking, in a process of its own that has little time and memory
and knows no secret: a PDF is a program for its reader. The libraries that read are loaded there alone. Nothing is ever
mended or rewritten; what is wrong goes back to the officer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import loket
from loket.core.model import Scan

PATIENCE_SECONDS = 20.0

Kind = Literal["pdf", "image", "other"]
# What a PDF can do beside being read, in the words of the officers' letters.
ACTIVE = ("javascript", "launch", "embedded", "form", "media", "damaged")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*")


def kind_of(content: bytes) -> Kind:
    """What the bytes begin like, whatever the mail calls them (ISO 32000-1 7.5.2 and its note 13 for the PDF)."""
    if b"%PDF-" in content[:1024]:
        return "pdf"
    return "image" if content.startswith(_MAGIC) else "other"


@dataclass(frozen=True, slots=True)
class Inspector:
    """Looks into one attachment at a time, each in a fresh process."""

    command: Sequence[str] = (sys.executable, "-m", "loket.scans")
    patience: float = PATIENCE_SECONDS

    def look(self, content: bytes) -> Scan:
        """What is in it; what cannot be read within the limits is unreadable."""
        kind = kind_of(content)
        if kind == "other":
            return Scan("other", fault="unreadable")
        # Nothing of our environment goes along: passwords stand there.
        environment = {"PATH": os.defpath, "PYTHONPATH": str(Path(loket.__file__).parents[1])}
        try:
            done = subprocess.run(  # noqa: S603 - our own program, and nothing of a mail on its command line
                self.command,
                input=content,
                capture_output=True,
                timeout=self.patience,
                check=False,
                env=environment,
                start_new_session=True,
            )
            found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
        except (subprocess.TimeoutExpired, ValueError):
            found = {}
        fault = found.get("fault", "unreadable")
        if fault not in ("", "unreadable", "encrypted"):
            fault = "unreadable"
        active = tuple(name for name in ACTIVE if name in found.get("active", ()))
        return Scan(kind, int(found.get("pages", 0)), fault, active)
