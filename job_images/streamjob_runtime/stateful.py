"""The state of a job: blocks by bucket for each shard, kept by Spark's transformWithState."""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import polars as pl
from pyspark.sql import DataFrame, Row
from pyspark.sql.streaming.stateful_processor import StatefulProcessor, StatefulProcessorHandle

from streamjob_api.job_file import JobFile
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.edits import chosen_of
from streamjob_runtime.job_template import template_of
from streamjob_runtime.row_schema import ROW_SCHEMA
from streamjob_runtime.rows import FIRST, BlockRow, Kind, counts_row
from streamjob_runtime.templates import BlockStore, Folded, Template

STATE_VARIABLE = "blocks"
_FOLDED = {Kind.POINTS, Kind.TICK, Kind.FORGET}


def with_state(blocks: DataFrame, job: JobFile) -> DataFrame:
    """Fold the source's blocks into each shard's state; results, counts, dead letters and deadlines come out."""
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
        self._store = SparkBlockStore(handle.getMapState(STATE_VARIABLE, "bucket long", "block binary"))

    def handleInputRows(self, key: Any, rows: Iterator[Any], timerValues: Any) -> Iterator[Row]:  # noqa: ARG002, N802, N803
        """Fold one shard's rows; Spark may hand them over in any order."""
        received = [BlockRow(*row) for row in rows]
        for row in folded(_template(self._job_json), self._store, received):
            yield Row(**row._asdict())

    def close(self) -> None:
        """Nothing to free."""


@lru_cache(maxsize=4)
def _template(job_json: str) -> Template:
    return template_of(JobFile.model_validate_json(job_json))


def folded(template: Template, store: BlockStore, rows: Iterable[BlockRow]) -> Iterator[BlockRow]:
    """What one shard's rows give: results, counts and the shard's deadline; other rows pass through."""
    own: dict[int, list[BlockRow]] = {kind: [] for kind in _FOLDED}
    for row in rows:
        if row.kind in own:
            own[row.kind].append(row)
        else:
            yield row._replace(block=bytes(row.block))
    # What is to be forgotten goes first: the records of the micro-batch begin afresh.
    for row in own[Kind.FORGET]:
        yield from _forgotten(template, store, row)
    points = sorted(own[Kind.POINTS], key=lambda row: row.origin)
    if points:
        blocks = [from_bytes(bytes(row.block)) for row in points]
        yield from _rows(template, template.fold(store, blocks, points[0].now), points[0])
    # What is due at a micro-batch's time, a fold with blocks has done already. What forgets names its deadline anew.
    for tick in own[Kind.TICK] or own[Kind.FORGET]:
        if not points or bytes(tick.block) == FIRST:
            yield from _rows(template, template.fold(store, [], tick.now), tick)


def _forgotten(template: Template, store: BlockStore, row: BlockRow) -> Iterator[BlockRow]:
    for chosen in chosen_of(bytes(row.block)):
        for kind, frame in template.forget(store, chosen, row.now).items():
            yield BlockRow(row.shard, kind, "", row.now, to_bytes(frame))


def _rows(template: Template, outcome: Folded, cause: BlockRow) -> Iterator[BlockRow]:
    shard, now_ms = cause.shard, cause.now
    if outcome.results.height:
        yield BlockRow(shard, Kind.RESULTS, "", now_ms, to_bytes(outcome.results))
    for kind, frame in outcome.beside.items():
        yield BlockRow(shard, kind, "", now_ms, to_bytes(frame))
    if outcome.counts:
        yield counts_row(shard, "", now_ms, outcome.counts)
    if template.uses_clock:
        yield BlockRow(shard, Kind.DEADLINE, "", now_ms, json.dumps(outcome.deadline).encode())
