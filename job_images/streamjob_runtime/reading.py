"""One partition's part of a micro-batch: messages in, a few block rows out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from confluent_kafka import Message

from streamjob_api.job_file import JobFile
from streamjob_api.stream_job import MessageChannel
from streamjob_runtime.blocks import to_bytes
from streamjob_runtime.consumers import OffsetRange, cached_consumer, read_range
from streamjob_runtime.memory import memory_of
from streamjob_runtime.messages import Decoded, decode
from streamjob_runtime.rows import BlockRow, Kind, counts_row
from streamjob_runtime.shards import SHARDS
from streamjob_runtime.templates import Template, for_job
from streamjob_runtime.unreadable import Unreadable


def read_blocks(job: JobFile, wanted: OffsetRange, now_ms: int) -> Iterator[BlockRow]:
    """Read a range and reduce it to rows: points by shard, counts, dead letters."""
    consumer = cached_consumer(job.kafka.model_dump_json())
    chunks = read_range(consumer, wanted, memory_of(job.spec.resources.cu).bytes_per_chunk)
    return reduce_chunks(job, for_job(job.spec), wanted, chunks, now_ms)


def reduce_chunks(
    job: JobFile, template: Template, source: OffsetRange, chunks: Iterable[Sequence[Message]], now_ms: int
) -> Iterator[BlockRow]:
    """Decode and combine a partition's messages, chunk by chunk."""
    origin, combiner, tally = f"{source.topic}/{source.partition:06d}", template.combiner(), _Tally()
    unreadable, shard = Unreadable(source), source.partition % SHARDS
    for messages in chunks:
        values = [message.value() for message in messages]
        decoded = decode(values, template.inputs, now_ms, _future_tolerance_ms(job))
        combiner.add(decoded.points)
        tally.add(decoded, values)
        if decoded.malformed.height:
            letters = unreadable.rows(messages, decoded.malformed)
            yield BlockRow(shard, Kind.DEAD_LETTERS, origin, now_ms, to_bytes(letters))
    combined = combiner.finish()
    for shard, block in sorted(combined.blocks.items()):
        yield BlockRow(shard, Kind.POINTS, origin, now_ms, to_bytes(block))
    # Counts go along with a shard that is woken anyway: each shard of a micro-batch costs milliseconds.
    yield counts_row(shard, origin, now_ms, tally.counts(combined.counts))


def _future_tolerance_ms(job: JobFile) -> int | None:
    """The offline channel carries historical data and has no check against the clock."""
    is_offline = job.spec.message_channel is MessageChannel.OFFLINE
    return None if is_offline else job.spec.future_tolerance.milliseconds


@dataclass
class _Tally:
    """Messages and records by what became of them."""

    counted: Counter[str] = field(default_factory=Counter)
    max_time_ms: int | None = None

    def add(self, decoded: Decoded, values: Sequence[bytes | None]) -> None:
        """Count one chunk."""
        self.counted.update(
            messages=len(values),
            bytes=sum(len(value) for value in values if value is not None),
            records=decoded.records,
            unused=decoded.unused,
        )
        self.counted.update({f"refused.{reason}": count for reason, count in decoded.refused.items()})
        for reason, count in decoded.malformed["reason"].value_counts().iter_rows():
            self.counted[f"malformed.{reason}"] += count
        if decoded.points.height:
            newest = int(decoded.points["time"].max())  # type: ignore[arg-type]
            self.max_time_ms = max(newest, self.max_time_ms if self.max_time_ms is not None else newest)

    def counts(self, combined: dict[str, int]) -> dict[str, int]:
        """All counts of the partition's part of the micro-batch."""
        newest = {} if self.max_time_ms is None else {"maxTime": self.max_time_ms}
        return {**self.counted, **newest, **combined}
