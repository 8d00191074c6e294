"""What was measured, as a picture: mails a second on a logarithmic scale, and how long an acknowledgement takes."""

from collections.abc import Sequence
from math import log10
from statistics import median
from xml.sax.saxutils import escape

from tests.bench.latency import Latency, percentile
from tests.bench.report import Backlog

WIDTH, LABELS, ROW, BAR, RIGHT = 760, 300, 26, 16, 70
INK, SOFT, LINE = "#1c2430", "#55606f", "#d9dfe7"
OURS, OTHERS, LATE = "#0b5394", "#b8c4d1", "#8fb3d9"


def picture(small: Backlog, mixed: Backlog, latencies: Sequence[Latency], peer: float | None, machine: str) -> str:
    """An SVG of its own, with no script and nothing from elsewhere."""
    rates = [
        *([("django-helpdesk, small mails", peer, OTHERS)] if peer is not None else []),
        ("Loket, the whole job, mixed mails", mixed.median(lambda w: w.per_second), OURS),
        ("Loket, the whole job, small mails", small.median(lambda w: w.per_second), OURS),
        ("limit: the store, one small mail a commit", small.median(lambda w: w.limits.store_alone), OTHERS),
        ("limit: smtp-source, one connection", small.median(lambda w: w.limits.smtp_single), OTHERS),
        ("limit: raw IMAP drain, mixed mails", median(mixed.drains), OTHERS),
        ("limit: the store, 100 small mails a commit", small.median(lambda w: w.limits.store), OTHERS),
        ("limit: smtp-source, 10 connections", small.median(lambda w: w.limits.smtp), OTHERS),
        ("limit: raw IMAP drain, small mails", median(small.drains), OTHERS),
    ]
    waits = [
        (f"at {one.rate}/s, {word}", percentile(one.beyond, share), colour)
        for one in latencies
        for word, share, colour in (("half within", 50, OURS), ("99 of 100 within", 99, LATE))
    ]
    drawn, at = _panel("Mails a second", [row for row in rates if row[1] > 0], 34, "{:,.0f}/s", logarithmic=True)
    more, end = _panel("Delivery to acknowledgement, beyond the server's own delay", waits, at + 24, "{:.0f} ms")
    height = end + 34
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
            f' viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">',
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            *drawn,
            *more,
            _text(16, height - 12, machine, SOFT),
            "</svg>\n",
        ]
    )


def _panel(
    title: str, rows: Sequence[tuple[str, float, str]], top: int, form: str, *, logarithmic: bool = False
) -> tuple[list[str], int]:
    """A bar for each row below its title, and where the panel ends."""
    room = WIDTH - LABELS - RIGHT
    # A scale of tens for rates, which lie thousands apart; times are compared as they are.
    most = 10 ** (int(log10(max(value for _, value, _ in rows))) + 1) if logarithmic else max(v for _, v, _ in rows)
    drawn = [_text(16, top, title, INK, bold=True)]
    bottom = top + 12 + ROW * len(rows)
    for power in range(int(log10(most)) + 1) if logarithmic else ():
        x = LABELS + room * power / log10(most)
        drawn.append(f'<path d="M{x:.0f} {top + 10}V{bottom}" stroke="{LINE}"/>')
        drawn.append(_text(x, bottom + 14, f"{10**power:,}", SOFT, anchor="middle"))
    for number, (label, value, colour) in enumerate(rows):
        y = top + 12 + ROW * number
        long = room * (log10(max(value, 1.0)) / log10(most) if logarithmic else value / most)
        drawn.append(_text(LABELS - 8, y + 13, label, INK, anchor="end"))
        drawn.append(f'<rect x="{LABELS}" y="{y}" width="{max(long, 1):.1f}" height="{BAR}" fill="{colour}"/>')
        drawn.append(_text(LABELS + max(long, 1) + 6, y + 13, form.format(value), INK))
    return drawn, bottom + (24 if logarithmic else 0)


def _text(x: float, y: float, said: str, fill: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{fill}" text-anchor="{anchor}"{weight}>{escape(said)}</text>'
