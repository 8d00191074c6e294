"""What an officer scans, looked into: the real libraries in their limited process, and what is refused for it."""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

from loket.core.model import Evidence, Fate, InboundMail, Kind, Scan
from loket.demo.attach import jpeg, pdf, png
from loket.scans import Inspector
from loket.scans.__main__ import look_here
from tests.core.desk import ANI, DESAIN, KEYS, NOW, PDF, Desk, letter, looked_into, office, shown
from tests.core.proofs import Room

LOOK = Inspector().look


def written(change: Callable[[PdfWriter], object], pages: int = 1) -> bytes:
    """A PDF of blank pages, with something in it."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    change(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _root(writer: PdfWriter, key: str, value: object) -> None:
    writer.root_object[NameObject(key)] = value  # type: ignore[assignment] # a PDF object


def _script(writer: PdfWriter) -> None:
    action = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
    _root(writer, "/OpenAction", DictionaryObject(action))


def _launch(writer: PdfWriter) -> None:
    action = {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("cmd.exe")}
    _root(writer, "/OpenAction", DictionaryObject(action))


def _mouse(writer: PdfWriter) -> None:
    script = DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("x()")})
    seen = DictionaryObject({NameObject("/O"): script})
    writer.pages[0][NameObject("/AA")] = DictionaryObject({NameObject("/O"): writer._add_object(seen)})


def _orphan(writer: PdfWriter) -> None:
    """An action that nothing refers to: some viewer may still find it."""
    writer._add_object(ArrayObject([DictionaryObject({NameObject("/S"): NameObject("/Launch")})]))


def tiff(pages: int) -> bytes:
    frames = [Image.new("1", (30, 30)) for _ in range(pages)]
    out = BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:])
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (pdf("SK NIE"), Scan("pdf", 1)),
        (written(lambda _: None, pages=7), Scan("pdf", 7)),
        (b"\xef\xbb\xbfgarbage\n" + pdf("behind some garbage"), Scan("pdf", 1)),
        (jpeg(), Scan("image", 1)),
        (png(), Scan("image", 1)),
        (tiff(3), Scan("image", 3)),
    ],
    ids=["pdf", "seven pages", "garbage before it", "jpeg", "png", "tiff"],
)
def test_a_scan_is_read_and_its_pages_counted(content: bytes, wanted: Scan) -> None:
    assert LOOK(content) == wanted


@pytest.mark.parametrize(
    ("change", "active"),
    [
        (_script, ("javascript",)),
        (_mouse, ("javascript",)),
        (_launch, ("launch",)),
        (_orphan, ("launch",)),
        (lambda writer: writer.add_attachment("virus.exe", b"MZ"), ("embedded",)),
        (lambda writer: (_script(writer), writer.add_attachment("a", b"b")), ("javascript", "embedded")),
    ],
    ids=["a script", "a script on a page", "a launch", "an orphan", "an enclosed file", "two"],
)
def test_what_a_pdf_could_do_is_told(change: Callable[[PdfWriter], object], active: tuple[str, ...]) -> None:
    assert LOOK(written(change)) == Scan("pdf", 1, active=active)


def in_object_stream(hidden: bytes) -> bytes:
    """A PDF 1.5 whose object 6, the document's opening action, lies packed in object 5 (ISO 32000-1 7.5.7, 7.5.8)."""
    packed = zlib.compress(b"6 0 " + hidden)
    bodies = {
        1: b"<< /Type /Catalog /Pages 2 0 R /OpenAction 6 0 R >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        5: b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream"
        % (len(packed), packed),
    }
    out = bytearray(b"%PDF-1.5\n")
    rows = {0: (0, 0, 255), 6: (2, 5, 0)}
    for number, body in bodies.items():
        rows[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    at = len(out)
    rows[4] = (1, at, 0)
    table = b"".join(
        bytes([kind]) + first.to_bytes(4, "big") + bytes([last]) for _, (kind, first, last) in sorted(rows.items())
    )
    out += b"4 0 obj\n<< /Type /XRef /Size 7 /W [1 4 1] /Root 1 0 R /Length %d >>\nstream\n" % len(table)
    out += table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % at
    return bytes(out)


def test_what_hides_in_an_object_stream_is_found() -> None:
    assert LOOK(in_object_stream(b"<< /S /JavaScript /JS (x) >>")) == Scan("pdf", 1, active=("javascript",))
    assert LOOK(in_object_stream(b"<< /S /GoTo /D [3 0 R /Fit] >>")) == Scan("pdf", 1)


@pytest.mark.parametrize("password", ["", "rahasia"])
def test_an_encrypted_pdf_is_told_as_such(password: str) -> None:
    locked = written(lambda writer: writer.encrypt(password, "owner", algorithm="RC4-128"))
    assert LOOK(locked) == Scan("pdf", fault="encrypted")


def bomb_pdf() -> bytes:
    """Object streams that unpack to gigabytes."""
    inner = zlib.compress(b"\0" * 2_000_000_000, 9)
    stream = b"1 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n" % len(inner)
    return b"%PDF-1.5\n" + stream + inner + b"\nendstream\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"


def bomb_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    side = (60_000).to_bytes(4, "big")
    rows = zlib.compress(b"\0" * 10_000_000, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", side * 2 + b"\x08\0\0\0\0") + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "content",
    [
        PDF,
        b"%PDF-1.7\n",
        pdf("cut")[:300],
        b"%PDF-1.4\n" + b"<<" * 100_000,
        b"%PDF-1.4\n1 0 obj\n" + b"[" * 100_000,
        jpeg()[:40],
        png()[:-30],
        b"\xff\xd8\xff" + b"\0" * 1000,
        b"II*\0" + b"\xff" * 100,
        bomb_png(),
        b"PK\x03\x04 a document of an office",
        b"GIF89a" + b"\0" * 100,
        b"<html>SK NIE</html>",
        b"   ",
    ],
)
def test_what_is_no_readable_pdf_or_image_is_unreadable(content: bytes) -> None:
    found = LOOK(content)
    assert (found.pages, found.fault) == (0, "unreadable")


def test_a_bomb_costs_seconds_and_no_memory_of_ours() -> None:
    began = time.monotonic()
    found = LOOK(bomb_pdf())
    assert (found.pages, found.fault) == (0, "unreadable")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "program",
    [
        "import time; time.sleep(60)",
        "import os; os.abort()",
        "print('no json')",
        'print(\'{"fault": "", "pages": 1}\'); raise SystemExit(3)',
        'print(\'{"fault": "surprise", "pages": 1}\')',
    ],
)
def test_a_process_that_is_lost_over_a_scan_makes_it_unreadable(program: str) -> None:
    inspector = Inspector((sys.executable, "-c", program), patience=1.0)
    assert inspector.look(pdf("x")).fault == "unreadable"


def test_the_process_knows_nothing_of_the_daemon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOKET_SECRET", "hunter2")
    out = tmp_path / "environment"
    program = f"import os; open({str(out)!r}, 'w').write(repr(dict(os.environ)))"
    Inspector((sys.executable, "-c", program)).look(pdf("x"))
    assert "hunter2" not in out.read_text()


def test_looking_changes_nothing_in_the_scan() -> None:
    content = pdf("SK NIE")
    before = bytes(content)
    look_here(content)
    assert content == before


REFUSED = [
    (Scan("pdf", fault="unreadable"), "scan-unreadable", "tidak dapat dibaca"),
    (Scan("other", fault="unreadable"), "scan-unreadable", "tidak dapat dibaca"),
    (Scan("pdf", fault="encrypted"), "scan-encrypted", "kata sandi"),
]


@pytest.mark.parametrize(("found", "reason", "word"), REFUSED)
@pytest.mark.parametrize("command", ["SK", "REVISI"])
def test_a_scan_that_cannot_be_a_letter_is_refused_to_the_officer(
    found: Scan, reason: str, word: str, command: str
) -> None:
    room = Room()
    number = room.asked()
    mail = officer_mail(number, f"{command}\n", [("sk.pdf", PDF)])
    plan = room.desk.take(looked_into(mail, found))
    assert [(sent.kind, sent.recipient) for sent in plan.outbox] == [(Kind.RECEIPT, ANI)]
    assert plan.events[0].detail["reason"] == reason
    assert (plan.fate, plan.held, plan.changed) == (Fate.COMMAND, (), ())
    assert word in shown(plan.outbox[0])
    assert "sk.pdf" in shown(plan.outbox[0])


def officer_mail(number: str, body: str, files: list[tuple[str, bytes]]) -> InboundMail:
    fields = {"In-Reply-To": f"<{KEYS.officer(number, ANI, NOW)}.0a@gmail.com>"}
    return letter("Re:", body, author=ANI, files=files, fields=fields, uid=77, message_id="<o@pom.go.id>")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([], "attachment-required"),
        ([("kosong.pdf", b"")], "scan-empty"),
        ([("sk.pdf", PDF), ("kosong.pdf", b"")], "scan-empty"),
        ([("sk.pdf", PDF), ("putih.pdf", b" \r\n ")], "scan-empty"),
    ],
)
def test_a_required_scan_that_is_missing_or_empty_is_refused(files: list[tuple[str, bytes]], reason: str) -> None:
    room = Room()
    plan = room.desk.take(looked_into(officer_mail(room.asked(), "SK\n", files)))
    assert plan.events[0].detail["reason"] == reason
    assert [sent.recipient for sent in plan.outbox] == [ANI]
    assert plan.held == ()


def test_a_scan_that_nobody_looked_into_does_not_leave() -> None:
    room = Room()
    mail = officer_mail(room.asked(), "REVISI\n", [("sk.pdf", PDF)])
    plan = room.desk.take(replace(mail, evidence=Evidence(limit=10**9)))
    assert plan.events[0].detail["reason"] == "scan-unreadable"


def test_a_scan_over_the_servers_size_is_refused_before_anything_leaves() -> None:
    room = Room()
    number = room.asked()
    content = PDF + b"%" + b"x" * 30_000
    mail = officer_mail(number, "SK\n", [("besar.pdf", content)])
    small = room.desk.take(looked_into(mail, Scan("pdf", 1), limit=30_000))
    assert small.events[0].detail["reason"] == "too-large"
    assert [sent.recipient for sent in small.outbox] == [ANI]
    assert office().counters[DESAIN].max_size == 25_000_000
    assert len(room.desk.take(replace(looked_into(mail, limit=100_000), raw=mail.raw)).held) == 1


def test_what_a_scan_could_do_is_told_to_the_officer_and_the_scan_leaves_as_it_is() -> None:
    found = Scan("pdf", 2, active=("javascript", "embedded"))
    room = Room()
    asked = room.desk.take(looked_into(officer_mail(room.asked(), "SK\n", [("sk.pdf", PDF)]), found))
    told = shown(next(mail for mail in asked.outbox if mail.key.startswith("code:")))
    assert "PERHATIAN: berisi JavaScript, berisi berkas lain" in told
    assert "2 halaman" in told
    desk = Desk()
    ticket = desk.opened("Revisi Desain_OT_Jamu")
    mail = officer_mail(ticket.number, "DESAIN\n", [("sk.pdf", PDF)])
    plan = desk.take(looked_into(mail, found))
    assert "PERHATIAN: sk.pdf" in shown(plan.outbox[1])
    assert [file.content for file in plan.files] == [PDF]
