"""The demo's attachments are real files, and the same octets every time."""

from __future__ import annotations

import re
import zlib

import pytest

from loket.demo.attach import OVERSIZE, document, jpeg, oversize_scan, pdf, png


@pytest.mark.parametrize("raw", [pdf("Satu (1)", r"dua \ tiga"), document("a.pdf").content, oversize_scan()])
def test_every_entry_of_a_pdf_cross_reference_table_points_at_its_object(raw: bytes) -> None:
    assert raw.startswith(b"%PDF-1.4\n")
    assert raw.endswith(b"%%EOF\n")
    [start] = re.findall(rb"startxref\n(\d+)\n", raw)
    table = raw[int(start) :]
    assert table.startswith(b"xref\n0 ")
    offsets = re.findall(rb"(\d{10}) 00000 n \n", table)
    assert len(offsets) >= 5
    for number, offset in enumerate(offsets, 1):
        assert raw[int(offset) :].startswith(b"%d 0 obj\n" % number)


def test_every_stream_of_a_pdf_is_as_long_as_it_says() -> None:
    raw = pdf("Halo", image=b"\x00\xff" * 50)
    lengths = re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", raw, re.DOTALL)
    assert len(lengths) == 2
    for length, content in lengths:
        assert len(content) == int(length)


def test_brackets_in_a_pdf_text_are_escaped() -> None:
    assert rb"(Satu \(1\)) Tj T* (dua \\ tiga) Tj" in pdf("Satu (1)", r"dua \ tiga")


def test_the_oversize_scan_weighs_about_twelve_megabytes_that_do_not_compress() -> None:
    raw = oversize_scan()
    assert OVERSIZE < len(raw) < OVERSIZE + 2000
    assert len(zlib.compress(raw[:1_000_000], 1)) > 990_000


def test_the_png_has_sound_chunks() -> None:
    raw = png()
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    kinds = []
    at = 8
    while at < len(raw):
        length = int.from_bytes(raw[at : at + 4])
        kind, data = raw[at + 4 : at + 8], raw[at + 8 : at + 8 + length]
        assert int.from_bytes(raw[at + 8 + length : at + 12 + length]) == zlib.crc32(kind + data)
        if kind == b"IDAT":
            assert len(zlib.decompress(data)) == 8 * (1 + 8)
        kinds.append(kind)
        at += 12 + length
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


def test_the_jpeg_is_a_chain_of_segments_from_start_to_end() -> None:
    raw = jpeg()
    assert raw.startswith(b"\xff\xd8")
    assert raw.endswith(b"\xff\xd9")
    markers = []
    at = 2
    while not markers or markers[-1] != 0xDA:
        assert raw[at] == 0xFF
        markers.append(raw[at + 1])
        at += 2 + int.from_bytes(raw[at + 2 : at + 4])
    assert markers == [0xE0, 0xDB, 0xC0, 0xC4, 0xC4, 0xDA]
    assert len(raw) - at == 3
