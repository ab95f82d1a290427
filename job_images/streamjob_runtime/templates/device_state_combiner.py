"""Reducing one partition of a micro-batch to the newest value of each asset and input."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from streamjob_api.points import PointRef
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates.inputs import NumberedInputs
from streamjob_runtime.templates.protocols import Combined

SERIES: Final = ("asset", "input")
# A row for each asset and input: of the records with its highest time, the one that arrived last.
NEWEST_BLOCK: Final = pl.Schema(
    {
        "asset": pl.String,
        "input": pl.Int32,
        "model_path": pl.String,
        "time": pl.Int64,
        "value": pl.Float64,
        "is_int": pl.Boolean,
        "text": pl.String,
    }
)


class NewestCombiner:
    """Makes NEWEST_BLOCKs; an input is named by its place among the inputs."""

    def __init__(self, inputs: Iterable[PointRef], shards: Shards) -> None:
        self._inputs = NumberedInputs.of(inputs)
        self._shards = shards
        self._chunks: list[pl.DataFrame] = []

    def add(self, points: pl.DataFrame) -> None:
        """Take the next chunk of the partition, in order."""
        rows = self._inputs.select(points)
        if rows.height:
            self._chunks.append(newest(rows.select(list(NEWEST_BLOCK))))

    def finish(self) -> Combined:
        """Return one block a shard."""
        if not self._chunks:
            return Combined({}, {})
        return Combined(self._shards.parted(newest(pl.concat(self._chunks))), {})


def newest(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep of NEWEST_BLOCK's rows those with the highest time of their asset and input, of equals the last one."""
    latest = rows.filter(pl.col("time") == pl.col("time").max().over(SERIES))
    return latest.unique(SERIES, keep="last", maintain_order=True)
