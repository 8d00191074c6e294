"""DKIM signatures (RFC 6376) verified here, for mailboxes whose border says nothing that could be trusted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from loket.core import mime
from loket.core.token import holds_officer_token

# The TXT record of a name, or None where there is none or nobody answers within so many seconds.
Lookup = Callable[[str, float], bytes | None]

LOOKUP_SECONDS = 3.0
MAX_SIGNATURES = 2
MAX_OCTETS = 80_000_000
# The library looks for the end of each run of spaces from each of them.
MAX_SPACES = 2000
# What a reader takes from the first field of a name and a signature from the last may stand there once.
_ONCE = ("from", "to", "subject", "in-reply-to", "references", "message-id", "date", "content-type", "mime-version")
_ALGORITHMS = (b"rsa-sha256", b"ed25519-sha256")
MIN_KEY_BITS = 1024


def ask_dns(name: str, seconds: float) -> bytes | None:
    """The TXT record from the machine's resolver."""
    # Both libraries are held only by a daemon that gets signed mail from officers.
    from dns import exception, rdatatype, resolver  # noqa: PLC0415

    try:
        answer = resolver.resolve(name, rdatatype.TXT, lifetime=seconds, search=False)
    except (exception.DNSException, OSError):
        return None
    records = [b"".join(record.strings) for record in answer]
    # Several are nobody's key (RFC 6376 3.6.2.2).
    return records[0] if len(records) == 1 else None


@dataclass(frozen=True, slots=True)
class Signatures:
    """Verifies what is signed by the author's own domain; never raises, whatever the mail."""

    lookup: Lookup = ask_dns
    seconds: float = LOOKUP_SECONDS

    def signers(self, data: bytes, domain: str) -> frozenset[str]:
        """The domain, where a signature of its own covers the whole mail and what makes it an officer's; else none."""
        if len(data) > MAX_OCTETS or any(len(run) > MAX_SPACES for run in re.findall(rb"[ \t]+", data)):
            return frozenset()
        fields = mime.read_header(data)
        count = Counter(name for name, _ in fields)
        if any(count[name] > 1 for name in _ONCE):
            return frozenset()
        needed = {"from", "subject"} | {
            name
            for name, value in fields
            if name in ("in-reply-to", "references") and holds_officer_token(value.decode("latin-1"))
        }
        return frozenset({domain}) if self._signed(data, domain, needed) else frozenset()

    def _signed(self, data: bytes, domain: str, needed: set[str]) -> bool:
        import dkim  # noqa: PLC0415
        from dkim.util import parse_tag_value  # noqa: PLC0415

        try:
            message = dkim.DKIM(data, minkey=MIN_KEY_BITS, timeout=self.seconds)
            found = [value for name, value in message.headers if name.lower() == b"dkim-signature"]
            tried = 0
            for index, value in enumerate(found):
                if tried == MAX_SIGNATURES:
                    return False
                if self._covers(parse_tag_value(value), domain, needed):
                    tried += 1
                    if message.verify(index, dnsfunc=self._ask):
                        return True
        except Exception:  # noqa: BLE001 - a signature that the library cannot read is none
            return False
        return False

    @staticmethod
    def _covers(tags: dict[bytes, bytes], domain: str, needed: set[str]) -> bool:
        """A signature of that domain over all of the body; with `l=` anybody may add an attachment."""
        signed = {name.strip().lower().decode("latin-1") for name in tags.get(b"h", b"").split(b":")}
        return (
            tags.get(b"d", b"").lower() == domain.encode()
            and tags.get(b"a", b"").lower() in _ALGORITHMS
            and b"l" not in tags
            and needed <= signed
        )

    def _ask(self, name: bytes | str, timeout: float = LOOKUP_SECONDS) -> bytes | None:
        text = name.decode("ascii") if isinstance(name, bytes) else name
        return self.lookup(text, min(timeout, self.seconds))
