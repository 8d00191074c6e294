"""A second process that reads and thinks through a backlog, so that the daemon's own can fetch, write and send beside.

It is forked at the start, before there are threads and before the store is open, knows the rules as they were then,
and touches neither database nor servers: mails (large ones by their files) and what the store knows of them go in,
plans come out, written down as rows, and all that happens because of them happens in the daemon. Whatever becomes of
it, the daemon does its work itself.
"""

from __future__ import annotations

import contextlib
import copyreg
import gc
import itertools
import multiprocessing
import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from operator import attrgetter
from queue import Empty, PriorityQueue
from typing import Any

from loket import maillog
from loket.core import model
from loket.core.batch import Found, plans
from loket.core.command import names_officer
from loket.core.known import Hints, hints
from loket.core.model import InboundMail, RawMail
from loket.core.office import Office
from loket.core.parse import parse
from loket.core.token import Keys
from loket.files import FolderFiles, Packed, let_go
from loket.sheet import Sheet, WriteDown

# From so many mails on it is worth the way there and back; fewer are done before it is.
BACKLOG = 200
# So many are thought through and handed back at a time: they are written while the next are thought of.
PIECE, PIECE_OCTETS = 100, 2_000_000
# So many octets go at a time: nothing is held twice that need not be.
PARCEL = 256 * 1024
# A piece takes it a twentieth of a second. What keeps it longer, the daemon tries for itself, mail by mail.
PATIENCE_SECONDS = 5.0
PROCESSORS = 2
# With nothing to do for so long it ends, and gives its memory back: a daemon that runs gets no backlog.
IDLE_SECONDS = 10.0

# What comes of mails, written down for the daemon's kind of store.
Think = Callable[[Sequence[InboundMail], Found, datetime], Sheet]


class Unread(Exception):
    """The clerk cannot say what comes of these mails; the daemon finds out by itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A batch that the clerk has been handed; what comes of it is asked in the order in which it was handed over."""

    clerk: Clerk
    number: int
    office: Office

    def hints(self) -> Hints | None:
        """What to look for in the store; None where an officer is among the authors, whose mail is examined first."""
        found: Hints | None = self.clerk.ask("hints", self.number)
        return found

    def plans(self, found: Found, now: datetime) -> Generator[Sheet]:
        """The plans of those mails that have no end yet, some at a time; the clerk thinks on while they are used."""
        yield from self.clerk.hear("plans", self.number, found, now)


@dataclass(slots=True)
class Clerk:
    """The daemon's end of it; lent to one mailbox at a time."""

    office: Office
    _pipe: Connection
    _process: BaseProcess
    _patience: float
    _lent: threading.Lock = field(default_factory=threading.Lock)
    # One thread hands over while another asks.
    _sending: threading.Lock = field(default_factory=threading.Lock)
    _handed: int = 0

    @contextlib.contextmanager
    def lent(self, office: Office, mails: int) -> Iterator[Clerk | None]:
        """The clerk, for a backlog; None for few mails, under other rules, or where it is elsewhere or has ended."""
        fit = mails >= BACKLOG and office is self.office and self._lent.acquire(blocking=False)
        try:
            yield self if fit and self._process.is_alive() else None
        finally:
            if fit:
                self._lent.release()

    def hand(self, raws: Sequence[RawMail]) -> Reading | None:
        """Have mails read; returns before they are. None where that cannot be."""
        self._handed += 1
        parcel: list[Packed] = []
        octets = 0
        try:
            for raw in raws:
                parcel.append(Packed.of(raw))
                octets += raw.held
                if octets > PARCEL:
                    self._send("read", self._handed, parcel)
                    parcel, octets = [], 0
            self._send("read", self._handed, parcel)
        except (Unread, OverflowError) as error:
            # The clerk is gone; or a server's clock is in the first year of our time, or in the last.
            maillog.unread(raws[0].ref, len(raws), str(error))
            return None
        return Reading(self, self._handed, self.office)

    def ask(self, *question: Any) -> Any:
        """The answer to a question; Unread where there is none."""
        [answer] = self.hear(*question)
        return answer

    def hear(self, *question: Any) -> Generator[Any]:
        """The answer to a question, as it comes; Unread where there is none. What nobody wants is heard to its end."""
        self._send(*question)
        over = False
        try:
            while not over:
                # Whatever goes wrong, there is no more to hear.
                over = True
                over, answer = self._next()
                if not over:
                    yield answer
        finally:
            while not over:
                over = True
                over, _ = self._next()

    def _next(self) -> tuple[bool, Any]:
        """Whether the answer is over, and if it is not, what comes next of it."""
        try:
            answered = self._pipe.poll(self._patience)
            over, answer, said = self._pipe.recv() if answered else (True, None, "")
        except Exception as error:
            raise self._lost(error) from error
        if not answered:
            raise self._lost(TimeoutError(f"no answer within {self._patience:g} s"))
        if said:
            raise Unread(said)
        return over, answer

    def _send(self, *message: Any) -> None:
        """Say something; Unread where it is not taken in time, since a clerk that is stopped takes nothing either."""
        if not self._sending.acquire(timeout=2 * self._patience):
            raise self._lost(TimeoutError("it takes nothing"))
        try:
            self._pipe.send(message)
        except Exception as error:
            raise self._lost(error) from error
        finally:
            self._sending.release()

    def _lost(self, error: Exception) -> Unread:
        """Nothing that it says can be relied on any more: half of something may have been said."""
        self._process.kill()
        return Unread(f"{type(error).__name__}: {error}")

    def ended(self) -> bool:
        """Whether it has gone home, or worse: the system forgets it, and garbage is looked for everywhere again."""
        if self._process.is_alive():
            return False
        gc.unfreeze()
        return True

    def close(self) -> None:
        """Let it go; nobody asks any more."""
        self._process.kill()
        self._process.join()
        self._pipe.close()
        gc.unfreeze()


def hire(office: Office, keys: Keys, files: FolderFiles, write_down: WriteDown) -> Clerk | None:
    """Fork the clerk; None on a machine with one processor, or where somebody is running in this process already."""
    if len(os.sched_getaffinity(0)) < PROCESSORS:
        return None
    if threading.active_count() > 1:
        maillog.no_clerk("a process with threads must not be forked")
        return None
    return fork(office, keys, files, write_down)


def fork(
    office: Office, keys: Keys, files: FolderFiles, write_down: WriteDown, idle: float = IDLE_SECONDS
) -> Clerk | None:
    """The same, whoever else is running; None where the system makes no more processes."""
    # What is there now stays: looking through it for garbage would copy every page that the two processes share.
    gc.collect()
    gc.freeze()
    _pack_by_place()
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    with socket.socket(fileno=os.dup(ours.fileno())) as end:
        for what in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            end.setsockopt(socket.SOL_SOCKET, what, struct.pack("ll", int(PATIENCE_SECONDS), 0))

    def think(mails: Sequence[InboundMail], found: Found, now: datetime) -> Sheet:
        return write_down(plans(mails, found, office, keys, now), now)

    process = context.Process(target=_serve, args=(ours, theirs, office, files, think, idle), name="clerk", daemon=True)
    try:
        process.start()
    except OSError as error:
        maillog.no_clerk(str(error))
        gc.unfreeze()
        ours.close()
        return None
    finally:
        theirs.close()
    return Clerk(office, ours, process, PATIENCE_SECONDS)


def _pack_by_place() -> None:
    """Have `pickle` write what plans are made of as a class and its values in their order.

    By itself it asks each object's class for its fields, both ways, which takes three times as long.
    """
    for kind in vars(model).values():
        if isinstance(kind, type) and is_dataclass(kind) and all(one.init for one in fields(kind)):
            names = [one.name for one in fields(kind)]
            copyreg.pickle(kind, partial(_packed, kind, names[0] if len(names) == 1 else None, attrgetter(*names)))


def _packed(kind: type, only: str | None, values: Callable[[Any], Any], it: object) -> tuple[type, tuple[Any, ...]]:
    return kind, (getattr(it, only),) if only else values(it)


def _serve(
    daemons: Connection, pipe: Connection, office: Office, files: FolderFiles, think: Think, idle: float
) -> None:
    """The clerk's life; it ends with the daemon's end of the pipe."""
    daemons.close()
    # Ctrl-C is for the daemon, which says when it is over.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    desk: dict[int, _Lot] = {}
    heard: _Heard = PriorityQueue()
    threading.Thread(target=_listen, args=(pipe, heard), daemon=True).start()
    # The daemon has gone, or needs nobody: there is nobody to tell.
    with contextlib.suppress(Empty, OSError):
        while (message := heard.get(timeout=idle)[-1]) is not None:
            match message:
                case ("read", number, raws):
                    # One is being written, one waits; of those before nobody asks any more.
                    for before in [one for one in desk if one < number - 1]:
                        del desk[before]
                    _read(desk.setdefault(number, _Lot()), raws, files)
                case ("hints", number):
                    _answer(pipe, desk[number], lambda mails: [_hints(mails, office)])
                case ("plans", number, found, now):
                    _answer(pipe, desk[number], partial(_sheets, found, now, think))
    os._exit(0)


# What was said, by the lot that it is about and the order in which it came; None at the end.
_Heard = PriorityQueue[tuple[int, int, tuple[Any, ...] | None]]


def _listen(pipe: Connection, heard: _Heard) -> None:
    """Hear whoever hands over the next lot while this one is thought through, and answer about this one first."""
    try:
        with contextlib.suppress(EOFError, OSError):
            for place in itertools.count():
                message = pipe.recv()
                heard.put((message[1], place, message))
    finally:
        heard.put((0, 0, None))


@dataclass(slots=True)
class _Lot:
    """Mails that were read, and what went wrong with one of them: said when it is asked for."""

    mails: list[InboundMail] = field(default_factory=list)
    error: str = ""


def _read(lot: _Lot, handed: Sequence[Packed], files: FolderFiles) -> None:
    try:
        for mail in handed:
            raw = mail.raw(files)
            lot.mails.append(parse(raw))
            let_go(raw.data)
    except Exception as error:  # noqa: BLE001 - the daemon finds out which mail it is
        lot.error = type(error).__name__


def _hints(mails: Sequence[InboundMail], office: Office) -> Hints | None:
    return None if any(names_officer(mail, office) for mail in mails) else hints(mails)


def _sheets(found: Found, now: datetime, think: Think, mails: Sequence[InboundMail]) -> Iterator[Sheet]:
    piece: list[InboundMail] = []
    octets = 0
    for mail in mails:
        piece.append(mail)
        octets += mail.raw.held
        if len(piece) >= PIECE or octets >= PIECE_OCTETS:
            yield think(piece, found, now)
            piece, octets = [], 0
    if piece:
        yield think(piece, found, now)


def _answer(pipe: Connection, lot: _Lot, what: Callable[[list[InboundMail]], Iterable[object]]) -> None:
    """Say what comes of a question, piece by piece, and at the end what went wrong with it."""
    said = lot.error
    try:
        for piece in what(lot.mails) if not said else ():
            pipe.send((False, piece, ""))
    except Exception as error:  # noqa: BLE001 - the daemon tries for itself, and says what it finds
        said = type(error).__name__
    pipe.send((True, None, said))
