"""What time window aggregation must give, as plain loops over the whole input.

Source: the contract of records ("Order and lateness", "Chains") and the service's reference on tumbling and sliding
windows. A tumbling window is one whose slide is its size. Nothing here knows of partitions, panes or columns, and of
micro-batches only that their clock tells who is silent.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

MINUTE_MS, NEVER = 60_000, -(2**62)
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
    records: Iterable[Record],
    policies: Sequence[Policy],
    latency_ms: int,
    *,
    replaced: Collection[str] = (),
    is_ended: bool = False,
) -> Expected:
    """Calculate every result; ``records`` are the accepted ones, in arrival order.

    On the inputs ``replaced`` a record replaces the earlier one of the same asset and time. With ``is_ended`` nothing
    will follow, so that every window becomes final.
    """
    reading = _Reading(policies, latency_ms, replaced)
    for record in records:
        reading.take(record)
    return reading.outcome(is_ended=is_ended)


def expected_by_clock(
    batches: Iterable[tuple[int, Sequence[Record]]],
    policies: Sequence[Policy],
    latency_ms: int,
    idle_timeout_ms: int,
    *,
    replaced: Collection[str] = (),
) -> Expected:
    """The same with an idle timeout: of records in micro-batches, some of them empty, each with its time by the clock.

    Whatever is open of an asset and input is closed in the first micro-batch in which nothing has come from it for the
    timeout, and no longer than a minute more: silence that nobody watched begins anew.
    """
    reading = _Reading(policies, latency_ms, replaced)
    arrivals: dict[tuple[str, str], int] = {}
    for now, records in batches:
        for record in records:
            reading.take(record)
            arrivals[record[0], record[1]] = now
        for series, arrival in arrivals.items():
            if idle_timeout_ms <= now - arrival <= idle_timeout_ms + MINUTE_MS:
                reading.close(series)
            elif now - arrival > idle_timeout_ms + MINUTE_MS:
                arrivals[series] = now
    return reading.outcome(is_ended=False)


def expected_of_parts(
    parts: Iterable[tuple[Collection[str], Sequence[Record]]], policies: Sequence[Policy], latency_ms: int
) -> Expected:
    """The same where the inputs ``replaced`` change from part to part of the records."""
    reading = _Reading(policies, latency_ms, ())
    for replaced, records in parts:
        reading.turn(replaced)
        for record in records:
            reading.take(record)
    return reading.outcome(is_ended=False)


class _Reading:
    """What has been read so far."""

    def __init__(self, policies: Sequence[Policy], latency_ms: int, replaced: Collection[str]) -> None:
        self.policies, self.latency, self.replaced = policies, latency_ms, replaced
        self.late = self.outside = 0
        self.watermarks: dict[tuple[str, str], int] = {}
        # The end up to which windows were closed for silence, by asset and what windows have in common.
        self.closed: dict[tuple[str, str, str, int, int], int] = {}
        # The values of a window: under their times where they replace each other, else under numbers. None: a value
        # that was there has been replaced by one that takes no part.
        self.values: dict[Window, dict[tuple[str, int], Number | None]] = defaultdict(dict)

    def take(self, record: Record) -> None:
        asset, point, time, value = record
        for source, threshold in {(policy.input, policy.threshold) for policy in self.policies}:
            self.outside += source == point and not _within(value, threshold)
        for shape in {policy.windows for policy in self.policies}:
            source, threshold, size, slide = shape
            if source == point:
                of_value = value if _within(value, threshold) else None
                in_time = [self._put((asset, *shape, start), time, of_value) for start in _starts(time, size, slide)]
                self.late += of_value is not None and not all(in_time)
        self.watermarks[asset, point] = max(time, self.watermarks.get((asset, point), time))

    def _put(self, window: Window, time: int, value: Number | None) -> bool:
        if self._is_final(window):
            return False
        values = self.values[window]
        if window[1] not in self.replaced:
            if value is not None:
                values["number", len(values)] = value
        elif value is not None or ("time", time) in values:
            values["time", time] = value
        return True

    def turn(self, replaced: Collection[str]) -> None:
        """From now on records replace each other on these inputs; none replaces one from before it did."""
        for window, values in self.values.items():
            if window[1] not in replaced:
                self.values[window] = {("number", place): value for place, value in enumerate(values.values())}
        self.replaced = replaced

    def _is_final(self, window: Window) -> bool:
        asset, source, _, size, _, start = window
        watermark = self.watermarks.get((asset, source))
        is_past = watermark is not None and start + size + self.latency <= watermark
        return is_past or start + size <= self.closed.get(window[:5], NEVER)

    def close(self, series: tuple[str, str]) -> None:
        ends: dict[tuple[str, str, str, int, int], int] = {}
        # Windows of the same kind that end before one that is closed are closed as well, with values or without.
        for window in [window for window, values in self.values.items() if window[:2] == series and values]:
            if not self._is_final(window):
                ends[window[:5]] = max(ends.get(window[:5], NEVER), window[5] + window[3])
        self.closed |= ends

    def outcome(self, *, is_ended: bool) -> Expected:
        outcome = Expected(late=self.late, outside=self.outside)
        for window, values in self.values.items():
            asset, source, threshold, size, slide, start = window
            is_final = is_ended or self._is_final(window)
            if not values or not (is_final or start + size <= self.watermarks[asset, source]):
                continue
            for policy in self.policies:
                if policy.windows == (source, threshold, size, slide):
                    key = (asset, policy.output, start)
                    numbers = [value for value in values.values() if value is not None]
                    outcome.results[key] = _aggregate(policy.aggregation, numbers)
                    outcome.modes[key] = "final" if is_final else "onTime"
        return outcome


def _starts(time: int, size: int, slide: int) -> list[int]:
    """Where the windows begin that hold a time: at multiples of the slide, up to one size before it."""
    last = time // slide * slide
    return [start for start in range(last - size, last + slide, slide) if start <= time < start + size]


def _aggregate(aggregation: str, values: list[Number]) -> Number | None:
    if aggregation in {"cnt", "count"}:
        return len(values)
    if not values:
        return None
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
