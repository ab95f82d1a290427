"""The state of a job: blocks by bucket for each shard, kept by Spark's transformWithState."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import polars as pl
from pyspark.sql import DataFrame, Row
from pyspark.sql.streaming.stateful_processor import StatefulProcessor, StatefulProcessorHandle

from streamjob_api.job_file import JobFile
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.job_template import template_of
from streamjob_runtime.row_schema import ROW_SCHEMA
from streamjob_runtime.rows import BlockRow, Kind, counts_row
from streamjob_runtime.templates import Template


def with_state(blocks: DataFrame, job: JobFile) -> DataFrame:
    """Fold the source's blocks into each shard's state; results, counts and dead letters come out."""
    return blocks.groupBy("shard").transformWithState(
        ShardProcessor(job.model_dump_json()), outputStructType=ROW_SCHEMA, outputMode="Update", timeMode="None"
    )


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


class ShardProcessor(StatefulProcessor):
    """Runs the job's template over the blocks of each shard."""

    def __init__(self, job_json: str) -> None:
        self._job_json = job_json

    def init(self, handle: StatefulProcessorHandle) -> None:
        """Open the state."""
        self._store = SparkBlockStore(handle.getMapState("blocks", "bucket long", "block binary"))

    def handleInputRows(self, key: Any, rows: Iterator[Any], timerValues: Any) -> Iterator[Row]:  # noqa: ARG002, N802, N803
        """Fold one shard's rows; Spark may hand them over in any order."""
        (shard,) = key
        received = [BlockRow(*row) for row in rows]
        for row in folded(_template(self._job_json), self._store, shard, received):
            yield Row(**row._asdict())

    def close(self) -> None:
        """Nothing to free."""


@lru_cache(maxsize=4)
def _template(job_json: str) -> Template:
    return template_of(JobFile.model_validate_json(job_json))


def folded(template: Template, store: SparkBlockStore, shard: int, rows: Iterable[BlockRow]) -> Iterator[BlockRow]:
    """What one shard's rows give: results and counts; other rows pass through."""
    points: list[BlockRow] = []
    for row in rows:
        if row.kind == Kind.POINTS:
            points.append(row)
        else:
            yield row._replace(block=bytes(row.block))
    if not points:
        return
    points.sort(key=lambda row: row.origin)
    outcome = template.fold(store, [from_bytes(bytes(row.block)) for row in points], points[0].now)
    if outcome.results.height:
        yield BlockRow(shard, Kind.RESULTS, "", points[0].now, to_bytes(outcome.results))
    if outcome.counts:
        yield counts_row(shard, "", points[0].now, outcome.counts)
