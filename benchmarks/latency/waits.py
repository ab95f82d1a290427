"""How long results took: from sending the record that closes a window to the arrival of the window's results."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.driven.results import KEY
from benchmarks.latency.staggered import closing_round


@dataclass(frozen=True)
class Sent:
    """When messages were sent: message ``begins[i]``, and those up to the next piece's, at ``seconds[i]``."""

    begins: np.typing.NDArray[np.int64]
    seconds: np.typing.NDArray[np.float64]
    behind: float

    def at(self, indices: np.typing.NDArray[np.int64]) -> np.typing.NDArray[np.float64]:
        """When each of these messages was sent; NaN for what was sent before the schedule."""
        pieces = np.searchsorted(self.begins, indices, side="right") - 1
        return np.where(pieces >= 0, self.seconds[np.maximum(pieces, 0)], np.nan)


@dataclass(frozen=True)
class Waits:
    """Percentiles in milliseconds over so many results."""

    results: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


def waits(arrived: pl.DataFrame, sent: Sent, meters: int, begin: float, end: float) -> np.typing.NDArray[np.float64]:
    """Milliseconds that each result took whose closing record was sent between the two moments.

    Args:
        arrived: ``asset, point, time, arrived`` in the order of arrival; the first of each result counts.
        meters: a round has so many messages.
        begin, end: epoch seconds, the end excluded.
    """
    first = arrived.unique(KEY, keep="first", maintain_order=True)
    meter = pl.col("asset").str.slice(3).cast(pl.Int64)
    indices = first.select(closing_round(meter, pl.col("time")) * meters + meter).to_series().to_numpy()
    at = sent.at(indices)
    counts = (at >= begin) & (at < end)
    found: np.typing.NDArray[np.float64] = (first["arrived"].to_numpy() - at)[counts] * 1000
    return found


def summary(milliseconds: np.typing.NDArray[np.float64]) -> Waits:
    """Percentiles of waits, at least one of which is there."""
    p50, p90, p99 = (round(float(each), 1) for each in np.percentile(milliseconds, (50, 90, 99)))
    return Waits(len(milliseconds), p50, p90, p99, round(float(milliseconds.max()), 1))
