"""An officer's token in the body of somebody else's mail: a digest that was forwarded, and went on from there (P15)."""

from __future__ import annotations

import re

from loket.core import parse, token
from loket.core.model import InboundMail
from loket.core.office import Office, Officer
from loket.core.token import Keys

# The middle of a token: cheap to look for in every mail.
_TRACE = re.compile(r"\.o\.[a-z0-9]{1,8}\.\d", re.IGNORECASE)
MAX_ENCLOSED = 10
MAX_OCTETS = 300_000


def lifted(mail: InboundMail, office: Office, keys: Keys) -> Officer | None:
    """Whose token stands in the letter or in a mail it encloses; one that was made up is nobody's."""
    for text in (parse.body_text(mail), *_enclosed(mail)):
        if _TRACE.search(text) and token.holds_officer_token(text):
            owner = next((who for who in office.officers.values() if keys.made_for(text, who.address)), None)
            if owner is not None:
                return owner
    return None


def _enclosed(mail: InboundMail) -> list[str]:
    """The beginnings of enclosed mails as they stand; whatever they enclose stands there too."""
    parts = [part for part in mail.parts if part.media_type == "message/rfc822"][:MAX_ENCLOSED]
    return [parse.attachment_bytes(mail, part)[:MAX_OCTETS].decode("latin-1") for part in parts]
