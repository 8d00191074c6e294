"""A provider that takes no more today: nothing is lost or refused, and who waits is told, through another account."""

from __future__ import annotations

from datetime import timedelta

from tests.flows.letters import DESIGN, mail
from tests.flows.office import FlowOffice

ADMIN = "admin.loket@pom.go.id"
QUOTA = "{replies: [{code: 550, words: no such person, means: quota}], imap: "


def test_mail_over_the_days_quota_waits_and_the_admin_hears_of_it_once_a_day(office: FlowOffice) -> None:
    """The acknowledgement waits an hour, and another, no attempt counted; the admin has one mail."""
    text = (office.folder / "config.yaml").read_text()
    assert "  gmail: {imap: " in text
    (office.folder / "config.yaml").write_text(text.replace("  gmail: {imap: ", f"  gmail: {QUOTA}"))
    office.submit(mail("Siti <refused@jamusari.example>", DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
    office.work()
    office.clock.at += timedelta(hours=1)
    office.work()
    [told] = [one for one in office.mails(ADMIN, 1) if "Kuota pengiriman" in one.subject]
    assert DESIGN in told.text
    assert "Recipient address rejected: No such person here" in " ".join(told.text.split())
    assert b"Return-Path: <penilaian_ot@pom.go.id>" in told.raw
    stores = office.stores()
    [row] = [row for row in stores.desk.outgoing("due", 100) if row["kind"] == "acknowledgement"]
    assert (row["attempts"], row["next_at"]) == (0, office.clock.at + timedelta(hours=1))
    [held_up] = stores.desk.held_up(office.clock.at)
    assert (held_up["mailbox"], held_up["next_at"]) == (DESIGN, row["next_at"])
    stores.database.close()
