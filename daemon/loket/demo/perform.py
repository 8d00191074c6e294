"""The whole demo in one loop: the town, the daemon on it, the day, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import time
from pathlib import Path
from typing import TypeVar

from loket.app import App
from loket.config.load import load
from loket.demo.counters import COUNTERS
from loket.demo.errands import OFFICERS
from loket.demo.report import Report, gather
from loket.demo.stage import DemoClock, DemoError, set_up, working_day
from loket.demo.story import Progress, Story
from loket.demo.town import Town

T = TypeVar("T")


async def perform(
    folder: Path, *, stay: bool, tell: Callable[[Progress], None], show: Callable[[Report, Town], None]
) -> Report:
    """Play the day in an empty folder and show what came of it; with `stay`, go on until SIGINT or SIGTERM.

    DemoError when it cannot be played or was stopped before its end.
    """
    clock = DemoClock()
    async with Town(COUNTERS, clock=clock.now) as town:
        snapshot = load(set_up(folder, town, (*COUNTERS, *OFFICERS), stay=stay))
        clock.open_day(working_day(snapshot, clock.now().date()), time(8), snapshot.office.zone)
        app = App(snapshot, clock)
        daemon = asyncio.create_task(app.run())
        try:
            report = await _unless_ended(daemon, _day(folder, town, app, clock, tell))
            show(report, town)
            if stay:
                await daemon
        finally:
            if not daemon.done():
                app.stop("the demo is over")
            await daemon
    return report


async def _day(folder: Path, town: Town, app: App, clock: DemoClock, tell: Callable[[Progress], None]) -> Report:
    story = Story(town, app, clock, tell)
    await story.play()
    return await gather(folder, town, app, story.errands)


async def _unless_ended(daemon: asyncio.Task[None], work: Coroutine[None, None, T]) -> T:
    """The work's result, as long as the daemon runs: a signal ends the daemon, and with it the work."""
    task = asyncio.create_task(work)
    await asyncio.wait((daemon, task), return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await daemon
        raise DemoError("the demo was stopped before its end")
    return await task
