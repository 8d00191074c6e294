"""What applicants write to Loket A: product files uploaded to ASROT, and company accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loket.demo.attach import document, photo
from loket.demo.counters import AKUN, OT, SM

if TYPE_CHECKING:
    from loket.demo.letter import DemoMail, PostBox

SARI = "Sari Wulandari <sari@jamusegar.example>"
HENDRA = "Hendra Gunawan <hendra.gunawan@konsultanregistrasi.example>"


def loket_a(box: PostBox) -> list[DemoMail]:
    return [*_traditional(box), *_supplements(box), *_accounts(box)]


def _traditional(box: PostBox) -> list[DemoMail]:
    return [
        box.mail(
            "berkas-kunyit",
            SARI,
            OT,
            "Berkas_Jamu Kunyit Asam Segar",
            """
            Selamat pagi Bapak/Ibu Petugas Loket A,

            Bersama ini kami sampaikan bahwa berkas registrasi baru produk Jamu Kunyit
            Asam Segar sudah kami unggah di ASROT pagi ini. Status produk sudah kami
            kirim ke Administrator Locket.

            Mohon dapat diproses lebih lanjut. Terima kasih atas bantuannya.

            Hormat kami,
            Sari Wulandari
            PT Jamu Segar Nusantara
            """,
            minutes=1490,
            note="exact: the subject the notice asks for; needs no attachment",
        ),
        box.mail(
            "berkas-beras-kencur",
            "Tini Suhartini <tini@dapurjamu.example>",
            OT,
            "berkas - Beras Kencur Cap Dapur",
            """
            Pagi pak/bu, berkas beras kencur cap dapur sdh saya upload ya di asrot.
            mohon dicek, makasih banyak

            Dikirim dari iPhone saya
            """,
            minutes=1460,
            client="iPhone Mail (21F90)",
            note="normalized: lower case and dashes; the product keeps its famous name",
        ),
        box.mail(
            "bekas-minyak",
            "Agus Salim <agus@minyaknusantara.example>",
            OT,
            "Bekas_Minyak Gosok Nusantara",
            """
            Yth. Petugas,

            Berkas tambah data Minyak Gosok Nusantara sudah diunggah. Mohon konfirmasi
            apabila masih ada yang kurang.

            Salam,
            Agus Salim
            """,
            minutes=1400,
            note="fuzzy: one letter is missing in Berkas",
        ),
        box.mail(
            "berkas-placeholder",
            "Rudi Hartono <rudi@herbalmakmur.example>",
            OT,
            "Berkas_Nama Produk",
            """
            Selamat siang, berkas produk kami sudah diupload ke ASROT. Mohon diperiksa.

            Terima kasih
            Rudi - CV Herbal Makmur
            """,
            minutes=1320,
            note="incomplete: the words of the notice were copied, the product's name is missing",
        ),
        box.mail(
            "beras-kencur-instan",
            "Wati <wati@warungjamu.example>",
            OT,
            "Beras Kencur Instan sudah kami upload",
            """
            Assalamualaikum, mau info saja berkas produk beras kencur instan sudah kami
            upload kemarin sore. Apakah perlu kirim hard copy juga?

            Wati
            """,
            minutes=1210,
            note="unmatched, to triase: Beras is not a misspelt Berkas here",
        ),
        box.mail(
            "status-kunyit",
            SARI,
            OT,
            "Menanyakan status berkas Jamu Kunyit Asam Segar",
            """
            Selamat siang Bapak/Ibu,

            Mohon izin menanyakan, sudah sampai mana proses berkas Jamu Kunyit Asam
            Segar yang kami sampaikan kemarin? Kami belum melihat perubahan status di
            ASROT. Terima kasih.

            Sari Wulandari
            """,
            minutes=95,
            note="a status question in plain words, without a ticket number: triase answers how to ask",
        ),
    ]


def _supplements(box: PostBox) -> list[DemoMail]:
    return [
        box.mail(
            "berkas-vitamin-c",
            HENDRA,
            SM,
            "Berkas_Vitamin C 500 Effervescent",
            """
            Yth. Bapak/Ibu Penilai,

            Dengan hormat, berkas registrasi produk suplemen kesehatan Vitamin C 500
            Effervescent atas nama PT Suplemen Sehat Indonesia telah kami unggah melalui
            ASROT. Surat kuasa konsultan terlampir.

            Demikian kami sampaikan, atas perhatiannya kami ucapkan terima kasih.

            Hendra Gunawan
            Konsultan Registrasi
            """,
            attach=[document("Surat Kuasa PT SSI.pdf", "SURAT KUASA", "PT Suplemen Sehat Indonesia")],
            minutes=1480,
            note="exact, with an attachment nobody asked for",
        ),
        box.mail(
            "berkas-propolis",
            HENDRA,
            SM,
            "Fwd: BERKAS : Propolis Madu Hutan",
            """
            Yth. Bapak/Ibu,

            Meneruskan pemberitahuan dari klien kami di bawah ini.

            ---------- Pesan terusan ---------
            Dari: Produksi Madu Hutan <produksi@maduhutan.example>
            Perihal: BERKAS : Propolis Madu Hutan

            Pak Hendra, berkasnya sudah kami upload ya. Tolong diteruskan ke BPOM.
            """,
            minutes=1330,
            note="normalized: a forward prefix and a colon; the second mail of a consultant who sends many",
        ),
        box.mail(
            "berkas-balsem",
            "Lina Marlina <lina@kelapahangat.example>",
            SM,
            "Berkas Registrasi_Balsem Hangat Cap Kelapa",
            """
            Selamat sore,

            Berkas produk kuasi Balsem Hangat Cap Kelapa (tambah data) sudah masuk ASROT.

            Terima kasih,
            Lina
            """,
            minutes=1020,
            note="normalized: an alias of the keyword; Kuasi goes with SK",
        ),
        box.mail(
            "salah-kotak",
            "Joko Prasetyo <joko@pegallinu.example>",
            SM,
            "Revisi Desain_OT_Jamu Pegal Linu Asli",
            """
            Selamat pagi Bapak/Ibu,

            Mohon dikirimkan scan revisi desain kemasan Jamu Pegal Linu Asli.
            Terima kasih.

            Joko Prasetyo
            """,
            minutes=980,
            note="wrong mailbox: understood, and told to write to the design counter next time",
        ),
    ]


def _accounts(box: PostBox) -> list[DemoMail]:
    return [
        box.mail(
            "akun-baru",
            "Dewi Anggraini <dewi@herbalbaru.example>",
            AKUN,
            "Pengajuan akun perusahaan PT Herbal Baru Sejahtera",
            """
            Yth. Petugas Loket A,

            Kami telah mengunggah berkas akun perusahaan PT Herbal Baru Sejahtera di
            ASROT. Terlampir NIB dan surat penunjukan penanggung jawab sebagai pelengkap.

            Mohon akun kami dapat diaktifkan. Terima kasih.

            Dewi Anggraini
            Penanggung Jawab Teknis
            """,
            attach=[
                document("NIB.pdf", "NOMOR INDUK BERUSAHA", "PT Herbal Baru Sejahtera"),
                document("Surat Penunjukan PJT (asli).pdf", "SURAT PENUNJUKAN"),
            ],
            minutes=1440,
            note="no subject is prescribed here, so none is ever corrected",
        ),
        box.mail(
            "akun-foto",
            "Bambang <bambang@jamubambang.example>",
            AKUN,
            "",
            """
            min ini foto ktp sama npwp nya ya. akun asrot saya belum aktif2

            Terkirim dari ponsel Galaxy saya
            """,
            attach=[photo("20260113_0914.jpg"), photo("20260113_0915.jpg")],
            minutes=700,
            note="an empty subject and two phone photos",
        ),
        box.mail(
            "akun-alamat-mati",
            "Toko Sehat <tidak-ada@tokosehat.example>",
            AKUN,
            "Lupa kata sandi akun perusahaan",
            """
            Selamat malam, kami lupa kata sandi akun perusahaan Toko Sehat Abadi.
            Bagaimana cara mengaktifkannya kembali? Terima kasih.
            """,
            minutes=610,
            note="the sender's own address refuses mail (550 5.1.1): undelivered is not done",
        ),
    ]
