"""`loket demo` plays its day to the end, says truly what came of it, and stops when it is asked to."""

from __future__ import annotations

import imaplib
import json
import os
import re
import signal
import subprocess
import sys
from datetime import date
from email import message_from_bytes
from email.policy import default
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

from loket.config.load import load
from loket.config.shipped import shipped_office
from loket.demo.counters import AKUN, COUNTERS, DESAIN, DITLAI, IT, OT, SM
from loket.demo.errands import MIDDAY, MORNING
from loket.demo.mails import mails
from loket.demo.report import Scan
from loket.demo.stage import DemoClock, DemoError, set_up, working_day
from loket.demo.town import Town

DEMO = [sys.executable, "-m", "loket", "demo"]
WRITTEN_LATER = 4


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder and the JSON of one whole day."""
    folder = tmp_path_factory.mktemp("demo") / "day"
    done = subprocess.run(
        [*DEMO, "--json", "--keep", str(folder)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


@pytest.fixture(scope="module")
def day(played: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    """The JSON alone."""
    return played[1]


def one(day: dict[str, Any], counter: str, subject: str) -> dict[str, Any]:
    """The applicant's mail with that in its subject."""
    found = [mail for mail in day["mails"] if mail["counter"] == counter and subject in mail["subject"]]
    assert len(found) == 1, found
    return found[0]


def opened(mail: dict[str, Any]) -> tuple[str | None, str, str | None, list[str]]:
    """Rule, queue, match level and what was missing."""
    [event] = [event for event in mail["events"] if event["kind"] == "opened"]
    return event["rule"], event["queue"], event["match"], event["missing"]


def kinds(mail: dict[str, Any]) -> list[tuple[str, str]]:
    """What Loket wrote because of this mail, and to whom."""
    return [(sent["kind"], sent["to"]) for sent in mail["sent"]]


def test_every_check_of_the_demo_holds(day: dict[str, Any]) -> None:
    assert [check for check in day["checks"] if not check["held"]] == []
    assert len(day["checks"]) == 8
    assert day["ok"] is True


def test_every_uid_has_its_end(day: dict[str, Any]) -> None:
    town = mails(DemoClock().now())
    assert len(day["mails"]) == len(town) + WRITTEN_LATER + len(MORNING) + len(MIDDAY) + day["counts"]["codes"]
    assert {mail["counter"] for mail in day["mails"]} == set(COUNTERS)
    assert {mail["fate"] for mail in day["mails"]} == {
        *("ticket", "follow-up", "command", "status", "machine", "duplicate", "quarantine")
    }
    assert len({(mail["counter"], mail["uid"]) for mail in day["mails"]}) == len(day["mails"])


def test_the_figures_of_the_day_are_as_written(day: dict[str, Any]) -> None:
    figures = day["counts"]
    assert (figures["mails_in"], figures["tickets"]) == (50, 40)
    assert figures["responses"] == {"acknowledgement": 29, "correction": 9, "status": 2, "offer": 2}
    assert sum(figures["unanswered"].values()) == 7
    assert (figures["officer_answers"], figures["codes"], figures["letters"]) == (17, 4, 14)
    assert figures["receipts"] == 17 + 4
    assert (figures["scans"], figures["scans_verified"]) == (8, 8)
    assert figures["invitations"] == 1
    assert figures["undeliverable"] == 2


@pytest.mark.parametrize(
    ("counter", "subject", "understood"),
    [
        (OT, "Berkas_Jamu Kunyit Asam Segar", ("berkas", "berkas-ot", "exact", [])),
        (OT, "Bekas_Minyak", ("berkas", "berkas-ot", "fuzzy", [])),
        (OT, "Beras Kencur Instan", (None, "triase", None, [])),
        (SM, "Revisi Desain_OT_Jamu Pegal Linu", ("revisi-desain", "revisi-desain-ot", "exact", [])),
        (AKUN, "Lupa kata sandi", ("akun", "akun", None, [])),
        (DITLAI, "jadwal zoom", ("konsultasi-zoom", "konsultasi-zoom", None, [])),
        (DESAIN, "revisi disain", ("revisi-desain", "revisi-desain-ot", "fuzzy", [])),
        (DESAIN, "Ambil SK_SK_Cal-95", ("ambil-sk", "ambil-sk-sk", "exact", ["attachments"])),
        (DESAIN, "Revisi Desain_Kolagen Plus", ("revisi-desain", "triase", "exact", ["kategori"])),
    ],
)
def test_mail_is_understood_as_its_writer_meant_it(
    day: dict[str, Any], counter: str, subject: str, understood: tuple[str | None, str, str | None, list[str]]
) -> None:
    assert opened(one(day, counter, subject)) == understood


def test_machine_mail_and_lists_are_not_answered(day: dict[str, Any]) -> None:
    for counter, subject, refusal in (
        (OT, "Undelivered Mail", "dsn"),
        (DITLAI, "Dibaca:", "mdn"),
        (AKUN, "Sedang cuti", "auto-submitted"),
        (SM, "Undangan Rapat", "list"),
        (IT, "Diskon 50%", "list"),
    ):
        mail = one(day, counter, subject)
        assert mail["refusal"] == refusal
        assert mail["sent"] == []


def test_a_mail_that_came_twice_is_answered_once(day: dict[str, Any]) -> None:
    first, second = [mail for mail in day["mails"] if mail["subject"] == "Revisi Desain_OT_Jamu Kunyit Asam Segar"]
    assert (first["fate"], second["fate"], first["ticket"]) == ("ticket", "duplicate", second["ticket"])
    assert kinds(first) == [("acknowledgement", "sari@jamusegar.example")]
    assert kinds(second) == []


def test_a_mail_in_an_officers_name_is_set_aside_and_she_is_told(day: dict[str, Any]) -> None:
    [forged] = [mail for mail in day["mails"] if mail["fate"] == "quarantine"]
    assert forged["address"] == "ani@pom.go.id"
    assert forged["officer"] is None
    assert kinds(forged) == [("alert", "ani@pom.go.id")]


def test_a_letter_without_its_scan_is_refused_to_the_officer_alone(day: dict[str, Any]) -> None:
    first, second = [mail for mail in day["mails"] if mail["about"] == "Jamu Galian Singset"]
    assert first["events"][0]["reason"] == "attachment-required"
    assert kinds(first) == [("receipt", "ani@pom.go.id")]
    assert kinds(second)[0] == ("delivery", "desain@galiansingset.example")


def test_scans_lie_in_the_applicants_mailbox_files_as_the_officer_sent_them(
    played: tuple[Path, dict[str, Any]],
) -> None:
    """Looked at once more from outside, in the .eml files."""
    folder, day = played
    sent = {scan["sha256"] for mail in day["mails"] for scan in mail["scans"]}
    assert len(sent) == 8
    found = set()
    for errand in (*MORNING, *MIDDAY):
        for scan in errand.answer.attachments:
            assert sha256(scan.content).hexdigest() in sent
    for file in (folder / "mails").glob("*@*.example/*.eml"):
        for part in message_from_bytes(file.read_bytes(), policy=default).walk():
            if part.get_content_type() == "application/pdf":
                found.add(sha256(part.get_payload(decode=True) or b"").hexdigest())  # type: ignore[arg-type] # bytes when decoded
    assert found == sent


def test_all_mails_lie_in_files_by_mailbox_and_number(played: tuple[Path, dict[str, Any]]) -> None:
    folder, day = played
    files = list((folder / "mails").glob("*/*.eml"))
    assert len(files) == day["counts"]["mail_files"]
    for counter in COUNTERS:
        names = sorted(file.name for file in (folder / "mails" / counter).iterdir())
        assert [int(name[:3]) for name in names] == list(range(1, len(names) + 1))
        assert all(re.fullmatch(r"\d{3}-[A-Za-z0-9-]+\.eml", name) for name in names)


def test_the_daemon_logs_into_the_folder_and_nothing_went_wrong_there(played: tuple[Path, dict[str, Any]]) -> None:
    log = (played[0] / "loket.log").read_text()
    assert "[info" in log
    assert "[error" not in log
    assert "Traceback" not in log


def test_a_scan_is_verified_only_when_both_sides_were_looked_at() -> None:
    assert Scan("a.pdf", "1", "1").verified
    assert not Scan("a.pdf", "1", "2").verified
    assert not Scan("a.pdf", "1", None).verified
    assert not Scan("a.pdf", None, None).verified


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    done = subprocess.run([*DEMO, "--keep", str(tmp_path)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "not an empty folder" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_town_that_stays_shows_its_day_takes_clients_and_stops_when_asked(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [*DEMO, "--stay", "--keep", str(tmp_path / "day")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
    )
    assert demo.stdout is not None
    lines = []
    try:
        for line in demo.stdout:
            lines.append(line)
            if "Ctrl-C ends it" in line:
                break
        shown = "".join(lines)
        port = re.search(r"IMAP\s+127\.0\.0\.1:(\d+)", shown)
        assert port is not None, shown
        client = IMAPClient("127.0.0.1", int(port[1]), ssl=False, timeout=10)
        client.login("sari@jamusegar.example", "loket-demo")
        assert client.select_folder("INBOX")[b"EXISTS"] > 3
        demo.send_signal(signal.SIGTERM)
        rest, errors = demo.communicate(timeout=20)
    finally:
        demo.kill()
        demo.wait()
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        client.noop()
    client.shutdown()
    assert (demo.returncode, errors) == (0, "")
    assert "closed" in rest
    assert "08:00  applicants write to seven counters: 46 mails" in shown
    assert "✗" not in shown
    assert "8 scans sent, 8 verified" in shown
    assert max(map(len, shown.split("\n"))) <= 120 + len(str(tmp_path))


def test_a_signal_in_the_middle_stops_town_and_daemon(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [*DEMO, "--keep", str(tmp_path / "day")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "applicants write" in line:
                break
        demo.send_signal(signal.SIGINT)
        _, errors = demo.communicate(timeout=20)
    finally:
        demo.kill()
        demo.wait()
    assert demo.returncode == 1
    assert errors.startswith("loket: the demo was stopped before its end;")
    assert len(errors.splitlines()) == 1


def test_the_day_is_one_on_which_the_counters_work() -> None:
    snapshot = load(shipped_office() / "config.yaml")
    assert working_day(snapshot, date(2026, 1, 14)) == date(2026, 1, 14)
    assert working_day(snapshot, date(2026, 1, 17)) == date(2026, 1, 19), "a Saturday"
    assert working_day(snapshot, date(2026, 8, 17)) == date(2026, 8, 18), "Independence Day"


def test_an_office_that_lacks_what_the_demo_needs_is_named(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=re.escape(f"{shipped_office() / 'config.yaml'} lacks nobody@pom.go.id")):
        set_up(tmp_path, Town(), [*COUNTERS, "nobody@pom.go.id"], stay=False)


def test_the_clock_moves_forward_and_never_back() -> None:
    clock = DemoClock()
    clock.open_day(date(2026, 1, 14), clock.now().time().replace(hour=8, minute=0), clock.zone)
    clock.move(8, 30)
    assert (clock.now().hour, clock.now().minute) == (8, 30)
    clock.move(8, 0)
    assert (clock.now().hour, clock.now().minute) == (8, 30)
