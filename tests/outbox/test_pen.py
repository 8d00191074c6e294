"""Commits of the outbox's progress: how long one waits for company."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from sqlalchemy import event

from loket import pen as pens
from loket.pen import Pen
from loket.store.database import is_unavailable
from tests.outbox.post import Post, story


@pytest.fixture
def pen(post: Post, monkeypatch: pytest.MonkeyPatch) -> Pen:
    """Once it has written, its last commit is always a moment ago, and it would wait for a minute."""
    monkeypatch.setattr(pens, "BUSY_SECONDS", 60)
    monkeypatch.setattr(pens, "GATHER_SECONDS", 60)
    return Pen(post.outgoing, is_unavailable)


def commits(post: Post) -> list[object]:
    """One entry a commit from now on."""
    seen: list[object] = []
    event.listen(post.database.engine, "commit", seen.append)
    return seen


def test_a_commit_goes_as_soon_as_most_senders_wait_for_it(post: Post, pen: Pen) -> None:
    """Six of eight: the two that are slow with their server keep nobody."""
    made = commits(post)

    async def tell() -> None:
        await pen.begins(0)
        made.clear()
        with contextlib.ExitStack() as senders:
            for _ in range(8):
                senders.enter_context(pen.sender())
            early = [asyncio.create_task(pen.begins(number)) for number in range(1, 6)]
            await asyncio.sleep(0.2)
            assert not any(one.done() for one in early)
            await pen.begins(6)
            await asyncio.gather(*early)
            assert len(made) == 1

    story(tell)


def test_one_that_sends_alone_waits_for_nobody(post: Post, pen: Pen) -> None:
    made = commits(post)

    async def tell() -> None:
        with pen.sender():
            for number in range(3):
                await pen.begins(number)

    story(tell)
    assert len(made) == 3


def test_company_that_does_not_come_is_not_waited_for(post: Post, pen: Pen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pens, "GATHER_SECONDS", 0.1)

    async def tell() -> None:
        await pen.begins(0)
        with pen.sender(), pen.sender():
            began = time.monotonic()
            await pen.begins(1)
            assert 0.09 < time.monotonic() - began < 5

    story(tell)


def test_a_sender_that_has_left_is_not_waited_for(post: Post, pen: Pen) -> None:
    async def tell() -> None:
        await pen.begins(0)
        with pen.sender():
            with pen.sender():
                pass
            await pen.begins(1)

    story(tell)
