"""Windows that are due, as results: one for each policy of their group."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.templates import sums
from streamjob_runtime.templates.protocols import RESULTS
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_rows import Rows
from streamjob_runtime.templates.window_state import Head


def window_results(due: Rows, is_final: NDArray[np.bool_], head: Head, plan: WindowPlan) -> pl.DataFrame:
    """Return RESULTS of windows that are due, ``final`` or ``onTime``."""
    if not len(due.slot):
        return RESULTS.to_frame()
    names = pl.DataFrame({"asset": head.assets, "model_path": head.paths})[due.slot]
    windows = pl.concat([due.to_frame(), names], how="horizontal").with_columns(is_final=pl.Series(is_final))
    kind = pl.col("aggregation")
    value = _value(plan)
    mode = pl.when("is_final").then(pl.lit("final")).otherwise(pl.lit("onTime"))
    attr = [pl.lit('{"windowAggregator":{"calType":"'), kind, pl.lit('","calMode":"'), mode, pl.lit('"}}')]
    results = windows.lazy().join(plan.outputs.lazy(), on="group")
    results = results.with_columns(
        time="start",
        value=pl.when(value.is_finite()).then(value),
        is_int=pl.when(kind.is_in(["max", "min"])).then("is_int").otherwise(kind == "cnt"),
        attr=pl.concat_str(attr),
    )
    return results.select(RESULTS.names()).sort("asset", "model", "point", "time").collect()


def _value(plan: WindowPlan) -> pl.Expr:
    kind, count = pl.col("aggregation"), pl.col("count").cast(pl.Float64)
    value = pl.when(kind == "max").then("high").when(kind == "min").then("low").when(kind == "cnt").then(count)
    if not plan.has_sums:
        return value.otherwise(None)
    return value.when(kind == "sum").then(sums.total()).when(kind == "avg").then(sums.total() / count).otherwise(None)
