"""What applicants ask: Zoom appointments, advertisements, IT, letters to the directorate, and where a ticket stands."""

from __future__ import annotations

import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING

from loket.demo.attach import document, screenshot
from loket.demo.counters import DITLAI, IKLAN, IT, OT

if TYPE_CHECKING:
    from datetime import datetime

    from loket.demo.letter import DemoMail, PostBox

# strftime would need an Indonesian locale on the machine.
_MONTHS = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
    *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
)


def asks(box: PostBox) -> list[DemoMail]:
    return [*_zoom(box), *_advertisements(box), *_it(box), *_letters(box), _foreign_status(box)]


def status_question(box: PostBox, number: str, author: str, counter: str) -> DemoMail:
    """The mail with which an applicant asks where ticket `number` stands."""
    body = "Selamat siang, mohon informasi status permohonan kami. Terima kasih.\n"
    return box.mail(
        f"status-{number.lower()}",
        author,
        counter,
        f"Status {number}",
        body,
        minutes=0,
        note="answered to the ticket's own people alone",
    )


def next_monday(now: datetime) -> str:
    """The Monday after `now`, as Indonesian letters write it."""
    day = now + timedelta(days=7 - now.weekday())
    return f"Senin, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def _zoom(box: PostBox) -> list[DemoMail]:
    return [
        box.mail(
            "zoom-senin",
            "Maya Kartika <maya@suplemenprima.example>",
            DITLAI,
            "Permohonan konsultasi via Zoom",
            f"""
            Yth. Bapak/Ibu Duty Manager,

            Kami dari PT Suplemen Prima ingin memohon jadwal konsultasi via Zoom pada
            hari {next_monday(box.now)}, pukul 10.00 WIB, mengenai klaim
            khasiat produk suplemen kesehatan kami. Peserta dari kami dua orang.

            Mohon konfirmasi ketersediaan jadwalnya. Terima kasih.

            Maya Kartika
            """,
            minutes=1380,
            note="to konsultasi-zoom: a Monday, as the notice says",
        ),
        box.mail(
            "zoom-rabu",
            "Rizky <rizky@tehpelangsing.example>",
            DITLAI,
            "jadwal zoom hari rabu bisa?",
            """
            siang kak, bisa minta jadwal zoom hari rabu minggu ini? mau tanya soal
            persyaratan teh pelangsing. makasih kak

            Dikirim dari Yahoo Mail di Android
            """,
            minutes=340,
            client="YahooMailAndroidMobile",
            note="to konsultasi-zoom: asks for a Wednesday, but only Mondays are served",
        ),
    ]


def _advertisements(box: PostBox) -> list[DemoMail]:
    html = """\
From: "Promosi Jamu Ceria" <promo@jamuceria.example>
To: iklan_otsk@yahoo.com
Subject: Konsultasi naskah iklan radio
Date: {date}
Message-ID: <iklan-html@jamuceria.example>
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<html><head><style>p { color: #333 }</style></head><body>
<p>Yth. Petugas Konsultasi Iklan,</p>
<p>Apakah kalimat &ldquo;<b>badan segar seharian</b>&rdquo; boleh dipakai dalam
iklan radio Jamu Ceria?<br>Mohon arahannya, terima kasih&nbsp;&#128591;</p>
<p>Salam&nbsp;hangat,<br>Tim Promosi</p><img src="https://pelacak.jamuceria.example/p.gif" width="1" height="1">
</body></html>
"""
    return [
        box.mail(
            "iklan-banner",
            "Putri Maharani <putri@kreatifiklan.example>",
            IKLAN,
            "Konsultasi iklan banner Minyak Angin Aromaterapi",
            """
            Selamat siang Bapak/Ibu,

            Mohon masukan atas rancangan banner terlampir sebelum kami daftarkan.
            Apakah klaim "melegakan hidung tersumbat" dapat digunakan?

            Terima kasih,
            Putri Maharani
            """,
            attach=[screenshot("rancangan-banner.png")],
            minutes=1120,
            note="to konsultasi-iklan",
        ),
        box.literal(
            html,
            sender="promo@jamuceria.example",
            recipient=IKLAN,
            minutes=480,
            note="HTML only, with a tracking picture that no digest may load",
        ),
    ]


def _it(box: PostBox) -> list[DemoMail]:
    return [
        box.mail(
            "it-login",
            "Yusuf Hidayat <yusuf@farmaherbal.example>",
            IT,
            "Tidak bisa login ASROT",
            """
            Selamat pagi Tim IT,

            Sejak kemarin kami tidak dapat login ke ASROT, muncul pesan seperti pada
            tangkapan layar terlampir. Browser Chrome, sudah coba hapus cache.

            Mohon bantuannya, terima kasih.

            Yusuf Hidayat
            PT Farma Herbal
            """,
            attach=[screenshot("error login.png")],
            minutes=1290,
            note="to konsultasi-it, with a screenshot",
        ),
        box.mail(
            "it-upload",
            "+62 812 <nina.jamu@ponsel.example>",
            IT,
            "upload eror terus",
            """
            min upload berkas nya eror trs dari tadi pagi, file 8mb. gmn ya
            """,
            minutes=150,
            client="Gmail Android",
            note="to konsultasi-it: one line from a phone",
        ),
    ]


def _letters(box: PostBox) -> list[DemoMail]:
    return [
        box.mail(
            "surat-pembatalan",
            "Sekretariat PT Sido Rukun <sekretariat@sidorukun.example>",
            DITLAI,
            "Surat permohonan pembatalan nomor izin edar",
            """
            Kepada Yth.
            Direktur Registrasi Obat Tradisional, Suplemen Kesehatan dan Kosmetik

            Dengan hormat, terlampir surat kami nomor 012/SR/I perihal permohonan
            pembatalan nomor izin edar. Mohon dapat diterima dengan baik.

            Sekretariat PT Sido Rukun
            """,
            attach=[document("012-SR-I Permohonan Pembatalan NIE.pdf", "Nomor: 012/SR/I", "Perihal: Pembatalan NIE")],
            minutes=1260,
            note="to persuratan, to be registered with a number",
        ),
        box.mail(
            "surat-tanggapan",
            "Legal Nusa Herbal <legal@nusaherbal.example>",
            DITLAI,
            "Tanggapan atas surat permintaan tambahan data",
            """
            Yth. Bapak/Ibu,

            Bersama ini kami sampaikan surat tanggapan beserta lampirannya. Mohon nomor
            penerimaan surat dapat diinformasikan kepada kami.

            Terima kasih,
            Bagian Legal PT Nusa Herbal
            """,
            attach=[document("Tanggapan – PT Nusa Herbal.pdf", "SURAT TANGGAPAN"), document("Lampiran 1.pdf", "COA")],
            minutes=430,
            note="to persuratan: two attachments, one with a dash that is not ASCII in its name",
        ),
    ]


def _foreign_status(box: PostBox) -> DemoMail:
    return box.literal(
        textwrap.dedent(
            f"""\
            From: Pesaing <pesaing@penasaran.example>
            To: {OT}
            Subject: Status LKT-{box.now.year}-000001-7
            Date: {{date}}
            Message-ID: <status-asing@penasaran.example>

            Mohon info status nomor tersebut.
            """
        ),
        sender="pesaing@penasaran.example",
        recipient=OT,
        minutes=60,
        note="a guessed ticket number: a stranger learns nothing",
    )
