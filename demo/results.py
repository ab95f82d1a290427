"""Read a job's results back: every record of the Cal topic, and each meter's latest values in Redis."""

import json
import time
from collections.abc import Callable, Iterable, Iterator

import polars as pl
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from redis import Redis

BATCH = 10_000
SILENT_SECONDS = 30.0
_RECORD = pl.Struct(
    {
        "assetId": pl.String,
        "pointId": pl.String,
        "time": pl.Int64,
        "value": pl.Float64,
        "attr": pl.Struct({"windowAggregator": pl.Struct({"calMode": pl.String})}),
    }
)


def read_topic(bootstrap: str, topic: str, on_read: Callable[[int], None]) -> pl.DataFrame:
    """Read a topic from its first record to its present end.

    Returns:
        ``asset str, point str, time i64 (epoch ms), value f64, mode str, created i64, attempt i64, batch i64``; the
        last three are the parts of the record's revision.
    """
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False})
    try:
        ends = _assign_all(consumer, topic)
        frames = [_decoded(batch) for batch in _batches(consumer, ends, on_read)]
    finally:
        consumer.close()
    return pl.concat(frames) if frames else _decoded([])


def _assign_all(consumer: Consumer, topic: str) -> dict[int, int]:
    """Assign every partition from its beginning; returns where each ends now, without the empty ones."""
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    bounds = {
        number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30) for number in partitions
    }
    consumer.assign([TopicPartition(topic, number, low) for number, (low, high) in bounds.items() if high > low])
    return {number: high for number, (low, high) in bounds.items() if high > low}


def _batches(consumer: Consumer, ends: dict[int, int], on_read: Callable[[int], None]) -> Iterator[list[Message]]:
    partitions, read_at = consumer.assignment(), time.monotonic()
    while any(partition.offset < ends[partition.partition] for partition in partitions):
        batch = [message for message in consumer.consume(BATCH, timeout=0.5) if _is_record(message)]
        if batch:
            read_at = time.monotonic()
            on_read(len(batch))
            yield batch
        elif time.monotonic() - read_at > SILENT_SECONDS:
            raise TimeoutError(f"no more records after {SILENT_SECONDS:g} s, and the topic was not read to its end")
        partitions = consumer.position(partitions)


def _is_record(message: Message) -> bool:
    if message.error():
        raise KafkaException(message.error())
    return True


def _decoded(batch: list[Message]) -> pl.DataFrame:
    revisions = [_revision(message) for message in batch]
    records = pl.Series("record", [message.value() for message in batch], pl.Binary)
    record = pl.col("record")
    return pl.DataFrame(
        [records.cast(pl.String).str.json_decode(_RECORD), *_columns(revisions)],
    ).select(
        asset=record.struct.field("assetId"),
        point=record.struct.field("pointId"),
        time=record.struct.field("time"),
        value=record.struct.field("value"),
        mode=record.struct.field("attr").struct.field("windowAggregator").struct.field("calMode"),
        created="created",
        attempt="attempt",
        batch="batch",
    )


def _columns(revisions: list[tuple[int, int, int]]) -> Iterable[pl.Series]:
    for index, name in enumerate(("created", "attempt", "batch")):
        yield pl.Series(name, [revision[index] for revision in revisions], pl.Int64)


def _revision(message: Message) -> tuple[int, int, int]:
    revision = dict(message.headers() or [])["streamjob-revision"]
    created, attempt, batch = (revision.decode() if isinstance(revision, bytes) else str(revision)).split(".")
    return int(created), int(attempt), int(batch)


def highest_revisions(records: pl.DataFrame) -> pl.DataFrame:
    """What a consumer keeps that replaces a result by a later revision of it: one row an (asset, point, time)."""
    return records.sort("created", "attempt", "batch", maintain_order=True).unique(
        ["asset", "point", "time"], keep="last", maintain_order=True
    )


def read_latest(redis: Redis, org_id: str, assets: list[str]) -> pl.DataFrame:
    """Read each asset's latest values from Redis.

    Returns:
        ``asset str, point str (without the model), time i64 (epoch ms), value f64``.
    """
    pipeline = redis.pipeline(transaction=False)
    for asset in assets:
        pipeline.hgetall(f"streamjob:latest:{org_id}:{{{asset}}}")
    rows = [
        {"asset": asset, "point": field.decode().partition("::")[2], **_time_and_value(value)}
        for asset, fields in zip(assets, pipeline.execute(), strict=True)
        for field, value in fields.items()
    ]
    return pl.DataFrame(rows, schema={"asset": pl.String, "point": pl.String, "time": pl.Int64, "value": pl.Float64})


def _time_and_value(stored: bytes) -> dict[str, float]:
    entry = json.loads(stored)
    return {"time": entry["time"], "value": entry["value"]}
