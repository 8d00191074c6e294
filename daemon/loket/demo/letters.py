"""The town's mailboxes as folders of .eml files, which any mail client opens."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from unicodedata import normalize


def write_mails(folder: Path, boxes: Mapping[str, Sequence[bytes]]) -> int:
    """Write `<folder>/<address>/NNN-subject.eml`, octet by octet, numbered as they came; returns how many."""
    count = 0
    for address, raws in boxes.items():
        home = folder / address.replace("/", "_")
        if raws:
            home.mkdir(parents=True, exist_ok=True)
        for number, raw in enumerate(raws, start=1):
            (home / f"{number:03d}-{_slug(raw)}.eml").write_bytes(raw)
            count += 1
    return count


def _slug(raw: bytes) -> str:
    """The subject as a file name: letters and digits of ASCII, at most 60."""
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    subject = normalize("NFKD", str(message_from_bytes(head, policy=default)["Subject"] or ""))
    return re.sub(r"[^A-Za-z0-9]+", "-", subject.encode("ascii", "ignore").decode()).strip("-")[:60] or "tanpa-subjek"
