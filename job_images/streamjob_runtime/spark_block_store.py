"""Where a shard's blocks are kept: a MapState of Spark's transformWithState."""

from typing import Any

import polars as pl

from streamjob_runtime.blocks import from_bytes, to_bytes


class SparkBlockStore:
    """Blocks of the current shard in a MapState; a missing bucket costs one round trip, a known one two."""

    def __init__(self, state: Any) -> None:
        self._state = state

    def get(self, bucket: int) -> pl.DataFrame | None:
        """The block of a bucket."""
        value = self._state.getValue((bucket,))
        return None if value is None else from_bytes(bytes(value[0]))

    def put(self, bucket: int, block: pl.DataFrame) -> None:
        """Write the block of a bucket."""
        self._state.updateValue((bucket,), (to_bytes(block),))

    def remove(self, bucket: int) -> None:
        """Drop a bucket."""
        self._state.removeKey((bucket,))
