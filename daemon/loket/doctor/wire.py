"""A server's first words and its certificate, before anybody logs in."""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from loket import tls
from loket.config.servers import Endpoint

Protocol = Literal["imap", "smtp"]

_DATE = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
_MAX_LINES = 100


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server said first, when its certificate ends, and what time it is there where it says so."""

    text: str
    until: datetime | None
    clock: datetime | None


class NotMailError(OSError):
    """Something answers, but not as a mail server does."""


def greet(at: Endpoint, ca_file: str | None, protocol: Protocol, seconds: float) -> Greeting:
    """Connect and take leave; OSError where that fails, ssl.SSLCertVerificationError where the chain does not hold."""
    with socket.create_connection((at.host, at.port), seconds) as plain:
        if at.security == "tls":
            with tls.context(ca_file).wrap_socket(plain, server_hostname=at.host) as secured:
                return _greeting(_Line(secured).answer(protocol), _until(secured))
        line = _Line(plain)
        text = line.answer(protocol)
        if at.security == "plain":
            return _greeting(text, None)
        if protocol == "smtp":
            line.say("EHLO loket.invalid")
            line.answer("smtp")
        line.say("STARTTLS" if protocol == "smtp" else "a STARTTLS")
        line.answer(protocol)
        with tls.context(ca_file).wrap_socket(plain, server_hostname=at.host) as secured:
            return _greeting(text, _until(secured))


class _Line:
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)

    def say(self, text: str) -> None:
        self._sock.sendall(f"{text}\r\n".encode())

    def answer(self, protocol: Protocol) -> str:
        """The last line of an answer that says yes."""
        for _ in range(_MAX_LINES):
            text = self._file.readline(4096).decode("utf-8", "replace").strip()
            if protocol == "imap" and re.match(r"(?:\*|a) (?:OK|PREAUTH)\b", text):
                return text
            if protocol == "smtp" and re.match(r"2\d\d(?: |$)", text):
                return text
            if protocol == "imap" or not re.match(r"2\d\d-", text):
                raise NotMailError(f"it says {text[:100]!r}" if text else "it says nothing and closes")
        raise NotMailError("its answer has no end")


def _greeting(text: str, until: datetime | None) -> Greeting:
    found = _DATE.search(text)
    return Greeting(text, until, parsedate_to_datetime(found[0]) if found else None)


def _until(secured: ssl.SSLSocket) -> datetime | None:
    certificate = secured.getpeercert() or {}
    ends = certificate.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(ends)), UTC) if ends else None
