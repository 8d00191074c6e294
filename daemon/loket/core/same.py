"""Is this the mail that came before? Told by its content: who resends gets a new Message-ID, a copy may keep it."""

from __future__ import annotations

import hashlib
import zlib

from loket.core import mime
from loket.core.headers import clean_text
from loket.core.model import InboundMail, is_body
from loket.core.parse import once

# Of a large attachment its size, beginning and end tell it from any other of the same author and subject.
_EDGE = 32 * 1024


def fingerprint(mail: InboundMail) -> str:
    """What author, subject, letter and attachments come to, in 32 hex digits; empty for a mail without an author.

    Boundaries and the fields that a resending client writes anew do not count. Small differences in the letter do.
    """
    return once(mail, "fingerprint", _fingerprint)


def _fingerprint(mail: InboundMail) -> str:
    if mail.author is None:
        return ""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{mail.author.spec}\0{clean_text(mail.subject).casefold()}\0".encode())
    left = mime.MAX_TEXT
    for part in mail.parts:
        start, end = part.start, part.end
        # As much as is read of a letter anywhere; what lies behind it is told by its octets, like an attachment.
        if is_body(part) and left > 0:
            read = mime.head(part, min(_EDGE, left))
            left -= read.end - read.start
            words = mime.text(mail.raw.data, read)
            digest.update(f"{part.media_type}\0{' '.join(words.split())}\0".encode(errors="replace"))
            continue
        ends = mail.raw.data[start : min(end, start + _EDGE)], mail.raw.data[max(start, end - _EDGE) : end]
        digest.update(
            f"{part.media_type}\0{part.name}\0{part.size}\0{zlib.crc32(ends[0])}\0{zlib.crc32(ends[1])}".encode()
        )
    return digest.hexdigest()
