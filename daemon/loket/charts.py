"""The picture of a weekly report: PNG, drawn twice as large as it is shown, for sharp screens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from loket.core.figures import Chart

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

# Points as shown; everything is drawn at twice that.
SCALE = 2
WIDTH, MARGIN = 600, 16
PANEL, BAR = 190, 26
WHITE, INK, SOFT, LINE = "#ffffff", "#1c2430", "#55606f", "#d9dfe7"
CAME, ANSWERED, WAITING, LATE = "#8fb3d9", "#0b5394", "#8fb3d9", "#b3261e"
LABELS = 190


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws in points."""

    draw: ImageDraw.ImageDraw
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    bold: ImageFont.FreeTypeFont | ImageFont.ImageFont

    def text(self, x: float, y: float, said: str, *, anchor: str = "la", fill: str = INK, head: bool = False) -> None:
        """Words, placed by their anchor."""
        font = self.bold if head else self.font
        self.draw.text((x * SCALE, y * SCALE), said, fill=fill, font=font, anchor=anchor)

    def box(self, left: float, top: float, right: float, bottom: float, fill: str) -> None:
        """A filled rectangle; nothing where it would have no extent."""
        if right - left >= 1 / SCALE and bottom - top >= 1 / SCALE:
            self.draw.rectangle((left * SCALE, top * SCALE, right * SCALE - 1, bottom * SCALE - 1), fill=fill)

    def fitting(self, said: str, width: float) -> str:
        """As much of the words as there is room for."""
        if self.draw.textlength(said, font=self.font) <= width * SCALE:
            return said
        while said and self.draw.textlength(f"{said}…", font=self.font) > width * SCALE:
            said = said[:-1]
        return f"{said.rstrip()}…"


def picture(chart: Chart) -> bytes:
    """The chart as PNG: what came and was answered in the last weeks, and what waits in each queue."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - a week's work for it, and megabytes at rest

    height = MARGIN + PANEL + (44 + BAR * len(chart.queues) if chart.queues else 0) + MARGIN
    image = Image.new("RGB", (WIDTH * SCALE, height * SCALE), WHITE)
    load = ImageFont.load_default
    pen = _Pen(ImageDraw.Draw(image), load(size=12 * SCALE), load(size=14 * SCALE))
    _weeks(pen, chart, MARGIN)
    if chart.queues:
        _queues(pen, chart, MARGIN + PANEL + 16)
    out = BytesIO()
    image.quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()


def _legend(pen: _Pen, y: float, entries: Sequence[tuple[str, str]]) -> None:
    x: float = WIDTH - MARGIN
    for said, fill in reversed(entries):
        pen.text(x, y, said, anchor="ra", fill=SOFT)
        x -= pen.draw.textlength(said, font=pen.font) / SCALE + 16
        pen.box(x, y + 2, x + 10, y + 12, fill)
        x -= 14


def _weeks(pen: _Pen, chart: Chart, top: float) -> None:
    """Two bars a week, each with its number."""
    pen.text(MARGIN, top, chart.title, head=True)
    _legend(pen, top + 2, ((chart.came, CAME), (chart.answered, ANSWERED)))
    base, room = top + PANEL - 24, PANEL - 70
    most = max([1, *(max(came, answered) for _, came, answered in chart.weeks)])
    step = (WIDTH - 2 * MARGIN) / max(1, len(chart.weeks))
    width = min(26.0, step / 2 - 4)
    pen.box(MARGIN, base, WIDTH - MARGIN, base + 1, LINE)
    for index, (week, came, answered) in enumerate(chart.weeks):
        middle = MARGIN + step * (index + 0.5)
        for left, count, fill in ((middle - width - 1, came, CAME), (middle + 1, answered, ANSWERED)):
            height = room * count / most
            pen.box(left, base - height, left + width, base, fill)
            pen.text(left + width / 2, base - height - 2, str(count), anchor="mb")
        pen.text(middle, base + 6, week, anchor="ma", fill=SOFT)


def _queues(pen: _Pen, chart: Chart, top: float) -> None:
    """One bar a queue, what is late at its beginning."""
    pen.text(MARGIN, top, chart.waiting, head=True)
    _legend(pen, top + 2, ((chart.late, LATE),))
    most = max([1, *(waiting for _, waiting, _ in chart.queues)])
    left = MARGIN + LABELS
    room = WIDTH - MARGIN - left - 70
    for index, (name, waiting, late) in enumerate(chart.queues):
        y = top + 28 + BAR * index
        pen.text(left - 8, y + BAR / 2 - 2, pen.fitting(name, LABELS - 12), anchor="rm")
        pen.box(left, y, left + room * waiting / most, y + BAR - 6, WAITING)
        pen.box(left, y, left + room * late / most, y + BAR - 6, LATE)
        said = f"{waiting} ({late})" if late else str(waiting)
        pen.text(left + room * waiting / most + 6, y + BAR / 2 - 2, said, anchor="lm")
