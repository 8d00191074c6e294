"""The exchanges on the wire: what is said with a token, and what ends the exchange when it is refused."""

from __future__ import annotations

import socket
import threading
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loket.files import FolderFiles
from loket.imap import Bounds, Door, ImapSession, LoggedOut, Refused
from loket.ports import NotLoggedIn
from loket.submission import SubmissionDoor
from tests.outbox.post import HERE, Post, outbound, story
from tests.outbox.scripted import Scripted

ERROR = b64encode(b'{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}').decode()
XOAUTH2 = f"user={HERE}\x01auth=Bearer one\x01\x01"


@dataclass
class Two:
    """A token, and the one that it is exchanged for; none where that is None."""

    second: str | None = "two"
    refused: list[str] = field(default_factory=list)

    def access(self, refused: str | None = None) -> str:
        """As asked."""
        if refused is None:
            return "one"
        self.refused.append(refused)
        if self.second is None:
            raise NotLoggedIn("the login is over: run `loket login`", "the first")
        return self.second


class Dialogue:
    """An IMAP server that lets in the bearers of some tokens, by one mechanism, and tells the others why not."""

    def __init__(self, mechanism: str, good: Sequence[str]) -> None:
        self.mechanism, self.good = mechanism, good
        self.heard: list[str] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Dialogue:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        before = f"IMAP4rev1 AUTH=PLAIN AUTH={self.mechanism}"
        with link, link.makefile("rwb", buffering=0) as wire:

            def say(text: str) -> None:
                wire.write(f"{text}\r\n".encode())

            say(f"* OK [CAPABILITY {before}] ready")
            while line := wire.readline().decode():
                tag, _, words = line.strip().partition(" ")
                if words.startswith("AUTHENTICATE"):
                    say("+ ")
                    initial = b64decode(wire.readline()).decode()
                    self.heard.append(initial)
                    if any(f"Bearer {token}\x01" in initial for token in self.good):
                        say(f"{tag} OK [CAPABILITY IMAP4rev1 IDLE MOVE] in")
                        continue
                    say(f"+ {ERROR}")
                    self.heard.append(wire.readline().decode().rstrip("\r\n"))
                    say(f"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)")
                elif words.startswith("CAPABILITY"):
                    say(f"* CAPABILITY {before}\r\n{tag} OK done")
                elif words.startswith(("SELECT", "EXAMINE")):
                    say(f"* 0 EXISTS\r\n* OK [UIDVALIDITY 7] here\r\n{tag} OK selected")
                else:
                    say(f"{tag} OK done")


def session(port: int, tokens: Two, folder: Path) -> ImapSession:
    door = Door("127.0.0.1", port, "plain", HERE, tokens, "INBOX", read_only=True)
    return ImapSession(door, Bounds(10, 1_000_000, 100_000), FolderFiles(folder))


def test_xoauth2_on_imap_ends_with_an_empty_line_and_comes_back_with_another_token(tmp_path: Path) -> None:
    tokens = Two()
    with Dialogue("XOAUTH2", ["two"]) as server, session(server.port, tokens, tmp_path) as found:
        assert server.heard == [XOAUTH2, "", XOAUTH2.replace("one", "two")]
        assert (server.connections, tokens.refused) == (2, ["one"])
        assert found.idles, "what is offered after login counts"


def test_oauthbearer_on_imap_ends_with_the_dummy(tmp_path: Path) -> None:
    """RFC 7628 3.2.3 and 4."""
    with Dialogue("OAUTHBEARER", ["two"]) as server, session(server.port, Two(), tmp_path):
        first = f"n,a={HERE},\x01host=127.0.0.1\x01port={server.port}\x01auth=Bearer one\x01\x01"
        assert server.heard == [first, "AQ==", first.replace("one", "two")]


def test_a_token_that_is_refused_twice_is_refused_with_the_servers_reason(tmp_path: Path) -> None:
    with Dialogue("XOAUTH2", []) as server, pytest.raises(Refused) as refused:
        session(server.port, Two(), tmp_path)
    assert str(refused.value).startswith(f"login refused for {HERE}: ")
    assert "status 401, scope https://mail.google.com/" in str(refused.value)
    assert server.connections == 2
    assert "two" not in str(refused.value)


def test_a_token_for_which_there_is_no_other_is_a_login_that_is_over(tmp_path: Path) -> None:
    with Dialogue("XOAUTH2", []) as server, pytest.raises(LoggedOut, match="loket login") as over:
        session(server.port, Two(None), tmp_path)
    assert over.value.which == "the first"


def test_a_server_that_takes_no_tokens_is_said(tmp_path: Path) -> None:
    with (
        Dialogue("CRAM-MD5", []) as server,
        pytest.raises(Refused, match=r"takes no tokens .* but PLAIN, CRAM-MD5"),
    ):
        session(server.port, Two(), tmp_path)
    assert server.heard == []


@pytest.mark.parametrize(("mechanism", "ends"), [("XOAUTH2", ""), ("OAUTHBEARER", "AQ==")])
def test_a_refused_token_on_smtp_is_exchanged_once_and_the_mail_sent(post: Post, mechanism: str, ends: str) -> None:
    tokens = Two()

    async def tell() -> None:
        script = {"AUTH": [f"334 {ERROR}", "235 2.7.0 in"], ends: "535 5.7.8 no"}
        async with Scripted(script, offers=(f"AUTH PLAIN {mechanism}", "8BITMIME")) as server:
            post.to(SubmissionDoor("127.0.0.1", server.port, "plain", HERE, tokens))
            post.write(outbound("surat"))
            await post.send()
            assert post.phases() == {"surat": "sent"}
            said = [one for one in server.commands if one.startswith("AUTH") or one == ends]
            assert [one.split(" ")[0] for one in said] == ["AUTH", ends, "AUTH"]
            assert b"Bearer one\x01\x01" in b64decode(said[0].split()[2])
            assert b"Bearer two\x01\x01" in b64decode(said[2].split()[2])
            assert tokens.refused == ["one"]

    story(tell)


def test_a_login_that_is_over_keeps_the_mail_waiting_and_judges_none(post: Post) -> None:
    async def tell() -> None:
        script = {"AUTH": f"334 {ERROR}", "": "535 5.7.8 no"}
        async with Scripted(script, offers=("AUTH XOAUTH2",)) as server:
            post.to(SubmissionDoor("127.0.0.1", server.port, "plain", HERE, Two(None)))
            post.write(outbound("surat"))
            await post.send()
            row = post.rows()["surat"]
            assert (row.phase, row.attempts) == ("due", 0)
            assert "loket login" in row.reply

    story(tell)


def test_a_passing_refusal_on_smtp_is_no_word_about_the_token(post: Post) -> None:
    """454: the token is kept, and the server left in peace for a while."""
    tokens = Two()

    async def tell() -> None:
        async with Scripted({"AUTH": "454 4.7.0 Temporary failure"}, offers=("AUTH XOAUTH2",)) as server:
            post.to(SubmissionDoor("127.0.0.1", server.port, "plain", HERE, tokens))
            post.write(outbound("surat"))
            await post.send()
            assert post.phases() == {"surat": "due"}
            assert tokens.refused == []

    story(tell)
