"""The doors of a server: its name, its port, its certificate, its clock."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

from loket.config.servers import Endpoint
from loket.config.storeurl import is_loopback
from loket.doctor.finding import Finding, clock, span
from loket.doctor.wire import Protocol, greet

SOON_DAYS = 14


def door(at: Endpoint, ca_file: str | None, protocol: Protocol, now: datetime, seconds: float) -> Iterator[Finding]:
    """What can be seen of a door from outside."""
    where = f"{at.host}:{at.port}"
    if not is_loopback(at.host):
        try:
            found = socket.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM)
        except OSError as error:
            remedy = f"write the server's name as its provider does; is DNS working here? (getent hosts {at.host})"
            yield Finding(where, "dns", "unreached", f"no address: {error.strerror or error}", remedy)
            return
        yield Finding(where, "dns", "ok", str(found[0][4][0]))
    try:
        greeting = greet(at, ca_file, protocol, seconds)
    except ssl.SSLCertVerificationError as error:
        yield Finding(where, "tls", "error", f"not trusted: {error.verify_message}", _trust(error, at))
        return
    except ssl.SSLError as error:
        remedy = "TLS at once is for 993 and 465, STARTTLS for 143 and 587; write imaps:// or imap+starttls:// in front"
        yield Finding(where, "tls", "error", f"no TLS: {error.reason or error}", remedy)
        return
    except OSError as error:
        remedy = f"is the port right and let through? (nc -vz {at.host} {at.port})"
        yield Finding(where, protocol, "unreached", f"{error.strerror or error}", remedy)
        return
    yield Finding(where, protocol, "ok", greeting.text[:80])
    if greeting.until is not None:
        yield _expiry(where, greeting.until, now)
    if greeting.clock is not None:
        yield clock(where, greeting.clock, datetime.now(UTC))


def _expiry(where: str, until: datetime, now: datetime) -> Finding:
    left = (until - now).total_seconds()
    said = f"verified, the certificate ends {until:%Y-%m-%d}"
    if left < SOON_DAYS * 86400:
        remedy = "renew it on the server before then; mail stops that day"
        return Finding(where, "tls", "warning", f"{said}, in {span(left)}", remedy)
    return Finding(where, "tls", "ok", said)


def _trust(error: ssl.SSLCertVerificationError, at: Endpoint) -> str:
    # OpenSSL's codes: expired and not yet valid; self-signed and unknown issuers; another name or address.
    if error.verify_code in (9, 10):
        return "renew the certificate on the server; is this machine's clock right?"
    if error.verify_code in (18, 19, 20, 21):
        return "an authority of your own is named by `ca: FILE.pem` at the server; else have a public one sign it"
    if error.verify_code in (62, 63, 64):
        return f"write the name that stands in the certificate in place of {at.host}"
    return "have the server's certificate mended"
