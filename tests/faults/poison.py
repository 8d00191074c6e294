"""Mails made to keep a reader busy, by name, and a way to put them where no server mends them."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Callable
from itertools import count

from tests.servers import MailServers

HEAD = b"From: Siti <siti@x.test>\r\nSubject: Ambil SK_OT_Jamu\r\nMIME-Version: 1.0\r\n"
MIXED = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n"
REPORT = (
    b"From: mailer-daemon@x.test\r\nReturn-Path: <>\r\nSubject: x\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
)


def _nested(levels: int) -> bytes:
    opened = (b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (at, at) for at in range(levels))
    closed = (b"--b%d--\r\n" % at for at in reversed(range(levels)))
    return HEAD + b"".join(opened) + b"\r\nisi\r\n" + b"".join(closed)


def _subject(words: bytes) -> bytes:
    return b"From: Siti <siti@x.test>\r\nSubject: " + words + b"\r\n\r\nisi\r\n"


def _parts(number: int, fields: bytes, body: bytes = b"x\r\n") -> bytes:
    return HEAD + MIXED + (b"--b\r\n" + fields + b"\r\n" + body) * number + b"--b--\r\n"


# Each of these once took the parser seconds or minutes, made it raise, or does so to the standard library's.
POISONS: dict[str, Callable[[], bytes]] = {
    "20,000 nested comments": lambda: b"From: " + b"(" * 20_000 + b"\r\nSubject: x\r\n\r\nisi\r\n",
    "20,000 closed comments": lambda: b"From: " + b"(" * 20_000 + b")" * 20_000 + b" a@x.test\r\n\r\nisi\r\n",
    "2,000 nested mails": lambda: HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 2000 + b"isi\r\n",
    "2,000 nested multiparts": lambda: _nested(2000),
    "one boundary 200,000 deep": lambda: HEAD + (MIXED + b"--b\r\n") * 200_000,
    "100,000 parts": lambda: _parts(100_000, b""),
    "1,000 parts of headers": lambda: _parts(1000, b"X: y\r\n" * 4000),
    "1,000 parts of semicolons in quotes": lambda: _parts(1000, b'Content-Type: text/plain;"' + b";" * 4000 + b"\r\n"),
    "1,000 parts of text": lambda: _parts(1000, PLAIN, b"On 1 Nov wrote http://x\r\n" * 800),
    "1,000 parts of HTML": lambda: _parts(1000, HTML, b"<p>http://x</p>\r\n" * 1000),
    "4,000,000 lines like delimiters": lambda: HEAD + MIXED + b"\n--bX" * 4_000_000,
    "20,000 encoded words": lambda: _subject(b"\r\n ".join([b"=?utf-8?B?YWFh?="] * 20_000)),
    "20,000 recipients": lambda: (
        HEAD + b"To: " + b",\r\n ".join(b"u%d@x.test" % at for at in range(20_000)) + b"\r\n\r\n"
    ),
    "20,000 authors": lambda: b"From: " + b",\r\n ".join(b"u%d@x.test" % at for at in range(20_000)) + b"\r\n\r\n",
    "a subject of 1 MB": lambda: _subject(b"Revisi Desain_OT_" * 60_000),
    "a subject of separators": lambda: _subject(b"Revisi Desain" + b"_-. " * 4000),
    "a subject of almost-keywords": lambda: _subject(b"Re: " * 300 + b"revisj desaim_" * 1000),
    "unknown charsets": lambda: HEAD + b"Content-Type: text/plain; charset=x-tidak-ada\r\n\r\n" + b"\xe9\xff" * 500_000,
    "NULs": lambda: b"From: a\0@x.test\r\nSubject: \0x\0\r\n\r\n" + b"\0" * 1_000_000,
    "a line of 50 MB": lambda: HEAD + PLAIN + b"x" * 50_000_000 + b"\r\n",
    "200,000 nested elements": lambda: HEAD + HTML + b"<div>" * 200_000,
    "a table of 100,000 cells": lambda: HEAD + HTML + b"<table><tr>" + b"<td>x</td>" * 100_000,
    "comments that never end": lambda: HEAD + HTML + b"<!--<script " * 90_000,
    "a character with 900,000 digits": lambda: HEAD + HTML + b"&#" + b"1" * 900_000 + b";",
    "35,000 attributions": lambda: HEAD + PLAIN + b"\n" * 500_000 + b"On 1 wrote:\n>\n" * 35_000,
    "a report on 1,000 mails": lambda: (
        REPORT + (b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + b"Message-ID: <a@x>\r\n" * 200) * 1000
    ),
}

_names = count()


def drop(servers: MailServers, address: str, raw: bytes) -> None:
    """Put a mail into the Maildir as another delivery agent would, byte for byte and past every check."""
    owner = pwd.getpwnam("nobody")
    top = servers.root / "mail" / address
    for folder in (top, *(top / name for name in ("tmp", "new", "cur"))):
        if not folder.exists():
            folder.mkdir()
            shutil.chown(folder, owner.pw_uid, owner.pw_gid)
    name = f"{1_700_000_000 + next(_names)}.P{os.getpid()}.tests"
    (top / "tmp" / name).write_bytes(raw)
    shutil.chown(top / "tmp" / name, owner.pw_uid, owner.pw_gid)
    (top / "tmp" / name).rename(top / "new" / name)
