"""The points source: a Python Data Source of Spark over confluent-kafka.

Spark keeps the offsets and calls ``latestOffset`` and ``partitions`` in one planner process, ``read`` in workers. The
module must be importable there by this name: what a worker caches then lives from one micro-batch to the next.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import ReadLimit
from pyspark.sql.types import StructType

from streamjob_runtime.deadline_file import DeadlineFile
from streamjob_runtime.offsets import ALL, OffsetRange, StreamOffset, edits_of, packed, ranges
from streamjob_runtime.row_schema import ROW_SCHEMA, arrow_schema
from streamjob_runtime.rows import BlockRow
from streamjob_runtime.shards import Shards

if TYPE_CHECKING:
    import pyarrow as pa

    from streamjob_api.job_file import JobFile
    from streamjob_runtime.planner import Planner

SOURCE = "streamjob_points"
JOB_OPTION = "job"
SHARDS_OPTION = "shards"
_ROWS_AT_ONCE = 16


@dataclass(frozen=True)
class Ticks:
    """The shards that tick in a micro-batch."""

    shards: Sequence[int] | str


@dataclass(frozen=True)
class Edits:
    """What a micro-batch forgets of its shards' states: JSON by shard."""

    by_shard: Mapping[int, bytes]


Part = OffsetRange | Ticks | Edits


@dataclass
class ReadTask(InputPartition):
    """What one task brings to a micro-batch, part by part."""

    parts: Sequence[Part]
    now_ms: int


class PointsSource(DataSource):
    """The records of a job's input topics, combined to blocks by shard, and ticks of shards whose deadline has come."""

    @classmethod
    def name(cls) -> str:
        """Name for ``spark.readStream.format``."""
        return SOURCE

    def schema(self) -> StructType:
        """Rows of blocks."""
        return ROW_SCHEMA

    def streamReader(self, schema: StructType) -> "PointsReader":  # noqa: ARG002, N802 (Spark's signature)
        """Read what the job file says."""
        return PointsReader(self.options[JOB_OPTION], Shards.of(int(self.options[SHARDS_OPTION])))


class PointsReader(DataSourceStreamReader):
    """Plans and reads micro-batches; what it needs of the job travels with it as JSON."""

    def __init__(self, job_json: str, shards: Shards) -> None:
        self._job_json = job_json
        self._shards = shards
        self._planner: Planner | None = None

    def initialOffset(self) -> StreamOffset:  # noqa: N802
        """Where the first micro-batch begins; Spark logs it with that micro-batch."""
        return self._planning().initial()

    def latestOffset(self, start: StreamOffset, limit: ReadLimit) -> StreamOffset:  # noqa: ARG002, N802
        """Where the next micro-batch ends."""
        return self._planning().next(start, time.time_ns() // 1_000_000)

    def reportLatestOffset(self) -> StreamOffset | None:  # noqa: N802
        """What the topics hold now."""
        return self._planning().latest()

    def partitions(self, start: StreamOffset, end: StreamOffset) -> Sequence[InputPartition]:
        """A task for each Kafka partition that has many messages, or for several with few; ticks and edits join one."""
        if "now" not in end:
            return []  # the first micro-batch of a job whose topics are empty: nothing was planned yet
        shards = self._ticking(end)
        first: list[Part] = [*([Ticks(shards)] if shards else []), *self._edits(start, end)]
        by_task: list[Sequence[Part]] = [*packed(ranges(start, end))]
        by_task = [[*first, *by_task[0]], *by_task[1:]] if by_task else [first] if first else []
        return [ReadTask(parts, int(end["now"])) for parts in by_task]

    def _edits(self, start: StreamOffset, end: StreamOffset) -> Sequence[Edits]:
        """They stay in their file until the micro-batch that takes them up is committed."""
        if edits_of(start) == edits_of(end):
            return []
        from streamjob_runtime.edits import EditsFile, by_shard  # noqa: PLC0415 (workers plan nothing)

        edits = EditsFile(_job(self._job_json)).between(edits_of(start), edits_of(end))
        return [Edits(by_shard(edits, self._shards))]

    def _ticking(self, end: StreamOffset) -> Sequence[int] | str:
        """After a start all shards, in a micro-batch that is tried again as well: a tick too many changes nothing."""
        deadlines = DeadlineFile(_job(self._job_json).scratch_dir).read()
        return ALL if deadlines == {} else end.get("ticks", ())

    def read(self, partition: InputPartition) -> "Iterator[pa.RecordBatch]":
        """Bring one task's parts, in a worker."""
        if not isinstance(partition, ReadTask):
            raise TypeError(f"not a task of this source: {partition!r}")
        yield from _arrow(row for part in partition.parts for row in self._rows(part, partition.now_ms))

    def _rows(self, part: Part, now_ms: int) -> Iterator[BlockRow]:
        from streamjob_runtime.reading import forget_rows, read_blocks, tick_rows  # noqa: PLC0415 (the planner needs no Polars)

        match part:
            case OffsetRange():
                return read_blocks(_job(self._job_json), self._shards, part, now_ms)
            case Ticks(shards=shards):
                return tick_rows(self._shards, shards, now_ms)
            case Edits(by_shard=by_shard):
                return forget_rows(by_shard, now_ms)

    def _planning(self) -> "Planner":
        if self._planner is None:
            from streamjob_runtime.planner import Planner  # noqa: PLC0415 (workers plan nothing)

            self._planner = Planner(_job(self._job_json))
        return self._planner

    def __getstate__(self) -> dict[str, Any]:
        return {"_job_json": self._job_json, "_shards": self._shards, "_planner": None}


@lru_cache(maxsize=4)
def _job(job_json: str) -> "JobFile":
    from streamjob_api.job_file import JobFile  # noqa: PLC0415 (Spark imports this module where no job is read)

    return JobFile.model_validate_json(job_json)


def _arrow(rows: Iterator[BlockRow]) -> "Iterator[pa.RecordBatch]":
    """Rows as Arrow batches, few at once: blocks are large."""
    held: list[BlockRow] = []
    for row in rows:
        held.append(row)
        if len(held) == _ROWS_AT_ONCE:
            yield _record_batch(held)
            held = []
    if held:
        yield _record_batch(held)


def _record_batch(rows: list[BlockRow]) -> "pa.RecordBatch":
    import pyarrow as pa  # noqa: PLC0415 (as above)

    schema = arrow_schema()
    return pa.RecordBatch.from_arrays(
        [pa.array(column, type=field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)],
        schema=schema,
    )
