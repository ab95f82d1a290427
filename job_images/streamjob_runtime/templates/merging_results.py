"""Calculated values as results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from numpy.typing import NDArray

from streamjob_api.data_types import ValueType
from streamjob_api.points import PointRef
from streamjob_runtime.templates.arrays import Flags, Slots, Times
from streamjob_runtime.templates.merging_state import MergingState
from streamjob_runtime.templates.merging_texts import written
from streamjob_runtime.templates.protocols import RESULTS


@dataclass(frozen=True)
class Output:
    """What one output point is given.

    Attributes:
        value: finite numbers, texts or truth values, as ``gives`` says.
        is_int: of numbers, whether they are integers.
        is_converted: whether they become texts, whatever they are.
    """

    point: PointRef
    slot: Slots
    time: Times
    value: NDArray[Any]
    is_int: Flags
    gives: ValueType
    is_converted: bool

    def columns(self) -> Mapping[str, Any]:
        """Return ``value``, ``is_int`` and ``text`` of RESULTS."""
        if self.gives is ValueType.TEXT:
            return {"value": None, "is_int": False, "text": written(self.value.tolist())}
        if self.gives is ValueType.BOOLEAN:
            truth = pl.Series(self.value).cast(pl.String)
            return {"value": None, "is_int": False, "text": written(truth.to_list()) if self.is_converted else truth}
        if not self.is_converted:
            return {"value": self.value, "is_int": self.is_int, "text": None}
        numbers = zip(self.value.tolist(), self.is_int.tolist(), strict=True)
        texts = [str(int(number) if is_int else number) for number, is_int in numbers]
        return {"value": None, "is_int": False, "text": written(texts)}


def merging_results(outputs: Sequence[Output], state: MergingState, trigger: str) -> pl.DataFrame:
    """Return RESULTS.

    Args:
        outputs: by output point; their slots say whose they are.
        state: what the slots are.
        trigger: ``point`` or ``frequency``.
    """
    assets, paths = pl.Series(state.assets, dtype=pl.String), pl.Series(state.paths, dtype=pl.String)
    parts = [_results(output, assets, paths, trigger) for output in outputs if len(output.slot)]
    return pl.concat(parts) if parts else RESULTS.to_frame()


def _results(output: Output, assets: pl.Series, paths: pl.Series, trigger: str) -> pl.DataFrame:
    attr = f'{{"multiPointMerging":{{"calType":"{trigger}","calMode":"final"}}}}'
    columns = {
        "asset": assets.gather(output.slot),
        "model": pl.Series([output.point.model]).new_from_index(0, len(output.slot)),
        "model_path": paths.gather(output.slot),
        "point": pl.Series([output.point.point]).new_from_index(0, len(output.slot)),
        "time": output.time,
        "attr": pl.Series([attr]).new_from_index(0, len(output.slot)),
        **output.columns(),
    }
    return pl.DataFrame({name: columns[name] for name in RESULTS}, schema=RESULTS)
