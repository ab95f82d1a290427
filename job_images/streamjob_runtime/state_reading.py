"""Reading the state of a checkpoint's last committed micro-batch, by Spark's own reader."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import polars as pl
from pyspark.sql import SparkSession
from pyspark.sql import functions as sql

from streamjob_api.job_file import JobFile
from streamjob_runtime.blocks import from_bytes
from streamjob_runtime.shards import Shards
from streamjob_runtime.stateful import STATE_VARIABLE
from streamjob_runtime.templates.chosen import Chosen


class ReadStore:
    """The blocks of one shard as they were read; nothing changes them."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytes] = {}

    def add(self, bucket: int, block: bytes) -> None:
        """Take a block that was read."""
        self._blocks[bucket] = block

    def get(self, bucket: int) -> pl.DataFrame | None:
        """The block of a bucket."""
        return from_bytes(self._blocks[bucket]) if bucket in self._blocks else None

    def put(self, bucket: int, block: pl.DataFrame) -> None:
        """Nothing is written."""
        raise NotImplementedError(bucket, block)

    def remove(self, bucket: int) -> None:
        """Nothing is dropped."""
        raise NotImplementedError(bucket)

    def owned(self, assets: Sequence[str]) -> list[str]:
        """Nothing is made for any asset."""
        raise NotImplementedError(assets)


def read_stores(session: SparkSession, job: JobFile, shards: Shards, chosen: Chosen) -> Iterator[ReadStore]:
    """Yield the shards in which the chosen assets lie, a partition of the state store after the other.

    https://spark.apache.org/docs/latest/streaming/structured-streaming-state-data-source.html
    """
    # Tasks that load a state ask the coordinator of state stores, which is there once streams were asked for.
    session.streams  # noqa: B018
    keys = shards.keys if chosen.patterns else sorted({shards.of_asset(asset) for asset in chosen.assets})
    frame = (
        session.read.format("statestore")
        .option("path", job.checkpoint_path)
        .option("stateVarName", STATE_VARIABLE)
        .load()
        .where(sql.col("key.shard").isin(list(keys)))
        .select("partition_id", "key.shard", "user_map_key.bucket", "user_map_value.block")
    )
    partition, stores = -1, defaultdict[int, ReadStore](ReadStore)
    for row in frame.toLocalIterator():
        if row.partition_id != partition:
            yield from stores.values()
            partition, stores = row.partition_id, defaultdict(ReadStore)
        stores[row.shard].add(row.bucket, bytes(row.block))
    yield from stores.values()
