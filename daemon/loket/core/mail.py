"""Letters of the office as Outbound: who it is from, how it threads, and the marks that keep machines apart."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from loket.core import compose
from loket.core.compose import Enclosure, Invitation
from loket.core.letters import Letter
from loket.core.model import Kind, Outbound
from loket.core.office import Counter, Office
from loket.core.refuse import LOOP_HEADER
from loket.core.token import Keys

_AUTOMATIC = {
    Kind.ACKNOWLEDGEMENT: "auto-replied",
    Kind.CORRECTION: "auto-replied",
    Kind.STATUS: "auto-replied",
    Kind.OFFER: "auto-replied",
    Kind.INVITATION: "auto-replied",
    Kind.RECEIPT: "auto-replied",
    Kind.REMINDER: "auto-generated",
    Kind.CALL: "auto-generated",
    Kind.NOTICE: "auto-generated",
    Kind.DIGEST: "auto-generated",
    Kind.ALERT: "auto-generated",
}


@dataclass(frozen=True, slots=True)
class Post:
    """What it takes to write a mail from a mailbox at a moment."""

    office: Office
    counter: Counter
    keys: Keys
    now: datetime

    def speaking(self, language: str) -> Post:
        """The same, to somebody of that language."""
        office = self.office.speaking(language)
        if office is self.office:
            return self
        return replace(self, office=office, counter=office.counters[self.counter.address])

    def write(
        self,
        kind: Kind,
        key: str,
        letter: Letter,
        to: str,
        *,
        to_name: str = "",
        root: str | None = None,
        reply_to: str = "",
        references: Sequence[str] = (),
        ticket: str | None = None,
        markup: str | None = None,
        enclosures: Sequence[Enclosure] = (),
        eight_bit_way: bool = False,
        invitation: Invitation | None = None,
    ) -> Outbound:
        """The mail, final to the byte.

        `root` is the reference that makes an answer find its ticket: it rides in the Message-ID and as the root
        of References, since some relays rewrite Message-ID. `reply_to` is the Message-ID that is answered.
        """
        domain = self.counter.address.rpartition("@")[2]
        nonce = hashlib.sha256(f"{key}\0{self.keys.stamp(key)}".encode()).hexdigest()[:20]
        message_id = f"{root}.{nonce}@{domain}" if root else f"{kind.value}.{nonce}@{domain}"
        thread = list(
            dict.fromkeys([*([f"{root}@{domain}"] if root else []), *references, *([reply_to] * bool(reply_to))])
        )
        automatic = _AUTOMATIC.get(kind)
        fields = [
            compose.header("From", compose.mailbox(f"{self.counter.name} – {self.office.name}", self.counter.address)),
            compose.header("To", compose.mailbox(to_name, to)),
            compose.unstructured("Subject", letter.subject),
            compose.date_field(self.now.astimezone(self.office.zone)),
            compose.header("Message-ID", f"<{message_id}>"),
            *([compose.header("In-Reply-To", f"<{reply_to}>")] if reply_to else []),
            *([compose.header("References", " ".join(f"<{reference}>" for reference in thread))] if thread else []),
            *([compose.header("Auto-Submitted", automatic)] if automatic else []),
            compose.header(LOOP_HEADER, self.counter.address),
        ]
        composed = compose.compose(
            fields,
            letter.body,
            markup=markup,
            enclosures=enclosures,
            seed=f"{key}\0{message_id}",
            eight_bit_way=eight_bit_way,
            invitation=invitation,
        )
        return Outbound(
            key=key,
            kind=kind,
            mailbox=self.counter.address,
            sender=self.counter.address,
            recipient=to,
            message_id=message_id,
            segments=composed.segments,
            ticket=ticket,
            eight_bit=composed.eight_bit,
        )
