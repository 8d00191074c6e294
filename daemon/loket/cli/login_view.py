"""What `loket login` does: OAuth 2.0 for one mailbox, by a code for another device or by a browser."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import webbrowser
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from loket.cli.common import NO, UNREACHABLE, USAGE, fail, refusals
from loket.config.login import OAuth2
from loket.config.snapshot import Snapshot
from loket.config.wording import meant
from loket.doors import authorization_server, bounds, imap_door, token_path
from loket.files import FolderFiles
from loket.imap import SESSION_ERRORS, ImapSession, Refused
from loket.oauth.login import Console, GivenUp, by_browser, by_device
from loket.oauth.server import Answer, Denied, Server
from loket.oauth.tokenfile import Grant, TokenFile
from loket.oauth.tokens import granted

_WORDS = {
    "access_denied": "the login was denied in the browser",
    "authorization_declined": "the login was denied in the browser",
    "expired_token": "the code has expired; run it again",
    "invalid_grant": "the code is not taken: it is used up, expired or another login's; run it again",
    "mismatching_state": "this is the answer to another login; run it again and use the address that is shown then",
    "invalid_client": "the provider does not take this client: are client_id and client_secret right?",
    "unauthorized_client": "this client may not log in like this: docs/operations.md says which kind of client can",
    "invalid_scope": "the provider does not grant these scopes to this client: allow them where it is registered",
    "redirect_uri_mismatch": "this address to come back to is not registered for the client: set `redirect`",
}


def log_in(snapshot: Snapshot, address: str, *, browser: bool, no_open: bool) -> None:
    """Ask the provider, try the token at the mail server, keep it; exit as `loket login` says."""
    address = address.lower()
    entry = snapshot.config.mailboxes.get(address)
    if entry is None:
        raise fail(f"there is no mailbox {address}{meant(address, snapshot.config.mailboxes)}", USAGE)
    if entry.login.oauth2 is None:
        raise fail(f"{address} logs in with a password: write `login: {{oauth2: …}}` to use this", NO)
    file = TokenFile(token_path(snapshot, address, entry.login.oauth2))
    with refusals():
        grant = _granted(snapshot, address, entry.login.oauth2, browser=browser, no_open=no_open)
        reached = _tried(snapshot, address, grant)
        with file.lock(), file.writing() as draft:
            draft.keep(grant)
    print(f"Logged in: tokens for {address} are in {file.path}.")
    if reached:
        print("The mail server takes them. A running daemon goes on by itself.")


def _granted(snapshot: Snapshot, address: str, entry: OAuth2, *, browser: bool, no_open: bool) -> Grant:
    user = snapshot.config.mailboxes[address].login.user or address
    server = authorization_server(snapshot, entry)
    try:
        answer = _answer(server, user, browser=browser, no_open=no_open)
    except Denied as error:
        raise fail(f"{_WORDS.get(error.code, 'the provider refuses')} ({error})", NO) from None
    except GivenUp as error:
        raise fail(f"{error}; nothing has changed", NO) from None
    except ConnectionError as error:
        raise fail(f"{error}", UNREACHABLE) from None
    if answer.email is not None and answer.email not in (user.lower(), address):
        raise fail(f"you are logged in as {answer.email}, not as {user}: log out there, and log in as {user}", NO)
    if answer.refresh is None:
        said = "the provider gave no refresh token, so this login would be over soon: "
        raise fail(f"{said}take Loket from the account's list of apps there and run it again", NO)
    return granted(answer, datetime.now(UTC).isoformat(), time.time(), answer.refresh)


def _answer(server: Server, user: str, *, browser: bool, no_open: bool) -> Answer:
    seen = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin")
    console = Console(
        say=lambda text: print(text, flush=True),
        typed=sys.stdin,
        browse=webbrowser.open if seen and not no_open else lambda _url: False,
    )
    if server.endpoints.device is not None and not (browser and server.endpoints.authorize):
        return by_device(server, console)
    return by_browser(server, user, console)


class _Fresh:
    """The tokens that have just come, and no others."""

    def __init__(self, token: str) -> None:
        self._token = token

    def access(self, refused: str | None = None) -> str:  # noqa: ARG002 - the protocol's
        """The one token."""
        return self._token


def _tried(snapshot: Snapshot, address: str, grant: Grant) -> bool:
    """Whether the mail server takes the token; what it refuses is not kept, and it says no of a wrong account."""
    door = replace(imap_door(snapshot, address), secret=_Fresh(grant.access), folder="INBOX", read_only=True)
    try:
        with tempfile.TemporaryDirectory() as spare, ImapSession(door, bounds(snapshot), FolderFiles(Path(spare))):
            return True
    except Refused as error:
        said = "was another account chosen in the browser, or is IMAP not allowed for it? Nothing has changed"
        raise fail(f"{error}: {said}", NO) from None
    except SESSION_ERRORS as error:
        print(f"loket: {door.host} was not reached to try them: {error}", file=sys.stderr)
        return False
