"""One task's part of a micro-batch: a partition's messages in, a few block rows out; or ticks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from streamjob_api.job_file import JobFile
from streamjob_runtime.blocks import to_bytes
from streamjob_runtime.consumers import cached_reader
from streamjob_runtime.decoding import Decoding
from streamjob_runtime.input_topics import InputTopic, input_topic
from streamjob_runtime.job_template import template_of
from streamjob_runtime.kafka_messages import Messages
from streamjob_runtime.memory import BYTES_PER_CHUNK
from streamjob_runtime.offsets import ALL, OffsetRange
from streamjob_runtime.reduction import Reduction
from streamjob_runtime.rows import FIRST, BlockRow, Kind, counts_row
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates import Template
from streamjob_runtime.unreadable import Unreadable


def read_blocks(job: JobFile, shards: Shards, wanted: OffsetRange, now_ms: int) -> Iterator[BlockRow]:
    """Read a range and reduce it to rows: points by shard, counts, dead letters."""
    chunks = cached_reader(job.kafka.model_dump_json()).read(wanted, BYTES_PER_CHUNK)
    reduction = reduction_of(job, shards, wanted.topic, now_ms)
    return reduce_chunks(reduction, shards, wanted, chunks, now_ms)


def reduction_of(job: JobFile, shards: Shards, topic: str, now_ms: int) -> Reduction:
    """How messages of a topic are decoded and combined; of one that is not read any more all values are unused."""
    template = template_of(job)
    return Reduction(_decoding(job, input_topic(job, topic), template, now_ms), template.combiner(shards))


def _decoding(job: JobFile, topic: InputTopic, template: Template, now_ms: int) -> Decoding:
    calculated = topic.points if topic.is_calculated else frozenset()
    mapping = job.mapping if topic.is_of_devices else None
    return Decoding.of(job.spec, template, now_ms, points=topic.points, calculated=calculated, mapping=mapping)


def reduce_chunks(
    reduction: Reduction, shards: Shards, source: OffsetRange, chunks: Iterable[Messages], now_ms: int
) -> Iterator[BlockRow]:
    """Decode and combine a partition's messages, chunk by chunk."""
    origin = f"{source.topic}/{source.partition:06d}"
    unreadable, shard = Unreadable(source), shards.keys[source.partition % len(shards.keys)]
    for messages in chunks:
        malformed = reduction.add(messages.values).malformed
        if malformed.height:
            letters = unreadable.rows(messages, malformed)
            yield BlockRow(shard, Kind.DEAD_LETTERS, origin, now_ms, to_bytes(letters))
    reduced = reduction.finish()
    for shard, block in reduced.blocks.items():
        yield BlockRow(shard, Kind.POINTS, origin, now_ms, to_bytes(block))
    # Counts go along with a shard that is woken anyway: each shard of a micro-batch costs milliseconds.
    yield counts_row(shard, origin, now_ms, reduced.counts)


def tick_rows(shards: Shards, ticking: Sequence[int] | str, now_ms: int) -> Iterator[BlockRow]:
    """A tick for each of the shards that tick; ALL are told that it is their first."""
    is_first = ticking == ALL
    for shard in shards.keys if is_first else map(int, ticking):
        yield BlockRow(shard, Kind.TICK, "", now_ms, FIRST if is_first else b"")


def forget_rows(by_shard: Mapping[int, bytes], now_ms: int) -> Iterator[BlockRow]:
    """What shards are to forget."""
    for shard, what in by_shard.items():
        yield BlockRow(shard, Kind.FORGET, "", now_ms, what)
