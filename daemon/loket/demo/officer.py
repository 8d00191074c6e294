"""An officer at a mail client: opens the ready answers of a digest, and replies to notices from a phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime, formataddr, parseaddr
from hashlib import sha256
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote

from loket.demo.letter import compose

if TYPE_CHECKING:
    from datetime import datetime

    from loket.demo.attach import Attachment


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """What a `mailto:` link opens (RFC 6068): recipient, subject and body, decoded, with LF line ends."""

    to: str
    subject: str
    body: str

    @property
    def command(self) -> str:
        """The first word of the body, in upper case; empty when the link brings no body."""
        return next(iter(self.body.split()), "").upper()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the officer adds to a ready answer before pressing send."""

    sentence: str = ""
    attachments: tuple[Attachment, ...] = ()
    line: str | None = None
    """The command line as the officer changed it (`ALIH berkas-sk`), or None to leave it."""


def answer(
    digest_raw: bytes,
    choose: Callable[[ReadyAnswer], Answer | None],
    *,
    now: datetime,
    author: str | None = None,
) -> list[bytes]:
    """The mails an officer sends from a digest or notice: one for each ready answer for which `choose` has an Answer.

    They come from `author`, or from whom the digest was addressed to. They answer nothing as far as the headers
    tell (no In-Reply-To, no References), as a mail client composes a link's mail.
    """
    digest = message_from_bytes(digest_raw, policy=default)
    sender = author or _person(digest, "To")
    written = []
    for link in ready_answers(digest_raw):
        chosen = choose(link)
        if chosen is None:
            continue
        headers = [("From", sender), ("To", link.to), ("Subject", link.subject)]
        body = _with_first_line(link.body, chosen.line)
        if chosen.sentence:
            body = f"{body.rstrip()}\n\n{chosen.sentence}"
        written.append(_send(headers, body + "\n", chosen.attachments, now))
    return written


def reply(
    notice_raw: bytes,
    text: str,
    *,
    now: datetime,
    attachments: Sequence[Attachment] = (),
    author: str | None = None,
    prefix: str = "Re: ",
    subject: str | None = None,
) -> bytes:
    """A reply as a phone writes it: `text` above, the whole notice quoted below, threaded by In-Reply-To.

    Comes from `author`, or from whom the notice was addressed to; goes to its Reply-To, else to its From. With a
    `subject` the writer has put another one in place of the notice's.
    """
    notice = message_from_bytes(notice_raw, policy=default)
    if subject is None:
        subject = str(notice["Subject"] or "")
        if not subject.lower().startswith(prefix.strip().lower()):
            subject = prefix + subject
    message_id = str(notice["Message-ID"] or "").strip()
    references = [*str(notice["References"] or "").split(), *([message_id] if message_id else [])]
    counter = _person(notice, "Reply-To") or _person(notice, "From")
    headers = [("From", author or _person(notice, "To")), ("To", counter), ("Subject", subject)]
    if message_id:
        headers += [("In-Reply-To", message_id), ("References", "\n ".join(references))]
    quoted = "\n".join(f"> {line}".rstrip() for line in plain_text(notice_raw).splitlines())
    written = notice["Date"].datetime if notice["Date"] else now
    intro = f"Pada {written:%d/%m/%Y}, pukul {written:%H.%M}, {counter} menulis:"
    return _send(headers, f"{text}\n\n{intro}\n\n{quoted}\n", attachments, now)


_CODE = re.compile(r"^[ \t]*(YA [A-Z2-7]{5}-[A-Z2-7]{5})[ \t]*\r?$", re.MULTILINE)


def confirm(told_raw: bytes, *, now: datetime) -> bytes | None:
    """The reply that confirms what a mail with a code lists; None for any other mail."""
    found = _CODE.search(plain_text(told_raw))
    return reply(told_raw, found[1], now=now) if found else None


def ready_answers(raw: bytes) -> list[ReadyAnswer]:
    """Every different `mailto:` link a reader of the mail sees, in order: those of its HTML, or else of its text.

    Attached originals are not looked into: what links they carry is not the office's word.
    """
    html: list[str] = []
    text: list[str] = []
    for part in _own_texts(message_from_bytes(raw, policy=default)):
        if part.get_content_subtype() == "html":
            html += _hrefs(part.get_content())
        else:
            text += _bare_urls(part.get_content())
    return list(dict.fromkeys(map(parse_mailto, html or text)))


def parse_mailto(url: str) -> ReadyAnswer:
    """Decode one `mailto:` link; a plus sign is a plus sign (RFC 6068 section 5), header fields stay one line."""
    to, _, query = url.partition(":")[2].partition("?")
    fields = dict.fromkeys(("to", "subject", "body"), "")
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        fields[unquote(name).lower()] = unquote(value)
    recipient = " ".join((unquote(to) or fields["to"]).split())
    subject = " ".join(fields["subject"].split())
    return ReadyAnswer(recipient, subject, fields["body"].replace("\r\n", "\n"))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag == "a" and href.lower().startswith("mailto:"):
            self.found.append(href)


def _hrefs(html: str) -> list[str]:
    links = _Links()
    links.feed(html)
    links.close()
    return links.found


def _bare_urls(text: str) -> list[str]:
    # A sentence may end right after a link, and brackets may stand around it.
    return [url.rstrip(".,;:!)") for url in re.findall(r"mailto:[^\s<>\"]+", text, re.IGNORECASE)]


def _own_texts(message: EmailMessage) -> Iterator[EmailMessage]:
    if message.get_content_maintype() == "multipart":
        for part in message.iter_parts():
            yield from _own_texts(part)  # type: ignore[arg-type] # policy.default makes every part an EmailMessage
    elif message.get_content_maintype() == "text" and not message.is_attachment():
        yield message


def _person(message: EmailMessage, field: str) -> str:
    """Name and address of the first person in this field, ready for a header; empty when there is none."""
    addresses = message[field].addresses if message[field] else ()
    return formataddr((addresses[0].display_name, addresses[0].addr_spec)) if addresses else ""


def plain_text(raw: bytes) -> str:
    """The text a reader of this mail sees; empty where there is none."""
    message = message_from_bytes(raw, policy=default)
    texts = (part.get_content() for part in _own_texts(message) if part.get_content_subtype() == "plain")
    return str(next(texts, ""))


def _with_first_line(body: str, line: str | None) -> str:
    if line is None:
        return body
    return "\n".join([line, *body.split("\n")[1:]])


def _send(headers: list[tuple[str, str]], body: str, attachments: Sequence[Attachment], now: datetime) -> bytes:
    seed = repr((headers, body, now.isoformat())).encode()
    domain = parseaddr(headers[0][1])[1].rpartition("@")[2]
    message_id = f"<{sha256(seed).hexdigest()[:24]}@{domain}>"
    return compose([*headers, ("Date", format_datetime(now)), ("Message-ID", message_id)], body, attachments)
