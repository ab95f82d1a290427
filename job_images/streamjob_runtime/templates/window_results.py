"""Windows that are due, as results: one for each policy of their group."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.templates import sums
from streamjob_runtime.templates.protocols import RESULTS, results_of
from streamjob_runtime.templates.ranges import each_of
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_rows import Rows
from streamjob_runtime.templates.window_state import Head

MODES = ("onTime", "final")


def window_results(due: Rows, is_final: NDArray[np.bool_], head: Head, plan: WindowPlan) -> pl.DataFrame:
    """Return RESULTS of windows that are due, ``final`` or ``onTime``, in the order of the windows."""
    if not len(due.slot):
        return RESULTS.to_frame()
    row, output = _paired(due.group, plan.outputs["group"].to_numpy())
    windows, kind = due.take(row), plan.outputs["aggregation"].to_numpy()[output]
    value = _values(windows, kind)
    columns = {
        "asset": head.assets.gather(windows.slot),
        "model": plan.outputs["model"].gather(output),
        "model_path": head.paths.gather(windows.slot),
        "point": plan.outputs["point"].gather(output),
        "time": windows.start,
        "value": pl.Series(value, nan_to_null=True),
        "is_int": np.where((kind == "max") | (kind == "min"), windows.is_int, kind == "cnt"),
        "attr": _attributes(plan).gather(output * len(MODES) + is_final[row]),
    }
    return results_of(columns)


def _paired(groups: NDArray[np.int32], outputs: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair each window with the outputs of its group; ``outputs`` holds groups, sorted."""
    first, last = np.searchsorted(outputs, groups), np.searchsorted(outputs, groups, side="right")
    return each_of(first, last)


def _values(windows: Rows, kind: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the value of each result; what is not finite is NaN, and so is all but the count of no values."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = sums.total(windows.parts)
        choices = {
            "max": windows.high,
            "min": windows.low,
            "cnt": windows.count,
            "sum": np.where(windows.count > 0, total, np.nan),
            "avg": total / windows.count,
        }
        value = np.select([kind == name for name in choices], list(choices.values()))
    return np.where(np.isfinite(value), value, np.nan)


def _attributes(plan: WindowPlan) -> pl.Series:
    """``attr`` of each output in each of the MODES."""
    texts = [
        f'{{"windowAggregator":{{"calType":"{kind}","calMode":"{mode}"}}}}'
        for kind in plan.outputs["aggregation"]
        for mode in MODES
    ]
    return pl.Series(texts)
