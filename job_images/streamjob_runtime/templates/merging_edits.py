"""Looking at what a shard holds of some assets and inputs of a merging job, and forgetting it."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from streamjob_api.points import PointRef
from streamjob_runtime.templates.arrays import NEVER, Flags
from streamjob_runtime.templates.held_values import value_of
from streamjob_runtime.templates.merging_state import SERIES, WAITING
from streamjob_runtime.templates.protocols import BlockStore, Held

# What a series is before its first record (``merging_state``).
_EMPTY = {"model_path": "", "highest": NEVER, "taken": NEVER, "value": float("nan"), "is_int": True, "text": None}


def forget(store: BlockStore, is_forgotten: Flags, first: Sequence[int]) -> None:
    """Empty some rows of the series and drop the records that wait there.

    The rows of an asset's inputs of one model belong together: they go when all of them are empty.

    Args:
        store: the state.
        is_forgotten: by slot.
        first: for each input the first one of its model.
    """
    series = store.get(SERIES)
    if series is None:
        return
    emptied = [
        pl.when(pl.Series(is_forgotten)).then(pl.lit(empty, series[name].dtype)).otherwise(pl.col(name)).alias(name)
        for name, empty in _EMPTY.items()
        if name in series.columns
    ]
    series = series.with_columns(emptied)
    model = pl.col("input").replace_strict(dict(enumerate(first)), return_dtype=pl.Int32)
    is_kept = series.select((pl.col("highest") != NEVER).any().over("asset", model)).to_series().to_numpy()
    _put(store, SERIES, series.filter(is_kept))
    waiting = store.get(WAITING)
    if waiting is not None:
        places = np.cumsum(is_kept).astype(np.int32) - np.int32(1)
        kept = waiting.filter(~is_forgotten[waiting["slot"].to_numpy()])
        _put(store, WAITING, kept.with_columns(pl.Series("slot", places[kept["slot"].to_numpy()], pl.Int32)))


def _put(store: BlockStore, bucket: int, block: pl.DataFrame) -> None:
    if block.height:
        store.put(bucket, block)
    else:
        store.remove(bucket)


def held(store: BlockStore, is_chosen: Flags, inputs: Sequence[PointRef]) -> Iterator[Held]:
    """Yield watermarks, last values and records that wait."""
    series = store.get(SERIES)
    if series is None:
        return
    rows = series.rows(named=True)
    for row, is_shown in zip(rows, is_chosen.tolist(), strict=True):
        if is_shown and row["highest"] != NEVER:
            point = str(inputs[row["input"]])
            yield Held(row["asset"], point, "watermark", {"time": row["highest"]})
            if row["taken"] != NEVER:
                yield Held(row["asset"], point, "lastValue", {"time": row["taken"], "value": value_of(row)})
    waiting = store.get(WAITING)
    for record in waiting.rows(named=True) if waiting is not None else ():
        row = rows[record["slot"]]
        if is_chosen[record["slot"]]:
            fields = {"time": record["time"], "value": value_of(record)}
            yield Held(row["asset"], str(inputs[row["input"]]), "waiting", fields)
