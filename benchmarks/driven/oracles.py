"""What must come of a stream, calculated with numpy over whole rounds; shares no code with the runtime.

Each returns ``asset str, point str, time i64 (epoch ms), value f64``. That these say what
the loops of tests/oracles say is tested in tests/unit/bench_driven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.driven.streams import Stream, Values

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_SCHEMA = {"asset": pl.String, "point": pl.String, "time": pl.Int64, "value": pl.Float64}
_REDUCED: Mapping[str, Callable[[Values], Values]] = {
    "max": lambda values: np.nanmax(values, axis=0),
    "min": lambda values: np.nanmin(values, axis=0),
    "sum": lambda values: np.nansum(values, axis=0),
    "avg": lambda values: np.nanmean(values, axis=0),
    "cnt": lambda values: np.sum(~np.isnan(values), axis=0).astype(np.float64),
}


@dataclass(frozen=True)
class Window:
    """One policy of a window job; ``slide_ms`` is the size where windows tumble."""

    aggregation: str
    size_ms: int
    slide_ms: int
    output: str


def windows(stream: Stream, policies: Sequence[Window], lowest: float, beyond: float) -> pl.DataFrame:
    """The windows of all rounds that the closing round has closed."""
    times = np.array([stream.time_ms(number) for number in range(stream.rounds)])
    values = np.stack([stream.of_round(number) for number in range(stream.rounds)])
    values[(values < lowest) | (values >= beyond)] = np.nan
    closed_ms = stream.time_ms(stream.rounds)
    return _concat(
        frame
        for policy in policies
        for start in _starts(policy, int(times[0]), int(times[-1]))
        if start + policy.size_ms <= closed_ms
        for frame in _window(stream, policy, start, values[(times >= start) & (times < start + policy.size_ms)])
    )


def _starts(policy: Window, first_ms: int, last_ms: int) -> range:
    """Starts of the windows that hold any time between the two."""
    first = (first_ms - policy.size_ms) // policy.slide_ms * policy.slide_ms + policy.slide_ms
    return range(first, last_ms + 1, policy.slide_ms)


def _window(stream: Stream, policy: Window, start: int, values: Values) -> Iterator[pl.DataFrame]:
    """One window of all meters that have a value in it."""
    there = ~np.isnan(values).all(axis=0)
    if there.any():
        reduced = _REDUCED[policy.aggregation](values[:, there])
        yield _frame(stream.assets().filter(pl.Series(there)), policy.output, start, reduced)


def energy(stream: Stream, energies: Iterator[Values], daily: str, detailed: str, interval_ms: int) -> pl.DataFrame:
    """Days and details, by UTC, that the closing round has closed.

    Args:
        energies: of the interval that each round ends; the first and the closing round's have none.
    """
    by_place: dict[tuple[str, int], Values] = {}
    for number, added in enumerate(energies):
        time_ms = stream.time_ms(number)
        for place in ((daily, time_ms // DAY_MS * DAY_MS), (detailed, time_ms // interval_ms * interval_ms)):
            by_place[place] = by_place.get(place, np.zeros(stream.meters)) + added
    return _concat(_frame(stream.assets(), *place, total) for place, total in by_place.items())


def meter_energy(stream: Stream, steepest: float) -> Iterator[Values]:
    """Differences of readings with a slope of 0 to ``steepest`` an hour; every record becomes the reference."""
    for _, hours, before, now in _pairs(stream):
        difference = now - before
        yield np.where((difference >= 0) & (difference <= steepest * hours), difference, 0.0)


def instant_energy(stream: Stream, highest: float) -> Iterator[Values]:
    """Each power holds back to the record before; one above ``highest`` contributes nothing."""
    for _, hours, _, now in _pairs(stream):
        yield np.where(now <= highest, now, 0.0) * hours


def average_energy(stream: Stream, highest: float) -> Iterator[Values]:
    """The mean of two powers; nothing where one of them is above ``highest``."""
    for _, hours, before, now in _pairs(stream):
        yield np.where((now <= highest) & (before <= highest), (before + now) / 2, 0.0) * hours


def _pairs(stream: Stream) -> Iterator[tuple[int, float, Values, Values]]:
    """Each round with the hours since the one before it; the first with itself, over no time."""
    before, time_ms = stream.of_round(0), stream.time_ms(0)
    for number in range(stream.rounds):
        now = stream.of_round(number)
        yield number, (stream.time_ms(number) - time_ms) / HOUR_MS, before, now
        before, time_ms = now, stream.time_ms(number)


def merged(stream: Stream, trigger: str, output: str, logic: Callable[[Values, Values], Values]) -> pl.DataFrame:
    """A result for each round of the trigger point, of its values and those of the round before."""
    rounds = (number for number in stream.all_rounds if number and stream.point(number) == trigger)
    return _concat(
        _frame(
            stream.assets(), output, stream.time_ms(number), logic(stream.of_round(number), stream.of_round(number - 1))
        )
        for number in rounds
    )


def _frame(assets: pl.Series, point: str, time_ms: int, values: Values) -> pl.DataFrame:
    return pl.DataFrame([assets, pl.Series("value", values)]).select(
        "asset", pl.lit(point).alias("point"), pl.lit(time_ms, pl.Int64).alias("time"), "value"
    )


def _concat(frames: Iterator[pl.DataFrame]) -> pl.DataFrame:
    found = list(frames)
    return pl.concat(found) if found else pl.DataFrame(schema=_SCHEMA)
