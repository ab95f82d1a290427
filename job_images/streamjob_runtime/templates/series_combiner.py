"""Gathering the records of one partition of a micro-batch by asset and input, for templates that need each of them."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from streamjob_api.points import PointRef
from streamjob_runtime.shards import shard_of
from streamjob_runtime.templates.inputs import NumberedInputs
from streamjob_runtime.templates.protocols import Combined

_SERIES = ("asset", "input")
# A row for each asset and input, with its records in arrival order.
SERIES_BLOCK: Final = pl.Schema(
    [
        ("asset", pl.String()),
        ("input", pl.Int32()),
        ("model_path", pl.String()),
        ("time", pl.List(pl.Int64)),
        ("value", pl.List(pl.Float64)),
    ]
)


class SeriesCombiner:
    """Makes SERIES_BLOCKs; an input is named by its place among the inputs."""

    def __init__(self, inputs: Iterable[PointRef]) -> None:
        self._inputs = NumberedInputs.of(inputs)
        self._chunks: list[pl.DataFrame] = []

    def add(self, points: pl.DataFrame) -> None:
        """Take the next chunk of the partition, in order."""
        rows = self._inputs.select(points)
        if rows.height:
            self._chunks.append(rows.select(*_SERIES, "model_path", "time", "value"))

    def finish(self) -> Combined:
        """Return one block a shard; every record is in one of them."""
        if not self._chunks:
            return Combined({}, {})
        grouped = pl.concat(self._chunks).group_by(*_SERIES, maintain_order=True)
        series = grouped.agg(pl.col("model_path").last(), "time", "value")
        by_shard = series.with_columns(shard=shard_of(series["asset"])).partition_by(
            "shard", as_dict=True, include_key=False
        )
        return Combined({int(shard): rows for (shard,), rows in by_shard.items()}, {})
