"""Reducing one partition of a micro-batch to its windows, before anything crosses to the JVM.

Lateness is decided here record by record against the earlier records of the same micro-batch, and in the fold against
the watermark from before it. All records that are combined into one row share their window, so that the second
decision is the same for each of them: no cut into micro-batches changes it.
"""

import polars as pl

from streamjob_runtime.shards import shard_of
from streamjob_runtime.templates import sums
from streamjob_runtime.templates.protocols import Combined
from streamjob_runtime.templates.window_plan import Group, WindowPlan

MARKS = pl.Schema({"asset": pl.String, "input": pl.Int32, "mark": pl.Int64, "model_path": pl.String})
WINDOWS = pl.Schema(
    {
        "asset": pl.String,
        "group": pl.Int32,
        "start": pl.Int64,
        "low": pl.Float64,
        "high": pl.Float64,
        "count": pl.Int64,
        "is_int": pl.Boolean,
    }
)


def window_schema(plan: WindowPlan) -> pl.Schema:
    """Return WINDOWS, with the parts of sums where a policy needs them."""
    return pl.Schema([*WINDOWS.items(), *((part, pl.Float64()) for part in (sums.PARTS if plan.has_sums else ()))])


def merged(windows: pl.DataFrame | pl.LazyFrame, plan: WindowPlan, *more: pl.Expr) -> pl.LazyFrame:
    """Merge rows of the same asset, group and window; associative and commutative."""
    parts = [pl.col(part).sum() for part in (sums.PARTS if plan.has_sums else ())]
    aggregates = [pl.col("low").min(), pl.col("high").max(), pl.col("count").sum(), pl.col("is_int").all()]
    return windows.lazy().group_by("asset", "group", "start").agg(*aggregates, *parts, *more)


class WindowCombiner:
    """The combiner of time window aggregation.

    A block holds two kinds of rows: with ``group``, a window's values (WINDOWS); without, in ``mark`` the highest event
    time of an asset and input, records outside the threshold and late ones included (MARKS).
    """

    def __init__(self, plan: WindowPlan) -> None:
        self._plan = plan
        self._inputs = pl.DataFrame(
            [(ref.model, ref.point, number) for number, ref in enumerate(plan.inputs)],
            schema={"model": pl.String, "point": pl.String, "input": pl.Int32},
            orient="row",
        )
        self._marks = MARKS.to_frame()
        self._windows: list[pl.DataFrame] = []
        self._counts = {"late": 0, "outside": 0}

    def add(self, points: pl.DataFrame) -> None:
        """Take the next chunk of the partition, in order."""
        if points.is_empty():
            return
        rows = points.join(self._inputs, on=["model", "point"], how="inner", maintain_order="left")
        rows = self._with_earlier(rows)
        self._marks = _highest(
            pl.concat([self._marks, rows.select("asset", "input", "model_path", mark="time")], how="diagonal")
        )
        for number, group in enumerate(self._plan.groups):
            self._windows.append(self._combine(rows, number, group))

    def finish(self) -> Combined:
        """Return one block a shard."""
        if self._marks.is_empty():
            return Combined({}, dict(self._counts))
        windows = pl.concat(self._windows)
        if len(self._windows) > len(self._plan.groups):
            windows = merged(windows, self._plan).collect()
        block = pl.concat([self._marks, windows], how="diagonal")
        by_shard = block.with_columns(shard_of(block["asset"])).partition_by("shard", as_dict=True, include_key=False)
        return Combined({int(shard): rows for (shard,), rows in by_shard.items()}, dict(self._counts))

    def _with_earlier(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add ``earlier``: the highest event time of earlier records of the same asset and input, null at the first."""
        before = pl.col("time").cum_max().shift(1).over("asset", "input")
        carried = rows.join(
            self._marks.select("asset", "input", "mark"), on=["asset", "input"], how="left", maintain_order="left"
        )
        return carried.with_columns(earlier=pl.max_horizontal(before, "mark")).drop("mark")

    def _combine(self, rows: pl.DataFrame, number: int, group: Group) -> pl.DataFrame:
        of_input = rows.filter(pl.col("input") == self._plan.inputs.index(group.input))
        within = of_input.filter(group.holds())
        start = pl.col("time").floordiv(group.size_ms) * group.size_ms
        end = start + (group.size_ms + self._plan.latency_ms)
        in_time = within.filter((end > pl.col("earlier")).fill_null(value=True))
        self._counts["outside"] += of_input.height - within.height
        self._counts["late"] += within.height - in_time.height
        split = sums.split(pl.col("value")) if self._plan.has_sums else []
        columns = in_time.select(
            "asset",
            "is_int",
            *split,
            start=start,
            low="value",
            high="value",
            group=pl.lit(number, pl.Int32),
            count=pl.lit(1, pl.Int64),
        )
        schema = window_schema(self._plan)
        return merged(columns, self._plan).select(schema.names()).collect().cast(schema)


def _highest(marks: pl.DataFrame) -> pl.DataFrame:
    """One row an asset and input: the highest time, and the model path of the record that had it."""
    newest = pl.col("mark").arg_max()
    return marks.group_by("asset", "input").agg(pl.col("mark").max(), pl.col("model_path").get(newest))
