"""Crash everywhere: before and after every commit and every I/O call of a whole story (P1, P2, P7, P11)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.servers import MailServers

LANES = 2
TOP = Path(__file__).parents[2]


def test_a_crash_at_any_point_loses_repeats_and_misdirects_nothing(servers: MailServers, tmp_path: Path) -> None:
    """The end is that of the clean run, save for at most one mail that is visibly in doubt."""
    lanes = []
    for number in range(LANES):
        job = {
            "root": str(servers.root),
            "imap": servers.imap_port,
            "smtp": servers.smtp_port,
            "folder": str(tmp_path / f"lane{number}"),
            "domain": servers.unique("x").partition("@")[2],
            "lane": number,
            "lanes": LANES,
        }
        (tmp_path / f"job{number}.json").write_text(json.dumps(job))
        lanes.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.faults.lane", str(tmp_path / f"job{number}.json")],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=TOP,
                env={"PYTHONPATH": f"{TOP}:{TOP / 'daemon'}", "PATH": "/usr/bin:/bin"},
            )
        )
    crashed: list[dict[str, Any]] = []
    for lane in lanes:
        out, err = lane.communicate(timeout=1200)
        assert lane.returncode == 0, err[-3000:]
        head, *lines = [json.loads(line) for line in out.splitlines()]
        assert head["clean"] == []
        assert head["total"] > 100
        crashed += lines
    wrong = [line for line in crashed if line["differences"]]
    assert not wrong, json.dumps(wrong[:5], indent=1)
    assert len(crashed) >= head["total"] - LANES
    reached = {line["where"] for line in crashed}
    for point in ("do_commit", "SMTP.connect", "Exchange._ask", "IMAPClient.move", "IMAPClient.fetch", "os.fsync"):
        assert "before IMAPClient.move" in reached, reached
        assert any(point in where for where in reached), point
