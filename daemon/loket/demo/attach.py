"""Attachments for the town's mails: small files that real viewers open, the same bytes every time."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from hashlib import shake_256

OVERSIZE = 12_000_000
"""Octets of the oversize scan; base64 makes a mail of some 16.5 MB of it."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail; with a `content_id` it is an inline picture that belongs to the text, not a document."""

    name: str
    media_type: str
    content: bytes
    content_id: str = ""


def pdf(*lines: str, image: bytes = b"") -> bytes:
    """A one-page PDF 1.4 with these lines of text (Latin-1) and, unseen, the octets of a scanned image."""
    shown = " T* ".join(f"({_escaped(line)}) Tj" for line in lines)
    text = f"BT /F1 14 Tf 18 TL 60 760 Td {shown} ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        _stream(text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    if image:
        objects.append(_stream(image))
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    xref = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, xref)
    return bytes(out)


def oversize_scan() -> bytes:
    """A PDF as a scanner at 600 dpi makes it: OVERSIZE octets that no compression helps."""
    return pdf("Scan desain kemasan, 600 dpi", image=shake_256(b"scan").digest(OVERSIZE))


def png() -> bytes:
    """An 8 by 8 grey PNG, for logos and screenshots."""
    rows = b"".join(b"\x00" + bytes([128 + 8 * row]) * 8 for row in range(8))
    header = (8).to_bytes(4) + (8).to_bytes(4) + bytes([8, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + _png_chunk(b"IHDR", header)
        + _png_chunk(b"IDAT", zlib.compress(rows))
        + _png_chunk(b"IEND", b"")
    )


def jpeg() -> bytes:
    """An 8 by 8 mid-grey baseline JPEG, for phone photos: each Huffman table holds one code (ITU-T T.81)."""
    one_code = bytes([1] + [0] * 15 + [0])
    return (
        b"\xff\xd8"
        + _jpeg_segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
        + _jpeg_segment(0xDB, b"\x00" + bytes([1] * 64))
        + _jpeg_segment(0xC0, bytes([8, 0, 8, 0, 8, 1, 1, 0x11, 0]))
        + _jpeg_segment(0xC4, b"\x00" + one_code)
        + _jpeg_segment(0xC4, b"\x10" + one_code)
        + _jpeg_segment(0xDA, bytes([1, 1, 0x00, 0, 63, 0]))
        + b"\x3f"  # DC difference 0, end of block, padded with ones
        + b"\xff\xd9"
    )


def document(name: str, *lines: str) -> Attachment:
    """A PDF of this name; its page says `lines`."""
    return Attachment(name, "application/pdf", pdf(*lines))


def photo(name: str) -> Attachment:
    return Attachment(name, "image/jpeg", jpeg())


def screenshot(name: str) -> Attachment:
    return Attachment(name, "image/png", png())


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


def _jpeg_segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2) + data
