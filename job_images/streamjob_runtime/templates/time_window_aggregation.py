"""Time window aggregation over tumbling event-time windows ``[start, start + size)``, anchored at the Unix epoch.

The watermark of an asset and input is the highest event time that was accepted. A window's result is ``final`` when
the watermark reaches its end plus the latency; with a latency above 0 there is an ``onTime`` result when the watermark
reaches the end, and another in each micro-batch in which late records changed it. When a single micro-batch brings
both, only the final result leaves.

A record counts as ``outside`` once for each input and threshold and as ``late`` once for each input, threshold and
window size that it would have belonged to, whatever the number of policies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from streamjob_api.points import PointRef
from streamjob_api.stream_job import TimeWindowAggregation as TimeWindowAggregationSpec
from streamjob_runtime.templates import sums
from streamjob_runtime.templates.protocols import RESULTS, BlockStore, Combiner, Folded
from streamjob_runtime.templates.window_combiner import MARKS, WindowCombiner, merged, window_schema
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_state import Head, load_windows, open_schema, save_windows


@dataclass(frozen=True)
class TimeWindowAggregation:
    """The template for one job."""

    plan: WindowPlan

    @classmethod
    def of(cls, spec: TimeWindowAggregationSpec) -> Self:
        """Return the template that a job configures."""
        return cls(WindowPlan.of(spec))

    @property
    def inputs(self) -> frozenset[PointRef]:
        """The points that the job reads."""
        return frozenset(self.plan.inputs)

    @property
    def identity(self) -> str:
        """Hash of all that makes a checkpoint (in)compatible."""
        return self.plan.identity

    def combiner(self) -> Combiner:
        """Return a new combiner, for one partition of one micro-batch."""
        return WindowCombiner(self.plan)

    def fold(self, store: BlockStore, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:  # noqa: ARG002
        """Fold the blocks of one shard into its open windows. Event time alone decides: ``now_ms`` is not used.

        ``counts``: ``late``; ``severalPartitions``, the assets and inputs of which several partitions brought records
        in this micro-batch, so that their order is not known.
        """
        head, (new_marks, rows) = Head.load(store), _parted(blocks, self.plan)
        marks = _advanced(head.marks, new_marks)
        rows, late = self._in_time(rows, marks)
        touched = self._touched(head.index, rows, marks)
        known = set(head.index["start"].to_list())
        windows = self._merge(load_windows(store, sorted(known & touched), self.plan), rows, marks)
        still_open = windows.filter(~pl.col("is_final"))
        changed = set(windows.filter(pl.col("is_final") | pl.col("is_changed"))["start"].to_list())
        kept = changed & (known | set(still_open["start"].to_list()))
        save_windows(store, sorted(kept), still_open.select(open_schema(self.plan).names()))
        index = _index(head.index, touched, still_open)
        Head(marks.select(MARKS.names()), index).save(store)
        several = int(new_marks.select("asset", "input").is_duplicated().sum())
        return Folded(self._results(windows), {"late": late, "severalPartitions": several})

    def _in_time(self, rows: pl.DataFrame, marks: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        """Drop what is late by the watermark from before the micro-batch, and count it."""
        placed = rows.join(self.plan.sizes, on="group").join(marks, on=["asset", "input"])
        is_late = self._final_at() <= pl.col("before")
        late = placed.filter(is_late)["count"].sum()
        return placed.filter(is_late.not_().fill_null(value=True)).select(rows.columns), int(late)

    def _touched(self, index: pl.DataFrame, rows: pl.DataFrame, marks: pl.DataFrame) -> set[int]:
        """Return the starts of windows that new rows belong to or that a watermark has moved across."""
        moved = marks.filter(pl.col("mark") > pl.col("before")).select("before", "mark")
        touched = set(rows["start"].to_list())
        for distance in {0, self.plan.latency_ms}:
            due = pl.col("start") + pl.col("size") + distance
            crossed = index.with_columns(due=due).join_where(
                moved, pl.col("due") > pl.col("before"), pl.col("due") <= pl.col("mark")
            )
            touched |= set(crossed["start"].to_list())
        return touched

    def _merge(self, opened: pl.DataFrame, rows: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
        """Merge new rows into open windows, and say what becomes of each.

        Adds to the columns of ``opened``: ``size, input, model_path``; ``is_new``, whether a new row is in it;
        ``is_final``; ``is_on_time``, whether an on-time result is to leave; ``is_changed``.
        """
        new = rows.with_columns(on_time=False, is_new=True)
        old = opened.with_columns(is_new=False)
        names = open_schema(self.plan).names()
        both = merged(pl.concat([old, new.select(old.columns)]), self.plan, pl.col("on_time", "is_new").any())
        placed = both.select(*names, "is_new").collect().join(self.plan.sizes, on="group")
        placed = placed.join(marks.select("asset", "input", "mark", "model_path"), on=["asset", "input"])
        is_over = pl.col("start") + pl.col("size") <= pl.col("mark")
        is_final = self._final_at() <= pl.col("mark")
        is_on_time = is_over & ~is_final & (pl.col("is_new") | ~pl.col("on_time"))
        states = placed.with_columns(is_final=is_final, is_on_time=is_on_time)
        return states.with_columns(
            is_changed=pl.col("is_new") | pl.col("is_on_time"), on_time=pl.col("on_time") | pl.col("is_on_time")
        )

    def _results(self, windows: pl.DataFrame) -> pl.DataFrame:
        """Return RESULTS of the windows that are due, one for each policy of their group."""
        due = windows.filter(pl.col("is_final") | pl.col("is_on_time"))
        rows = due.join(self.plan.outputs.drop("input", "size"), on="group")
        mode = pl.when("is_final").then(pl.lit("final")).otherwise(pl.lit("onTime"))
        kind = pl.col("aggregation")
        value = self._value()
        results = rows.with_columns(
            time="start",
            value=pl.when(value.is_finite()).then(value),
            is_int=pl.when(kind.is_in(["max", "min"])).then("is_int").otherwise(kind == "cnt"),
            attr=pl.concat_str(
                pl.lit('{"windowAggregator":{"calType":"'), kind, pl.lit('","calMode":"'), mode, pl.lit('"}}')
            ),
        )
        return results.select(RESULTS.names()).sort("asset", "model", "point", "time")

    def _value(self) -> pl.Expr:
        kind, count = pl.col("aggregation"), pl.col("count").cast(pl.Float64)
        value = pl.when(kind == "max").then("high").when(kind == "min").then("low").when(kind == "cnt").then(count)
        if not self.plan.has_sums:
            return value.otherwise(None)
        return (
            value.when(kind == "sum").then(sums.total()).when(kind == "avg").then(sums.total() / count).otherwise(None)
        )

    def _final_at(self) -> pl.Expr:
        return pl.col("start") + pl.col("size") + self.plan.latency_ms


def _parted(blocks: Sequence[pl.DataFrame], plan: WindowPlan) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part combined blocks into marks and window rows."""
    rows = pl.concat(blocks) if blocks else pl.DataFrame(schema={**MARKS, **window_schema(plan)})
    is_window = rows["group"].is_not_null()
    return rows.filter(~is_window).select(MARKS.names()), rows.filter(is_window).select(window_schema(plan).names())


def _advanced(marks: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """MARKS after the micro-batch, and ``before``: the watermark that was, null where there was none."""
    was = marks.with_columns(before="mark")
    both = pl.concat([was, new.with_columns(before=pl.lit(None, pl.Int64))])
    newest = pl.col("mark").arg_max()
    return (
        both.group_by("asset", "input")
        .agg(pl.col("mark").max(), pl.col("model_path").get(newest), pl.col("before").max())
        .select(*MARKS.names(), "before")
        .sort("asset", "input")
    )


def _index(index: pl.DataFrame, touched: set[int], still_open: pl.DataFrame) -> pl.DataFrame:
    untouched = index.filter(~pl.col("start").is_in(sorted(touched)))
    return pl.concat([untouched, still_open.select("start", "size").unique()]).sort("start", "size")
