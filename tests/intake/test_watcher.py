"""The thread that owns a mailbox: it hears of mail at once, looks when asked, comes back after trouble, and ends."""

from __future__ import annotations

import imaplib
import socket
import threading
import time
from datetime import timedelta

import pytest

from loket import imap, watch
from loket.core.model import Fate
from loket.store import schema
from loket.wake import Wake
from tests.intake.bureau import HOST, Bureau, eventually, mail
from tests.intake.conftest import OpenBureau, every_server
from tests.intake.proxy import Proxy
from tests.servers import ImapHost, MailServers


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Come back after a moment instead of seconds."""
    monkeypatch.setattr(watch, "FIRST_WAIT", timedelta(seconds=0.2))
    monkeypatch.setattr(watch, "LONGEST_WAIT", timedelta(seconds=0.5))


def started(office: Bureau) -> Bureau:
    """Watching, and the first poll done."""
    office.watcher().start()
    eventually(lambda: polls(office) is not None)
    return office


def polls(office: Bureau) -> object:
    """When the mailbox was reached last."""
    rows = office.rows(schema.mailbox_state)
    return rows[0].polled_at if rows else None


def through(proxy: Proxy) -> dict[str, str]:
    """The server behind the proxy."""
    return {"imap": f"imap://{HOST}:{proxy.port}"}


@pytest.mark.parametrize("way", ["imap", "imaps"])
def test_mail_is_noticed_when_it_comes(bureau: OpenBureau, servers: MailServers, way: str) -> None:
    """Within three seconds, though the next poll is ten minutes away; and so is the one after it."""
    port = servers.imaps_port if way == "imaps" else servers.imap_port
    office = started(bureau(history="all", imap={"imap": f"{way}://{HOST}:{port}", "ca": str(servers.ca_file)}))
    for count in (1, 2):
        servers.lmtp(mail(f"Surat {count}"), office.address, "x@y.test")
        eventually(lambda count=count: len(office.fates()) == count, 3)
    assert office.fates() == [Fate.TICKET, Fate.TICKET]


@every_server
def test_mail_that_comes_during_a_poll_is_not_slept_over(bureau: OpenBureau, host: ImapHost) -> None:
    """News that came before IDLE began is asked for first."""
    office = started(bureau(history="all", imap={"idle_renewal": 1700}))
    for count in range(12):
        host.deliver(mail(f"Surat {count}"), office.address)
        time.sleep(0.02 * count)
    eventually(lambda: len(office.fates()) == 12, 3)


def test_what_was_taken_in_is_no_news(bureau: OpenBureau, servers: MailServers) -> None:
    """A mail announced while we waited is listed once; only what comes after the listing ends the next wait."""
    office = bureau(history="all")
    wake = Wake()
    with office.session() as session:
        assert session.listing(0) == []
        threading.Timer(0.3, lambda: servers.lmtp(mail("Surat"), office.address, "x@y.test")).start()
        assert _waited(session, wake, 10) < 9
        assert len(session.listing(0)) == 1
        assert _waited(session, wake, 1.5) >= 1.5
    wake.close()


def test_no_command_waits_for_an_acknowledgement_of_its_first_half(bureau: OpenBureau) -> None:
    """The library writes a search in two pieces; with Nagle's algorithm (RFC 896) that takes 40 ms a poll."""
    with bureau().session() as session:
        assert session._client.socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def _waited(session: imap.ImapSession, wake: Wake, seconds: float) -> float:
    began = time.monotonic()
    session.wait(wake, seconds)
    return time.monotonic() - began


@every_server
@pytest.mark.parametrize("idle", [True, False], ids=["in IDLE", "without IDLE"])
def test_a_poke_polls(bureau: OpenBureau, proxy: Proxy, idle: bool) -> None:
    if not idle:
        proxy.hide("IDLE")
    office = started(bureau(history="all", imap=through(proxy)))
    time.sleep(0.2)
    before = polls(office)
    if not idle:
        office.put(mail("Surat"))
        time.sleep(0.7)
        assert office.fates() == []
    office.watcher().poke()
    eventually(lambda: polls(office) != before, 2)
    assert office.fates() == ([] if idle else [Fate.TICKET])


def ends(office: Bureau) -> float:
    """How long the thread takes to end."""
    began = time.monotonic()
    office.watcher().stop()
    office.watcher().join(10)
    took = time.monotonic() - began
    thread = office.watcher()._thread
    assert thread is not None
    assert not thread.is_alive()
    return took


@every_server
def test_it_ends_at_once_while_it_waits_for_news(bureau: OpenBureau) -> None:
    office = started(bureau(history="all"))
    time.sleep(0.2)
    assert ends(office) < 1


def test_it_ends_at_once_while_it_waits_after_trouble(
    bureau: OpenBureau, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "FIRST_WAIT", timedelta(seconds=60))
    monkeypatch.setattr(watch, "LONGEST_WAIT", timedelta(seconds=60))
    proxy.down()
    office = bureau(history="all", imap=through(proxy))
    office.watcher().start()
    eventually(lambda: bool(office.rows(schema.mailbox_state)))
    assert ends(office) < 1


@every_server
def test_it_takes_up_its_work_when_the_connection_broke(bureau: OpenBureau, proxy: Proxy) -> None:
    """Three times over; mail that came meanwhile is taken in, and none of it twice."""
    office = started(bureau(history="all", imap=through(proxy)))
    for count in (1, 2, 3):
        proxy.cut()
        office.put(mail(f"Surat {count}"))
        eventually(lambda count=count: len(office.fates()) == count)
    assert office.fates() == [Fate.TICKET] * 3
    assert len(office.rows(schema.outbox)) == 3
    eventually(lambda: office.error() is None)


def test_it_waits_for_a_server_that_is_down(bureau: OpenBureau, proxy: Proxy) -> None:
    """It says so meanwhile, tries again with patience, and is well when the server is."""
    office = started(bureau(history="all", imap=through(proxy)))
    proxy.down()
    eventually(lambda: office.error() is not None)
    tried = proxy.accepted
    time.sleep(1)
    assert 1 <= proxy.accepted - tried <= 6
    office.put(mail("Surat"))
    proxy.up()
    eventually(lambda: office.fates() == [Fate.TICKET] and office.error() is None)


def test_a_dead_connection_is_found_out_at_the_next_poll(
    bureau: OpenBureau, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing passes any more, nothing says so: IDLE alone would wait for ever."""
    monkeypatch.setattr(imap, "READ_SECONDS", 1)
    office = started(bureau(history="all", imap=through(proxy)))
    time.sleep(0.2)
    proxy.stall()
    office.put(mail("Surat"))
    time.sleep(0.8)
    assert office.fates() == []
    office.watcher().poke()
    eventually(lambda: office.fates() == [Fate.TICKET])


@every_server
def test_a_connection_cut_in_the_middle_of_a_large_mail_loses_nothing(bureau: OpenBureau, proxy: Proxy) -> None:
    """The half that came is thrown away and the mail is fetched again."""
    office = bureau(history="all", imap=through(proxy), batch={"piece": 65_536})
    office.put(mail("Besar", body=("x" * 70 + "\r\n") * 20_000))
    put = office.app.stores.files.put
    cuts = iter([True, True, False])

    def interrupted(chunks: object) -> object:
        def slowly() -> object:
            for count, chunk in enumerate(chunks):  # type: ignore[arg-type,var-annotated]
                if count == 5 and next(cuts, False):
                    proxy.cut()
                yield chunk

        return put(slowly())  # type: ignore[arg-type]

    office.app.stores.files.put = interrupted  # type: ignore[assignment,method-assign]
    started(office)
    eventually(lambda: office.fates() == [Fate.TICKET])
    assert len([path for path in office.app.stores.files.root.rglob("*") if path.is_file()]) == 1


def test_two_mailboxes_are_watched_beside_each_other(bureau: OpenBureau, servers: MailServers) -> None:
    """One whose login is refused keeps nobody waiting."""
    refused, fine = servers.unique("refused"), servers.unique("desain")
    office = bureau(mailboxes={refused: {}, fine: {"history": "all"}})
    for watcher in office.app.watchers:
        watcher.start()
    office.put(mail("Surat"), address=fine)
    eventually(lambda: office.fates(fine) == [Fate.TICKET])
    eventually(lambda: "login refused" in (office.error(refused) or ""))


def test_whatever_goes_wrong_the_mailbox_comes_back(bureau: OpenBureau, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a mistake of ours in the middle of a poll, or words of a server that no database would take."""
    office = bureau(history="all")
    office.put(mail("Surat"))
    healthy = imap.ImapSession.above
    failures = iter([imaplib.IMAP4.abort("\udcff\0 odd"), RuntimeError("\udcff\0"), RuntimeError("again")])

    def above(self: imap.ImapSession, *args: object) -> object:
        for failure in failures:
            raise failure
        return healthy(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(imap.ImapSession, "above", above)
    assert office.watcher().once()
    assert office.error() == "odd"
    office.watcher().start()
    eventually(lambda: office.fates() == [Fate.TICKET])
