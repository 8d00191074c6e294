"""The folder of sent mail of an IMAP account, where a copy is filed once."""

from __future__ import annotations

from datetime import datetime
from email.parser import BytesHeaderParser
from email.policy import compat32

from loket import folders
from loket.imap import ImapSession

_PIECE = 500


class SentFolder(ImapSession):
    """A session in which that folder is looked at; what is in it stays as it is."""

    def _select(self) -> int:
        self.folder = folders.sent(self._client)
        answer = self._client.select_folder(self.folder, readonly=True)
        # The UID that the next mail gets at the least; a server that does not say makes us look at all of them.
        self.uidnext = int(answer.get(b"UIDNEXT", 1))
        return int(answer[b"UIDVALIDITY"])

    def file_copy(self, raw: bytes, sent_at: datetime) -> None:
        """Append a mail as one that was read."""
        self._client.append(self.folder, raw, (b"\\Seen",), sent_at)

    def message_ids(self, from_uid: int) -> set[str]:
        """The Message-IDs of the mails from that UID on, without their brackets.

        Fetched and not searched for: some servers fail at a search of headers (mscdex/node-imap#737).
        """
        self._client.noop()
        uids = [int(uid) for uid in self._client.search(["UID", f"{from_uid}:*"]) if uid >= from_uid]
        found: set[str] = set()
        for at in range(0, len(uids), _PIECE):
            answer = self._client.fetch(uids[at : at + _PIECE], ["BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"])
            for facts in answer.values():
                head = next((value for key, value in facts.items() if key.startswith(b"BODY[HEADER")), b"")
                named = BytesHeaderParser(policy=compat32).parsebytes(head)["Message-ID"]
                found.add(str(named or "").strip().strip("<>"))
        return found
