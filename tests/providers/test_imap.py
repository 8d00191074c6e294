"""What IMAP servers of providers do, a dialogue each; the facts are those of the providers' own pages and trackers."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from loket import intake
from loket.core.model import Fate
from tests.intake.bureau import Bureau, eventually, mail
from tests.providers.conftest import At
from tests.providers.quirky import Quirky

SURAT = mail("Revisi Desain_OT_Jamu Kunyit", "siti@x.test")


def watching(office: Bureau) -> Bureau:
    """The mailbox is watched as in a running daemon."""
    office.watcher().start()
    return office


def taken(office: Bureau, count: int, seconds: float = 5) -> bool:
    """So many mails have become tickets."""
    eventually(lambda: office.fates().count(Fate.TICKET) == count, seconds)
    return True


def test_idle_is_renewed_at_the_presets_interval_and_each_time_the_folder_is_asked(at: At) -> None:
    """RFC 9051 6.3.13: before 29 minutes; NATs drop a silent connection sooner, and only a question finds that out."""
    with Quirky() as server:
        watching(at(server, {"idle_renewal": 5}))
        eventually(lambda: server.count("IDLE") >= 2, 12)
        idles = [said.at for said in server.said if said.words == "IDLE"]
        asked = [said.at for said in server.said if said.words.startswith("UID SEARCH")]
        assert 4 < idles[1] - idles[0] < 8
        assert any(idles[0] < one < idles[1] for one in asked)


def test_capabilities_are_read_again_after_login(at: At) -> None:
    """What is offered before login is often less."""
    with Quirky(before_login="IMAP4rev1 AUTH=PLAIN") as server, at(server).session() as session:
        assert session.idles


def test_news_before_the_servers_plus_is_heard(at: At) -> None:
    with Quirky() as server:
        server.script["IDLE"] = ["* 1 EXISTS\r\n+ idling"]
        office = at(server, {"idle_renewal": 1700})
        server.mails[1] = SURAT
        server.script["UID SEARCH"] = ["* SEARCH\r\n{tag} OK done"]
        watching(office)
        assert taken(office, 1)


def test_a_sign_of_life_in_idle_is_no_news(at: At) -> None:
    """Dovecot's and Gmail's `* OK Still here`: nothing is asked for it, and what comes behind it is heard."""
    with Quirky() as server:
        office = watching(at(server))
        eventually(lambda: server.count("IDLE") == 1)
        asked = server.count("UID SEARCH")
        for _ in range(3):
            server.tell("* OK Still here\r\n")
            time.sleep(0.1)
        assert (server.count("DONE"), server.count("UID SEARCH")) == (0, asked)
        server.deliver(SURAT)
        assert taken(office, 1)


def test_news_behind_a_sign_of_life_in_two_packets_is_heard(at: At) -> None:
    with Quirky() as server:
        office = watching(at(server))
        eventually(lambda: server.count("IDLE") == 1)
        server.mails[1] = SURAT.replace(b"\n", b"\r\n")
        server.tell("* OK Still here\r\n* 1 EX", "ISTS\r\n")
        assert taken(office, 1)


def test_a_session_that_ends_while_it_idles_is_begun_anew(at: At) -> None:
    """With its goodbye, which is no sign of life, and without one."""
    with Quirky() as server:
        office = watching(at(server))
        for number, goodbye in enumerate(("* BYE going down\r\n", "* OK Still here\r\n", ""), start=1):
            eventually(lambda number=number: server.count("IDLE") == number)  # type: ignore[misc]
            server.tell(goodbye)
            server.hang_up()
        server.deliver(SURAT)
        assert taken(office, 1)


def test_a_server_that_refuses_the_idle_it_offers_is_polled(at: At) -> None:
    with Quirky() as server:
        server.script["IDLE"] = ["{tag} BAD not today"]
        office = watching(at(server))
        eventually(lambda: server.count("IDLE") == 1)
        server.deliver(SURAT)
        office.watcher().poke()
        assert taken(office, 1)
        assert (server.connections, server.count("IDLE")) == (1, 1)


def test_a_server_that_never_offers_idle_is_polled(at: At) -> None:
    """Some of Yahoo's (MailCore/mailcore2#1274)."""
    with Quirky(capabilities="IMAP4rev1 UIDPLUS") as server:
        office = watching(at(server))
        eventually(lambda: server.count("UID SEARCH") > 0)
        server.deliver(SURAT)
        office.watcher().poke()
        assert taken(office, 1)
        assert server.count("IDLE") == 0


def test_a_session_that_the_server_ends_is_begun_anew(at: At) -> None:
    """Gmail's after 24 hours, or with the token; at any moment, and the mail of the meantime is not lost."""
    with Quirky() as server:
        office = watching(at(server))
        eventually(lambda: server.count("IDLE") == 1)
        server.script["UID SEARCH"] = ["* BYE Session expired, please login again."]
        server.deliver(SURAT)
        assert taken(office, 1)
        assert server.connections == 2


def test_too_many_connections_are_waited_out(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not taken for a wrong password, and not knocked at again at once (zone-eu/wildduck#35)."""
    waits: list[float] = []
    with Quirky() as server:
        server.script["LOGIN"] = ["{tag} NO [ALERT] Too many simultaneous connections. (Failure)"]
        office = at(server)
        monkeypatch.setattr(office.watcher()._patience, "wait", waits.append)
        watching(office)
        eventually(lambda: server.count("IDLE") == 1)
    assert waits[0] == 120


def test_a_throttled_request_waits_as_long_as_the_server_says(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """Microsoft's words; at most five minutes, whatever is asked."""
    waits: list[float] = []
    with Quirky() as server:
        server.script["SELECT"] = server.script["EXAMINE"] = [
            "{tag} BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds",
            "{tag} BAD Request is throttled. Suggested Backoff Time: 9000000 milliseconds",
            "{tag} BAD User is authenticated but not connected.",
        ]
        office = at(server)
        monkeypatch.setattr(office.watcher()._patience, "wait", waits.append)
        watching(office)
        eventually(lambda: server.count("IDLE") == 1)
    assert waits == [92.415, 300, 300]


def test_a_server_that_breaks_off_large_answers_is_asked_for_less(at: At) -> None:
    """Microsoft says BYE to a large FETCH; all mails come, and none twice."""
    with Quirky() as server:
        for number in range(30):
            server.deliver(mail(f"Revisi Desain_OT_Jamu {number}", f"p{number}@x.test"))
        server.on_fetch = lambda uids: "* BYE Server unavailable" if len(uids) > 7 else None
        office = watching(at(server))
        assert taken(office, 30, 10)
    assert len(office.fates()) == 30


def test_a_mail_that_ends_every_session_keeps_back_no_other(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is passed over after its third time, stays pending, and is asked for again later."""
    monkeypatch.setattr(intake, "WITHHELD_FIRST", timedelta(seconds=0.5))
    with Quirky() as server:
        for number in range(3):
            server.deliver(mail(f"Revisi Desain_OT_Jamu {number}", f"p{number}@x.test"))
        server.on_fetch = lambda uids: "* BYE oops" if 2 in uids else None
        office = watching(at(server))
        assert taken(office, 2, 15)
        assert office.fates() == [Fate.TICKET, Fate.PENDING, Fate.TICKET]
        server.on_fetch = lambda _uids: None
        time.sleep(0.6)
        office.watcher().poke()
        assert taken(office, 3)


def test_a_mail_that_is_unavailable_is_skipped_and_come_back_to(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """Yahoo's `NO [UNAVAILABLE]` (imapsync/imapsync#119), to a batch and then to the one mail."""
    monkeypatch.setattr(intake, "WITHHELD_FIRST", timedelta(seconds=0))
    with Quirky() as server:
        for number in range(3):
            server.deliver(mail(f"Revisi Desain_OT_Jamu {number}", f"p{number}@x.test"))
        server.on_fetch = lambda uids: "{tag} NO [UNAVAILABLE] UID FETCH Server error" if 2 in uids else None
        office = at(server)
        office.poll()
        assert office.fates() == [Fate.TICKET, Fate.PENDING, Fate.TICKET]
        server.on_fetch = lambda _uids: None
        office.poll()
        assert office.fates() == [Fate.TICKET] * 3


def test_nothing_is_searched_but_ranges_of_uids(at: At) -> None:
    """Yahoo answers a search of headers with `NO [SERVERBUG]` (mscdex/node-imap#737)."""
    with Quirky() as server:
        office = at(server, file_to="Selesai")
        server.deliver(SURAT)
        office.poll()
        office.poll()
        searches = [said for said in server.all_said() if "SEARCH" in said.upper()]
    assert searches
    assert all(said.upper().startswith("UID SEARCH UID ") and said.endswith(":*") for said in searches)


PLACEHOLDER = b"""From: Microsoft Exchange Server
Subject: Retrieval using the IMAP4 protocol failed for the following message: 2
Date: Tue, 24 Nov 2026 09:00:00 +0700

The server couldn't retrieve the following message:

Subject: "Revisi Desain_OT_Jamu Kunyit"
"""


def test_a_placeholder_is_not_taken_for_the_mail(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exchange writes it where its conversion fails; the mail may come yet, and the others do not wait for it."""
    monkeypatch.setattr(intake, "WITHHELD_FIRST", timedelta(seconds=0))
    monkeypatch.setattr("loket.core.placeholder.PATIENCE", timedelta(days=10_000))
    with Quirky() as server:
        server.deliver(PLACEHOLDER)
        server.deliver(SURAT)
        office = at(server)
        office.poll()
        assert office.fates() == [Fate.PENDING, Fate.TICKET]
        server.mails[1] = mail("Revisi Desain_OT_Jamu Lain", "budi@x.test")
        office.poll()
        assert office.fates() == [Fate.TICKET, Fate.TICKET]


def test_a_placeholder_that_stays_is_looked_at_by_a_person(at: At) -> None:
    """After a day it is what there is: a ticket in triage says more than nothing."""
    with Quirky() as server:
        server.deliver(PLACEHOLDER)
        office = at(server)
        office.poll()
        assert office.fates() == [Fate.TICKET]


def test_folders_are_found_by_their_use(at: At) -> None:
    """Gmail names them in the owner's language (RFC 6154)."""
    folders = (("", "INBOX"), ("\\All", "[Gmail]/Semua Email"), ("\\Sent", "[Gmail]/Terkirim"))
    with Quirky(folders=folders) as server:
        office = at(server, folder="\\All")
        office.poll()
        assert any(
            said.upper().startswith(("SELECT", "EXAMINE")) and "Semua Email" in said for said in server.all_said()
        )


def test_a_mail_under_another_label_is_one_ticket(at: At) -> None:
    """Gmail's labels are folders: who puts the INBOX label on again gives the same mail a new UID."""
    with Quirky() as server:
        server.deliver(SURAT)
        office = at(server)
        office.poll()
        server.mails = {2: server.mails[1]}
        office.poll()
        assert office.fates() == [Fate.TICKET, Fate.DUPLICATE]


def test_fields_folded_with_tabs_are_read(at: At) -> None:
    """Microsoft's way to fold."""
    with Quirky() as server:
        server.deliver(b"From: Siti\n\t<siti@x.test>\nSubject: Revisi Desain_OT_Jamu\n\tKunyit\n\nTerlampir.\n")
        office = at(server)
        office.poll()
        assert office.subjects() == ["Revisi Desain_OT_Jamu Kunyit"]


def test_trouble_with_a_session_leaves_the_watch_of_the_folder(at: At) -> None:
    """A folder made anew while we idle is read under its new UIDVALIDITY, each mail once."""
    with Quirky() as server:
        server.deliver(SURAT)
        office = watching(at(server))
        assert taken(office, 1)
        server.uidvalidity, server.mails = 8, {1: server.mails[1], 2: mail("Revisi Desain_SK_Zinc", "budi@x.test")}
        server.script["UID SEARCH"] = ["* BYE the folder was recreated"]
        office.watcher().poke()
        assert taken(office, 2)
        assert sorted(office.fates()) == sorted([Fate.TICKET, Fate.DUPLICATE, Fate.TICKET])


def test_a_withheld_mail_stands_for_none_of_a_renumbered_folder(at: At) -> None:
    """Under another UIDVALIDITY its UID is another mail's, which is taken in at once and never passed over."""
    with Quirky() as server:
        server.deliver(SURAT)
        server.on_fetch = lambda _uids: "{tag} NO [UNAVAILABLE] UID FETCH Server error"
        office = at(server)
        office.poll()
        assert office.fates() == [Fate.PENDING]
        server.on_fetch = lambda _uids: None
        server.uidvalidity, server.mails = 8, {1: mail("Revisi Desain_SK_Zinc", "budi@x.test")}
        office.poll()
        assert "Revisi Desain_SK_Zinc" in office.subjects()


OURS = b"""From: Loket D <desain@provider.test>
To: siti@x.test
Subject: [LKT-2026-000001-1] Diterima
X-Loket-Loop: desain@provider.test
Auto-Submitted: auto-replied

Permohonan Anda kami terima.
"""


def test_our_own_mail_in_all_mail_is_taken_for_our_own(at: At) -> None:
    """Gmail files what is submitted under All Mail; who watches that folder gets no ticket of it, and no answer."""
    with Quirky(folders=(("", "INBOX"), ("\\All", "[Gmail]/All Mail"))) as server:
        server.deliver(SURAT)
        server.deliver(OURS)
        office = at(server, folder="\\All")
        office.poll()
        office.poll()
        assert office.fates() == [Fate.TICKET, Fate.MACHINE]


def test_a_folder_that_is_emptied_loses_nothing(at: At) -> None:
    """What was taken in stays, and what comes afterwards is taken in."""
    with Quirky() as server:
        server.deliver(SURAT)
        office = at(server)
        office.poll()
        server.mails.clear()
        office.poll()
        server.mails[2] = mail("Revisi Desain_SK_Zinc", "budi@x.test")
        office.poll()
        assert office.fates() == [Fate.TICKET, Fate.TICKET]


def test_one_session_is_held_long(at: At) -> None:
    """Microsoft takes reconnecting amiss: a mailbox has one session, whatever comes and however often it is asked."""
    with Quirky() as server:
        office = watching(at(server))
        for number in range(3):
            server.deliver(mail(f"Revisi Desain_OT_Jamu {number}", f"p{number}@x.test"))
            office.watcher().poke()
            assert taken(office, number + 1)
        assert server.connections == 1


def test_a_server_has_no_more_sessions_of_ours_than_it_allows(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three mailboxes, two places (Courier allows four of one address, Dovecot ten): they take turns."""
    monkeypatch.setattr("loket.watch.TURN_SECONDS", 0.1)
    monkeypatch.setattr("loket.places.LOOK_SECONDS", 0.05)
    with Quirky() as server:
        boxes = [f"loket-{number}@provider.test" for number in range(3)]
        office = at(server, {"sessions": 2, "idle_renewal": 5}, boxes)
        for box in boxes:
            office.watcher(box).start()
        server.deliver(SURAT)
        eventually(lambda: [office.fates(box) for box in boxes] == [[Fate.TICKET]] * 3, 20)
        assert server.most == 2
        server.deliver(mail("Revisi Desain_SK_Zinc", "budi@x.test"))
        eventually(lambda: all(len(office.fates(box)) == 2 for box in boxes), 20)
        assert server.most == 2
        # One that is told to stop while it waits for a place does.
        for box in boxes:
            office.watcher(box).stop()
        for box in boxes:
            office.watcher(box).join(2)
        assert not any(watcher._thread.is_alive() for watcher in office.app.watchers if watcher._thread)
