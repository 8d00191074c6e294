"""Stored mail against other rules: what would change, and nothing does."""

from __future__ import annotations

import json
import shutil

from tests.flows.letters import DESIGN, SITI, mail
from tests.flows.office import FlowOffice
from tests.flows.test_daemon import command

APPLICANT = "siti@jamusari.example"


def test_replay_says_what_other_rules_would_make_of_last_months_mail(office: FlowOffice) -> None:
    office.empty([APPLICANT])
    for subject in ("Revisi Desain_OT_Jamu Kunyit", "Desain Ulang_OT_Jamu Jahe", "Ambil SK"):
        office.submit(mail(SITI, DESIGN, subject))
    office.work()
    office.mails(APPLICANT, 3)
    other = office.folder / "aturan-baru"
    shutil.copytree(office.folder / "rules", other)
    file = other / "loket-d.yaml"
    file.write_text(file.read_text().replace("aliases: [Revisi", "aliases: [Desain Ulang, Revisi", 1))

    found = command(office, "replay", "--since", "2026-01-01", "--rules", str(other), "--json")
    assert found.returncode == 0, found.stderr
    [changed] = [json.loads(line) for line in found.stdout.splitlines()]
    assert changed["subject"] == "Desain Ulang_OT_Jamu Jahe"
    assert (changed["old"]["outcome"], changed["new"]["outcome"]) == ("unmatched", "matched")
    assert changed["new"]["queue"] == "revisi-desain-ot"

    shown = command(office, "replay", "--since", "2026-01-01", "--rules", str(other))
    assert "1 of 3 mails would be understood differently." in shown.stdout
    assert "Jahe" in shown.stdout
    every = command(office, "replay", "--since", "2026-01-01", "--rules", str(other), "--json", "--all")
    assert len(every.stdout.splitlines()) == 3
    later = command(office, "replay", "--since", "2099-01-01", "--rules", str(other))
    assert "0 of 0 mails" in later.stdout

    file.write_text(file.read_text().replace("queue: ambil-sk-{kategori}", "queue: tidak-ada", 1))
    broken = command(office, "replay", "--since", "2026-01-01", "--rules", str(other))
    assert (broken.returncode, "there is no queue tidak-ada" in broken.stderr) == (1, True)
    office.work()
    office.mails(APPLICANT, 3)
