"""A consumer of the results' topic, in a thread: each result's text and when it was there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import polars as pl
from confluent_kafka import Consumer, TopicPartition

_AT_MOST = 5_000
_RECORD = pl.Struct({"assetId": pl.String, "pointId": pl.String, "time": pl.Int64, "value": pl.Float64})


class Arrivals:
    """All results from the topic's beginning; stops when the context ends."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._consumer = Consumer({
            "bootstrap.servers": bootstrap_servers, "group.id": "arrivals", "enable.auto.commit": False,
            "fetch.wait.max.ms": 10, "log_level": 3,
        })  # fmt: skip
        partitions = self._consumer.list_topics(topic, timeout=60).topics[topic].partitions
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        self._texts: list[bytes] = []
        self._seconds: list[float] = []
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._read, name="arrivals", daemon=True)

    def __enter__(self) -> Arrivals:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._has_ended.set()
        self._thread.join(30)
        self._consumer.close()

    @property
    def last_at(self) -> float:
        """When the newest result came; 0 before the first."""
        return self._seconds[-1] if self._seconds else 0.0

    def until_quiet(self, seconds: float, pause: Callable[[float], None] = time.sleep) -> None:
        """Wait until no result has come for a while."""
        began = time.time()
        while time.time() - max(began, self.last_at) < seconds:
            pause(0.2)

    def frame(self) -> pl.DataFrame:
        """``asset, point, time, value, is_final, arrived f64 (epoch s)``, in the order of arrival."""
        raw = pl.DataFrame({"text": self._texts, "arrived": self._seconds}, {"text": pl.Binary, "arrived": pl.Float64})
        text = pl.col("text").cast(pl.String)
        decoded = raw.with_columns(text.str.json_decode(_RECORD).alias("record")).unnest("record")
        is_final = text.str.contains(r'"calMode": ?"final"').alias("is_final")
        return decoded.select(
            asset="assetId", point="pointId", time="time", value="value", is_final=is_final, arrived="arrived"
        )

    def _read(self) -> None:
        while not self._has_ended.is_set():
            # returns what is there once one message is, as ``consume`` would wait until it has all
            message = self._consumer.poll(0.1)
            messages = [message, *self._consumer.consume(_AT_MOST, timeout=0)] if message else []
            now = time.time()
            values = [value for each in messages if isinstance(value := each.value(), bytes) and not each.error()]
            self._texts.extend(values)
            self._seconds.extend([now] * len(values))
