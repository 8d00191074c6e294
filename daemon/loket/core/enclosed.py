"""What an officer encloses: scans for applicants by their bytes, and nothing of ours that came back with them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from loket.core import parse, token, tongue
from loket.core.compose import Enclosure, file_name
from loket.core.model import InboundMail, NewFile, Part, StoredFile

_ENDINGS = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tif",
    "message/rfc822": "eml",
}


@dataclass(frozen=True, slots=True)
class Scan:
    """One attachment of an officer's mail; its bytes leave exactly as they came out of it."""

    enclosure: Enclosure
    new: NewFile

    def facts(self, language: str) -> dict[str, str]:
        """As letters and events of an office with that language tell of it."""
        file = self.new.file
        return {"name": self.enclosure.name, "size": tongue.octets(file.size, language), "sha256": file.sha256}


def scans(mail: InboundMail) -> tuple[Scan, ...]:
    """The attachments by content, empty ones and our own notices left out."""
    found = []
    for index, part in enumerate(mail.attachments, start=1):
        content = parse.attachment_bytes(mail, part)
        if not content or _is_ours(content, part):
            continue
        file = StoredFile(hashlib.sha256(content).hexdigest(), len(content))
        name = file_name(part.name, f"scan-{index}.{_ENDINGS.get(part.media_type, 'bin')}")
        found.append(Scan(Enclosure(file, name, part.media_type), NewFile(file, content)))
    return tuple(found)


def _is_ours(content: bytes, part: Part) -> bool:
    """Whether an attachment is a notice of ours come back: many clients enclose the mail that is answered.

    It holds the officer's token, with which whoever receives it could speak as the officer (promise P15).
    """
    texts = ("message/", "text/")
    if not part.media_type.startswith(texts) and not part.name.lower().endswith(
        (".eml", ".msg", ".htm", ".html", ".txt")
    ):
        return False
    # Outlook's .msg holds text in UTF-16.
    return token.holds_officer_token(content.replace(b"\0", b"").decode("latin-1"))
