"""Sums of energy as results."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from streamjob_api.points import PointRef
from streamjob_runtime.templates.energy_state import EnergyState
from streamjob_runtime.templates.energy_sums import Sums
from streamjob_runtime.templates.protocols import RESULTS, results_of

_MODES = ("running", "final")


@dataclass(frozen=True)
class Output:
    """What one output point is to be given."""

    point: PointRef
    cal_type: str
    sums: Sums


def energy_results(outputs: Sequence[Output], state: EnergyState) -> pl.DataFrame:
    """Return RESULTS: ``running`` of a period that is open, ``final`` of one that is over."""
    outputs = [output for output in outputs if len(output.sums.slot)]
    if not outputs:
        return RESULTS.to_frame()
    number = np.repeat(np.arange(len(outputs)), [len(output.sums.slot) for output in outputs])
    slot = np.concatenate([output.sums.slot for output in outputs])
    value = np.concatenate([output.sums.value for output in outputs])
    is_over = np.concatenate([output.sums.is_over for output in outputs])
    columns = {
        "asset": pl.Series(state.assets, dtype=pl.String).gather(slot),
        "model": pl.Series([output.point.model for output in outputs]).gather(number),
        "model_path": pl.Series(state.paths, dtype=pl.String).gather(slot),
        "point": pl.Series([output.point.point for output in outputs]).gather(number),
        "time": np.concatenate([output.sums.period for output in outputs]),
        "value": pl.Series(np.where(np.isfinite(value), value, np.nan), nan_to_null=True),
        "is_int": np.zeros(len(slot), np.bool_),
        "attr": _attributes(outputs).gather(number * len(_MODES) + is_over),
    }
    return results_of(columns)


def _attributes(outputs: Sequence[Output]) -> pl.Series:
    """``attr`` of each output in each of the modes."""
    return pl.Series(
        [
            f'{{"electricEnergy":{{"calMode":"{mode}","calType":"{output.cal_type}"}}}}'
            for output in outputs
            for mode in _MODES
        ]
    )
