"""Bounces: what a delivery status notification says of our mail (RFC 3464), and what older servers say in prose."""

from __future__ import annotations

import re
from dataclasses import dataclass

from loket.core import headers, mime, parse
from loket.core.model import InboundMail, Part

MAX_REPORT = 256 * 1024
# Mails and ids that one report is listened to about.
MAX_RETURNED = 20
MAX_IDS = 100

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"(?<![\d.])([45])\d\d(?=[ -])")
# From the first letter of a word: a text that is one long word would else be read again from each of its letters.
_ADDRESS = re.compile(r"(?<![^\s<>@:;,])([^\s<>@:;,]+@[A-Za-z0-9.-]+[A-Za-z0-9])")
_SIGNED_ID = re.compile(
    r"<?([A-Z]{2,8}-\d{4}-\d{6,9}-\d\.[to]\.[a-z0-9]{1,8}\.\d{1,5}\.[a-z2-7]{26}\.[0-9a-f]{20}@[A-Za-z0-9.-]+)>?"
)
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
_PLAIN_ID = re.compile(r"^message-id:\s*<([!-;=?-~]{1,500})>", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Bounce:
    """One report: the mails of ours it names, whom it could not reach, and whether for good.

    `message_ids` are what the report quotes, nearest first, and nothing is believed of them before they are found
    in the outbox. `recipient` is empty where the report does not say.
    """

    message_ids: tuple[str, ...]
    recipient: str
    hard: bool
    status: str
    said: str


def read_bounce(mail: InboundMail) -> Bounce | None:
    """The report in a machine's mail; None where it tells of nothing that failed."""
    status_part = _part(mail, "message/delivery-status") or _part(mail, "message/global-delivery-status")
    ids = _message_ids(mail)
    if status_part is not None:
        return _from_report(_text(mail, status_part), ids)
    return _from_prose(mail, ids)


def _from_report(text: str, ids: tuple[str, ...]) -> Bounce | None:
    """RFC 3464: groups of fields set off by empty lines, the first about the message, each other about a recipient."""
    for group in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        fields = _fields(group)
        action = fields.get("action", "").partition(" ")[0].lower()
        if action not in ("failed", "delayed"):
            continue
        recipient = fields.get("original-recipient") or fields.get("final-recipient", "")
        status = _STATUS.search(fields.get("status", ""))
        return Bounce(
            message_ids=ids,
            recipient=recipient.partition(";")[2].strip().strip("<>").lower(),
            hard=action == "failed",
            status=status[0] if status else "",
            said=headers.clean_text(fields.get("diagnostic-code", ""), 300),
        )
    return None


def _from_prose(mail: InboundMail, ids: tuple[str, ...]) -> Bounce | None:
    """Servers that follow no standard: the failed address in a header or the text, a reply code somewhere near it."""
    text = parse.body_text(mail)[:MAX_REPORT]
    named = mail.header("x-failed-recipients") or ""
    address = _ADDRESS.search(named or text)
    status, reply = _STATUS.search(text), _REPLY.search(text)
    digit = status[1] if status else reply[1] if reply else ""
    delayed = re.search(r"\b(delayed|still trying|will keep trying|warning)\b", text, re.IGNORECASE) is not None
    if not ids:
        return None
    line = next((line for line in text.splitlines() if _STATUS.search(line) or _REPLY.search(line)), "")
    return Bounce(
        message_ids=ids,
        recipient=address[1].lower() if address else "",
        hard=digit == "5" or (digit == "" and not delayed),
        status=status[0] if status else "",
        said=headers.clean_text(line, 300),
    )


def _fields(group: str) -> dict[str, str]:
    block = headers.split_header(group.encode("utf-8", "replace"))
    return {name: headers.flat(value) for name, value in reversed(block.fields)}


def _message_ids(mail: InboundMail) -> tuple[str, ...]:
    """The Message-IDs of the returned mail: in its header, whole or alone, or quoted anywhere in the report's text."""
    found: list[str] = []
    returned = [part for part in mail.parts if part.media_type in _RETURNED]
    for part in returned[:MAX_RETURNED]:
        found += _PLAIN_ID.findall(_text(mail, part))
    found += _SIGNED_ID.findall("\n".join((*mail.in_reply_to, *mail.references)))
    found += _SIGNED_ID.findall(parse.body_text(mail)[:MAX_REPORT])
    return tuple(dict.fromkeys(found))[:MAX_IDS]


def _part(mail: InboundMail, media_type: str) -> Part | None:
    return next((part for part in mail.parts if part.media_type == media_type), None)


def _text(mail: InboundMail, part: Part) -> str:
    return headers.decode_charset(mime.content(mail.raw.data, mime.head(part, MAX_REPORT)), "utf-8")
