"""What applicants write to Loket D: design revisions, and collecting the SK NIE."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loket.demo.attach import Attachment, document, oversize_scan, photo, png
from loket.demo.counters import DESAIN
from loket.demo.mails_files import HENDRA, SARI

if TYPE_CHECKING:
    from loket.demo.letter import DemoMail, PostBox


def loket_d(box: PostBox) -> list[DemoMail]:
    return [*_revisions(box), *_collections(box)]


def _revisions(box: PostBox) -> list[DemoMail]:
    kunyit = box.mail(
        "revisi-kunyit",
        SARI,
        DESAIN,
        "Revisi Desain_OT_Jamu Kunyit Asam Segar",
        """
        Selamat siang Bapak/Ibu Petugas Loket D,

        Mohon dapat dikirimkan scan revisi desain kemasan produk Jamu Kunyit Asam
        Segar (PT Jamu Segar Nusantara). Terima kasih.

        Sari Wulandari
        """,
        minutes=1420,
        note="exact: the subject the notice asks for",
    )
    return [
        kunyit,
        # Her phone lost the network while sending and tried again.
        replace(kunyit, note="the same mail a second time: one ticket, one acknowledgement"),
        box.mail(
            "revisi-tini",
            "Tini Suhartini <tini@dapurjamu.example>",
            DESAIN,
            'RE: revisi disain - OT - "Jamu Gendong Bu Tini" ',
            """
            siang, mau minta revisi desain nya ya bu. suwun

            Dikirim dari iPhone saya
            """,
            minutes=1340,
            client="iPhone Mail (21F90)",
            note="fuzzy: a reply prefix to nothing, disain for desain, dashes and quotes",
        ),
        box.mail(
            "revisi-placeholder",
            "Admin Jamu Rama <admin@jamurama.example>",
            DESAIN,
            "Revisi Desain_OT/SK*_Nama Produk",
            """
            Yth. Petugas,

            Mohon scan revisi desain produk Jamu Rama kami. Terima kasih.
            """,
            minutes=1180,
            note="incomplete: the notice's own placeholders, category and product are missing",
        ),
        box.mail(
            "revisi-kolagen",
            "Shinta <shinta@kolagenplus.example>",
            DESAIN,
            "Revisi Desain_Kolagen Plus",
            """
            Selamat siang, mohon dikirim revisi desain Kolagen Plus. Makasih.
            """,
            minutes=1060,
            note="incomplete: OT or SK is missing",
        ),
        box.literal(
            # The webmail counted 75 octets and cut the sign for "subscript two" in half.
            "From: =?utf-8?B?UsOpemEgUHJhdGFtYQ==?= <reza@airsehat.example>\n"
            f"To: {DESAIN}\n"
            "Subject: =?utf-8?B?UmV2aXNpIERlc2Fpbl9TS19WaXRhbWluIEji?=\n"
            " =?utf-8?B?goJP4oSi?=\n"
            "Date: {date}\n"
            "Message-ID: <revisi-h2o@airsehat.example>\n\n"
            "Mohon scan revisi desain kemasan terbaru. Terima kasih.\n",
            sender="reza@airsehat.example",
            recipient=DESAIN,
            minutes=900,
            note="encoded words that split one character: the product is Vitamin H₂O™",
        ),
        box.literal(
            "From: sirih@wangi.example\n"
            f"To: {DESAIN}\n"
            "Subject: Revisi Desain – OT – Jamu Sirih Wangi\n"
            "Date: {date}\n"
            "Message-ID: <revisi-sirih@wangi.example>\n\n"
            "Mohon revisi desainnya dikirim ya.\n",
            sender="sirih@wangi.example",
            recipient=DESAIN,
            minutes=860,
            note="normalized: a raw 8-bit subject with en dashes and no declared charset",
        ),
        box.mail(
            "revisi-tte",
            "Andi Saputra <andi@minyakikan.example>",
            DESAIN,
            "Mohon Revisi Desain_SK_Minyak Ikan Omega",
            """
            Yth. Bapak/Ibu,

            Surat persetujuan kami sudah berupa TTE. Apakah revisi desainnya tetap
            diminta melalui email ini? Mohon penjelasannya.

            Andi Saputra
            """,
            minutes=520,
            note="normalized: the keyword in mid-subject; a TTE letter is fetched in ASROT",
        ),
        box.mail(
            "berkas-salah",
            "Ratna <ratna@jatiherbal.example>",
            DESAIN,
            "Berkas_Teh Daun Jati",
            """
            Selamat pagi, berkas Teh Daun Jati sudah kami upload di ASROT.

            Ratna
            """,
            minutes=450,
            note="Berkas at the design counter cannot tell OT from SK: triase, both addresses named",
        ),
    ]


def _collections(box: PostBox) -> list[DemoMail]:
    logo = Attachment("logo.png", "image/png", png(), content_id="logo@zincanak.example")
    return [
        box.mail(
            "ambil-kunyit",
            SARI,
            DESAIN,
            "Ambil SK_OT_Jamu Kunyit Asam Segar",
            """
            Selamat siang Bapak/Ibu,

            Terlampir desain kemasan Jamu Kunyit Asam Segar yang telah kami revisi
            sesuai catatan. Mohon dapat diterbitkan SK NIE-nya. Terima kasih.

            Sari Wulandari
            """,
            attach=[document("Desain Kunyit Asam rev2.pdf", "DESAIN KEMASAN", "Jamu Kunyit Asam Segar, revisi 2")],
            minutes=240,
            note="exact, with the design: one story with her Revisi Desain",
        ),
        box.mail(
            "ambil-cal",
            "Fitri Handayani <fitri@calindo.example>",
            DESAIN,
            "Ambil SK_SK_Cal-95",
            """
            Yth. Petugas, desain Cal-95 terlampir. Mohon SK-nya. Terima kasih.

            Fitri Handayani
            """,
            minutes=1300,
            note="incomplete: says attached, but nothing is",
        ),
        box.mail(
            "ambil-omega",
            HENDRA,
            DESAIN,
            "Pengambilan SK - Suplemen Kesehatan - Omega Laut",
            """
            Yth. Bapak/Ibu,

            Terlampir desain kemasan Omega Laut hasil revisi. Mohon dapat dikirimkan scan
            SK NIE. Terima kasih.

            Hendra Gunawan
            """,
            attach=[document("Omega Laut_box+label.pdf", "DESAIN KEMASAN", "Omega Laut")],
            minutes=1140,
            note="normalized: an alias, and the category written out",
        ),
        box.mail(
            "ambil-drive",
            "Parem Hangat <cs@paremhangat.example>",
            DESAIN,
            "Ambil SK_OT_Parem Kocok Hangat",
            """
            Selamat pagi,

            File desainnya besar jadi kami taruh di Google Drive:
            https://drive.google.com/file/d/1contohDesainParemKocok/view?usp=sharing

            Mohon SK-nya ya Bapak/Ibu, terima kasih.
            """,
            minutes=820,
            note="a link to a file store counts as an attachment by link",
        ),
        box.mail(
            "ambil-zinc",
            "Zinc Anak <cs@zincanak.example>",
            DESAIN,
            "Ambli SK_SK_Zinc Anak",
            """
            Mohon SK NIE Zinc Anak. Desain menyusul.
            """,
            attach=[logo],
            minutes=640,
            note="fuzzy and incomplete: the only picture is the logo of the signature",
        ),
        box.mail(
            "ambil-besar",
            "Galian Singset <desain@galiansingset.example>",
            DESAIN,
            "Ambil SK_OT_Jamu Galian Singset",
            """
            Yth. Bapak/Ibu, terlampir scan desain kemasan resolusi tinggi. Terima kasih.
            """,
            attach=[Attachment("scan desain 600dpi.pdf", "application/pdf", oversize_scan())],
            minutes=400,
            note="an oversize scan: some 16 MB of mail, fetched in pieces, too large for a digest",
        ),
        box.mail(
            "ambil-saja",
            "Udin <udin@jamuudin.example>",
            DESAIN,
            "Ambil SK",
            """
            pak mau ambil sk, ini foto desain nya

            Terkirim dari ponsel Galaxy saya
            """,
            attach=[photo("IMG-20260113-WA0007.jpg")],
            minutes=300,
            note="incomplete: category and product are missing",
        ),
    ]
