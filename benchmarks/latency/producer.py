"""A process that sends at a steady rate and notes when each message was sent.

    python -m benchmarks.latency.producer ORDER.json

It keeps to its schedule: what is due is sent every few milliseconds, whether or not results come back, so that a driver
that falls behind shows in the latency.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from confluent_kafka import Producer
from pydantic import TypeAdapter

from benchmarks.latency.staggered import Staggered

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
    failures: list[str] = []
    producer = Producer({
        "bootstrap.servers": order.bootstrap_servers, "linger.ms": 1, "compression.type": "lz4",
        "enable.idempotence": True, "queue.buffering.max.messages": 1_000_000, "log_level": 3,
    })  # fmt: skip
    keys = stream.assets().to_list()
    begins, seconds, behind = [], [], 0.0
    began, count = time.monotonic(), 0
    for number in range(order.first, order.rounds):
        texts, at = stream.texts(number), 0
        while at < len(texts):
            until = min(len(texts), round((time.monotonic() - began) * order.rate) - count + at)
            if until <= at:
                producer.poll(_TICK_SECONDS)
                continue
            behind = max(behind, time.monotonic() - began - count / order.rate)
            begins.append(number * order.meters + at)
            seconds.append(time.time())
            for index in range(at, until):
                producer.produce(
                    order.topic, texts[index], keys[index],
                    on_delivery=lambda error, _: failures.append(str(error)) if error else None,
                )  # fmt: skip
            count += until - at
            at = until
            producer.poll(0)
    if producer.flush(120) or failures:
        raise RuntimeError(f"the broker did not take all messages: {failures[:1]}")
    np.savez(order.sent, begins=np.array(begins), seconds=np.array(seconds), behind=np.array(behind))


def write(order: Order, path: Path) -> None:
    path.write_bytes(ORDER.dump_json(order))


def main() -> None:
    send(ORDER.validate_json(Path(sys.argv[1]).read_bytes()))


if __name__ == "__main__":
    main()
