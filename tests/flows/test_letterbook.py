"""Letters by mail and by post in one register, through real servers: numbered, told, and taken along as CSV."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys

from loket.demo.officer import reply as officer_reply
from tests.flows.letters import mail, scan
from tests.flows.office import FlowOffice, Mail

DITLAI, FAJAR = "ditlai_otsmkos@yahoo.co.id", "fajar@pom.go.id"
OWNER = "direksi@jamusari.example"
BY_POST = """CATAT
Saluran: pos
Nama: PT Jamu Kiriman
Antrean: persuratan
Perihal: =Surat kuasa asli

Amplop cokelat, tiga lembar.
"""


def agenda(office: FlowOffice, *words: str) -> subprocess.CompletedProcess[bytes]:
    """`loket agenda` as a person runs it."""
    place = [sys.executable, "-m", "loket", "agenda", "--config", str(office.folder / "config.yaml"), *words]
    env = {**os.environ, "PYTHONPATH": "daemon", "COLUMNS": "150"}
    return subprocess.run(place, capture_output=True, env=env, check=False)


def test_a_letter_by_mail_and_one_by_post_follow_each_other_in_the_register(office: FlowOffice) -> None:
    """The applicant has the number at once, the officer in the digest; DAFTAR tells of it; the year goes out as CSV."""
    office.empty([OWNER])
    office.submit(mail(f'"Direksi, PT Jamu Sari" <{OWNER}>', DITLAI, "Surat pencabutan izin edar"))
    office.work()
    [acknowledgement] = office.mails(OWNER, 1)
    assert "- Nomor agenda: 1/2026" in acknowledgement.text
    office.clock.wib(13)
    office.work()
    [digest] = office.mails(FAJAR, 1)
    assert "Nomor agenda: 1/2026" in digest.text
    assert "Agenda 1/2026" in digest.markup
    # By post: the letter and its envelope as scans.
    files = (scan("surat-kuasa"), scan("amplop"))
    office.submit(officer_reply(digest.raw, BY_POST, now=office.clock.now(), attachments=files))
    office.work()
    receipt = office.mails(FAJAR, 2)[1]
    assert "Nomor agenda: 2/2026" in receipt.text
    assert all(f"Lampiran: {one.name}" in receipt.text for one in files)
    office.clock.wib(13, days=1)
    office.work()
    later = Mail(office.servers.messages(FAJAR)[-1])
    kept = [content for name, _, content in later.attachments() if b"Amplop cokelat" in content or "eml" in name]
    assert any(b"surat-kuasa.pdf" in content and b"amplop.pdf" in content for content in kept)
    # Both are registered: the first has a number of the paper register too.
    [link] = [one for one in later.text.split("<mailto:") if one.startswith(DITLAI) and "DAFTAR" in one][:1]
    assert "DAFTAR" in link
    numbers = [acknowledgement.subject, receipt.subject]
    first, second = (subject.partition("]")[0].removeprefix("[") for subject in numbers)
    text = f"{first} DAFTAR 1234/XI/2026\n{second} DAFTAR Asli kami simpan.\n"
    office.submit(officer_reply(later.raw, text, now=office.clock.now()))
    office.work()
    told = office.mails(OWNER, 2)[1]
    assert "Surat terdaftar: nomor agenda 1/2026" in told.subject
    assert "Nomor dari petugas: 1234/XI/2026" in told.text
    # The year, for the archive.
    done = agenda(office, "--year", "2026", "--csv")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline=""), strict=True))
    assert [row["Nomor agenda"] for row in rows] == ["1/2026", "2/2026"]
    assert [row["Saluran"] for row in rows] == ["Email", "Pos"]
    assert [row["Pengirim"] for row in rows] == ["Direksi, PT Jamu Sari", "PT Jamu Kiriman"]
    assert rows[0]["Nomor petugas"] == "1234/XI/2026"
    assert rows[1]["Perihal"] == "'=Surat kuasa asli", "no spreadsheet takes it for a formula"
    assert [row["Hasil"] for row in rows] == ["Surat terdaftar", "Surat terdaftar"]
    assert agenda(office, "--year", "2026", "--csv", "--bom").stdout == b"\xef\xbb\xbf" + done.stdout
    assert agenda(office, "--year", "2026", "--queue", "triase", "--csv").stdout.count(b"\r\n") == 1
    refused = agenda(office, "--queue", "persurutan")
    assert (refused.returncode, refused.stderr.startswith(b"loket: there is no queue persurutan")) == (1, True)
