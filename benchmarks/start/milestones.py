"""When a start reached what, and how long each part took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

# From one milestone to the next: the name of the part that lies between.
PARTS = {
    "pod": "operator",
    "scheduled": "scheduler and volume",
    "container": "kubelet",
    "answers": "Python",
    "spark": "JVM and session",
    "query": "query",
    "batch": "first micro-batch",
}
TOTALS = {"pod": "driver pod", "running": "Running", "batch": "first micro-batch committed"}


@dataclass(frozen=True)
class Start:
    """Seconds since a job was applied, by milestone; ``running`` is of the status, beside the others."""

    at: Mapping[str, float]

    def parts(self) -> dict[str, float]:
        """Seconds of each part; together they are the time to the first micro-batch."""
        reached = [0.0, *(self.at[milestone] for milestone in PARTS)]
        return {part: reached[n + 1] - reached[n] for n, part in enumerate(PARTS.values())}


@dataclass(frozen=True)
class Spread:
    """Of all starts, in seconds."""

    p50: float
    p99: float


def spread(seconds: Sequence[float]) -> Spread:
    highest = quantiles(seconds, n=100, method="inclusive")[98] if len(seconds) > 1 else seconds[0]
    return Spread(round(median(seconds), 2), round(highest, 2))


def totals(starts: Sequence[Start]) -> dict[str, Spread]:
    """Since the job was applied, by milestone that people care for."""
    return {milestone: spread([start.at[milestone] for start in starts]) for milestone in TOTALS}


def split(starts: Sequence[Start]) -> dict[str, Spread]:
    """Of each part by itself; the percentiles of parts do not add up."""
    by_part: Iterable[dict[str, float]] = [start.parts() for start in starts]
    return {part: spread([parts[part] for parts in by_part]) for part in PARTS.values()}
