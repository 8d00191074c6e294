"""Writes mails the way mail clients do, octet by octet and the same every time."""

from __future__ import annotations

import base64
import quopri
import textwrap
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.header import Header
from email.policy import default
from email.utils import format_datetime, formataddr, parseaddr
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from loket.demo.attach import Attachment


@dataclass(frozen=True, slots=True)
class DemoMail:
    """A mail on its way to a counter; `sender` is the reverse-path, empty when that is null."""

    raw: bytes
    sender: str
    recipient: str
    at: datetime
    """When it arrives, for `Town.deliver`."""
    note: str
    """What a reader of the demo should watch for, in English."""


def compose(headers: Sequence[tuple[str, str]], body: str, attachments: Sequence[Attachment] = ()) -> bytes:
    """One mail with CRLF line ends: these headers, a text body in UTF-8, these attachments.

    Header values that are not ASCII become encoded words (RFC 2047). Boundaries follow from the headers.
    """
    top = [f"{name}: {_encoded(name, value)}" for name, value in headers]
    top.append("MIME-Version: 1.0")
    text = _text_part(body)
    if not attachments:
        return _crlf("\n".join(top).encode() + b"\n") + text
    boundary = "----=_" + sha256("\n".join(top).encode()).hexdigest()[:24]
    kind = "related" if all(attachment.content_id for attachment in attachments) else "mixed"
    top.append(f'Content-Type: multipart/{kind}; boundary="{boundary}"')
    out = [_crlf("\n".join(top).encode() + b"\n\n")]
    for part in (text, *map(_file_part, attachments)):
        out += [f"--{boundary}\r\n".encode(), part]
    out.append(f"--{boundary}--\r\n".encode())
    return b"".join(out)


class PostBox:
    """Composes applicants' mails with dates counted back from one moment."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def ago(self, minutes: int) -> datetime:
        return (self.now - timedelta(minutes=minutes)).replace(microsecond=0)

    def mail(
        self,
        key: str,
        author: str,
        to: str,
        subject: str,
        body: str,
        *,
        note: str,
        minutes: int,
        attach: Sequence[Attachment] = (),
        client: str = "",
    ) -> DemoMail:
        """One applicant's mail; `key` makes its Message-ID, `body` is dedented."""
        sender = parseaddr(author)[1]
        headers = [
            ("From", author),
            ("To", to),
            ("Subject", subject),
            ("Date", format_datetime(self.ago(minutes))),
            ("Message-ID", f"<{key}@{sender.rpartition('@')[2]}>"),
        ]
        if client:
            headers.append(("X-Mailer", client))
        raw = compose(headers, textwrap.dedent(body).lstrip("\n"), attach)
        return DemoMail(raw, sender, to, self.ago(minutes), note)

    def literal(self, text: str | bytes, *, sender: str, recipient: str, note: str, minutes: int) -> DemoMail:
        """A mail given as it is, but for CRLF line ends and `{date}`."""
        raw = text.encode() if isinstance(text, str) else text
        at = self.ago(minutes)
        return DemoMail(_crlf(raw.replace(b"{date}", format_datetime(at).encode())), sender, recipient, at, note)


def envelope_of(raw: bytes) -> tuple[str, str]:
    """Reverse-path and recipient a mail client would use: the address in From and the first one in To."""
    message = message_from_bytes(raw, policy=default)
    return parseaddr(str(message["From"]))[1], parseaddr(str(message["To"]))[1]


def _encoded(name: str, value: str) -> str:
    if value.isascii():
        return value
    if name in {"From", "To"}:
        return formataddr(parseaddr(value))
    return Header(value, "utf-8", header_name=name).encode()


def _text_part(body: str) -> bytes:
    """Content fields, empty line and text; quoted-printable when the text is not plain short ASCII lines."""
    plain = body.isascii() and max(map(len, body.splitlines()), default=0) < 998  # RFC 5322 section 2.1.1
    charset, encoding = ("us-ascii", "7bit") if plain else ("utf-8", "quoted-printable")
    content = body.encode() if plain else quopri.encodestring(body.encode())
    fields = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n"
    return _crlf(fields.encode() + content.rstrip(b"\n") + b"\n")


def _file_part(attachment: Attachment) -> bytes:
    name = attachment.name
    shown = f'filename="{name}"' if name.isascii() else f"filename*=utf-8''{quote(name)}"  # RFC 2231
    fields = [f"Content-Type: {attachment.media_type}", "Content-Transfer-Encoding: base64"]
    if attachment.content_id:
        fields += [f"Content-ID: <{attachment.content_id}>", f"Content-Disposition: inline; {shown}"]
    else:
        fields.append(f"Content-Disposition: attachment; {shown}")
    return _crlf("\n".join(fields).encode() + b"\n\n" + base64.encodebytes(attachment.content))


def _crlf(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
