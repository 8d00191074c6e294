"""What the town's people mean to do: which item each officer answers and how, as their digests come in."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import shake_256

from loket.demo.attach import Attachment, pdf
from loket.demo.officer import Answer

ANI, BUDI, CITRA = "ani@pom.go.id", "budi@pom.go.id", "citra@pom.go.id"
DEWI, EKO, FAJAR = "dewi@pom.go.id", "eko@pom.go.id", "fajar@pom.go.id"
OFFICERS = (ANI, BUDI, CITRA, DEWI, EKO, FAJAR)

# A letter leaves when its officer has confirmed it; the answer itself brings the code.
ANSWERED, MOVED, REFUSED, CONFIRMED = "answered", "moved", "command-refused", "code-written"


@dataclass(frozen=True, slots=True)
class Errand:
    """One answer of one officer: to the item of this queue and this product or subject, by this command.

    `expected` is the event that Loket should record for it.
    """

    officer: str
    queue: str
    about: str
    command: str
    answer: Answer = field(default_factory=Answer)
    expected: str = ANSWERED


def _scan(name: str, *lines: str) -> Attachment:
    """A page as a scanner makes it: some 300 kB that no compression helps."""
    return Attachment(name, "application/pdf", pdf(*lines, image=shake_256(name.encode()).digest(300_000)))


MORNING = (
    Errand(
        ANI,
        "revisi-desain-ot",
        "Jamu Kunyit Asam Segar",
        "DESAIN",
        Answer("Mohon perbaiki ukuran tulisan peringatan.", (_scan("Revisi desain Kunyit.pdf", "REVISI DESAIN"),)),
    ),
    Errand(
        ANI,
        "ambil-sk-ot",
        "Jamu Kunyit Asam Segar",
        "SK",
        Answer("Selamat, SK NIE sudah terbit.", (_scan("SK NIE Jamu Kunyit Asam Segar.pdf", "SK NIE", "Jamu Kunyit"),)),
        CONFIRMED,
    ),
    Errand(
        ANI,
        "ambil-sk-ot",
        "Parem Kocok Hangat",
        "REVISI",
        Answer("Logo halal belum sesuai.", (_scan("Catatan desain Parem.pdf", "MASIH PERLU REVISI"),)),
    ),
    # She forgets the scan; Loket says so, and nothing leaves.
    Errand(ANI, "ambil-sk-ot", "Jamu Galian Singset", "SK", Answer("SK NIE terlampir."), REFUSED),
    Errand(
        BUDI,
        "revisi-desain-sk",
        "Vitamin H₂O™",
        "DESAIN",
        Answer("", (_scan("Revisi desain – Vitamin H₂O.pdf", "REVISI DESAIN"),)),
    ),
    Errand(
        BUDI,
        "ambil-sk-sk",
        "Omega Laut",
        "SK",
        Answer(
            "Selamat.",
            (_scan("SK NIE Omega Laut.pdf", "SK NIE"), _scan("Lampiran SK Omega Laut.pdf", "LAMPIRAN SK")),
        ),
        CONFIRMED,
    ),
    Errand(CITRA, "berkas-ot", "Jamu Kunyit Asam Segar", "TERIMA"),
    Errand(
        CITRA,
        "berkas-sk",
        "Vitamin C 500 Effervescent",
        "KURANG",
        Answer("Hasil uji stabilitas belum ada.\nMohon diunggah di ASROT."),
    ),
    Errand(CITRA, "akun", "Pengajuan akun perusahaan PT Herbal Baru Sejahtera", "AKTIF"),
    # Her answer is refused by the applicant's own server: undelivered is not done.
    Errand(CITRA, "akun", "Lupa kata sandi akun perusahaan", "AKTIF", Answer("Kata sandi sudah kami atur ulang.")),
    Errand(
        DEWI,
        "konsultasi-iklan",
        "Konsultasi naskah iklan radio",
        "JAWAB",
        Answer('Kalimat "badan segar seharian" tidak dapat dipakai karena berlebihan.'),
    ),
    Errand(EKO, "konsultasi-it", "Tidak bisa login ASROT", "JAWAB", Answer("Akun sudah kami buka. Silakan coba lagi.")),
    Errand(
        FAJAR,
        "persuratan",
        "Surat permohonan pembatalan nomor izin edar",
        "DAFTAR",
        Answer("", line="DAFTAR 1234/REG-OT"),
    ),
    Errand(
        FAJAR,
        "triase",
        "Beras Kencur Instan sudah kami upload",
        "ALIH",
        Answer("", line="ALIH berkas-ot"),
        MOVED,
    ),
)

MIDDAY = (
    Errand(
        ANI,
        "ambil-sk-ot",
        "Jamu Galian Singset",
        "SK",
        Answer("SK NIE terlampir.", (_scan("SK NIE Jamu Galian Singset.pdf", "SK NIE"),)),
        CONFIRMED,
    ),
    Errand(
        BUDI,
        "ambil-sk-sk",
        "Cal-95",
        "SK",
        Answer("Selamat, SK NIE sudah terbit.", (_scan("SK NIE Cal-95.pdf", "SK NIE", "Cal-95"),)),
        CONFIRMED,
    ),
    Errand(CITRA, "berkas-ot", "Beras Kencur Instan sudah kami upload", "TERIMA"),
)
