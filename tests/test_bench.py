"""The bench still counts: what it measures is complete, or its figures would be those of another job."""

from __future__ import annotations

import yaml

from tests.bench import corpus, whole
from tests.bench.daemon import LOADED, TOP
from tests.bench.mailbox import empty, fill
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
