"""Reducing one partition of a micro-batch to its windows, before anything crosses to the JVM.

Lateness is decided here record by record against the earlier records of the same micro-batch, and in the fold against
the watermark from before it. All records that are combined into one row share their window, so that the second
decision is the same for each of them: no cut into micro-batches changes it.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.shards import shard_of
from streamjob_runtime.templates import sums
from streamjob_runtime.templates.protocols import Combined
from streamjob_runtime.templates.window_plan import Group, Threshold, WindowPlan
from streamjob_runtime.templates.window_rows import Rows, window_schema
from streamjob_runtime.templates.window_state import SERIES

_SERIES = ["asset", "input"]


@dataclass(frozen=True)
class Windows:
    """The windows of a block, which name asset and input by the block's own numbers."""

    numbers: NDArray[np.int32]
    rows: Rows

    def placed(self, slots: NDArray[np.int32]) -> Rows:
        """Return the windows with the slots that the state has for the block's numbers."""
        order = np.argsort(self.numbers)
        places = order[np.searchsorted(self.numbers, self.rows.slot, sorter=order)]
        return self.rows.with_slots(slots[places])


def parted(block: pl.DataFrame, *, has_sums: bool) -> tuple[pl.DataFrame, Windows]:
    """Part a combined block into what it says of assets and inputs (SERIES), and its windows."""
    count = block.height - block["asset"].null_count()
    series, windows = block.head(count), block.tail(block.height - count)
    rows = Rows.of(windows, has_sums=has_sums, is_new=True)
    return series.select(SERIES.names()), Windows(series["slot"].to_numpy(), rows)


class WindowCombiner:
    """The combiner of time window aggregation.

    A block begins with one row for each asset and input: ``mark`` is the highest event time, of late records and of
    those outside the threshold too, ``slot`` a number within the partition. The other rows are windows, which name
    asset and input by that number.
    """

    def __init__(self, plan: WindowPlan) -> None:
        self._plan = plan
        self._inputs = pl.DataFrame(
            [(ref.model, ref.point, number) for number, ref in enumerate(plan.inputs)],
            schema={"model": pl.String, "point": pl.String, "input": pl.Int32},
            orient="row",
        )
        self._series = SERIES.to_frame()
        self._windows: list[pl.DataFrame] = []
        self._counts = {"late": 0, "outside": 0}

    def add(self, points: pl.DataFrame) -> None:
        """Take the next chunk of the partition, in order."""
        rows = points.join(self._inputs, on=["model", "point"], how="inner", maintain_order="left")
        if rows.is_empty():
            return
        rows = self._with_earlier(rows)
        marks = rows.select(*_SERIES, "model_path", mark="time")
        self._series = _highest(pl.concat([self._series, marks.select(SERIES.names())]))
        for threshold, groups in self._plan.by_threshold.items():
            self._combine(rows, threshold, groups)

    def finish(self) -> Combined:
        """Return one block a shard."""
        if self._series.is_empty():
            return Combined({}, dict(self._counts))
        series = self._series.with_row_index("slot").with_columns(pl.col("slot").cast(pl.Int32))
        series = series.with_columns(shard_of(series["asset"]))
        windows = pl.concat(self._windows)
        windows = windows.join(series.select("slot", "shard", *_SERIES), on=_SERIES)
        names = window_schema(has_sums=self._plan.has_sums).names()
        block = pl.concat([series, windows.select("shard", *names)], how="diagonal")
        by_shard = block.partition_by("shard", as_dict=True, include_key=False)
        return Combined({int(shard): rows for (shard,), rows in by_shard.items()}, dict(self._counts))

    def _with_earlier(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add ``earlier``: the highest event time of earlier records of the same asset and input, null at the first."""
        before = pl.col("time").cum_max().shift(1).over(_SERIES)
        known = self._series.select(*_SERIES, "mark")
        carried = rows.join(known, on=_SERIES, how="left", maintain_order="left")
        return carried.with_columns(earlier=pl.max_horizontal(before, "mark")).drop("mark")

    def _combine(self, rows: pl.DataFrame, threshold: Threshold, groups: dict[int, Group]) -> None:
        of_input = rows.filter(pl.col("input") == self._plan.inputs.index(threshold.input))
        within = of_input.filter(threshold.holds())
        self._counts["outside"] += of_input.height - within.height
        for number, group in groups.items():
            start = pl.col("time").floordiv(group.size_ms) * group.size_ms
            end = start + (group.size_ms + self._plan.latency_ms)
            in_time = within.filter((end > pl.col("earlier")).fill_null(value=True))
            self._counts["late"] += within.height - in_time.height
            self._windows.append(self._aggregated(in_time.with_columns(start=start), number))

    def _aggregated(self, rows: pl.DataFrame, group: int) -> pl.DataFrame:
        value = pl.col("value")
        parts = [part.sum() for part in sums.split(value)] if self._plan.has_sums else []
        aggregates = [pl.col("is_int").all(), *parts]
        grouped = rows.group_by(*_SERIES, "start").agg(
            *aggregates, low=value.min(), high=value.max(), count=pl.len().cast(pl.Int64)
        )
        return grouped.with_columns(group=pl.lit(group, pl.Int32))


def _highest(series: pl.DataFrame) -> pl.DataFrame:
    """One row an asset and input: the highest time, and the model path of the record that had it."""
    newest = pl.col("mark").arg_max()
    merged = series.group_by(_SERIES).agg(pl.col("mark").max(), pl.col("model_path").get(newest))
    return merged.select(SERIES.names())
