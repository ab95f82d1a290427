"""The topics of one measurement, and the producer that fills them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from confluent_kafka import Producer

from benchmarks.driven.streams import Stream
from fixtures.kafka import KafkaBroker

# records bear event times of the past: no retention
_TOPIC = {"retention.ms": "-1", "max.message.bytes": "2000000"}
_HELD_BYTES = 200_000_000
_SENT_AT_ONCE = 10_000


class Feeder:
    """Sends rounds of a stream to a new OU's topics, keyed by asset, in order."""

    def __init__(self, kafka: KafkaBroker, stream: Stream, partitions: int) -> None:
        self.org_id = f"o{uuid.uuid4().hex[:12]}"
        self.sent_messages = 0
        self._stream = stream
        self._keys = stream.assets().to_list()
        self._topic = f"MEASURE_POINT_ORIGIN_{self.org_id}"
        self._kafka = kafka
        self._topics = (self._topic, f"MEASURE_POINT_CAL_{self.org_id}", f"STREAMJOB_DEAD_LETTER_{self.org_id}")
        for topic in self._topics:
            kafka.create_topic(topic, partitions, **_TOPIC)
        self._producer = Producer({
            "bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 5, "compression.type": "lz4",
            "enable.idempotence": True, "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1_000_000,
            "log_level": 3,  # a broker that has just started lets it wait, which is no news
        })  # fmt: skip
        self._failures: list[str] = []
        self._held_at_most = min(200_000, _HELD_BYTES // stream.message_bytes)

    def send(self, rounds: Iterable[int]) -> None:
        """Send rounds, and wait until the broker has them.

        Raises:
            RuntimeError: it does not take them.
        """
        for number in rounds:
            for place, (key, text) in enumerate(zip(self._keys, self._stream.texts(number), strict=True)):
                self._producer.produce(self._topic, text, key, on_delivery=self._note)
                if not place % _SENT_AT_ONCE:
                    self._wait_for_room()
            self.sent_messages += len(self._keys)
            self._wait_for_room()
        if self._producer.flush(120) or self._failures:
            raise RuntimeError(f"the broker did not take all messages: {self._failures[:1]}")

    def _wait_for_room(self) -> None:
        self._producer.poll(0)
        while len(self._producer) > self._held_at_most:
            self._producer.poll(0.05)

    def delete_topics(self) -> None:
        """Free the disk."""
        for topic in self._topics:
            self._kafka.delete_topic(topic)

    def _note(self, error: object, _: object) -> None:
        if error is not None:
            self._failures.append(str(error))
