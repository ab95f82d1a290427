"""Gathering the records of one partition of a micro-batch by asset and input, for templates that need each of them."""

from collections.abc import Iterable, Sequence

import polars as pl

from streamjob_api.points import PointRef
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates.inputs import NumberedInputs
from streamjob_runtime.templates.protocols import Combined

_SERIES = ("asset", "input")
# Of each record: how many of the partition came before it.
ARRIVED = "arrived"


class SeriesCombiner:
    """Makes SERIES_BLOCKs: a row for each asset and input, with lists of its records in arrival order.

    Columns: ``asset str``, ``input i32`` (its place among the inputs), ``model_path str``, and of each record those
    that are asked for: ``time i64, value f64, is_int bool, text str, quality i64, arrived u32``.
    """

    def __init__(self, inputs: Iterable[PointRef], shards: Shards, columns: Sequence[str] = ("time", "value")) -> None:
        self._inputs = NumberedInputs.of(inputs)
        self._shards = shards
        self._columns = columns
        self._chunks: list[pl.DataFrame] = []

    def add(self, points: pl.DataFrame) -> None:
        """Take the next chunk of the partition, in order."""
        rows = self._inputs.select(points)
        if rows.height:
            kept = (name for name in self._columns if name != ARRIVED)
            self._chunks.append(rows.select(*_SERIES, "model_path", *kept))

    def finish(self) -> Combined:
        """Return one block a shard; every record is in one of them."""
        if not self._chunks:
            return Combined({}, {})
        records = pl.concat(self._chunks)
        if ARRIVED in self._columns:
            records = records.with_row_index(ARRIVED)
        grouped = records.group_by(*_SERIES, maintain_order=True)
        series = grouped.agg(pl.col("model_path").last(), *self._columns)
        return Combined(self._shards.parted(series), {})
