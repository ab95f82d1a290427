"""A process that sends at a steady rate and notes when each message was sent.

    python -m benchmarks.latency.producer ORDER.json

It keeps to its schedule: what is due is sent every few milliseconds, whether or not results come back, so that a driver
that falls behind shows in the latency. Messages are sent as columns, as the runtime sends results: a Python object each
would take the cores that the driver is measured on.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from confluent_kafka import KafkaError
from pydantic import TypeAdapter

from benchmarks.latency.staggered import Staggered
from streamjob_runtime.kafka_results import Outgoing, Rows
from streamjob_runtime.librdkafka_producer import Producer

_TICK_SECONDS = 0.005


@dataclass(frozen=True)
class Order:
    """What to send.

    Attributes:
        first: the first round; those before have been sent.
        rate: messages a second.
        sent: where the times go: ``.npz`` with ``begins`` (index of the first message of each piece, counted from
            round 0) and ``seconds`` (of the clock, when its sending began), and ``behind``, the most that it was late.
    """

    bootstrap_servers: str
    topic: str
    meters: int
    rounds: int
    first: int
    rate: int
    sent: Path


ORDER = TypeAdapter(Order)


def send(order: Order) -> None:
    """Send all rounds from the first one on.

    Raises:
        RuntimeError: the broker did not take all.
    """
    stream = Staggered.of(order.meters, order.rounds)
    producer = Producer({
        "bootstrap.servers": order.bootstrap_servers, "linger.ms": 1, "compression.type": "lz4",
        "enable.idempotence": True, "delivery.report.only.error": True, "log_level": 3,
    })  # fmt: skip
    keys, now = stream.assets(), pl.zeros(order.meters, pl.Int64, eager=True)
    begins, seconds, behind = [], [], 0.0
    began, count = time.monotonic(), 0
    for number in range(order.first, order.rounds):
        round_of_all, at = Outgoing(keys, stream.texts(number), now), 0
        while at < order.meters:
            until = min(order.meters, round((time.monotonic() - began) * order.rate) - count + at)
            if until <= at:
                producer.poll(_TICK_SECONDS)
                continue
            behind = max(behind, time.monotonic() - began - count / order.rate)
            begins.append(number * order.meters + at)
            seconds.append(time.time())
            _hand_over(producer, Rows(order.topic, round_of_all.slice(at, until - at)))
            count += until - at
            at = until
    if not producer.flush(120) or producer.take_failures():
        raise RuntimeError("the broker did not take all messages")
    np.savez(order.sent, begins=np.array(begins), seconds=np.array(seconds), behind=np.array(behind))


def _hand_over(producer: Producer, rows: Rows) -> None:
    begin = 0
    while (stopped := rows.send(producer, begin, 0)).code:
        if stopped.code != KafkaError._QUEUE_FULL:
            raise RuntimeError(f"the producer did not take a message: {KafkaError(stopped.code)}")
        begin = stopped.row
        producer.poll(_TICK_SECONDS)


def write(order: Order, path: Path) -> None:
    path.write_bytes(ORDER.dump_json(order))


def main() -> None:
    send(ORDER.validate_json(Path(sys.argv[1]).read_bytes()))


if __name__ == "__main__":
    main()
