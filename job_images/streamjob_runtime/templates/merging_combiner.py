"""Gathering the records of one partition of a micro-batch by asset and input, with the order in which all arrived."""

from collections.abc import Iterable

import polars as pl

from streamjob_api.points import PointRef
from streamjob_runtime.shards import shard_of
from streamjob_runtime.templates.inputs import NumberedInputs
from streamjob_runtime.templates.protocols import Combined

_SERIES = ("asset", "input")


class MergingCombiner:
    """Makes MERGING_BLOCKs: a row for each asset and input, with lists of its records as they arrived.

    Columns: ``asset str``, ``input i32`` (its place among the inputs), ``model_path str``, and of each record ``time
    i64, value f64, is_int bool, arrived u32``, the number of records of the partition before it.

    Every record crosses: each one of a trigger point calculates, and one of another point is late or not, and so
    counted or not, by what only the state knows.
    """

    def __init__(self, inputs: Iterable[PointRef]) -> None:
        self._inputs = NumberedInputs.of(inputs)
        self._chunks: list[pl.DataFrame] = []

    def add(self, points: pl.DataFrame) -> None:
        """Take the next chunk of the partition, in order."""
        rows = self._inputs.select(points)
        if rows.height:
            self._chunks.append(rows.select(*_SERIES, "model_path", "time", "value", "is_int"))

    def finish(self) -> Combined:
        """Return one block a shard."""
        if not self._chunks:
            return Combined({}, {})
        records = pl.concat(self._chunks).with_row_index("arrived")
        grouped = records.group_by(*_SERIES, maintain_order=True)
        series = grouped.agg(pl.col("model_path").last(), "time", "value", "is_int", "arrived")
        by_shard = series.with_columns(shard=shard_of(series["asset"])).partition_by(
            "shard", as_dict=True, include_key=False
        )
        return Combined({int(shard): rows for (shard,), rows in by_shard.items()}, {})
