"""What no engine in Python goes below: reading messages, and combining them column by column; nothing survives a crash.

One of several processes, each with its share of the partitions. ``consume`` only reads, and says how many messages it
has read; ``polars`` does all of the work.
"""

import argparse
import signal
from collections.abc import Callable

import polars as pl
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from benchmarks.runtime.contestant import BEYOND, INPUT_POINT, LOWEST, MODEL, POINTS, WINDOW_MS

PARTITIONS, PROCESSES = 4, 2
BLOCK = 100_000
_POINTS = pl.Struct({INPUT_POINT: pl.Float64})
_ITEM = pl.Struct({"assetId": pl.String, "time": pl.Int64, "measurepoints": _POINTS})
_MESSAGE = pl.Struct({"payload": pl.List(_ITEM)})
_MERGED = [pl.col("max").max(), pl.col("min").min(), pl.col("sum").sum(), pl.col("cnt").sum()]


def combined(values: list[bytes]) -> tuple[pl.DataFrame, int]:
    """The windows of a block of messages, and the latest time in it."""
    decoded = pl.Series("text", values, pl.Binary).cast(pl.String).str.json_decode(_MESSAGE)
    items = decoded.struct.field("payload").explode().struct.unnest()
    value = pl.col("measurepoints").struct.field(INPUT_POINT)
    start = (pl.col("time") // WINDOW_MS * WINDOW_MS).alias("start")
    aggregates = [value.max().alias("max"), value.min().alias("min"), value.sum().alias("sum"), pl.len().alias("cnt")]
    kept = items.filter((value >= LOWEST) & (value < BEYOND))
    latest = items["time"].max()
    return kept.group_by("assetId", start).agg(aggregates), latest if isinstance(latest, int) else 0


def records(closed: pl.DataFrame, org_id: str) -> pl.DataFrame:
    """Keys and records of closed windows."""
    head = f'{{"orgId":"{org_id}","modelId":"{MODEL}","modelIdPath":"/{MODEL}","assetId":"'
    return pl.concat(
        closed.select(
            "assetId",
            pl.concat_str(
                *(
                    pl.lit(head),
                    "assetId",
                    pl.lit(f'","pointId":"{point}","time":'),
                    "start",
                    pl.lit(',"value":'),
                    kind,
                ),
                pl.lit(f',"quality":0,"attr":{{"windowAggregator":{{"calType":"{kind}","calMode":"final"}}}}}}'),
            ).alias("record"),
        )
        for kind, point in POINTS.items()
    )


class Windows:
    """The open windows of one partition."""

    def __init__(self, send: Callable[[pl.DataFrame], None]) -> None:
        self._send = send
        self._open: pl.DataFrame | None = None
        self._values: list[bytes] = []

    def add(self, value: bytes) -> None:
        self._values.append(value)
        if len(self._values) >= BLOCK // PROCESSES:
            self.fold()

    def fold(self) -> None:
        """Combine what was read, merge it into what is open, send what is closed."""
        if not self._values:
            return
        block, latest = combined(self._values)
        self._values = []
        if self._open is not None:
            block = pl.concat([self._open, block]).group_by("assetId", "start").agg(_MERGED)
        is_closed = pl.col("start") + WINDOW_MS <= latest
        self._send(block.filter(is_closed))
        self._open = block.filter(~is_closed)


def read(consumer: Consumer, partitions: list[TopicPartition], take: Callable[[list[Message]], None]) -> int:
    """Give away all messages up to the end of all partitions; how many there were."""
    consumer.assign(partitions)
    open_partitions, count = len(partitions), 0
    while open_partitions:
        batch = consumer.consume(10_000, timeout=1)
        errors = [error for message in batch if (error := message.error()) is not None]
        if unexpected := [error for error in errors if error.code() != KafkaError._PARTITION_EOF]:
            raise RuntimeError(unexpected)
        open_partitions -= len(errors)
        count += len(batch) - len(errors)
        take([message for message in batch if message.error() is None] if errors else batch)
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("bootstrap-servers", "org-id", "input-topic", "output-topic"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--floor", choices=["consume", "polars"], required=True)
    parser.add_argument("--index", type=int, required=True)
    asked = parser.parse_args()
    consumer = Consumer({
        "bootstrap.servers": asked.bootstrap_servers, "group.id": "floor", "enable.auto.commit": False,
        "enable.partition.eof": True,
    })  # fmt: skip
    producer = Producer({
        "bootstrap.servers": asked.bootstrap_servers, "linger.ms": 50, "compression.type": "lz4",
        "queue.buffering.max.messages": 1_000_000,
    })  # fmt: skip

    def send(closed: pl.DataFrame) -> None:
        for key, record in records(closed, asked.org_id).iter_rows():
            producer.produce(asked.output_topic, record, key)
        producer.poll(0)

    mine = [TopicPartition(asked.input_topic, part, 0) for part in range(asked.index, PARTITIONS, PROCESSES)]
    if asked.floor == "consume":
        count = read(consumer, mine, lambda batch: [message.value() for message in batch].clear())
        producer.produce(asked.output_topic, str(count), str(asked.index))
    else:
        windows = {part.partition: Windows(send) for part in mine}

        def take(batch: list[Message]) -> None:
            for message in batch:
                windows[message.partition() or 0].add(message.value() or b"")

        read(consumer, mine, take)
        for of_partition in windows.values():
            of_partition.fold()
    producer.flush(60)
    signal.pause()


if __name__ == "__main__":
    main()
