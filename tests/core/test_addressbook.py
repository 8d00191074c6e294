"""The address book in replies: every entry of the notice, where its counter's applicants read it, and when it opens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loket.core.model import Outbound
from tests.core.desk import DESAIN, DITLAI, IKLAN, NOW, OT, Desk, letter, shown

IT, AKUN = "itkonsultasi@yahoo.com", "akun_otsk@yahoo.com"
EVENING = NOW + timedelta(hours=9)  # Tuesday, 18.00 WIB
FRIDAY_NIGHT = NOW + timedelta(days=3, hours=9)
HOURS = "Senin–Jumat, 08.30–16.00 WIB"


def reply(to: str, subject: str, *, desk: Desk | None = None, body: str = "Mohon dibantu.\n") -> str:
    """The letter that a first mail has for an answer, its lines as they are, what is wrapped in one piece."""
    office = desk or Desk()
    found: list[Outbound] = list(office.take(letter(subject, body, to=to)).outbox)
    return shown(found[0]).replace("\r\n", "\n").replace("\n  ", " ")


@pytest.mark.parametrize(
    ("to", "subject", "entries"),
    [
        (
            DITLAI,
            "Permohonan konsultasi via Zoom",
            [
                "- Konsultasi live chat via ASROT https://asrot.pom.go.id/asrot/ " + HOURS + " Log in dengan akun",
                "petugas hanya dapat melayani 3 chat.",
                "Masing-masing chat hanya dilayani maksimal 15 menit.",
                "- Konsultasi via WA dan telepon 0811 2333 669 " + HOURS + " Untuk pertanyaan umum.",
                "- Konsultasi via Zoom ditlai_otsmkos@yahoo.co.id Hanya setiap hari Senin, dengan pembatasan dan",
            ],
        ),
        (IKLAN, "Iklan radio", ["- Konsultasi iklan via WhatsApp 0857 6554 6186 " + HOURS]),
        (IT, "Tidak bisa masuk", ["- Konsultasi IT via WhatsApp 0851 5634 3538 " + HOURS]),
        (
            DITLAI,
            "Surat permohonan pembatalan",
            [
                "- Pengiriman dokumen via pos Direktorat Registrasi Obat Tradisional, Suplemen Kesehatan, dan "
                "Kosmetik, Gedung F Barat Lantai 2, Badan POM RI",
                "- Pengiriman dokumen via email ditlai_otsmkos@yahoo.co.id",
            ],
        ),
        (OT, "Berkas_Jamu Kunyit", ["- Unggah berkas (Baru/Tambah Data) ASROT, https://asrot.pom.go.id/asrot/"]),
    ],
)
def test_each_counters_other_ways_stand_in_its_replies(to: str, subject: str, entries: list[str]) -> None:
    text = reply(to, subject)
    for entry in entries:
        assert entry in text


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (NOW, None),
        (EVENING, "Rabu, 25 November 2026, pukul 08.30 WIB"),
        (FRIDAY_NIGHT, "Senin, 30 November 2026, pukul 08.30 WIB"),
    ],
)
def test_a_way_that_is_closed_says_when_it_opens(now: object, opens: str | None) -> None:
    text = reply(IKLAN, "Iklan radio", desk=Desk(now=now))  # type: ignore[arg-type] # a moment
    assert (f"{HOURS} Sedang tutup; buka {opens}" in text) if opens else ("Sedang tutup" not in text)


def test_in_english_too() -> None:
    body = "Dear officers, we would like to ask you about the claims that are in this advertisement of ours. Thank you."
    text = reply(IKLAN, "Question about an advertisement", desk=Desk(now=EVENING), body=body)
    assert "0857 6554 6186 Monday–Friday, 08:30–16:00 WIB" in text
    assert "Closed now; opens Wednesday, 25 November 2026, at 08:30 WIB" in text


def test_a_correction_has_them_as_well() -> None:
    assert "Saluran lain" not in reply(DESAIN, "Ambil SK_SK"), "Loket D has no other way"
    assert "- Unggah berkas" in reply(OT, "Berkas")


@pytest.mark.parametrize(
    ("to", "subject", "told"),
    [
        (OT, "Berkas_Jamu Kunyit", 'mohon kirim status produk ke "Administrator Locket" di ASROT'),
        (OT, "Berkas_Jamu Kunyit", "Berkas soft copy cukup dikirimkan melalui sistem ASROT dan email ini."),
        (OT, "Berkas_Jamu Kunyit", "tidak perlu menyerahkan berkas hard copy ke Locket Pendaftaran Gedung B Lantai 2"),
        (AKUN, "NIB dan NPWP", "- Unggah berkas akun perusahaan ASROT, https://asrot.pom.go.id/asrot/"),
        (AKUN, "NIB dan NPWP", "Berkas soft copy cukup dikirimkan melalui sistem ASROT dan email ini."),
        (AKUN, "NIB dan NPWP", "tidak perlu menyerahkan berkas hard copy"),
        (DESAIN, "Revisi Desain_OT_Jamu", "hanya untuk surat non-TTE."),
    ],
)
def test_what_the_notice_tells_applicants_to_do_stands_in_the_replies(to: str, subject: str, told: str) -> None:
    assert told in reply(to, subject)
