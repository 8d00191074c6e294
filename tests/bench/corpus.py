"""A seeded mix of mails as applicants write them; the same seed gives the same bytes, and no applicant writes twice."""

import base64
import quopri
import random
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import Header

KIB = 1024

_PRODUCTS = (
    *("Jamu Kunyit Asam", "Beras Kencur Cap Dapur", "Minyak Gosok Nusantara", "Propolis Madu Hutan", "Kolagen Plus"),
    *("Cal-95", "Zinc Anak", "Balsem Hangat Cap Kelapa", "Teh Daun Jati", "Omega Laut 1000 mg", "Vitamin C 500 mg"),
    *("Tolak Linu Cair 15 mL", "D'Herbal Segar", 'Jamu "Super" Pegal', "Sari Temulawak & Madu", "Imun Booster 3-in-1"),
)
# Mostly as the notice asks, then with the slips people make; some ask for more than one kind of reply.
_SUBJECTS = (
    *["Revisi Desain_{kind}_{product}"] * 6,
    *["Ambil SK_{kind}_{product}"] * 4,
    "revisi desain - {kind} - {product}",
    "Re: REVISI DESAIN_{kind}_{product}",
    "revisi disain_{kind}_{product}",
    "Fwd: Ambil SK {kind} {product}",
    "Pengambilan SK NIE_{kind}_{product}",
    "Mohon Revisi Desain_{kind}_{product}",
    "Revisi Desain_{product}",
    "Ambil SK_{product}",
    "Berkas_{product}",
    "Mohon informasi desain {product}",
)
_NAMES = (
    "Sari Wulandari",
    "Tini Suhartini",
    "Agus Salim",
    "Rudi Hartono",
    "Hendra Gunawan",
    "Maria Ulfa",
    "Budi Santoso",
)
_LINES = (
    "Bersama ini kami sampaikan revisi desain kemasan produk tersebut di atas.",
    "Mohon dapat diproses lebih lanjut, dan mohon konfirmasi apabila masih ada yang kurang.",
    "Status produk di ASROT sudah kami periksa pagi ini dan sudah sesuai.",
    "Pembayaran sudah kami lakukan minggu lalu; bukti bayar ada pada kami.",
    "Sebelumnya kami sudah mengirim email yang sama, tetapi belum mendapat balasan.",
    "Mohon maaf apabila terdapat kesalahan penulisan pada subjek email kami.",
)
_ENCODED = "Selamat pagi Bapak/Ibu – berikut desain “final” kami, ukuran 10×15 cm, ±2 mm."


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it lies on a server, line feeds only as in a Maildir, and who wrote it."""

    raw: bytes
    sender: str


def small(count: int, seed: int, recipient: str) -> Iterator[Letter]:
    """Text only."""
    return (_Writer(seed, number, recipient).text() for number in range(count))


def mixed(count: int, seed: int, recipient: str) -> Iterator[Letter]:
    """70 % small text, 15 % HTML or encoded, 10 % with 200 KiB and 5 % with 2 MiB attached, shuffled."""
    kinds = [("text", 70), ("html", 8), ("encoded", 7), ("medium", 10), ("large", 5)]
    wanted = [kind for kind, share in kinds for _ in range(round(count * share / 100))]
    wanted += ["text"] * (count - len(wanted))
    random.Random(seed).shuffle(wanted)
    for number, kind in enumerate(wanted[:count]):
        writer = _Writer(seed, number, recipient)
        match kind:
            case "text":
                yield writer.text()
            case "html":
                yield writer.html()
            case "encoded":
                yield writer.encoded()
            case _:
                yield writer.attached((200 if kind == "medium" else 2048) * KIB)


class _Writer:
    """One applicant with one letter."""

    def __init__(self, seed: int, number: int, recipient: str) -> None:
        self.chance = random.Random(seed * 1_000_003 + number)
        self.recipient = recipient
        self.name = self.chance.choice(_NAMES)
        self.sender = f"pemohon{number}.{seed}@perusahaan{number % 97}.example"
        self.mark = f"{self.chance.getrandbits(80):020x}"
        subject = self.chance.choice(_SUBJECTS)
        self.product = f"{self.chance.choice(_PRODUCTS)} {number}"
        self.subject = subject.format(kind=self.chance.choice(("OT", "SK")), product=self.product)
        lines = self.chance.sample(_LINES, self.chance.randint(2, 5))
        self.body = "\n".join(["Yth. Petugas,", "", *lines, "", "Hormat kami,", self.name, ""])

    def text(self) -> Letter:
        return self._letter(self.subject, "text/plain; charset=us-ascii", "7bit", self.body.encode())

    def encoded(self) -> Letter:
        subject = Header(f"{self.subject} – “baru”", "utf-8", header_name="Subject").encode()
        body = base64.encodebytes(f"{_ENCODED}\n{self.body}".encode())
        return self._letter(subject, "text/plain; charset=utf-8", "base64", body)

    def html(self) -> Letter:
        words = f"{_ENCODED}\n{self.body}"
        markup = "<html><body>" + "".join(f"<p>{line}</p>\n" for line in words.split("\n")) + "</body></html>\n"
        encoding = "quoted-printable"
        parts = [
            _part("text/plain; charset=utf-8", encoding, quopri.encodestring(words.encode())),
            _part("text/html; charset=utf-8", encoding, quopri.encodestring(markup.encode())),
        ]
        return self._multipart("alternative", parts)

    def attached(self, size: int) -> Letter:
        packed = base64.encodebytes(self.chance.randbytes(size))
        name = f'application/pdf; name="desain {self.mark[:4]}.pdf"'
        parts = [
            _part("text/plain; charset=us-ascii", "7bit", self.body.encode()),
            _part(name, "base64", packed, f'attachment; filename="desain {self.mark[:4]}.pdf"'),
        ]
        return self._multipart("mixed", parts)

    def _multipart(self, subtype: str, parts: list[bytes]) -> Letter:
        boundary = f"----=_{self.mark}"
        opening = f"--{boundary}\n".encode()
        body = opening + opening.join(parts) + f"--{boundary}--\n".encode()
        return self._letter(self.subject, f'multipart/{subtype}; boundary="{boundary}"', "7bit", body)

    def _letter(self, subject: str, content_type: str, encoding: str, body: bytes) -> Letter:
        """With the trace and signature fields that a provider leaves on every mail."""
        host = self.sender.partition("@")[2]
        when = f"Tue, 24 Nov 2026 0{self.chance.randint(1, 8)}:{self.chance.randint(10, 59)}:00 +0700"
        signature = base64.b64encode(self.chance.randbytes(256)).decode()
        signed = "\n ".join(signature[at : at + 70] for at in range(0, len(signature), 70))
        head = f"""\
Return-Path: <{self.sender}>
Delivered-To: {self.recipient}
Received: from mx.{host} (mx.{host} [192.0.2.{self.chance.randint(1, 254)}])
 (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
 by mail.test (Postfix) with ESMTPS id {self.mark[:10].upper()}
 for <{self.recipient}>; {when}
Received: from [10.0.0.{self.chance.randint(1, 254)}] (unknown [203.0.113.7])
 by mx.{host} (Postfix) with ESMTPSA id {self.mark[10:].upper()}; {when}
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={host}; s=mail; t=1795000000;
 h=from:to:subject:date:message-id:mime-version:content-type; bh={self.mark};
 b={signed}
From: {self.name} <{self.sender}>
To: {self.recipient}
Subject: {subject}
Date: {when}
Message-ID: <{self.mark}@{host}>
MIME-Version: 1.0
Content-Type: {content_type}
Content-Transfer-Encoding: {encoding}
X-Mailer: Bench 1.0

"""
        return Letter(head.encode() + body, self.sender)


def _part(content_type: str, encoding: str, body: bytes, disposition: str | None = None) -> bytes:
    head = f"Content-Type: {content_type}\nContent-Transfer-Encoding: {encoding}\n"
    if disposition:
        head += f"Content-Disposition: {disposition}\n"
    return head.encode() + b"\n" + body
