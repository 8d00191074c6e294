"""The bench still counts: what it measures is complete, or its figures would be those of another job."""

from __future__ import annotations

from tests.bench import corpus, whole
from tests.bench.daemon import LOADED
from tests.bench.mailbox import fill
from tests.servers import MailServers

MAILS = 40


def test_a_small_backlog_is_drained_and_nothing_is_missing_or_too_much(servers: MailServers) -> None:
    """`drain` raises where tickets, raw mails, events or replies are not exactly as many as the mails."""
    fill(servers, LOADED, corpus.mixed(MAILS, 3, LOADED))
    drained = whole.drain(servers, MAILS, 60)
    assert drained.mails == MAILS
    assert drained.per_second > 0
