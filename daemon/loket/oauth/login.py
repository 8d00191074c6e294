"""Logging in: the device flow (RFC 8628), or a browser that comes back to this machine (RFC 8252) or is copied from."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from secrets import token_urlsafe
from typing import IO
from urllib.parse import urlsplit

from loket.config.storeurl import is_loopback
from loket.oauth.server import Answer, Denied, Server

LOGIN_SECONDS = 900.0
HERE = "http://127.0.0.1"

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Loket</title>
<p>{said} You may close this window and go back to the terminal.</p></html>
"""


class GivenUp(Exception):
    """Nobody logged in while that was waited for."""


@dataclass(slots=True)
class Console:
    """What the person sees, types and looks at; `typed` is a stream with a descriptor, or None."""

    say: Callable[[str], None]
    typed: IO[str] | None
    browse: Callable[[str], bool]
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    seconds: float = LOGIN_SECONDS


def by_device(server: Server, console: Console) -> Answer:
    """The person types a code on any machine; here it is asked now and then whether that is done."""
    device = server.begin_device()
    console.say(f"On any computer or phone, open  {device.where}")
    console.say(f"and enter the code              {device.user_code}")
    if device.whole:
        console.say(f"or open this at once            {device.whole}")
    console.say("Waiting for you to agree there …")
    interval = device.interval
    until = console.now() + min(device.lifetime, console.seconds)
    while console.now() < until:
        console.sleep(interval)
        try:
            return server.poll_device(device.code)
        except Denied as error:
            if error.code == "slow_down":
                interval += 5
            elif error.code != "authorization_pending":
                raise
        except OSError:
            # RFC 8628 3.5: a connection that timed out is tried again, less often.
            interval += 5
    raise GivenUp("the code has expired before anybody agreed")


def by_browser(server: Server, user: str, console: Console) -> Answer:
    """The person agrees in a browser, which comes back here, or whose address is pasted."""
    redirect = server.endpoints.redirect or HERE
    state, verifier = token_urlsafe(24), token_urlsafe(64)
    parts = urlsplit(redirect)
    listener = None
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        listener = _Listener(parts.port or 0)
        if parts.port is None:
            redirect = f"http://{parts.netloc}:{listener.server_port}{parts.path}"
    try:
        url = server.authorization_url(redirect, state, verifier, user)
        console.say("Open this address in a browser, and log in as " + user + ":")
        console.say(f"\n{url}\n")
        if redirect == "oob":
            console.say("Then paste the code that is shown there here, and press Enter.")
        elif listener is not None and console.browse(url):
            console.say("A browser was opened. Waiting for you to agree there …")
        else:
            console.say("When you have agreed, the browser goes to an address that begins with " + redirect)
            console.say("It may show an error there: copy the whole address, paste it here, and press Enter.")
        answer = _came(listener, console)
        # What is no address is the code itself; an address without a code holds an error.
        came_back = "://" in answer or "code=" in answer or "error=" in answer
        return server.exchange(server.code_of(answer, state) if came_back else answer, redirect, verifier)
    finally:
        if listener is not None:
            listener.server_close()


class _Listener(HTTPServer):
    """Takes the browser's one request that matters, and tells its person so."""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.timeout = 5
        self.came: str | None = None


class _Handler(BaseHTTPRequestHandler):
    # A browser that opens a connection and says nothing must not hold up the one that has the answer.
    timeout = 5

    def do_GET(self) -> None:
        """The answer, or something else that a browser asks for (an icon)."""
        mine = "code=" in self.path or "error=" in self.path
        page = _PAGE.format(said="Thank you." if mine else "Nothing is here.").encode()
        self.send_response(200 if mine else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(page)
        if mine and isinstance(self.server, _Listener):
            self.server.came = f"{HERE}{self.path}"

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the library's name
        """Nothing: the request holds the code."""


def _came(listener: _Listener | None, console: Console) -> str:
    """The address that the browser came to, or what was pasted, whichever is first."""
    until = console.now() + console.seconds
    typed = console.typed
    while (left := until - console.now()) > 0:
        ears: list[_Listener | IO[str]] = [one for one in (listener, typed) if one is not None]
        if not ears:
            raise GivenUp("there is nothing to read an answer from: run this in a terminal")
        with selectors.DefaultSelector() as selector:
            for ear in ears:
                selector.register(ear, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select(min(left, 5.0))]
        if listener is not None and listener in ready:
            listener.handle_request()
            if listener.came:
                return listener.came
        if typed is not None and typed in ready:
            line = typed.readline()
            if not line:
                typed = None
            elif line.strip():
                return line.strip()
    raise GivenUp("nobody has agreed in time")
