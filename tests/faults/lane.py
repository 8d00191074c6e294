"""One story after another, each with a crash at its own count: `python -m tests.faults.lane JOB.json`.

A process of its own per lane, with one thread, so that every run can be forked from warm imports.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import threading
import time
from collections import Counter as Multiset
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from loket import maillog
from loket.app import App
from loket.config.load import load
from loket.demo.officer import Answer, answer
from loket.stores import Stores, open_stores
from tests.faults.counted import EXIT, Counter
from tests.flows.letters import mail, scan
from tests.flows.office import SECRET, TOP, Mail
from tests.servers import PASSWORD, MailServers

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SMALL = scan("desain").content
# Over one piece: fetched in pieces into a file.
LARGE = SMALL + b"\0" * 150_000


class Lane:
    """Addresses, a folder and a clock of its own on the shared servers."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.servers = MailServers(Path(job["root"]), Path(), job["imap"], 0, job["smtp"], 0)
        self.folder = Path(job["folder"])
        self.domain = job["domain"]
        self.at = START
        self.runs = 0
        # More lines of config.yaml.
        self.more = ""

    def now(self) -> datetime:
        """The story's clock."""
        return self.at

    def _at(self, local: str) -> str:
        """An address of this run alone: what a killed session still holds on the server is another's."""
        return f"{local}@r{self.runs}.{self.domain}"

    @property
    def counter(self) -> str:
        """The counter's mailbox."""
        return self._at("desain")

    @property
    def applicant(self) -> str:
        """Who applies."""
        return self._at("siti")

    @property
    def officer(self) -> str:
        """Who answers."""
        return self._at("ani")

    def fresh(self) -> None:
        """Mailboxes nobody has used, an empty store."""
        self.runs += 1
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / "rules").symlink_to(TOP / "rules")
        (self.folder / "password").write_text(PASSWORD)
        (self.folder / "secret").write_text(SECRET)
        (self.folder / "config.yaml").write_text(
            f"""
office: {{name: Kantor, secret: "${{file:secret}}", hours: "Mon-Fri 08:30-16:00"}}
servers:
  test: {{imap: "127.0.0.1:{self.servers.imap_port}", smtp: "127.0.0.1:{self.servers.smtp_port}", connections: 1}}
batch: {{piece: 65536, octets: 200000}}
mailboxes:
  {self.counter}:
    {{server: test, login: {{password: "${{file:password}}"}}, rules: [loket-d], history: all, file_to: Selesai}}
officers:
  {self.officer}: {{name: Ani, queues: [ambil-sk-ot, ambil-sk-sk, revisi-desain-ot, revisi-desain-sk, triase]}}
digests: [{{for: officers, at: "Mon-Fri 13:00"}}]
{self.more}
"""
        )
        self.at = START
        # Once a run, before it forks: reading the office costs more than all the rest of a pass.
        self.snapshot = load(self.folder / "config.yaml")

    def story(self, run: Callable[[], None]) -> None:
        """Request, acknowledgement, digest, answer, letter: `run` works the daemon at each turn."""
        sender = f"Siti <{self.applicant}>"
        for raw in (
            mail(sender, self.counter, "Ambil SK_OT_Jamu Kunyit", enclosed=SMALL),
            mail(sender, self.counter, "Ambil SK_OT_Jamu Besar", enclosed=LARGE),
            mail(sender, self.counter, "Revisi Desain_Tanpa Kategori"),
            mail(sender, self.counter, "Cuti").replace(b"From:", b"Auto-Submitted: auto-replied\r\nFrom:", 1),
        ):
            self.servers.lmtp(raw, self.counter, self.applicant)
        run()
        self.at = START + timedelta(hours=4)
        run()
        digest = self._digest()
        given = Answer("Selamat.", (scan("SK NIE"),))
        for said in answer(digest, lambda link: given if link.command == "REVISI" else None, now=self.at):
            self.servers.lmtp(said, self.counter, self.officer)
        run()

    def _stores(self) -> Stores:
        return open_stores(self.snapshot, self.at)

    def _digest(self) -> bytes:
        stores = self._stores()
        [row] = [row for row in stores.desk.outgoing(None, 99) if row["kind"] == "digest"]
        # In doubt it may not have come: then the officer reads what the outbox holds, as after asking for it again.
        raw = stores.contents.render(stores.outgoing.mail(row["id"]))
        stores.database.close()
        if row["phase"] == "sent":
            received = [raw for raw in self.servers.wait_for(self.officer, 1) if row["message_id"].encode() in raw]
            assert len(received) == 1, "the digest is sent and did not come once"
        return raw

    def once(self) -> None:
        """One pass of the daemon, in this process."""
        asyncio.run(App(self.snapshot, self).once())

    def state(self) -> dict[str, Any]:
        """What is left at the end, comparable between runs: tickets, fates, what the SMTP side received."""
        stores = self._stores()
        tickets = [
            (one.number, one.queue, one.state.value, one.outcome, one.missing, one.about, stores.desk.links(one.number))
            for one in stores.desk.tickets(queue=None, state=None, limit=99)
        ]
        events = Multiset(
            (one.ticket, one.kind)
            for ticket in tickets
            for one in stores.desk.events(ticket[0])
            if one.kind not in ("sent", "in-doubt", "maybe-undelivered")
        )
        outgoing = stores.desk.outgoing(None, 99)
        fates = stores.desk.mailboxes()[0].fates
        stores.database.close()
        self._arrived(sum(row["phase"] == "sent" for row in outgoing))
        return {
            "tickets": sorted(map(str, tickets)),
            "events": sorted(f"{kind} {ticket}: {count}" for (ticket, kind), count in events.items()),
            "fates": fates,
            "inbox": len(self.servers.messages(self.counter)),
            "filed": len(self.servers.messages(self.counter, "Selesai")),
            "phases": {row["message_id"]: row["phase"] for row in outgoing},
            "received": Multiset(
                str(Mail(raw).message["Message-ID"]).strip("<>")
                for address in (self.applicant, self.officer)
                for raw in self.servers.messages(address)
            ),
        }

    def _arrived(self, count: int) -> None:
        """Postfix hands over in its own time."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if sum(len(self.servers.messages(address)) for address in (self.applicant, self.officer)) >= count:
                return
            time.sleep(0.02)


def forked(work: Callable[[], None]) -> int:
    """Run in a child; its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def crash_run(lane: Lane, stop_at: int | None) -> tuple[dict[str, Any], int, str]:
    """The story with a crash at one count; returns its end, the counts passed, and where it crashed."""
    lane.fresh()
    passed = 0
    where = ""

    def run() -> None:
        nonlocal passed, where
        report = lane.folder / "count"

        def tell(count: int, name: str) -> None:
            report.write_text(json.dumps([count, name]))

        def work() -> None:
            counter = Counter(None if stop_at is None or where else stop_at - passed, tell)
            counter.install()
            lane.once()
            tell(counter.count, "")

        code = forked(work)
        count, name = json.loads(report.read_text())
        assert code in (0, EXIT), f"the daemon ended with {code} at {name or 'no crash'}"
        passed += count
        if code == EXIT:
            where = name
            # Start again and let it settle.
            for _ in range(2):
                assert forked(lane.once) == 0

    lane.story(run)
    return lane.state(), passed, where


def differences(clean: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """What a crash changed, beyond a single mail visibly in doubt."""
    for key in ("tickets", "fates", "inbox", "filed", "events"):
        if clean[key] != found[key]:
            yield f"{key}: {found[key]} instead of {clean[key]}"
    doubtful = {key for key, phase in found["phases"].items() if phase == "in-doubt"}
    if len(doubtful) > 1:
        yield f"{len(doubtful)} mails in doubt after one crash"
    for message_id, phase in found["phases"].items():
        copies = found["received"].get(message_id, 0)
        if phase == "sent" and copies != 1:
            yield f"{message_id} is sent and arrived {copies} times"
        if phase == "in-doubt" and copies > 1:
            yield f"{message_id} is in doubt and arrived {copies} times"
        if phase not in ("sent", "in-doubt"):
            yield f"{message_id} is left {phase}"
    if not doubtful and len(found["phases"]) != len(clean["phases"]):
        yield f"{len(found['phases'])} mails written instead of {len(clean['phases'])}"


def main() -> None:
    """Work the counts of one lane; print one JSON line a count."""
    job = json.loads(Path(sys.argv[1]).read_text())
    maillog.set_up(as_json=True, level="ERROR")
    lane = Lane(job)
    # Once here, where templates stay compiled for all that is forked from this process.
    lane.fresh()
    lane.story(lane.once)
    assert threading.active_count() == 1, "a fork beside threads may hang"
    clean, total, _ = crash_run(lane, None)
    print(
        json.dumps({"total": total, "clean": list(differences(clean, clean)), "mails": len(clean["phases"])}),
        flush=True,
    )
    for count in range(job["lane"], total, job["lanes"]):
        began = time.monotonic()
        found, _, where = crash_run(lane, count)
        line = {"count": count, "where": where, "differences": list(differences(clean, found))}
        print(json.dumps({**line, "seconds": round(time.monotonic() - began, 2)}), flush=True)


if __name__ == "__main__":
    main()
