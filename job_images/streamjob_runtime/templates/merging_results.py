"""Calculated values as results."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from streamjob_api.points import PointRef
from streamjob_runtime.templates.arrays import Flags, Floats, Slots, Times
from streamjob_runtime.templates.merging_state import MergingState
from streamjob_runtime.templates.protocols import RESULTS, results_of

_ATTRIBUTES = '{"multiPointMerging":{"calType":"point","calMode":"final"}}'


@dataclass(frozen=True)
class Output:
    """What one output point is given."""

    point: PointRef
    slot: Slots
    time: Times
    value: Floats
    is_int: Flags


def merging_results(outputs: Sequence[Output], state: MergingState) -> pl.DataFrame:
    """Return RESULTS; their slots are those of the trigger points."""
    outputs = [output for output in outputs if len(output.slot)]
    if not outputs:
        return RESULTS.to_frame()
    number = np.repeat(np.arange(len(outputs)), [len(output.slot) for output in outputs])
    slot, time, value, is_int = (
        np.concatenate([getattr(output, name) for output in outputs]) for name in ("slot", "time", "value", "is_int")
    )
    columns = {
        "asset": pl.Series(state.assets, dtype=pl.String).gather(slot),
        "model": pl.Series([output.point.model for output in outputs]).gather(number),
        "model_path": pl.Series(state.paths, dtype=pl.String).gather(slot),
        "point": pl.Series([output.point.point for output in outputs]).gather(number),
        "time": time,
        "value": value,
        "is_int": is_int,
        "attr": pl.Series([_ATTRIBUTES]).new_from_index(0, len(slot)),
    }
    return results_of(columns)
