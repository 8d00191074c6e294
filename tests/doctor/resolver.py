"""A DNS server on loopback that answers what a test wrote down."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from dns import flags, message, rcode, rdatatype, rrset


class Resolver:
    """Serves records by (name, type); a name it has not is NXDOMAIN, and with `silent` it never answers."""

    def __init__(self, records: Mapping[tuple[str, str], Sequence[str]], *, silent: bool = False) -> None:
        """Records as a zone file writes them: `10 mx.test.` for MX, quoted text for TXT."""
        self._records = records
        self._silent = silent
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.at = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        """Answer from here on."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer no more."""
        # An empty question wakes the thread that waits for one.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            asked, whom = self._socket.recvfrom(4096)
            if not asked:
                return
            if not self._silent:
                self._socket.sendto(self._answer(message.from_wire(asked)).to_wire(), whom)

    def _answer(self, asked: message.Message) -> message.Message:
        said = message.make_response(asked)
        said.flags |= flags.RA
        [question] = asked.question
        name = str(question.name).rstrip(".")
        found = self._records.get((name, rdatatype.to_text(question.rdtype)))
        if found:
            said.answer.append(rrset.from_text_list(question.name, 300, "IN", question.rdtype, found))
        elif not any(name == known for known, _ in self._records):
            said.set_rcode(rcode.NXDOMAIN)
        return said
