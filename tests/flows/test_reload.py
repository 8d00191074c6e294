"""An edit of the configuration while the daemon runs: taken whole, or refused whole and told (promise P21)."""

from __future__ import annotations

import json
import signal

from tests.flows.letters import DESIGN, SITI, mail
from tests.flows.office import FlowOffice
from tests.flows.test_daemon import command, logged, running, wait_until

APPLICANT, ADMIN = "siti@jamusari.example", "admin.loket@pom.go.id"


def edit(office: FlowOffice, file: str, before: str, after: str) -> None:
    """Change a file as an editor does: write beside, rename."""
    path = office.folder / file
    text = path.read_text()
    assert before in text
    beside = path.with_suffix(".new")
    beside.write_text(text.replace(before, after, 1))
    beside.replace(path)


def test_a_sound_edit_is_taken_without_a_restart_and_a_bad_one_leaves_the_old_and_tells(office: FlowOffice) -> None:
    office.empty([APPLICANT, ADMIN])
    rules = "rules/loket-d.yaml"
    with running(office) as daemon:
        before = json.loads(command(office, "status", "--json").stdout)["rules"]
        edit(office, rules, "aliases: [Revisi Desain Kemasan,", "aliases: [Desain Ulang, Revisi Desain Kemasan,")
        wait_until(lambda: logged(office, "configured"))
        office.submit(mail(SITI, DESIGN, "Desain Ulang_OT_Jamu Kunyit"))
        [reply] = office.mails(APPLICANT, 1)
        assert "Jamu Kunyit" in reply.subject
        after = json.loads(command(office, "status", "--json").stdout)["rules"]
        assert after != before
        shown = json.loads(command(office, "show", reply.subject[1:18], "--json").stdout)
        assert [event["rules"] for event in shown["events"] if event["kind"] == "opened"] == [after]

        edit(office, rules, "queue: revisi-desain-{kategori}", "queue: tidak-ada")
        [told] = office.mails(ADMIN, 1)
        assert "loket-d.yaml" in told.text
        assert "there is no queue tidak-ada" in told.text
        status = command(office, "status", "--json")
        assert status.returncode == 0, status.stderr
        assert "tidak-ada" in json.loads(status.stdout)["configuration_refused"][0]
        office.submit(mail(SITI, DESIGN, "Desain Ulang_OT_Jamu Jahe"))
        office.mails(APPLICANT, 2)

        edit(office, rules, "queue: tidak-ada", "queue: revisi-desain-{kategori}")
        wait_until(lambda: len(logged(office, "configured")) == 2)
        assert json.loads(command(office, "status", "--json").stdout)["configuration_refused"] == []
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=15) == 0
    assert len(office.servers.messages(ADMIN)) == 1


def test_an_edit_of_a_mailbox_makes_the_daemon_begin_anew_within_its_process(office: FlowOffice) -> None:
    with running(office) as daemon:
        edit(office, "config.yaml", "\n    rules: [loket-d]", "\n    poll: 120\n    rules: [loket-d]")
        wait_until(lambda: len(logged(office, "connected")) == 14)
        assert logged(office, "configured")[0]["restart"]
        office.empty([APPLICANT])
        office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
        office.mails(APPLICANT, 1)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=15) == 0


def test_sighup_asks_at_once_and_says_what_is_wrong_again(office: FlowOffice) -> None:
    with running(office) as daemon:
        edit(office, "config.yaml", "digests:", "digest:")
        wait_until(lambda: logged(office, "configuration-refused"))
        daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: len(logged(office, "configuration-refused")) == 2)
        edit(office, "config.yaml", "digest:", "digests:")
        daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: logged(office, "configured"))
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=15) == 0
