"""Where a shard's blocks are kept: a MapState of Spark's transformWithState."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.shards import Shards


class SparkBlockStore:
    """Blocks of the current shard in a MapState; a missing bucket costs one round trip, a known one two."""

    def __init__(self, state: Any, shard: int, shards: Shards) -> None:
        self._state = state
        self._shard, self._shards = shard, shards

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

    def owned(self, assets: Sequence[str]) -> list[str]:
        """Those of some assets that fall into the shard."""
        return [asset for asset in assets if self._shards.of_asset(asset) == self._shard]
