"""What was measured, as a table for people and one JSON line for machines."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.latency import Latency, percentile
from tests.bench.rest import Rest
from tests.bench.scale import Scale
from tests.bench.whole import Whole

# The rate whose latency stands in the JSON line.
RATE = 10


@dataclass(frozen=True, slots=True)
class Backlog:
    """All runs on one mailbox: the whole job, each beside a raw drain of the same mails."""

    name: str
    octets: int
    wholes: Sequence[Whole]
    drains: Sequence[float]

    def median(self, of: Callable[[Whole], float]) -> float:
        """The middle run's figure."""
        return statistics.median(of(whole) for whole in self.wholes)

    @property
    def vs_drain(self) -> float:
        """The whole job's rate as a part of the raw drain's, run by run."""
        pairs = zip(self.wholes, self.drains, strict=True)
        return statistics.median(whole.per_second / drain for whole, drain in pairs)


def table(
    small: Backlog,
    mixed: Backlog,
    rest: Rest,
    own_delay: float,
    latencies: Sequence[Latency],
    beside: Sequence[float],
    large: float | None,
    grown: Scale,
    peer: float | None,
) -> str:
    """The figures as a Markdown table."""
    rows = [("", "small", "mixed")]

    def both(title: str, of: Callable[[Backlog], float], form: str = ",.0f", unit: str = "/s") -> None:
        rows.append((title, *(f"{of(backlog):{form}}{unit}" for backlog in (small, mixed))))

    both("mails in the backlog", lambda b: b.wholes[0].mails, unit="")
    both("their size", lambda b: b.octets / 1e6, ",.1f", " MB")
    both("**whole job**: intake begins to last reply accepted", lambda b: b.median(lambda w: w.per_second))
    both("slowest and", lambda b: min(w.per_second for w in b.wholes))
    both("fastest run", lambda b: max(w.per_second for w in b.wholes))
    both("to its durable end, replies going out meanwhile", lambda b: b.median(lambda w: w.intake_per_second))
    both("processor time a mail, start included", lambda b: b.median(lambda w: w.cpu_ms), ".2f", " ms")
    both("memory, the most while draining", lambda b: b.median(lambda w: w.peak_mb), ".0f", " MB")
    both("limit: raw IMAP drain, one connection", lambda b: statistics.median(b.drains))
    both("limit: smtp-source, 10 connections", lambda b: b.median(lambda w: w.limits.smtp))
    both("limit: smtp-source, one connection", lambda b: b.median(lambda w: w.limits.smtp_single))
    both("limit: the same rows by sqlite3, 100 mails a commit", lambda b: b.median(lambda w: w.limits.store))
    both("limit: the same, one mail a commit", lambda b: b.median(lambda w: w.limits.store_alone))
    both("whole job : raw drain", lambda b: b.vs_drain, ".4f", "")
    both("whole job : smtp-source", lambda b: b.median(lambda w: w.per_second / w.limits.smtp), ".4f", "")
    both("whole job : store at 100 a commit", lambda b: b.median(lambda w: w.per_second / w.limits.store), ".4f", "")
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---|---|---|")
    lines += [
        "",
        "| start and rest, 10 mailboxes | |",
        "|---|---|",
        f"| start to first IDLE | {rest.start:.2f} s |",
        f"| the same with a new store | {rest.first_start:.2f} s |",
        f"| memory at rest | {rest.rss_mb:.0f} MB |",
        f"| memory in the first seconds, while a second process waits for a backlog | {rest.first_mb:.0f} MB |",
        f"| processor at rest | {rest.idle_cpu_percent:.2f} % of a core |",
        "",
        f"| delivery to acknowledgement, IDLE (Dovecot's own delay: {own_delay * 1000:.0f} ms)"
        " | p50 | p99 | beyond it p50 | p99 |",
        "|---|---|---|---|---|",
    ]
    for one in latencies:
        spread = [percentile(values, share) for values in (one.total, one.beyond) for share in (50, 99)]
        cells = " | ".join(f"{value:.0f} ms" for value in spread)
        lines.append(f"| {one.rate}/s, {one.mails} mails | {cells} |")
    lines.append(
        f"| one mail beside another mailbox's backlog | | | {statistics.median(beside):.0f} ms |"
        f" {max(beside):.0f} ms at most |"
    )
    lines += ["", "| what grows | |", "|---|---|", f"| a batch with 1,000 rules : with 10 | {grown.rules:.2f} |"]
    if grown.tickets is not None:
        lines.append(f"| a batch and a digest's query with a million tickets : with a thousand | {grown.tickets:.2f} |")
    if grown.idle_cpu_percent is not None and grown.idle_mb is not None:
        lines.append(f"| 500 idle mailboxes | {grown.idle_cpu_percent:.1f} % of a core, {grown.idle_mb:.0f} MB |")
    if large is not None:
        lines.append(f"| own memory, the most while a mail of 150 MB is taken in | {large:.0f} MB |")
    if peer is not None:
        lines.append(f"| django-helpdesk, the same small mails, in turn with the whole jobs above | {peer:.0f}/s |")
    return "\n".join(lines)


def line(
    small: Backlog, mixed: Backlog, rest: Rest, latencies: Sequence[Latency], grown: Scale, peer: float | None
) -> str:
    """The figures that may be followed over time; null is not measured yet."""
    at_rate = next(one for one in latencies if one.rate == RATE)
    figures: dict[str, float | None] = {
        "small_per_s": round(small.median(lambda w: w.per_second), 1),
        "mixed_per_s": round(mixed.median(lambda w: w.per_second), 1),
        "small_vs_smtp_limit": round(small.median(lambda w: w.per_second / w.limits.smtp), 4),
        "mixed_vs_raw_drain": round(mixed.vs_drain, 4),
        "latency_p50_ms": round(percentile(at_rate.beyond, 50), 1),
        "latency_p99_ms": round(percentile(at_rate.beyond, 99), 1),
        "rss_rest_mb": round(rest.rss_mb, 1),
        "rss_drain_mb": round(mixed.median(lambda w: w.peak_mb), 1),
        "start_s": round(rest.start, 3),
        "rules_1000_vs_10": round(grown.rules, 3),
        "tickets_1e6_vs_1e3": _rounded(grown.tickets),
        "mailboxes_500_idle_cpu_pct": _rounded(grown.idle_cpu_percent),
        "mailboxes_500_mb": _rounded(grown.idle_mb),
        "vs_django_helpdesk": None if peer is None else round(small.median(lambda w: w.per_second) / peer, 1),
    }
    return json.dumps(figures)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def machine() -> str:
    """What it ran on, and how busy that was."""
    cpu = Path("/proc/cpuinfo").read_text()
    model = next((row.partition(":")[2].strip() for row in cpu.splitlines() if row.startswith("model name")), "?")
    load = Path("/proc/loadavg").read_text().split()[0]
    return f"{cpu.count('processor	:')} × {model}, load {load}"
