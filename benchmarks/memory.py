"""The state of one shard, held in memory as the bytes of a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from streamjob_runtime.blocks import from_bytes, to_bytes


class Memory(dict[int, bytes]):
    """Blocks by bucket."""

    def get(self, bucket: int) -> pl.DataFrame | None:  # type: ignore[override]
        """Return the block of a bucket, None where there is none."""
        return from_bytes(self[bucket]) if bucket in self else None

    def put(self, bucket: int, block: pl.DataFrame) -> None:
        """Write the block of a bucket."""
        self[bucket] = to_bytes(block)

    def remove(self, bucket: int) -> None:
        """Drop a bucket."""
        self.pop(bucket, None)

    def owned(self, assets: Sequence[str]) -> list[str]:
        """Return all of them: there is one shard."""
        return [*assets]
