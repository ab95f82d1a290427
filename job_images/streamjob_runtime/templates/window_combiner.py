"""Reducing one partition of a micro-batch to its windows, before anything crosses to the JVM.

Lateness is decided here record by record against the earlier records of the same micro-batch, and in the fold against
the watermark from before it. All records that are combined into one row share their window, so that the second
decision is the same for each of them: no cut into micro-batches changes it.

Overlapping windows are not told apart yet: records are combined into *panes*, stretches of one slide, and by how many
of their first windows they come too late for. So the cost does not grow with the overlap.

Where records replace each other none are combined: each crosses as a row of its own, those outside the threshold too,
since they may take an earlier value back.
"""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.shards import Shards
from streamjob_runtime.templates import sums
from streamjob_runtime.templates.arrays import NEVER
from streamjob_runtime.templates.inputs import NumberedInputs
from streamjob_runtime.templates.protocols import Combined
from streamjob_runtime.templates.running_maximum import earlier_maximum
from streamjob_runtime.templates.series_numbers import SeriesNumbers
from streamjob_runtime.templates.window_plan import Group, Threshold, WindowPlan
from streamjob_runtime.templates.window_rows import Rows, window_schema
from streamjob_runtime.templates.window_state import SERIES


@dataclass(frozen=True)
class Windows:
    """The windows, panes or records of a block, which name asset and input by the block's own numbers.

    Attributes:
        numbers: those of the block, in its order.
        missed: for how many of the first windows of its pane a row is too late; 0 where windows tumble.
    """

    numbers: NDArray[np.int32]
    rows: Rows
    missed: NDArray[np.int32]

    def placed(self, slots: NDArray[np.int32]) -> Rows:
        """Return the windows with the slots that the state has for the block's numbers."""
        by_number = np.empty(int(self.numbers.max(initial=-1)) + 1, np.int32)
        by_number[self.numbers] = slots
        return self.rows.with_slots(by_number[self.rows.slot])


def parted(block: pl.DataFrame, *, has_sums: bool) -> tuple[pl.DataFrame, Windows]:
    """Part a combined block into what it says of assets and inputs (SERIES), and its windows."""
    count = block.height - block["asset"].null_count()
    series, windows = block.head(count), block.tail(block.height - count)
    rows = Rows.of(windows, has_sums=has_sums, is_new=True)
    missed = windows["missed"].to_numpy() if "missed" in windows.columns else np.zeros(windows.height, np.int32)
    return series.select(SERIES.names()), Windows(series["slot"].to_numpy(), rows, missed)


class WindowCombiner:
    """The combiner of time window aggregation.

    A block begins with one row for each asset and input: ``mark`` is the highest event time, of late records and of
    those outside the threshold too, ``slot`` a number within the partition. The other rows are windows or panes, which
    name asset and input by that number.
    """

    def __init__(self, plan: WindowPlan, shards: Shards) -> None:
        self._plan = plan
        self._shards = shards
        self._inputs = NumberedInputs.of(plan.inputs)
        self._series = SeriesNumbers(len(plan.inputs))
        self._marks = np.empty(0, np.int64)
        self._windows: list[pl.DataFrame] = []
        self._counts = {"late": 0, "outside": 0}
        self._names = [*window_schema(has_sums=plan.has_sums), *(["missed"] if plan.is_sliding else [])]

    def add(self, points: pl.DataFrame) -> None:
        """Take the next chunk of the partition, in order."""
        rows = self._inputs.select(points)
        if rows.is_empty():
            return
        slot, time = self._series.of(rows), rows["time"].to_numpy()
        self._marks = np.concatenate([self._marks, np.full(len(self._series) - len(self._marks), NEVER)])
        rows = rows.select("input", "time", "value", "is_int", slot=pl.Series(slot), earlier=self._earlier(slot, time))
        np.maximum.at(self._marks, slot, time)
        for threshold, groups in self._plan.by_threshold.items():
            of_input = rows.filter(pl.col("input") == self._plan.inputs.index(threshold.input))
            if threshold.input in self._plan.replaced:
                self._list(of_input, threshold, groups)
            else:
                self._combine(of_input, threshold, groups)

    def finish(self) -> Combined:
        """Return one block a shard."""
        if not len(self._series):
            return Combined({}, dict(self._counts))
        series = self._series.named().with_columns(mark=self._marks)
        shards, windows = self._shards.of_assets(series["asset"]), pl.concat(self._windows)
        windows = windows.with_columns(shards.gather(windows["slot"]))
        block = pl.concat([series.with_columns(shards), windows], how="diagonal")
        by_shard = block.partition_by("shard", as_dict=True, include_key=False)
        return Combined({int(shard): rows for (shard,), rows in by_shard.items()}, dict(self._counts))

    def _earlier(self, slot: NDArray[np.int32], time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the highest event time of earlier records of the same asset and input; NEVER if none can be late."""
        highest = max(int(time.max()), int(self._marks[slot].max()))
        first_ends = (time.min() // self._plan.slides_ms + 1) * self._plan.slides_ms
        if int(first_ends.min()) + self._plan.latency_ms > highest:
            return np.full(len(time), NEVER)
        return earlier_maximum(slot, time, self._marks)

    def _combine(self, of_input: pl.DataFrame, threshold: Threshold, groups: dict[int, Group]) -> None:
        within = of_input.filter(threshold.holds())
        self._counts["outside"] += of_input.height - within.height
        for number, group in groups.items():
            rows = within.with_columns(start=pl.col("time").floordiv(group.slide_ms) * group.slide_ms)
            in_time = self._in_time(rows, group.size_ms)
            complete = self._in_time(in_time, group.slide_ms) if self._plan.is_sliding else in_time
            self._counts["late"] += rows.height - complete.height
            self._windows.append(self._aggregated(in_time, number))

    def _list(self, of_input: pl.DataFrame, threshold: Threshold, groups: dict[int, Group]) -> None:
        """Take records one by one, in the order of their arrival."""
        holds = threshold.holds()
        records = of_input.with_columns(
            pl.when(holds).then("value").alias("low"),
            pl.when(holds).then("value").alias("high"),
            is_int=pl.col("is_int") | ~holds,
            count=holds.cast(pl.Int64),
        )
        parts = sums.split(pl.col("low").fill_null(0.0)) if self._plan.has_sums else []
        records = records.with_columns(*parts, pl.col("low").fill_null(math.inf), pl.col("high").fill_null(-math.inf))
        self._counts["outside"] += of_input.height - int(records["count"].sum())
        for number, group in groups.items():
            pane = records.with_columns(start=pl.col("time").floordiv(group.slide_ms) * group.slide_ms)
            missed = pane.select(missed=self._missed(group))["missed"]
            self._counts["late"] += int(records["count"].filter(missed > 0).sum())
            rows = records.with_columns(missed, start="time", group=pl.lit(number, pl.Int32))
            self._windows.append(rows.filter(missed < group.overlap).select(self._names))

    def _in_time(self, rows: pl.DataFrame, distance_ms: int) -> pl.DataFrame:
        """Return the records before which the latency of a window was not over that ends at a distance from start."""
        return rows.filter(pl.col("start") + (distance_ms + self._plan.latency_ms) > pl.col("earlier"))

    def _aggregated(self, rows: pl.DataFrame, number: int) -> pl.DataFrame:
        value, keys = pl.col("value"), ["slot", "start"]
        if self._plan.is_sliding:
            rows = rows.with_columns(missed=self._missed(self._plan.groups[number]))
            keys = [*keys, "missed"]
        parts = [part.sum() for part in sums.split(value)] if self._plan.has_sums else []
        aggregates = {"low": value.min(), "high": value.max(), "count": pl.len().cast(pl.Int64)}
        grouped = rows.group_by(keys).agg(pl.col("is_int").all(), *parts, **aggregates)
        return grouped.with_columns(group=pl.lit(number, pl.Int32)).select(self._names)

    def _missed(self, group: Group) -> pl.Expr:
        """For how many of the windows of its pane a record comes too late: always the first ones to end."""
        over_for = pl.col("earlier") - pl.col("start") - self._plan.latency_ms
        return over_for.floordiv(group.slide_ms).clip(0, group.overlap).cast(pl.Int32)
