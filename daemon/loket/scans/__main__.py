"""The looking itself, in a process that may be lost over it: one file in, one line of JSON out."""

from __future__ import annotations

import json
import resource
import sys
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from loket.core.model import Scan
from loket.scans import ACTIVE, kind_of

WORK_SECONDS = 8
MEMORY = 512 * 1024 * 1024
# A page of A3 at 600 dpi has 70 million.
MAX_PIXELS = 150_000_000
MAX_PAGES = 2000
MAX_OBJECTS = 200_000
MAX_DEPTH = 50

_IMAGES = ("JPEG", "PNG", "TIFF")


def look_here(content: bytes) -> Scan:
    """What is in it; never raises."""
    kind = kind_of(content)
    try:
        return _pdf(content) if kind == "pdf" else _image(content)
    except Exception:  # noqa: BLE001 - whatever a library makes of it, it cannot be read
        return Scan(kind, fault="unreadable")


def _image(content: bytes) -> Scan:
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with Image.open(BytesIO(content), formats=_IMAGES) as image:
        # All there is of a JPEG is read to make an eighth of it.
        image.draft("RGB", (max(1, image.width // 8), max(1, image.height // 8)))
        pages = int(getattr(image, "n_frames", 1))
        if pages > MAX_PAGES:
            return Scan("image", fault="unreadable")
        for page in range(pages):
            image.seek(page)
            image.load()
    return Scan("image", pages)


def _pdf(content: bytes) -> Scan:
    reader = PdfReader(BytesIO(content), strict=False)
    if reader.is_encrypted:
        return Scan("pdf", fault="encrypted")
    pages = len(reader.pages)
    if not 0 < pages <= MAX_PAGES:
        return Scan("pdf", fault="unreadable")
    for page in reader.pages:
        _ = page.mediabox.width
    found = set(_active(reader))
    return Scan("pdf", pages, active=tuple(name for name in ACTIVE if name in found))


def _active(reader: PdfReader) -> Iterator[str]:
    """Every object of the file is walked, referred to or not: viewers differ in what they find."""
    numbers = [(number, generation) for generation, table in reader.xref.items() for number in table]
    numbers += [(number, 0) for number in reader.xref_objStm]
    if len(numbers) > MAX_OBJECTS:
        yield "damaged"
    yield from _walk(reader.trailer, 0)
    for number, generation in numbers[:MAX_OBJECTS]:
        try:
            found = reader.get_object(IndirectObject(number, generation, reader))
        except Exception:  # noqa: BLE001 - told as what it is; pages are read above
            yield "damaged"
            continue
        yield from _walk(found, 0)


def _walk(value: object, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        yield "damaged"
    elif isinstance(value, DictionaryObject):
        for key in value:
            inner = value.raw_get(key)
            yield from _named(str(key), inner)
            yield from _walk(inner, depth + 1)
    elif isinstance(value, ArrayObject):
        for inner in list.__iter__(value):
            yield from _walk(inner, depth + 1)


_KEYS = {
    "/JS": "javascript",
    "/JavaScript": "javascript",
    "/EmbeddedFiles": "embedded",
    "/EF": "embedded",
    "/XFA": "form",
    "/RichMediaContent": "media",
}
_ACTIONS = {
    "/JavaScript": "javascript",
    "/Launch": "launch",
    "/GoToE": "embedded",
    "/ImportData": "form",
    "/SubmitForm": "form",
    "/Rendition": "media",
    "/Movie": "media",
}


def _named(key: str, value: object) -> Iterator[str]:
    if key in _KEYS:
        yield _KEYS[key]
    if key in ("/S", "/Subtype") and str(value) in _ACTIONS:
        yield _ACTIONS[str(value)]


def main() -> None:
    """The child: one file on standard input, one line of JSON on standard output."""
    content = sys.stdin.buffer.read()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    room = pages * resource.getpagesize() + MEMORY + 2 * len(content)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    spent = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (spent + WORK_SECONDS, spent + WORK_SECONDS))
    found = look_here(content)
    sys.stdout.write(json.dumps({"pages": found.pages, "fault": found.fault, "active": list(found.active)}) + "\n")


if __name__ == "__main__":
    main()
