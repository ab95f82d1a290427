"""The benchmark's JSON object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.runtime.contestant import Facts
from benchmarks.runtime.figures import Figures, Spread
from benchmarks.runtime.runs import Run

_SHOWN: dict[str, tuple[Callable[[Figures], Spread], int]] = {
    "cpu_seconds_per_million": (lambda figures: figures.steady, 2),
    "records_per_second": (lambda figures: figures.rate, 0),
    "start_cpu_seconds": (lambda figures: figures.start, 1),
    "whole_cpu_seconds_per_million": (lambda figures: figures.whole, 2),
    "peak_mib": (lambda figures: figures.peak_mib, 0),
    "broker_cpu_seconds_per_million": (lambda figures: figures.broker, 2),
}


def report(
    figures: Mapping[str, Figures], facts: Iterable[Facts], runs: Sequence[Run], messages: int, meters: int
) -> dict[str, Any]:
    """Medians by figure and contestant, floors apart; ``spread`` has the lowest and the highest run."""
    is_floor = {fact.key: fact.is_floor for fact in facts}
    contestants = {key: found for key, found in figures.items() if not is_floor[key]}
    floors = {key: found for key, found in figures.items() if is_floor[key]}
    return {
        **{name: {key: _median(name, found) for key, found in contestants.items()} for name in _SHOWN},
        "floors": {key: {name: _median(name, found) for name in _SHOWN} for key, found in floors.items()},
        "spread": {key: {name: _range(name, found) for name in _SHOWN} for key, found in figures.items()},
        "runs": {key: found.runs for key, found in figures.items()},
        "messages": messages,
        "meters": meters,
        "refused": [{"contestant": run.contestant, "round": run.number, "why": run.fault} for run in runs if run.fault],
    }


def _median(name: str, found: Figures) -> float:
    of, digits = _SHOWN[name]
    return _rounded(of(found).median, digits)


def _range(name: str, found: Figures) -> list[float]:
    of, digits = _SHOWN[name]
    return [_rounded(of(found).lowest, digits), _rounded(of(found).highest, digits)]


def _rounded(value: float, digits: int) -> float:
    return round(value, digits) if digits else round(value)
