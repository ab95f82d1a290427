"""The readings that every contestant is given, and what must come of them: both made from numbers alone.

Reading ``n`` is meter ``n % meters``'s in round ``n // meters``; a round is ten seconds. A last reading of each
meter lies half a window beyond the end of the last window, and within the threshold, so that every window before it is
closed, also where an engine has a watermark for each key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.runtime.contestant import BEYOND, INPUT_POINT, LOWEST, MODEL, POINTS, WINDOW_MS

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z, a window's start
ROUND_MS = 10_000
# Thousandths from -1,000 to 1,001,000: two of a thousand readings are outside, as on a line with noise.
_FIRST, _SPAN = -1_000_000, 1_002_000_000
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: its multiples' upper bits look random
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Load:
    """So many rounds of readings of so many meters."""

    meters: int
    rounds: int

    @classmethod
    def of(cls, messages: int, meters: int) -> Load:
        """The load of about that many readings, one round at least."""
        return cls(meters, max(1, round(messages / meters)))

    @property
    def messages(self) -> int:
        """All messages, the closing round included."""
        return self.meters * (self.rounds + 1)

    @property
    def windows(self) -> int:
        """Windows of each meter that are closed at the end."""
        return -(-self.rounds * ROUND_MS // WINDOW_MS)

    def time_ms(self, round_number: int) -> int:
        """When a round's readings were taken."""
        if round_number == self.rounds:
            return START_MS + self.windows * WINDOW_MS + WINDOW_MS // 2
        return START_MS + round_number * ROUND_MS

    def thousandths(self, round_number: int) -> Numbers:
        """The readings of one round in thousandths, meter by meter."""
        first = round_number * self.meters
        mixed = np.arange(first, first + self.meters, dtype=np.uint64) * _GOLDEN >> np.uint64(20)
        found = (mixed % np.uint64(_SPAN)).astype(np.int64) + _FIRST
        return found.clip(0, 999_999_999) if round_number == self.rounds else found

    def assets(self) -> pl.Series:
        """The ids of all meters."""
        return pl.Series("asset", [f"mtr{number:06d}" for number in range(self.meters)])


def messages(load: Load, org_id: str) -> Iterator[tuple[list[str], list[str]]]:
    """Keys and Origin messages of some 190 bytes, round by round, the closing one last."""
    assets = load.assets()
    keys = assets.to_list()
    head = f'{{"orgId":"{org_id}","modelId":"{MODEL}","modelIdPath":"/{MODEL}","payload":[{{"assetId":"'
    for number in range(load.rounds + 1):
        thousandths = load.thousandths(number)
        middle = f'","time":{load.time_ms(number)},"measurepoints":{{"{INPUT_POINT}":'
        values, powers = pl.Series("value", thousandths / 1000), pl.Series("power", thousandths % 997 / 100)
        frame = pl.DataFrame([assets, values, powers])
        text = pl.concat_str(
            pl.lit(head), "asset", pl.lit(middle), "value", pl.lit(',"Power":'), "power", pl.lit("}}]}")
        )
        yield keys, frame.select(text).to_series().to_list()


def expected_results(load: Load) -> pl.DataFrame:
    """What must come of the readings, straight from their numbers.

    Returns:
        ``asset str, point str, time i64, value f64``, a row for each result, in no order.
    """
    per_window = WINDOW_MS // ROUND_MS
    return pl.concat(
        _of_window(load, window, range(window * per_window, min((window + 1) * per_window, load.rounds)))
        for window in range(load.windows)
    )


def _of_window(load: Load, window: int, rounds: range) -> pl.DataFrame:
    values = np.stack([load.thousandths(number) for number in rounds])
    kept = (values >= LOWEST * 1000) & (values < BEYOND * 1000)
    columns = {
        "max": np.where(kept, values, np.iinfo(np.int64).min).max(axis=0) / 1000,
        "min": np.where(kept, values, np.iinfo(np.int64).max).min(axis=0) / 1000,
        "sum": np.where(kept, values, 0).sum(axis=0) / 1000,
        "cnt": kept.sum(axis=0).astype(np.float64),
    }
    frame = pl.DataFrame([load.assets(), *(pl.Series(POINTS[name], column) for name, column in columns.items())])
    frame = frame.filter(pl.col(POINTS["cnt"]) > 0).unpivot(index="asset", variable_name="point", value_name="value")
    return frame.select("asset", "point", pl.lit(START_MS + window * WINDOW_MS).alias("time"), "value")
