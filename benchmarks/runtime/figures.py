"""From runs to figures: what a message costs in the long run, what starting costs, how much runs differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from benchmarks.runtime.runs import Run

# Results are looked at five times a second: two backlogs that are nearer to each other tell nothing.
_LEAST_SECONDS = 0.5


@dataclass(frozen=True)
class Spread:
    """The median of several runs, with the lowest and the highest."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        values = list(values)
        return cls(median(values), min(values), max(values))

    def rounded(self, digits: int) -> Spread:
        return Spread(*(round(value, digits) for value in (self.median, self.lowest, self.highest)))


@dataclass(frozen=True)
class Figures:
    """What one contestant takes.

    Attributes:
        steady: CPU seconds per million messages: what the larger backlog took more than the smaller one, by what it is
            larger. Starting and warming up cancel out.
        start: CPU seconds that the smaller backlog took beyond that, which is starting and warming up.
        whole: CPU seconds per million messages of the larger backlog, start included.
        rate: messages a second, steady in the same way.
        peak_mib: the most memory of the larger backlog.
        broker: the broker's CPU seconds per million messages of the larger backlog, in none of the others.
        runs: pairs of backlogs that this is made of.
    """

    steady: Spread
    start: Spread
    whole: Spread
    rate: Spread
    peak_mib: Spread
    broker: Spread
    runs: int


def figures(runs: Iterable[Run]) -> dict[str, Figures]:
    """Figures of each contestant.

    Refused runs count for nothing, nor do those without their other half or hardly shorter than it.
    """
    pairs: dict[str, list[tuple[Run, Run]]] = {}
    good = sorted((run for run in runs if not run.fault), key=_round)
    for (contestant, _), of_round in groupby(good, key=_round):
        small, large = _ends(list(of_round))
        if large.seconds - small.seconds >= _LEAST_SECONDS:
            pairs.setdefault(contestant, []).append((small, large))
    return {contestant: _figures(of_contestant) for contestant, of_contestant in pairs.items()}


def _round(run: Run) -> tuple[str, int]:
    return run.contestant, run.number


def _ends(runs: Sequence[Run]) -> tuple[Run, Run]:
    return min(runs, key=lambda run: run.messages), max(runs, key=lambda run: run.messages)


def _figures(pairs: Sequence[tuple[Run, Run]]) -> Figures:
    return Figures(
        steady=Spread.of(_slope(small, large) * 1e6 for small, large in pairs),
        start=Spread.of(small.cpu_seconds - _slope(small, large) * small.messages for small, large in pairs),
        whole=Spread.of(large.cpu_seconds / large.messages * 1e6 for _, large in pairs),
        rate=Spread.of((large.messages - small.messages) / (large.seconds - small.seconds) for small, large in pairs),
        peak_mib=Spread.of(large.peak_mib for _, large in pairs),
        broker=Spread.of(large.broker_cpu_seconds / large.messages * 1e6 for _, large in pairs),
        runs=len(pairs),
    )


def _slope(small: Run, large: Run) -> float:
    return (large.cpu_seconds - small.cpu_seconds) / (large.messages - small.messages)
