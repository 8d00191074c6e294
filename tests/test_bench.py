"""The bench still counts: what it measures is complete, or its figures would be those of another job."""

from __future__ import annotations

from xml.etree import ElementTree

import yaml

from tests.bench import corpus, whole
from tests.bench.daemon import LOADED, TOP
from tests.bench.latency import Latency
from tests.bench.limits import Limits
from tests.bench.mailbox import empty, fill
from tests.bench.picture import LABELS, WIDTH, picture
from tests.bench.report import Backlog
from tests.bench.whole import Whole
from tests.servers import MailServers

MAILS = 40


def test_a_small_backlog_is_drained_and_nothing_is_missing_or_too_much(servers: MailServers) -> None:
    """`drain` raises where tickets, raw mails, events or replies are not exactly as many as the mails."""
    # Stories of the same office may have left mail in its other mailboxes.
    for address in yaml.safe_load((TOP / "config.yaml").read_text())["mailboxes"]:
        empty(servers, address)
    fill(servers, LOADED, corpus.mixed(MAILS, 3, LOADED))
    drained = whole.drain(servers, MAILS, 60)
    assert drained.mails == MAILS
    assert drained.per_second > 0


def test_the_picture_shows_every_figure_to_scale() -> None:
    """Ten times as many are as much longer each time, and nothing leaves the picture."""
    small, mixed = (
        Backlog(name, 1, [Whole(1000, 1000 / rate, 1.0, 1.0, 100.0, Limits(9000, 900, 10_000, 2000))], [drain])
        for name, rate, drain in (("small", 1000, 50_000.0), ("mixed", 100, 5000.0))
    )
    drawn = ElementTree.fromstring(
        picture(small, mixed, [Latency(10, 3, [9.0] * 3, [20.0, 30.0, 40.0])], 10.0, "a < b")
    )
    said = {text.text for text in drawn.findall(".//{*}text")}
    assert {"10/s", "100/s", "1,000/s", "50,000/s", "30 ms", "40 ms", "a < b"} <= said
    peer, ours, most, *_ = bars = [float(bar.attrib["width"]) for bar in drawn.findall(".//{*}rect")][1:]
    assert (ours, most) == (2 * peer, 3 * peer)
    assert all(LABELS + bar < WIDTH for bar in bars)
