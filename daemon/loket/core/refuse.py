"""Is this a machine's mail, and may it be answered automatically? (RFC 3834 section 2)"""

from __future__ import annotations

import re

from loket.core.model import InboundMail, Refusal

LOOP_HEADER = "X-Loket-Loop"

_NO_REPLY = re.compile(
    r"(?:.*[._+-])?(?:no[._-]?reply|do[._-]?not[._-]?reply|jangan[._-]?(?:di)?balas|noresponse|mailer|bounces?|newsletter)(?:[._+-].*)?"
)
_DAEMON = re.compile(r"(?:mailer-daemon|postmaster)(?:[._+-].*)?")
_LIST_FIELDS = ("list-id", "list-post", "list-unsubscribe", "list-help", "x-mailing-list", "mailing-list")
_BULK = ("bulk", "junk", "list")


def refusal(mail: InboundMail, own_addresses: frozenset[str], own_ids: bool = False) -> Refusal | None:
    """Why no automatic response may go to this mail, or None.

    Order matters: machine mail first, because a bounce must be seen as a bounce before anything else
    is judged. `own_ids` says that the mail carries a Message-ID of ours as its own. A missing
    Return-Path is not a null one: many servers simply do not write it.
    """
    author = mail.author
    if own_ids or mail.header(LOOP_HEADER.lower()) is not None:
        return Refusal.OWN_MAIL
    kind = _report(mail)
    if kind:
        return kind
    submitted = mail.header("auto-submitted")
    # Parameters and comments may follow the word (RFC 3834 section 5).
    if submitted is not None and re.split(r"[;(]", submitted)[0].strip().lower() not in ("no", ""):
        return Refusal.AUTO_SUBMITTED
    if author is None:
        return Refusal.NO_AUTHOR
    if author.spec in own_addresses or without_detail(author.spec) in own_addresses:
        return Refusal.OWN_ADDRESS
    if any(mail.header(name) is not None for name in _LIST_FIELDS):
        return Refusal.LIST
    if (mail.header("precedence") or "").strip().lower() in _BULK or _suppressed(mail):
        return Refusal.BULK
    if _NO_REPLY.fullmatch(author.local) or _DAEMON.fullmatch(author.local):
        return Refusal.NO_REPLY
    return Refusal.NULL_PATH if mail.return_path == "" else None


def without_detail(address: str) -> str:
    """The mailbox behind an address with a detail (RFC 5233), as in `name+detail@`."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def is_report(mail: InboundMail) -> bool:
    """Whether this is a delivery status notification, by the standard or by custom."""
    return _report(mail) is Refusal.DSN


def _report(mail: InboundMail) -> Refusal | None:
    """Delivery and disposition notifications (RFC 3464, RFC 8098), and the bounces of servers that follow neither."""
    if mail.report_type == "delivery-status" or mail.media_type == "message/delivery-status":
        return Refusal.DSN
    if mail.report_type == "disposition-notification" or mail.media_type == "message/disposition-notification":
        return Refusal.MDN
    daemon = mail.author is not None and _DAEMON.fullmatch(mail.author.local) is not None
    failed = mail.header("x-failed-recipients") is not None
    return Refusal.DSN if daemon and (mail.return_path == "" or failed) else None


def _suppressed(mail: InboundMail) -> bool:
    """Exchange's way of saying what Precedence says (MS-OXCMAIL 2.2.3.2.14)."""
    value = (mail.header("x-auto-response-suppress") or "").lower()
    return any(word.strip() in ("all", "autoreply", "oof") for word in value.split(","))
