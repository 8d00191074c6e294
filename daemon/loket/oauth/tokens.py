"""A mailbox's access token, refreshed before it expires: once for all connections and all processes of the machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from loket import maillog
from loket.oauth.server import Answer, Denied, Server
from loket.oauth.tokenfile import Grant, TokenFile
from loket.ports import NotLoggedIn

# How long before its end a token is exchanged, at most; of a short-lived one a fifth of its life.
MARGIN_SECONDS = 300.0
# A token as young as this that a mail server refuses is not exchanged: it is something else that is wrong.
YOUNG_SECONDS = 60.0
# So long nobody asks again after the authorization server was not reached, and after it said no for good.
PAUSE_SECONDS = 20.0
LONG_PAUSE_SECONDS = 3600.0

_CLIENT = {"invalid_client", "unauthorized_client"}


@dataclass(slots=True)
class MailboxTokens:
    """Asked by each connection of a mailbox, from any thread; reads the file anew each time, which is small.

    `server` is made at each refresh, so that a changed secret is picked up; it may raise OSError.
    """

    address: str
    file: TokenFile
    server: Callable[[], Server]
    now: Callable[[], float] = time.time
    _failed: tuple[str, float, Exception] | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def access(self, refused: str | None = None) -> str:
        """A token that is good for some minutes more, and is not the one that a mail server has just refused.

        NotLoggedIn where a person must act, OSError where the authorization server was not reached.
        """
        grant = self._read()
        if self._good(grant, refused):
            return grant.access
        with self.file.lock():
            # Whoever had the lock before may have refreshed it, or found that it cannot be.
            grant = self._read()
            if self._good(grant, refused):
                return grant.access
            self._still_failed(grant)
            return self._refreshed(grant).access

    def login(self) -> str:
        """Which login the tokens come from; empty without one. Another one means that somebody has acted."""
        try:
            grant = self.file.read()
        except (NotLoggedIn, OSError):
            return ""
        return grant.login if grant is not None else ""

    def _read(self) -> Grant:
        grant = self.file.read()
        if grant is None:
            raise NotLoggedIn(f"not logged in yet: run `loket login {self.address}`", "none")
        return grant

    def _good(self, grant: Grant, refused: str | None) -> bool:
        left = grant.expires_at - self.now()
        if grant.access == refused:
            return grant.lifetime - left < min(YOUNG_SECONDS, grant.lifetime / 5)
        # More than its life: the clock was set back.
        return min(MARGIN_SECONDS, grant.lifetime / 5) < left <= grant.lifetime

    def _still_failed(self, grant: Grant) -> None:
        with self._guard:
            failed = self._failed
        if failed is not None and failed[0] == grant.refresh and time.monotonic() < failed[1]:
            raise failed[2]

    def _fail(self, grant: Grant, error: Exception, seconds: float) -> Exception:
        with self._guard:
            self._failed = (grant.refresh, time.monotonic() + seconds, error)
        return error

    def _refreshed(self, grant: Grant) -> Grant:
        """Another token, durable with its refresh token before anybody uses it."""
        with self.file.writing() as draft:
            try:
                answer = self.server().refresh(grant.refresh)
            except Denied as error:
                maillog.login_lost(self.address, str(error))
                raise self._fail(grant, self._lost(grant, error), LONG_PAUSE_SECONDS) from None
            except OSError as error:
                raise self._fail(grant, error, PAUSE_SECONDS) from None
            renewed = granted(answer, grant.login, self.now(), grant.refresh)
            draft.keep(renewed)
        maillog.refreshed(self.address, answer.lifetime, rotated=renewed.refresh != grant.refresh)
        return renewed

    def _lost(self, grant: Grant, error: Denied) -> NotLoggedIn:
        if error.code in _CLIENT:
            said = f"the authorization server does not take this client ({error}): renew client_id or client_secret"
        else:
            said = f"the login is over ({error}): run `loket login {self.address}`"
        return NotLoggedIn(said, grant.login)


def granted(answer: Answer, login: str, now: float, refresh: str) -> Grant:
    """What is kept of an answer; a server that does not rotate leaves the refresh token as it was."""
    return Grant(answer.access, now + answer.lifetime, answer.lifetime, answer.refresh or refresh, login)
