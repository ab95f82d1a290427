"""The work in Bytewax: one flow for each process, over its half of the partitions.

Messages are keyed by asset, so no reading has to go from one process to the other.
"""

import os
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import bytewax.operators as op  # type: ignore[import-not-found]
import orjson  # type: ignore[import-not-found]
from bytewax.connectors.kafka import (  # type: ignore[import-not-found]
    KafkaSink,
    KafkaSinkMessage,
    KafkaSource,
    KafkaSourceMessage,
)
from bytewax.dataflow import Dataflow  # type: ignore[import-not-found]
from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window  # type: ignore[import-not-found]
from confluent_kafka import OFFSET_BEGINNING

from benchmarks.runtime.contestant import BEYOND, INPUT_POINT, LOWEST, WINDOW_MS
from benchmarks.runtime.programs.cal_records import records

Point = tuple[datetime, float]
PROCESSES = 2
SERVERS = [os.environ["BOOTSTRAP_SERVERS"]]
ORG_ID = os.environ["ORG_ID"]
INDEX = int(os.environ["BYTEWAX_INDEX"])
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ShareOfPartitions(KafkaSource):  # type: ignore[misc]
    """Every second partition."""

    def list_parts(self) -> list[str]:
        return list(super().list_parts()[INDEX::PROCESSES])


@lru_cache(maxsize=1024)
def instant(time_ms: int) -> datetime:
    """Readings of a round share their time."""
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def points(messages: list[KafkaSourceMessage]) -> list[tuple[str, Point]]:
    found = []
    for message in messages:
        for item in orjson.loads(message.value)["payload"]:
            value = item["measurepoints"].get(INPUT_POINT)
            if value is not None and LOWEST <= value < BEYOND:
                found.append((item["assetId"], (instant(item["time"]), value)))
    return found


def fold(window: list[float], point: Point) -> list[float]:
    value = point[1]
    if value > window[0]:  # noqa: PLR1730 (twice as fast as max)
        window[0] = value
    if value < window[1]:  # noqa: PLR1730
        window[1] = value
    window[2] += value
    window[3] += 1
    return window


def merged(left: list[float], right: list[float]) -> list[float]:
    return [max(left[0], right[0]), min(left[1], right[1]), left[2] + right[2], left[3] + right[3]]


def messages(closed: tuple[str, tuple[int, list[float]]]) -> list[KafkaSinkMessage]:
    asset, (number, window) = closed
    key = asset.encode()
    return [KafkaSinkMessage(key, record) for record in records(ORG_ID, asset, number * WINDOW_MS, window)]


def windows() -> Any:
    flow = Dataflow(f"windows-{INDEX}")
    source = ShareOfPartitions(SERVERS, [os.environ["INPUT_TOPIC"]], starting_offset=OFFSET_BEGINNING, batch_size=5000)
    keyed = op.flat_map_batch("points", op.input("in", flow, source), points)
    clock = EventClock(lambda point: point[0], timedelta(0))
    windower = TumblingWindower(length=timedelta(milliseconds=WINDOW_MS), align_to=EPOCH)
    closed = fold_window(
        "fold", keyed, clock, windower, lambda: [float("-inf"), float("inf"), 0.0, 0], fold, merged, ordered=False
    )
    sink = KafkaSink(SERVERS, os.environ["OUTPUT_TOPIC"], {"linger.ms": "50", "compression.type": "lz4"})
    op.output("out", op.flat_map("records", closed.down, messages), sink)
    return flow


flow = windows()
