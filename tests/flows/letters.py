"""Mails as people write them, for stories with turns."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

from loket.demo.attach import Attachment, pdf
from tests.flows.office import MORNING, Mail

SITI = "Siti Rahayu <siti@jamusari.example>"
DESIGN = "desainsk.otsk2020@gmail.com"


def _message_id(*said: str) -> str:
    return f"<{sha256(repr(said).encode()).hexdigest()[:20]}@klien.example>"


def mail(
    sender: str,
    to: str,
    subject: str,
    text: str = "Mohon dibantu.\n",
    *,
    enclosed: bytes = b"",
    name: str = "desain.pdf",
) -> bytes:
    """A new mail."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = format_datetime(MORNING)
    message["Message-ID"] = _message_id(sender, to, subject, text)
    message.set_content(text)
    if enclosed:
        message.add_attachment(enclosed, maintype="application", subtype="pdf", filename=name)
    return message.as_bytes().replace(b"\n", b"\r\n")


def reply(to: Mail, text: str, *, sender: str = SITI, subject: str = "", enclosed: bytes = b"") -> bytes:
    """An answer as a phone writes it: own words above the quoted mail, threaded by its fields."""
    asked = to.message
    message = EmailMessage()
    message["From"], message["To"] = sender, str(asked["From"])
    message["Subject"] = subject or f"Bls: {to.subject}"
    message["Date"] = format_datetime(MORNING)
    message["Message-ID"] = _message_id(sender, text, subject, to.subject)
    message["In-Reply-To"] = str(asked["Message-ID"])
    message["References"] = f"{asked['References'] or ''} {asked['Message-ID']}".strip()
    quoted = "\n".join(f"> {line}" for line in to.text.splitlines())
    message.set_content(f"{text}\n\nPada Sel, 24 Nov 2026 pukul 09.00 {asked['From']} menulis:\n\n{quoted}\n")
    if enclosed:
        message.add_attachment(enclosed, maintype="application", subtype="pdf", filename="desain.pdf")
    return message.as_bytes().replace(b"\n", b"\r\n")


def scan(title: str) -> Attachment:
    """A scanned letter."""
    return Attachment(f"{title}.pdf", "application/pdf", pdf(title))
