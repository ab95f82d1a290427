"""What a job has written to the results' topic, as columns, and how it differs from what must be there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
from confluent_kafka import Consumer, TopicPartition

from fixtures.kafka import KafkaBroker, ends

KEY = ["asset", "point", "time"]
_RELATIVE_TOLERANCE = 1e-9  # of what is added up, which depends on the order
_CHUNK = 50_000


def read_results(kafka: KafkaBroker, topic: str, value: Any = pl.Float64) -> pl.DataFrame:
    """All results in the order of their partitions: ``asset, point, time, value, is_final``."""
    record = pl.Struct({"assetId": pl.String, "pointId": pl.String, "time": pl.Int64, "value": value})
    frames = [
        pl.DataFrame({"text": texts}, schema={"text": pl.Binary})
        .cast(pl.String)
        .with_columns(
            pl.col("text").str.json_decode(record).alias("record"),
            pl.col("text").str.contains(r'"calMode": ?"final"').alias("is_final"),
        )
        .unnest("record")
        .select(asset="assetId", point="pointId", time="time", value="value", is_final="is_final")
        for texts in _chunks(kafka, topic)
    ]
    schema = {"asset": pl.String, "point": pl.String, "time": pl.Int64, "value": value, "is_final": pl.Boolean}
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)


def newest(found: pl.DataFrame) -> pl.DataFrame:
    """The last result of each (asset, point, time); all of an asset are in one partition, in order."""
    return found.unique(KEY, keep="last", maintain_order=True)


def difference(found: pl.DataFrame, wanted: pl.DataFrame) -> str:
    """How the newest results differ from those wanted, all of them final; empty where they do not."""
    last = newest(found)
    both = last.join(wanted, on=KEY, suffix="_wanted")
    off = (pl.col("value") - pl.col("value_wanted")).abs()
    is_wrong = off > _RELATIVE_TOLERANCE * (pl.col("value_wanted").abs() + 1e-3)
    faults = {
        "missing": wanted.join(last, on=KEY, how="anti"),
        "too many": last.join(wanted, on=KEY, how="anti"),
        "wrong": both.filter(is_wrong.fill_null(value=True)),
        "not final": last.filter(~pl.col("is_final")),
    }
    return told(faults)


def told(faults: dict[str, pl.DataFrame]) -> str:
    """Each fault with its number of rows and an example."""
    return "; ".join(f"{len(rows):,} {what}, such as {rows.row(0)}" for what, rows in faults.items() if len(rows))


def _chunks(kafka: KafkaBroker, topic: str) -> Iterator[list[bytes]]:
    consumer = Consumer({
        "bootstrap.servers": kafka.bootstrap_servers, "group.id": "results", "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    })  # fmt: skip
    try:
        for partition in sorted(consumer.list_topics(topic, timeout=60).topics[topic].partitions):
            low, high = ends(consumer, topic, partition)
            consumer.assign([TopicPartition(topic, partition, low)])
            left = high - low
            while left > 0:
                messages = consumer.consume(min(_CHUNK, left), timeout=10)
                values = [value for message in messages if isinstance(value := message.value(), bytes)]
                if not values:
                    raise RuntimeError(f"{left} results of {topic} cannot be read: {[m.error() for m in messages]}")
                left -= len(values)
                yield values
    finally:
        consumer.close()
