"""What time window aggregation must give, as plain loops over the whole input.

Source: the contract of records ("Order and lateness") and the service's reference on tumbling and sliding windows. A
tumbling window is one whose slide is its size. Nothing here knows of micro-batches, partitions, panes or columns.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Number = int | float
Record = tuple[str, str, int, Number]
"""Asset, point as ``model::point``, epoch milliseconds, finite value."""
Key = tuple[str, str, int]
"""Asset, output point as ``model::point``, window start."""
Window = tuple[str, str, str, int, int, int]
"""Asset, input point, threshold, window size and slide (ms), window start."""


@dataclass(frozen=True)
class Policy:
    """One row of a job; ``threshold`` as written in the manifest, ``slide_ms`` the size where windows tumble."""

    input: str
    aggregation: str
    size_ms: int
    slide_ms: int
    output: str
    threshold: str = "(-inf, +inf)"

    @property
    def windows(self) -> tuple[str, str, int, int]:
        """What policies that differ in the aggregation only have in common."""
        return self.input, self.threshold, self.size_ms, self.slide_ms


@dataclass
class Expected:
    """What must have come of the records when all of them have been read.

    Attributes:
        results: the last value of each result; None stands for null.
        modes: ``onTime`` or ``final``, of the last emission of each result.
        late: records too late for one of their windows or more, once for each input, threshold, window size and slide.
        outside: records outside their threshold, once for each input and threshold.
    """

    results: dict[Key, Number | None] = field(default_factory=dict)
    modes: dict[Key, str] = field(default_factory=dict)
    late: int = 0
    outside: int = 0


def policies_of(job: Mapping[str, Any]) -> tuple[list[Policy], int]:
    """Read policies and latency (ms) off a manifest's ``timeWindowAggregation``."""
    policies = [
        Policy(
            row["input"],
            row["aggregation"],
            _ms(row["windowSize"]),
            _ms(row.get("slide", row["windowSize"])),
            row["output"],
            row.get("threshold", "(-inf, +inf)"),
        )
        for row in job["policies"]
    ]
    return policies, _ms(job.get("latency", "0s"))


def expected(
    records: Iterable[Record], policies: Sequence[Policy], latency_ms: int, *, is_ended: bool = False
) -> Expected:
    """Calculate every result; ``records`` are the accepted ones, in arrival order.

    With ``is_ended`` nothing will follow, so that every window becomes final.
    """
    outcome = Expected()
    inputs = {policy.input for policy in policies}
    thresholds = {(policy.input, policy.threshold) for policy in policies}
    windows_of = {policy.windows for policy in policies}
    watermarks: dict[tuple[str, str], int] = {}
    values: dict[Window, list[Number]] = defaultdict(list)
    for asset, point, time, value in records:
        if point not in inputs:
            continue
        watermark = watermarks.get((asset, point))
        for source, threshold in thresholds:
            if source == point and not _within(value, threshold):
                outcome.outside += 1
        for source, threshold, size, slide in windows_of:
            if source != point or not _within(value, threshold):
                continue
            is_late = False
            for start in _starts(time, size, slide):
                if watermark is not None and start + size + latency_ms <= watermark:
                    is_late = True
                else:
                    values[asset, source, threshold, size, slide, start].append(value)
            outcome.late += is_late
        watermarks[asset, point] = time if watermark is None else max(watermark, time)
    if is_ended:
        watermarks = dict.fromkeys(watermarks, 2**62)
    _close(outcome, values, watermarks, policies, latency_ms)
    return outcome


def _starts(time: int, size: int, slide: int) -> list[int]:
    """Where the windows begin that hold a time: at multiples of the slide, up to one size before it."""
    last = time // slide * slide
    return [start for start in range(last - size, last + slide, slide) if start <= time < start + size]


def _close(
    outcome: Expected,
    values: Mapping[Window, list[Number]],
    watermarks: Mapping[tuple[str, str], int],
    policies: Sequence[Policy],
    latency_ms: int,
) -> None:
    for (asset, source, threshold, size, slide, start), numbers in values.items():
        watermark = watermarks[asset, source]
        if watermark < start + size:
            continue
        for policy in policies:
            if policy.windows == (source, threshold, size, slide):
                key = (asset, policy.output, start)
                outcome.results[key] = _aggregate(policy.aggregation, numbers)
                outcome.modes[key] = "final" if watermark >= start + size + latency_ms else "onTime"


def _aggregate(aggregation: str, values: list[Number]) -> Number | None:
    if aggregation in {"cnt", "count"}:
        return len(values)
    if aggregation in {"max", "min"}:
        best = max(values) if aggregation == "max" else min(values)
        return best if all(isinstance(value, int) for value in values) else float(best)
    try:
        total = math.fsum(values)
    except OverflowError:
        return None
    return total if aggregation == "sum" else total / len(values)


def _within(value: Number, threshold: str) -> bool:
    low, high = _bounds(threshold)
    above = low <= value if threshold[0] == "[" else low < value
    below = value <= high if threshold[-1] == "]" else value < high
    return above and below


@cache
def _bounds(threshold: str) -> tuple[float, float]:
    low, high = threshold[1:-1].split(",")
    return float(low), float(high)


def _ms(duration: str) -> int:
    units = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
    total, digits, unit = 0, "", ""
    for character in duration + "0":
        if character.isdigit() and unit:
            total, digits, unit = total + int(digits) * units[unit], "", ""
        digits, unit = (digits + character, unit) if character.isdigit() else (digits, unit + character)
    return total
