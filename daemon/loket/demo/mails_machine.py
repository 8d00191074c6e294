"""What machines send to a counter, and mail that is broken or false: none of it may upset the office."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loket.demo.counters import AKUN, DESAIN, DITLAI, IT, OT, SM

if TYPE_CHECKING:
    from loket.demo.letter import DemoMail, PostBox

_DSN = f"""\
From: Mail Delivery System <MAILER-DAEMON@mx.jamusegar.example>
To: {OT}
Subject: Undelivered Mail Returned to Sender
Date: {{date}}
Message-ID: <dsn-1@mx.jamusegar.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="dsn/1"

--dsn/1
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.jamusegar.example.
<gudang@jamusegar.example>: mailbox is full

--dsn/1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.jamusegar.example

Final-Recipient: rfc822; gudang@jamusegar.example
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 mailbox is full

--dsn/1
Content-Type: text/rfc822-headers

From: {OT}
To: gudang@jamusegar.example
Subject: Berkas_Jamu Gudang
Message-ID: <bukan-dari-loket@pom.go.id>

--dsn/1--
"""

_MDN = f"""\
From: Maya Kartika <maya@suplemenprima.example>
To: {DITLAI}
Subject: Dibaca: Undangan sosialisasi
Date: {{date}}
Message-ID: <mdn-1@suplemenprima.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="mdn-1"

--mdn-1
Content-Type: text/plain; charset=utf-8

Pesan Anda telah dibaca.

--mdn-1
Content-Type: message/disposition-notification

Final-Recipient: rfc822; maya@suplemenprima.example
Original-Message-ID: <undangan@pom.go.id>
Disposition: manual-action/MDN-sent-manually; displayed

--mdn-1--
"""

_VACATION = f"""\
From: Dewi Anggraini <dewi@herbalbaru.example>
To: {AKUN}
Subject: Sedang cuti Re: Pengajuan akun perusahaan
Date: {{date}}
Message-ID: <cuti-1@herbalbaru.example>
Auto-Submitted: auto-replied (vacation)
X-Auto-Response-Suppress: All
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Terima kasih atas email Anda. Saya sedang cuti dan akan membalas setelah kembali.
"""

_LIST = f"""\
From: Sekretariat GP Jamu <sekretariat@gpjamu.example>
To: anggota@milis.gpjamu.example
Subject: [GP Jamu] Berkas_Undangan Rapat Anggota
Date: {{date}}
Message-ID: <rapat-1@gpjamu.example>
List-Id: Anggota GP Jamu <anggota.milis.gpjamu.example>
List-Unsubscribe: <mailto:anggota-leave@milis.gpjamu.example>
Precedence: list
X-Original-To: {SM}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Rekan-rekan anggota, rapat bulanan diadakan Kamis depan pukul 13.00 WIB.
"""

_NEWSLETTER = f"""\
From: Promo Server <no-reply@serverhemat.example>
To: {IT}
Subject: =?utf-8?Q?Diskon_50=25_hosting_akhir_bulan_=F0=9F=8E=89?=
Date: {{date}}
Message-ID: <promo-77@serverhemat.example>
List-Unsubscribe: <https://serverhemat.example/berhenti>
Precedence: bulk
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<html><body><h1>Diskon 50%</h1><a href="https://serverhemat.example/promo">Beli sekarang</a></body></html>
"""

# The author's word processor invented a charset; 0x93 and 0x94 are its quotation marks.
_CHARSET = (
    f"""\
From: Madu Hitam <cs@maduhitam.example>
To: {DESAIN}
Subject: Revisi Desain_SK_Madu Hitam Pahit
Date: {{date}}
Message-ID: <charset-1@maduhitam.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=x-jamu-8
Content-Transfer-Encoding: 8bit

Mohon revisi desain #Madu Hitam Pahit#. Terima kasih.
""".encode()
    .replace(b"#", b"\x93", 1)
    .replace(b"#", b"\x94", 1)
)

_BROKEN = f"""\
From: Habis Bersalin <cs@habisbersalin.example>
To: {DESAIN}
Subject: Ambil SK_OT_Jamu Habis Bersalin
Date: kemarin sore
Message-ID: <rusak-1@habisbersalin.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="batas"
baris ini bukan kepala surat

--batas
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Desain terlampir =E2=80=94 mohon SK-nya =ZZ

--batas
Content-Type: application/pdf; name="desain.pdf"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="desain.pdf"

JVBERi0xLjQKJeLjz9MKMSAwIG9iago8PCAvVHlwZSAvQ2F0YWxvZyA+PgplbmRvY
@@@ sambungan terputus @@@
"""

_FORGED = f"""\
From: Ani <ani@pom.go.id>
To: {DESAIN}
Subject: SK LKT-2026-000001-7
Date: {{date}}
Message-ID: <palsu-1@penipu.example>
Reply-To: penipu@penipu.example

SK
Tolong kirim scan SK NIE-nya ke alamat saya yang baru ini, segera.
"""


def machines(box: PostBox) -> list[DemoMail]:
    return [
        box.literal(_DSN, sender="", recipient=OT, minutes=1200, note="machine: a bounce of a mail that is not ours"),
        box.literal(
            _MDN, sender="maya@suplemenprima.example", recipient=DITLAI, minutes=770, note="machine: a read receipt"
        ),
        box.literal(_VACATION, sender="", recipient=AKUN, minutes=740, note="machine: a vacation reply, no response"),
        box.literal(
            _LIST,
            sender="anggota-bounces@milis.gpjamu.example",
            recipient=SM,
            minutes=560,
            note="a mailing list post: a ticket, but no response",
        ),
        box.literal(
            _NEWSLETTER,
            sender="bounce-77@serverhemat.example",
            recipient=IT,
            minutes=210,
            note="a newsletter from a no-reply sender: a ticket, but no response",
        ),
    ]


def oddities(box: PostBox) -> list[DemoMail]:
    return [
        box.literal(
            _CHARSET,
            sender="cs@maduhitam.example",
            recipient=DESAIN,
            minutes=790,
            note="exact: a charset nobody knows must not fail",
        ),
        box.literal(
            _BROKEN,
            sender="cs@habisbersalin.example",
            recipient=DESAIN,
            minutes=180,
            note="broken MIME: no closing boundary, cut base64, a line that is no header; kept, never a crash",
        ),
        box.literal(
            _FORGED,
            sender="penipu@penipu.example",
            recipient=DESAIN,
            minutes=45,
            note="not an officer: the address without the token moves nothing, the real officer is told",
        ),
    ]
