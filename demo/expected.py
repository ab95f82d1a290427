"""What the demo job must give, calculated from the definition and by other means than the runtime's.

A reading belongs to the window that its time falls into. It is late when, before it, the same meter already sent a time
at or beyond the window's end plus the latency. A window has a result once its meter sent a time at or beyond its end.
"""

from dataclasses import dataclass

import pandas as pd
import polars as pl


@dataclass(frozen=True)
class Policy:
    """The demo job's numbers, read from its manifest.

    Attributes:
        window_ms: Length of the windows, anchored at the epoch.
        latency_ms: How long after a window's end late readings still count.
        low: Lowest reading that takes part.
        high: First reading beyond those that take part.
    """

    window_ms: int
    latency_ms: int
    low: float
    high: float


@dataclass(frozen=True)
class Expected:
    """All results and counts of a job's whole input.

    Attributes:
        extremes: Index ``asset, window_start (epoch ms)``; columns ``highest, lowest`` (kWh).
        late: Readings within the threshold that came too late.
        outside: Readings outside the threshold.
    """

    extremes: pd.DataFrame
    late: int
    outside: int


def expect(readings: pl.DataFrame, policy: Policy) -> Expected:
    """Calculate every result of ``asset, time, reading`` in order of arrival."""
    frame = readings.select("asset", "time", "reading").to_pandas()
    seen_before = frame.groupby("asset", sort=False)["time"].transform(lambda times: times.cummax().shift())
    frame["window_start"] = frame["time"] - frame["time"] % policy.window_ms
    window_end = frame["window_start"] + policy.window_ms
    is_late = seen_before.notna() & (window_end + policy.latency_ms <= seen_before)
    is_outside = ~((frame["reading"] >= policy.low) & (frame["reading"] < policy.high))
    used = frame[~is_late & ~is_outside]
    last_seen = frame.groupby("asset")["time"].max()
    complete = used[used["window_start"] + policy.window_ms <= used["asset"].map(last_seen)]
    extremes = complete.groupby(["asset", "window_start"])["reading"].agg(["max", "min"])
    return Expected(
        extremes.set_axis(["highest", "lowest"], axis=1),
        late=int((is_late & ~is_outside).sum()),
        outside=int(is_outside.sum()),
    )
