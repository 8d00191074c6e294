"""Everything that is looked at, each in a thread of its own, so that a server that hangs keeps nobody waiting."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from loket.config.snapshot import Snapshot
from loket.core.headers import clean_text
from loket.doctor import domain, home, mailbox, servers
from loket.doctor.domain import Dns
from loket.doctor.finding import Finding
from loket.doctor.pushing import pushing


@dataclass(frozen=True, slots=True)
class Look:
    """One thing to look at, and what to call it when it does not end."""

    where: str
    what: str
    findings: Callable[[], Iterator[Finding]]


def looks(snapshot: Snapshot, dns: Dns, seconds: float, *, send: bool = False) -> list[Look]:
    """All of them: at home first, then servers, mailboxes, domains, in the order of the configuration.

    With `send` each mailbox gets a mail from itself, which it is given half of `seconds` to tell of.
    """
    return [
        Look(str(snapshot.path), "configuration", partial(home.configuration, snapshot)),
        Look("secrets", "secret", partial(home.secrets, snapshot)),
        Look("store", "store", partial(home.store, snapshot)),
        *connections(snapshot, seconds, send=send),
        *(
            Look(name, "dns", partial(domain.sending, name, dns))
            for name in dict.fromkeys(address.rpartition("@")[2] for address in snapshot.config.mailboxes)
        ),
    ]


def connections(snapshot: Snapshot, seconds: float, *, send: bool = False) -> list[Look]:
    """What can be seen of servers from outside, and of mailboxes by logging in."""
    config = snapshot.config
    now = datetime.now(UTC)
    found = []
    read = [entry.server for entry in config.mailboxes.values()]
    for name in dict.fromkeys([*read, *(config.sending(address)[0] for address in config.mailboxes)]):
        server = config.servers[name]
        ca_file = str(snapshot.root / server.ca) if server.ca else None
        imap, smtp = server.doors
        found += [
            Look(f"{imap.host}:{imap.port}", "imap", partial(servers.door, imap, ca_file, "imap", now, seconds / 4)),
            Look(f"{smtp.host}:{smtp.port}", "smtp", partial(servers.door, smtp, ca_file, "smtp", now, seconds / 4)),
        ]
    for address in config.mailboxes:
        found += [
            Look(address, "imap", partial(mailbox.imap, snapshot, address)),
            Look(address, "smtp", partial(mailbox.smtp, snapshot, address)),
        ]
        if send:
            found.append(Look(address, "send-test", partial(pushing, snapshot, address, seconds / 2)))
    return found


def examine(asked: list[Look], seconds: float, tell: Callable[[Finding], None] = lambda _: None) -> list[Finding]:
    """The findings in the order of what was asked; `tell` hears of each at once. Ends within `seconds`."""
    heard: queue.Queue[tuple[int, Finding | None]] = queue.Queue()
    for index, look in enumerate(asked):
        threading.Thread(target=_run, args=(index, look, heard), name=f"doctor {look.where}", daemon=True).start()
    until = time.monotonic() + seconds
    found: list[list[Finding]] = [[] for _ in asked]
    open_ = set(range(len(asked)))
    while open_:
        try:
            index, finding = heard.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        if finding is None:
            open_.discard(index)
        else:
            found[index].append(finding)
            tell(finding)
    for index in sorted(open_):
        look = asked[index]
        remedy = "is it reached from here, by a firewall's leave? --timeout gives it longer"
        late = Finding(look.where, look.what, "unreached", f"no answer within {seconds:.0f} s", remedy)
        found[index].append(late)
        tell(late)
    return [finding for each in found for finding in each]


def _run(index: int, look: Look, heard: queue.Queue[tuple[int, Finding | None]]) -> None:
    try:
        for finding in look.findings():
            heard.put((index, finding))
    except Exception as error:  # noqa: BLE001 - what cannot be looked at is a finding too, and the others go on
        said = clean_text(f"{type(error).__name__}: {error}", 300)
        heard.put((index, Finding(look.where, look.what, "error", said, "tell Loket's makers of this line")))
    finally:
        heard.put((index, None))
