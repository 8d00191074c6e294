"""Scans as offices send them: what cannot be a letter comes back with the reason, what can leaves as it is."""

from __future__ import annotations

import random
import re
import zipfile
from hashlib import sha256
from io import BytesIO

from PIL import Image
from pypdf import PdfWriter

from loket.demo.attach import Attachment, pdf
from loket.demo.officer import Answer, answer
from tests.flows.letters import DESIGN, SITI, mail
from tests.flows.office import FlowOffice
from tests.flows.test_conversations import digest_of, only
from tests.flows.test_proof import ANI, deliveries


def saved(image: Image.Image, form: str, **more: object) -> bytes:
    out = BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


def printed(pages: int, owner: str = "") -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    if owner:
        writer.encrypt("", owner, algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def docx() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<document>SK NIE</document>")
    return out.getvalue()


NOISE = random.Random(6)
PHOTOGRAPH = Image.frombytes("RGB", (300, 300), NOISE.randbytes(300 * 300 * 3))
PAGE = Image.new("1", (400, 600), 1)
UNREADABLE, EMPTY, LOCKED, LARGE = "tidak dapat dibaca sebagai PDF", "kosong", "kata sandi", "lebih kecil"

# What the scan is, its name, its bytes, and a word of the reason; no two names alike.
REFUSED = [
    ("docx.pdf", docx(), UNREADABLE),
    ("tanpa-halaman.pdf", printed(0), UNREADABLE),
    ("terpotong.pdf", pdf("SK NIE")[:300], UNREADABLE),
    ("hanya-kepala.pdf", b"%PDF-1.7\n", UNREADABLE),
    ("terpotong.jpg", saved(PHOTOGRAPH, "JPEG")[:-20_000], UNREADABLE),
    ("terpotong.png", saved(PHOTOGRAPH.resize((100, 100)), "PNG")[:-1000], UNREADABLE),
    ("terpotong.tif", saved(PHOTOGRAPH.resize((100, 100)), "TIFF")[:-10_000], UNREADABLE),
    ("foto.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 2000, UNREADABLE),
    ("arsip.zip", docx(), UNREADABLE),
    ("halaman.html", b"<html>SK NIE</html>", UNREADABLE),
    ("kosong.pdf", b"", EMPTY),
    ("spasi.pdf", b" \r\n ", EMPTY),
    ("terkunci.pdf", printed(1, owner="pemilik"), LOCKED),
    ("besar.jpg", saved(PHOTOGRAPH.resize((900, 900)), "JPEG", quality=100), LARGE),
]
ACCEPTED = [
    ("scan.pdf", printed(3)),
    ("beberapa-halaman.tif", saved(PAGE, "TIFF", save_all=True, append_images=[PAGE, PAGE], compression="group4")),
    ("abu-abu.tif", saved(PAGE.convert("L"), "TIFF", compression="tiff_lzw")),
    ("foto.jpg", saved(PHOTOGRAPH.resize((60, 60)), "JPEG")),
    ("SK NIE 12/XI.png", saved(PAGE, "PNG")),
]


def small(office: FlowOffice) -> None:
    """The shipped office, behind a submission server that takes a tenth of a megabyte."""
    text = (office.folder / "config.yaml").read_text()
    doors = re.search(r"gmail: \{(imap: .*)\}$", text, re.MULTILINE)
    assert doors
    office.set_up((doors[0], f"gmail: {{{doors[1]}, max_size: 100000}}"))
    office.empty(["siti@jamusari.example"])


def test_a_scan_that_cannot_be_a_letter_comes_back_with_the_reason(office: FlowOffice) -> None:
    """Missing, empty, cut off, locked, too large, or no scan at all: each named, and nothing leaves or waits."""
    small(office)
    office.submit(mail(SITI, DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=pdf("desain")))
    office.work()
    digest = digest_of(office, ANI, 1)
    for name, content, _ in REFUSED:
        given = Answer("", (Attachment(name, "application/octet-stream", content),))
        for command in ("SK", "REVISI"):
            for said in answer(digest.raw, only(command, given), now=office.clock.now()):
                office.submit(said)
    for said in answer(digest.raw, only("SK", Answer("Scan menyusul.")), now=office.clock.now()):
        office.submit(said)
    office.work()
    told = [one.text for one in office.mails(ANI, 1 + 2 * len(REFUSED) + 1)[1:]]
    for name, _, reason in REFUSED:
        about = [text for text in told if reason in text and (name in text or reason is LARGE)]
        assert len(about) == 2, (name, reason)
    assert sum("memuat lampiran" in text for text in told) == 1
    assert deliveries(office) == []
    stores = office.stores()
    assert stores.desk.outgoing("held", 9) == []
    stores.database.close()


def test_scans_of_every_kind_leave_as_they_are(office: FlowOffice) -> None:
    """What scanners and phones make; the name is cleaned, the bytes are the officer's."""
    office.empty(["siti@jamusari.example"])
    for at in range(len(ACCEPTED)):
        office.submit(mail(SITI, DESIGN, f"Ambil SK_OT_Jamu {at}", enclosed=pdf(f"desain {at}")))
    office.work()
    digest = digest_of(office, ANI, 1)
    left = iter(ACCEPTED)

    def chosen(link):  # type: ignore[no-untyped-def] # as the demo's officer asks
        if link.command != "REVISI":
            return None
        name, content = next(left)
        return Answer("", (Attachment(name, "application/octet-stream", content),))

    for said in answer(digest.raw, chosen, now=office.clock.now()):
        office.submit(said)
    office.work()
    letters = [one for one in deliveries(office) if one.attachments()]
    found = {sha256(content).digest(): name for one in letters for name, _, content in one.attachments()}
    assert set(found) == {sha256(content).digest() for _, content in ACCEPTED}
    assert all("/" not in name for name in found.values())
