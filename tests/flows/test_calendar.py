"""The office's calendar at work, through real servers: who hears of days off that nobody knows yet, and when."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta

from tests.flows.letters import mail
from tests.flows.office import SETTLED, FlowOffice
from tests.flows.test_daemon import logged, running, wait_until
from tests.flows.test_reload import edit

ADMIN = "admin.loket@pom.go.id"
IKLAN = "iklan_otsk@yahoo.com"
WATI = "Wati <wati@iklan.example>"
APPLICANT = "wati@iklan.example"


def test_the_admin_is_told_of_estimated_days_off_once_in_the_autumn_and_once_in_the_new_year(
    office: FlowOffice,
) -> None:
    office.set_up((SETTLED, ""))
    office.clock.at = datetime(2026, 9, 30, 16, 59, tzinfo=UTC)  # 23.59 WIB
    office.work()
    assert office.servers.messages(ADMIN) == []
    for _ in range(2):
        office.clock.at = datetime(2026, 9, 30, 17, 0, tzinfo=UTC)
        office.work()
    [told] = office.mails(ADMIN, 1)
    assert told.subject == "Hari libur 2027 belum pasti"
    assert "- Rabu, 10 Maret 2027 (2027-03-10): Hari Raya Idul Fitri" in told.text
    assert "Cuti bersama" not in told.text
    office.clock.at = datetime(2027, 1, 4, 2, 0, tzinfo=UTC)
    office.work()
    office.mails(ADMIN, 2)
    office.clock.at = datetime(2027, 6, 1, 2, 0, tzinfo=UTC)
    office.work()
    office.mails(ADMIN, 2)


def test_a_year_without_joint_leave_is_told_and_days_that_were_decreed_are_not(office: FlowOffice) -> None:
    decreed = '{date: 2028-01-26, note: "SKB 3 Menteri"}'
    office.set_up((SETTLED, ""))
    office.clock.at = datetime(2027, 10, 1, 2, 0, tzinfo=UTC)
    office.work()
    [told] = office.mails(ADMIN, 1)
    assert "Cuti bersama 2028 belum ada" in told.text
    assert "2028-01-26" in told.text
    office.set_up((SETTLED, decreed))
    office.clock.at = datetime(2028, 1, 3, 2, 0, tzinfo=UTC)
    office.work()
    [again] = office.mails(ADMIN, 1)
    assert "Cuti bersama" not in again.text
    assert "2028-01-26" not in again.text


def test_a_queue_may_promise_working_hours(office: FlowOffice) -> None:
    office.empty([APPLICANT])
    rules = office.folder / "rules/iklan.yaml"
    rules.write_text(rules.read_text().replace("due: 2 working days  ", "due: 2-4 working hours  "))
    office.submit(mail(WATI, IKLAN, "Iklan radio"))
    office.work()
    [told] = office.mails(APPLICANT, 1)
    assert "Perkiraan waktu: 2–4 jam kerja" in told.text
    stores = office.stores()
    [ticket] = stores.desk.tickets(queue="konsultasi-iklan", state=None, limit=9)
    stores.database.close()
    assert ticket.due_at == datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # 09.00 and four hours


def test_a_running_daemon_reckons_anew_as_soon_as_the_edit_is_taken(office: FlowOffice) -> None:
    """All of the coming fortnight is decreed to be off."""
    office.empty([APPLICANT])
    with running(office) as daemon:
        office.submit(mail(WATI, IKLAN, "Iklan radio"))
        [told] = office.mails(APPLICANT, 1)
        number = told.subject.partition("]")[0].removeprefix("[")
        before = _due(office, number)
        today = datetime.now(UTC).date()
        off = ", ".join(f"{today + timedelta(days=ahead)}" for ahead in range(-1, 15))
        edit(office, "config.yaml", f"add: [{SETTLED}]", f"add: [{off}]")
        wait_until(lambda: logged(office, "due-moved"))
        after = _due(office, number)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=15) == 0
    assert before is not None
    assert after is not None
    assert after > datetime.now(UTC) + timedelta(days=14) > before
    assert _moved(office, number) == 1


def _due(office: FlowOffice, number: str) -> datetime | None:
    stores = office.stores()
    found = stores.desk.ticket(number)
    stores.database.close()
    assert found is not None
    return found.due_at


def _moved(office: FlowOffice, number: str) -> int:
    stores = office.stores()
    found = [event.kind for event in stores.desk.events(number)]
    stores.database.close()
    return found.count("due-moved")


def test_a_day_off_that_is_decreed_later_moves_what_is_due_and_back(office: FlowOffice) -> None:
    """Two working days from Tuesday are over on Thursday; joint leave on Wednesday makes it Friday, with an event."""
    office.empty([APPLICANT])
    office.submit(mail(WATI, IKLAN, "Iklan radio"))
    office.work()
    [told] = office.mails(APPLICANT, 1)
    number = told.subject.partition("]")[0].removeprefix("[")
    thursday, friday = (datetime(2026, 11, day, 9, 0, tzinfo=UTC) for day in (26, 27))
    assert _due(office, number) == thursday
    office.set_up((f"[{SETTLED}]", '[{date: 2026-11-25, note: "SKB 3 Menteri"}]'))
    office.work()
    assert _due(office, number) == friday
    office.work()
    assert _moved(office, number) == 1
    # Other hours of this counter alone.
    before = "rules: [iklan]\n    history: all\n    hours: Mon-Fri 08:30-16:00"
    office.set_up((before, before.replace("16:00", "15:00")))
    office.work()
    assert _due(office, number) == datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
    assert _moved(office, number) == 2
