"""Submission (RFC 6409) through aiosmtplib: connections kept, every attempt a typed verdict."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
)

from loket import maillog
from loket.core.model import Kind, Outbound, Receipt, ReceiptKind
from loket.core.replies import Meaning, Reply, meaning
from loket.exchange import Exchange, envelope, options, unable, words
from loket.submission import CONNECT_SECONDS, SubmissionDoor, connected

COMMAND_SECONDS = 300
# RFC 5321 4.5.3.2.6: a server may need ten minutes after the dot.
DATA_SECONDS = 600
# A session that answered so lately is not asked first whether it still does.
FRESH_SECONDS = 5.0
# A server that has too many sessions of ours gets one fewer for so long.
CROWDED_SECONDS = 600.0
# Behind a mail goes the next one's envelope where the last verdict came so soon: one that hangs must not hold two. It
# is answered with the verdict, or not at all; where that was in vain so often in a row, every mail goes alone for a
# while.
QUICK_SECONDS = 0.25
AHEAD_SECONDS = 10.0
IN_VAIN = 3
ALONE_SECONDS = 600.0

_RECEIPTS = {
    Meaning.NEVER: ReceiptKind.REFUSED,
    Meaning.LATER: ReceiptKind.REFUSED_NOW,
    Meaning.QUOTA: ReceiptKind.OVER_QUOTA,
    Meaning.CROWDED: ReceiptKind.NOT_TRIED,
    Meaning.SESSION: ReceiptKind.NOT_TRIED,
}


@dataclass(frozen=True, slots=True)
class Ways:
    """What a submission server wants: mails on one session (None: any number), and what its refusals mean."""

    per_connection: int | None = None
    replies: tuple[Reply, ...] = ()


@dataclass(slots=True)
class _Session:
    """A session with the server: how many mails it took, and when it last answered; 0 with a transaction open."""

    client: SMTP
    exchange: Exchange
    served: int = 0
    answered: float = 0.0
    # Whether its last verdict came soon.
    quick: bool = False


@dataclass(frozen=True, slots=True)
class _Handed:
    """A mail to submit: its bytes, what is awaited just before DATA, and the mail that is likely to be next."""

    mail: Outbound
    data: bytes
    begins: Callable[[], Awaitable[None]]
    then: Outbound | None


class Seat:
    """Whoever submits mail after mail: has a session of the courier while a mail, or the next envelope, is open."""

    def __init__(self, courier: SmtpCourier) -> None:
        self._courier = courier
        # On which the envelope of a mail is open, of which, and since when.
        self._session: _Session | None = None
        self._opened = ""
        self._since = 0.0

    async def send(
        self, mail: Outbound, data: bytes, begins: Callable[[], Awaitable[None]], then: Outbound | None = None
    ) -> Receipt:
        """Submit one mail to its one recipient; `begins` is awaited just before DATA (promise P11).

        `then` is the mail that this seat is likely to submit next: its envelope may go with this one's content.
        Nothing of it flows, nothing is said of it, and it may be submitted elsewhere, or never.
        """
        courier, handed = self._courier, _Handed(mail, data, begins, then)
        if self._session is None:
            await courier._places.acquire()
        try:
            if self._session is not None:
                receipt = await self._go_on(handed)
                if receipt is not None:
                    return receipt
            while True:
                try:
                    session, reused = await courier._session()
                except (SMTPException, OSError, TimeoutError) as error:
                    return courier._not_let_in(error)
                receipt = await self._submit(session, handed, reused=reused)
                if receipt is not None:
                    return receipt
        finally:
            if self._session is None:
                courier._vacate()

    async def _go_on(self, handed: _Handed) -> Receipt | None:
        """The same where an envelope is open; None where it is another mail's, or came to nothing."""
        session, self._session = self._session, None
        if session is None:
            return None
        # It may have waited for the store, and the server not for it.
        fresh = session.client.is_connected and time.monotonic() - self._since < FRESH_SECONDS
        if self._opened != handed.mail.key or not fresh:
            session.client.close()
            return None
        try:
            refused = await session.exchange.ahead(AHEAD_SECONDS)
        except SMTPResponseException as error:
            # Perhaps because it came so soon: it is asked again by itself, and that is the verdict.
            self._courier._in_vain()
            if 400 <= error.code < 600 and not self._courier._ends(session, error.code, Meaning.NEVER):
                self._courier._rest(session, answered=0.0)
            else:
                session.client.close()
            return None
        except (SMTPException, OSError, TimeoutError):
            self._courier._in_vain()
            session.client.close()
            return None
        except BaseException:
            session.client.close()
            raise
        self._courier._worked()
        return await self._submit(session, handed, reused=True, refused=refused)

    def _rest(self, session: _Session, then: Outbound | None, answered: float) -> None:
        """Keep the session for the mail whose envelope is open on it, else give it back."""
        if then is not None and session.exchange.opened:
            self._session, self._opened, self._since = session, then.key, time.monotonic()
        else:
            self._courier._rest(session, answered)

    def leave(self) -> None:
        """Give up what is open."""
        if self._session is not None:
            self._session.client.close()
            self._session = None
            self._courier._vacate()

    async def _submit(
        self, session: _Session, handed: _Handed, *, reused: bool, refused: list[SMTPResponse] | None = None
    ) -> Receipt | None:
        """The verdict; None where a session that had served before has gone, and another is to be asked.

        With `refused` the envelope is open already, and that was said of the recipients behind the first.
        """
        courier, client, flowing = self._courier, session.client, False
        mail, data = handed.mail, handed.data
        try:
            if refused is None:
                receipt = unable(client, mail, len(data))
                if receipt:
                    courier._rest(session, time.monotonic())
                    return receipt
                refused = await session.exchange.envelope(courier._envelope(client, mail, len(data)), COMMAND_SECONDS)
            _say_not_archived(mail, refused)
            ahead = courier._ahead(session, handed.then)
            await handed.begins()
            session.exchange.check()
            flowing = True
            began = time.monotonic()
            response = await session.exchange.content(data, COMMAND_SECONDS, DATA_SECONDS, ahead)
        except SMTPResponseException as error:
            if error.code == 421 and reused and not flowing:
                # It ends the session, not the mail: many servers take so many mails on one, and say so like this.
                client.close()
                return None
            # 4xx and 5xx are verdicts, before and after the dot; anything else is no answer to what was asked.
            if 400 <= error.code < 600:
                means = meaning(error.code, error.message, courier._ways.replies)
                if means is Meaning.SESSION and reused and not flowing:
                    # Its login has run out, with a token for instance: another session has one.
                    client.close()
                    return None
                if courier._ends(session, error.code, means):
                    client.close()
                else:
                    self._rest(session, handed.then, answered=0.0)
                if means is Meaning.CROWDED:
                    courier._one_fewer()
                return Receipt(_RECEIPTS[means], error.code, words(error.message))
            client.close()
            return _cut_off(flowing, f"{error.code} {error.message}")
        except (SMTPException, OSError, TimeoutError) as error:
            client.close()
            return None if reused and not flowing else _cut_off(flowing, f"{type(error).__name__}: {error}")
        except ValueError as error:
            # An address with what no command line may hold: it will be the same tomorrow.
            client.close()
            return _cut_off(flowing, str(error)) if flowing else Receipt(ReceiptKind.REFUSED, 553, words(str(error)))
        except BaseException:
            client.close()
            raise
        session.served += 1
        session.quick = time.monotonic() - began < QUICK_SECONDS
        self._rest(session, handed.then, answered=time.monotonic())
        return Receipt(ReceiptKind.SENT, response.code, words(response.message))


class SmtpCourier:
    """Up to `connections` reused sessions with one submission server; every attempt ends in a Receipt."""

    def __init__(
        self, door: Callable[[], SubmissionDoor], connections: int, archive: str | None = None, ways: Ways | None = None
    ) -> None:
        """Nothing is connected before the first mail.

        `archive` is an address of our own that gets a copy of each letter in the letter's own transaction: when it
        comes home, a letter in doubt is known to have been taken.
        """
        self._door = door
        self._archive = archive
        self._idle: list[_Session] = []
        self._places = asyncio.Semaphore(connections)
        self._connections = connections
        self._ways = ways or Ways()
        # Places that nobody takes for a while, since the server had too many of us.
        self._given_up = 0
        self._owed = 0
        # How many envelopes in a row went ahead in vain, and until when none does.
        self._vain = 0
        self._alone_until = 0.0

    async def send(self, mail: Outbound, data: bytes, begins: Callable[[], Awaitable[None]]) -> Receipt:
        """Submit one mail to its one recipient; `begins` is awaited just before DATA (promise P11)."""
        with self.seat() as seat:
            return await seat.send(mail, data, begins)

    @contextmanager
    def seat(self) -> Iterator[Seat]:
        """For somebody who submits mail after mail."""
        seat = Seat(self)
        try:
            yield seat
        finally:
            seat.leave()

    async def eight_bit(self) -> bool:
        """Whether the server takes 8-bit bodies (RFC 6152); False where it cannot be asked."""
        offered, _ = await self.offers()
        return "8bitmime" in offered

    async def limit(self) -> int | None:
        """The octets of a mail that the server takes (RFC 1870); None where it names none or cannot be asked."""
        offered, _ = await self.offers()
        said = offered.get("size", "")
        return int(said) or None if said.isdigit() else None

    async def offers(self) -> tuple[dict[str, str], str | None]:
        """What the server offers to whom it let in, in small letters; or none, and why it could not be asked."""
        async with self._places:
            try:
                session, _ = await self._session()
            except (SMTPException, OSError, TimeoutError) as error:
                return {}, _not_let_in(error)
            self._rest(session, time.monotonic())
            return dict(session.client.esmtp_extensions), None

    async def _session(self) -> tuple[_Session, bool]:
        """One that still answers, else a new one; and whether it was there before."""
        while self._idle:
            session = self._idle.pop()
            if session.served >= (self._ways.per_connection or math.inf):
                await _goodbye(session.client)
                continue
            if time.monotonic() - session.answered < FRESH_SECONDS and session.client.is_connected:
                return session, True
            try:
                # One that a firewall forgot never answers: better to connect anew than to wait long for it.
                await session.client.rset(timeout=CONNECT_SECONDS)
            except (SMTPException, OSError, TimeoutError):
                session.client.close()
                continue
            return session, True
        client = await connected(self._door())
        return _Session(client, Exchange(client)), False

    def _rest(self, session: _Session, answered: float) -> None:
        session.answered = answered
        self._idle.append(session)

    def _not_let_in(self, error: BaseException) -> Receipt:
        """The server was not reached or did not let us in: the mail itself was never judged."""
        code = error.code if isinstance(error, SMTPResponseException) else 0
        said = error.message if isinstance(error, SMTPResponseException) else ""
        means = meaning(code, said, self._ways.replies) if 400 <= code < 600 else Meaning.LATER
        if means is Meaning.CROWDED:
            self._one_fewer()
        kind = ReceiptKind.OVER_QUOTA if means is Meaning.QUOTA else ReceiptKind.NOT_TRIED
        return Receipt(kind, code, _not_let_in(error))

    def _one_fewer(self) -> None:
        """Leave a place empty for a while, never the last; and let go what is idle, without waiting for goodbyes."""
        while self._idle:
            self._idle.pop().client.close()
        if self._given_up + 1 < self._connections:
            self._given_up += 1
            self._owed += 1
            asyncio.get_running_loop().call_later(CROWDED_SECONDS, self._one_more)

    def _one_more(self) -> None:
        self._given_up -= 1
        self._places.release()

    def _vacate(self) -> None:
        """End one of the sessions that may be open at once; one that is given up does not come back with its end."""
        if self._owed:
            self._owed -= 1
        else:
            self._places.release()

    def _envelope(self, client: SMTP, mail: Outbound, size: int) -> list[bytes]:
        return envelope(mail.sender, [mail.recipient, *self._copies(mail)], options(client, mail, size))

    def _ahead(self, session: _Session, then: Outbound | None) -> list[bytes]:
        """The next mail's envelope, to go behind this one; none where that may not be, or would hold it up."""
        if then is None or not (session.quick and session.exchange.grouped) or time.monotonic() < self._alone_until:
            return []
        if session.served + 1 >= (self._ways.per_connection or math.inf):
            return []
        small = [segment for segment in then.segments if isinstance(segment, bytes)]
        size = sum(map(len, small))
        if len(small) < len(then.segments) or unable(session.client, then, size):
            return []
        try:
            return self._envelope(session.client, then, size)
        except ValueError:
            return []

    def _in_vain(self) -> None:
        self._vain += 1
        if self._vain >= IN_VAIN:
            self._alone_until = time.monotonic() + ALONE_SECONDS

    def _worked(self) -> None:
        self._vain = 0

    def _copies(self, mail: Outbound) -> tuple[str, ...]:
        """Our own address as a second recipient of a letter; a server that refuses it still gets the letter."""
        return (self._archive,) if self._archive is not None and mail.kind is Kind.DELIVERY else ()

    def _ends(self, session: _Session, code: int, means: Meaning) -> bool:
        """Whether a refusal ends the session; it survives all others, and 421 announces its end (RFC 5321 3.8)."""
        return code == 421 or means in (Meaning.SESSION, Meaning.CROWDED) or not session.client.is_connected

    async def close(self) -> None:
        """Say goodbye on idle sessions."""
        while self._idle:
            await _goodbye(self._idle.pop().client)


async def _goodbye(client: SMTP) -> None:
    try:
        await client.quit(timeout=5)
    except (SMTPException, OSError, TimeoutError):
        client.close()


def _not_let_in(error: BaseException) -> str:
    refused = "login refused: " if isinstance(error, SMTPAuthenticationError) else ""
    return words(f"{refused}{type(error).__name__}: {error}")


def _cut_off(flowing: bool, said: str) -> Receipt:
    """Without a verdict: before DATA nothing has happened, after it nobody knows."""
    return Receipt(ReceiptKind.IN_DOUBT if flowing else ReceiptKind.REFUSED_NOW, 0, words(said))


def _say_not_archived(mail: Outbound, replies: Sequence[SMTPResponse]) -> None:
    for reply in replies:
        if reply.code >= 400:
            maillog.not_archived(mail, reply.code, words(reply.message))
