"""Meters of which some close a window at any moment, and what must come of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import polars as pl

from benchmarks.driven.streams import START_MS, Numbers, Stream, Values, noise
from benchmarks.driven.tasks import BEYOND, LOWEST, MINUTE_MS, WindowJob

JOB = WindowJob()
WINDOW_MS = 10 * MINUTE_MS
PERIOD_MS = 10_000
PER_WINDOW = WINDOW_MS // PERIOD_MS
_REDUCED: Mapping[str, Callable[[Values], Values]] = {
    "max": lambda values: np.nanmax(values, axis=0),
    "min": lambda values: np.nanmin(values, axis=0),
    "sum": lambda values: np.nansum(values, axis=0),
    "cnt": lambda values: np.sum(~np.isnan(values), axis=0).astype(np.float64),
}


class Staggered(Stream):
    """In each round one of sixty meters closes a window: meter ``m`` is ``m % 60`` rounds ahead of meter 0."""

    @classmethod
    def of(cls, meters: int, rounds: int) -> Staggered:
        return cls(noise, meters, rounds, PERIOD_MS)

    def times_ms(self, round_number: int) -> Numbers:
        """The event times of a round, meter by meter."""
        times: Numbers = START_MS + (round_number + np.arange(self.meters, dtype=np.int64) % PER_WINDOW) * PERIOD_MS
        return times

    def texts(self, round_number: int) -> pl.Series:
        """The messages of a round, meter by meter."""
        columns = {"time": self.times_ms(round_number), "value": self.of_round(round_number)}
        frame = pl.DataFrame([self.assets(), *(pl.Series(name, values) for name, values in columns.items())])
        text = pl.concat_str(
            pl.lit(self.padding.head), "asset", pl.lit('","time":'), "time",
            pl.lit(f',"measurepoints":{{"{self.point(round_number)}":'), "value", pl.lit(self.padding.tail),
        )  # fmt: skip
        return frame.select(text).to_series()


def closing_round(meter: pl.Expr, window_start: pl.Expr) -> pl.Expr:
    """The round in which a meter sends the record that closes a window: the first at its end or beyond."""
    return (window_start + WINDOW_MS - START_MS) // PERIOD_MS - meter % PER_WINDOW


def wanted(stream: Staggered) -> pl.DataFrame:
    """The results of all windows that are closed after the last round: ``asset, point, time, value``."""
    return pl.concat(frame for ahead in range(min(PER_WINDOW, stream.meters)) for frame in _of_group(stream, ahead))


def _of_group(stream: Staggered, ahead: int) -> Iterator[pl.DataFrame]:
    """Results of the meters that are so many rounds ahead."""
    meters = np.arange(ahead, stream.meters, PER_WINDOW, dtype=np.int64)
    assets = stream.assets().gather(meters)
    for window in range((stream.rounds - 1 + ahead) // PER_WINDOW):
        first = window * PER_WINDOW - ahead
        values = np.stack([noise(meters, number) for number in range(max(0, first), first + PER_WINDOW)])
        values[(values < LOWEST) | (values >= BEYOND)] = np.nan
        start = pl.lit(START_MS + window * WINDOW_MS, pl.Int64).alias("time")
        there = ~np.isnan(values).all(axis=0)
        for policy in JOB.policies if there.any() else ():
            found = pl.Series("value", _REDUCED[policy.aggregation](values[:, there]))
            frame = pl.DataFrame([assets.filter(pl.Series(there)), found])
            yield frame.select("asset", pl.lit(policy.output).alias("point"), start, "value")
