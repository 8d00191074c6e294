"""The clock is set under the running daemon: each digest happens once and none is skipped in silence (P17)."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.daemon import Office, until
from tests.intake.bureau import mail
from tests.servers import MailServers

LIBRARY = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketimeMT.so.1")
# Waiting for the interpreter asks the clock too, and the faked one is a file that is read each time.
HURRY = "from loket import app\napp.TICK_SECONDS = 0.2\napp.SWITCH_SECONDS = 0.005"
# Longer than a few looks at the clock: what has not happened by then does not happen.
A_WHILE = 0.8


@dataclass
class FakedClock:
    """libfaketime's file: the daemon's time of day is what is written here, the monotonic clock is left alone."""

    path: Path

    def set(self, moment: str) -> None:
        """Say what time it is, in UTC."""
        offset = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() - time.time()
        beside = self.path.with_suffix(".new")
        beside.write_text(f"{offset:+.0f}")
        beside.replace(self.path)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs that is to believe it."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.path),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }


@pytest.fixture
def clock(tmp_path: Path) -> FakedClock:
    """A clock to set."""
    if not LIBRARY.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{LIBRARY} is missing")
        pytest.skip("libfaketime is not installed (tests/servers/install.sh installs it)")
    return FakedClock(tmp_path / "clock")


def opened(servers: MailServers, folder: Path, clock: FakedClock, times: str, **office: str) -> Office:
    """An office with digests, on that clock, open all week."""
    return Office(
        servers,
        folder,
        {servers.unique("desain"): {"poll": 600}},
        more={"office": office, "digests": [{"for": "officers", "at": times}]},
        hurry=HURRY,
        environment=clock.environment,
    )


def dues(office: Office) -> list[str]:
    """The moments whose digests happened, in UTC."""
    return [str(due)[:16] for (due,) in office.ask("SELECT due_at FROM occurrence ORDER BY due_at")]


def digests(office: Office) -> int:
    """How many digest mails were written."""
    [(count,)] = office.ask("SELECT count(*) FROM outbox WHERE kind = 'digest'")
    return int(count)


def happens(office: Office, count: int) -> None:
    """So many digests so far, and after a while still."""
    until(lambda: digests(office) >= count)
    time.sleep(A_WHILE)
    assert digests(office) == count, dues(office)


def test_a_clock_set_back_and_forth_repeats_and_skips_no_digest(
    servers: MailServers, tmp_path: Path, clock: FakedClock
) -> None:
    """An hour back, an hour on, a day on, and a restart in the repeated hour; mail is taken in all the while."""
    clock.set("2026-11-24 01:20")  # Tuesday, 08.20 WIB
    office = opened(servers, tmp_path / "office", clock, "Mon-Fri 08:30, 13:00")
    with office.running():
        servers.lmtp(mail("Surat"), next(iter(office.mailboxes)), "x@x.test")
        until(lambda: office.fates() == ["ticket"])
        happens(office, 0)
        clock.set("2026-11-24 01:31")
        happens(office, 1)
        until(lambda: len(office.logged("clock-set")) >= 1)
        clock.set("2026-11-24 00:31")
        happens(office, 1)
        until(lambda: len(office.logged("clock-set")) >= 2)
        # Polls every ten minutes: without a look at the clock the next would come in an hour and ten minutes.
        until(lambda: str(office.ask("SELECT polled_at FROM mailbox_state")[0][0]) < "2026-11-24 01")
        assert [round(line["seconds"], -2) for line in office.logged("clock-set")[1:]] == [-3600]
    with office.running():
        servers.lmtp(mail("Surat kedua"), next(iter(office.mailboxes)), "x@x.test")
        until(lambda: office.fates() == ["ticket"] * 2)
        clock.set("2026-11-24 01:32")
        happens(office, 1)
        clock.set("2026-11-25 01:32")
        happens(office, 2)
        clock.set("2026-11-25 06:01")
        happens(office, 3)
        clock.set("2026-11-25 05:01")
        happens(office, 3)
    assert dues(office) == ["2026-11-24 01:30", "2026-11-25 01:30", "2026-11-25 06:00"]
    # Yesterday's 13.00 was slept over: the next digest stands for it, and says so.
    [missed] = office.ask("SELECT detail FROM event WHERE kind = 'digests-missed'")
    assert json.loads(missed[0])["due"] == ["2026-11-24T13:00+07:00"]
    assert [line["due"] for line in office.logged("digests-missed")] == [["2026-11-24T13:00+07:00"]]
    until(lambda: len(office.arrived(office.officer)) == 3)


@pytest.mark.parametrize(
    ("moments", "due"),
    [
        # 02.30 comes twice that night, 02.30 CEST and, an hour later, 02.30 CET.
        (["2026-10-25 00:20", "2026-10-25 00:31", "2026-10-25 01:29", "2026-10-25 01:31"], "2026-10-25 00:30"),
        # 02.30 does not come at all: the clock goes from 01.59 CET to 03.00 CEST.
        (["2026-03-29 00:40", "2026-03-29 01:31", "2026-03-29 02:31", "2026-03-29 03:31"], "2026-03-29 01:30"),
    ],
    ids=["repeated", "left out"],
)
def test_an_hour_that_the_zone_repeats_or_leaves_out_has_one_digest(
    servers: MailServers, tmp_path: Path, clock: FakedClock, moments: list[str], due: str
) -> None:
    before, *after = moments
    clock.set(before)
    hours = {"timezone": "Europe/Berlin", "hours": "Mon-Sun 00:00-23:59"}
    office = opened(servers, tmp_path / "office", clock, "Sun 02:30", **hours)
    with office.running():
        servers.lmtp(mail("Surat"), next(iter(office.mailboxes)), "x@x.test")
        until(lambda: office.fates() == ["ticket"])
        happens(office, 0)
        for moment in after:
            clock.set(moment)
            happens(office, 1)
    assert dues(office) == [due]
