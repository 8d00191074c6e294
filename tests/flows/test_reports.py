"""The weekly report, through real servers: a week across the holidays, played by mail, and counted by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image

from loket.demo.officer import reply as officer_reply
from tests.flows.letters import mail, reply
from tests.flows.office import FlowOffice, Mail
from tests.flows.test_officers import APPLICANT, DEWI, IKLAN, WATI, Story

HEAD = "kepala.loket@pom.go.id"
MONDAY = 27  # 21 December 2026, counted from the story's first day; the 24th and 25th are off


class Week(Story):
    """A queue of Dewi and Eko; each item is told to them at once, and no digest comes between."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.office.empty([HEAD])
        (self.office.folder / "config.yaml").write_text(
            (self.office.folder / "config.yaml")
            .read_text()
            .replace('at: "Mon-Fri 08:30, 13:00"', 'at: "Sun 01:00"')
            .replace("reports: [] #", f'reports: [{{for: [{HEAD}], at: "Mon 08:00"}}] #')
        )
        rules = self.office.folder / "rules/iklan.yaml"
        rules.write_text(rules.read_text().replace("    outcomes:\n", "    notices: yes\n    outcomes:\n"))

    def comes(self, subject: str, hour: int, days: int) -> Mail:
        """An applicant's mail; Dewi's notice of it."""
        self.office.clock.wib(hour, days=days)
        self.new(APPLICANT)
        self.office.submit(mail(WATI, IKLAN, subject))
        self.office.work()
        [acknowledgement] = self.new(APPLICANT)
        # On a day off there is no notice before the counter opens.
        return next(iter(self.new(DEWI)), acknowledgement)

    def answers(self, notice: Mail, hour: int, days: int, text: str = "JAWAB\n\nBoleh.", minute: int = 0) -> None:
        """Dewi replies to a notice."""
        self.office.clock.wib(hour, minute, days)
        self.send(officer_reply(notice.raw, text, now=self.office.clock.now()))
        self.new(DEWI)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`loket report` as a person runs it."""
        place = [sys.executable, "-m", "loket", "report", "--config", str(self.office.folder / "config.yaml"), *words]
        env = {**os.environ, "PYTHONPATH": "daemon", "COLUMNS": "150"}
        return subprocess.run(place, capture_output=True, text=True, env=env, check=False)


@pytest.fixture
def week(office: FlowOffice) -> Week:
    return Week(office)


def test_the_head_reads_the_week_of_the_holidays(week: Week) -> None:
    # Before the week: one that waits since Friday, due on Tuesday at 16.00.
    old = week.comes("Iklan lama", 15, MONDAY - 3)
    # On Monday: answered the same day, an hour later.
    quick = week.comes("Iklan cepat", 9, MONDAY)
    week.answers(quick, 10, MONDAY)
    # Asked on Monday at 11, its applicant replies on Tuesday at 11, answered on Wednesday at 9: 1 + 5 + 0.5 hours.
    asked = week.comes("Iklan tanya", 10, MONDAY)
    week.answers(asked, 11, MONDAY, "TANYA\n\nUntuk media apa?")
    [question] = [one for one in week.new(APPLICANT) if "Untuk media apa?" in one.text]
    week.office.clock.wib(11, days=MONDAY + 1)
    week.office.submit(reply(question, "Untuk radio.", sender=WATI))
    week.office.work()
    # The old one is answered on Wednesday at 8.30, after its due time: 1 + 7.5 + 7.5 hours.
    week.answers(old, 8, MONDAY + 2, minute=30)
    week.answers(asked, 9, MONDAY + 2)
    # One comes on Wednesday and is answered on Monday after the holidays, in the next week. One comes on Christmas.
    waits = week.comes("Iklan tunggu", 15, MONDAY + 2)
    week.comes("Iklan natal", 12, MONDAY + 4)
    for address in (DEWI, APPLICANT):
        week.new(address)

    assert [one.subject for one in week.new(HEAD)] == ["Laporan minggu 2026-W51: 0 dijawab, 1 menunggu"]
    for minute in (0, 1, 40):
        week.office.clock.wib(8, minute, MONDAY + 7)
        week.office.work()
    [report] = week.new(HEAD)
    (week.office.folder / "report.eml").write_bytes(report.raw)
    week.answers(waits, 9, MONDAY + 7)

    assert report.subject == "Laporan minggu 2026-W52: 3 dijawab, 2 menunggu"
    for line in (
        "Masuk: 4 tiket baru\n",
        "Dijawab: 3\n",
        "Lama dikerjakan (median): 6 jam 30 menit kerja\n",
        "Tepat waktu: 2 dari 3 (67%)\n",
        "Senin, 21 Desember 2026 sampai Minggu, 27 Desember 2026",
        "Konsultasi iklan\nMasuk 4, kembali 0, dijawab 3\nMenunggu 2\n",
        "Dewi\nDikerjakan 3, dijawab 3\n",
    ):
        assert line in report.text, line
    assert "67%" in report.markup
    [picture] = [part for part in report.message.walk() if part.get_content_type() == "image/png"]
    assert f'src="cid:{str(picture["Content-ID"]).strip("<>")}"' in report.markup
    assert report.message.get_content_type() == "multipart/related"
    content = picture.get_payload(decode=True)
    assert isinstance(content, bytes)
    with Image.open(BytesIO(content)) as image:
        assert image.width == 1200

    said = json.loads(week.command("--week", "2026-W52", "--json").stdout)
    numbers = {"arrivals": 4, "returned": 0, "answered": 3, "waiting": 2, "late": 0, "pace_seconds": 23400}
    assert said["total"] == {**numbers, "in_time": 2, "with_due_time": 3, "due_keeping": 0.6667}
    assert [(row["queue"], row["answered"]) for row in said["queues"]] == [("konsultasi-iklan", 3)]
    assert [(one["week"], one["arrivals"]) for one in said["weeks"]][-2:] == [("2026-W51", 1), ("2026-W52", 4)]
    shown = week.command("--week", "2026-W52")
    assert "2/3 (67%)" in shown.stdout
    assert "6:30" in shown.stdout


def test_reports_that_were_due_while_nothing_ran_are_made_up_each_once(week: Week) -> None:
    for hour in (7, 9):
        week.office.clock.wib(hour, 0, MONDAY)
        week.office.work()
    assert [one.subject.partition(":")[0] for one in week.new(HEAD)] == ["Laporan minggu 2026-W51"]
    week.office.clock.at += timedelta(weeks=3)
    for _ in range(2):
        week.office.work()
    weeks = [one.subject.partition(":")[0].rpartition(" ")[2] for one in week.new(HEAD)]
    assert sorted(weeks) == ["2026-W52", "2026-W53", "2027-W01"]


def test_report_says_what_a_week_is_and_where_the_picture_cannot_go(week: Week) -> None:
    week.office.work()
    wrong = week.command("--week", "47")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "47 is no week; write it as 2026-W47" in wrong.stderr
    nowhere = week.command("--picture", "/nonexistent/a.png")
    assert nowhere.returncode == 1
    assert "/nonexistent/a.png cannot be written" in nowhere.stderr
    path = week.office.folder / "a.png"
    assert week.command("--picture", str(path)).returncode == 0
    with Image.open(path) as image:
        assert image.format == "PNG"
