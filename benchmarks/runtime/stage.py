"""Where contestants meet: a broker of their own, topics full of readings, what its processes cost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

from benchmarks.runtime import load as loads
from benchmarks.runtime.load import Load
from fixtures.eventually import eventually
from fixtures.kafka import KafkaBroker

PARTITIONS = 4
# results carry their window's time, which lies in the past: no retention
_TOPIC = {"retention.ms": "-1", "max.message.bytes": "2000000"}


class Stage:
    """The broker, and a topic of readings for each load."""

    def __init__(self, kafka: KafkaBroker) -> None:
        self.kafka = kafka
        self._orgs: dict[Load, str] = {}

    def org_of(self, load: Load) -> str:
        """The OU whose Origin topic holds a load; filled at first."""
        if load not in self._orgs:
            org_id = f"o{15_724_268_000_000 + load.messages}"
            for topic in (f"MEASURE_POINT_ORIGIN_{org_id}", f"STREAMJOB_DEAD_LETTER_{org_id}"):
                self._new(topic)
            self._fill(f"MEASURE_POINT_ORIGIN_{org_id}", load, org_id)
            self._orgs[load] = org_id
        return self._orgs[load]

    def _fill(self, topic: str, load: Load, org_id: str) -> None:
        """Send all readings in order, as a producer with usual settings does, keyed by asset."""
        producer = Producer({
            "bootstrap.servers": self.kafka.bootstrap_servers, "linger.ms": 20, "compression.type": "lz4",
            "enable.idempotence": True, "queue.buffering.max.messages": 1_000_000,
        })  # fmt: skip
        for keys, values in loads.messages(load, org_id):
            while len(producer) > 500_000:
                producer.poll(0.05)
            for key, value in zip(keys, values, strict=True):
                producer.produce(topic, value, key)
            producer.poll(0)
        if producer.flush(120) or self.count(topic) != load.messages:
            raise RuntimeError(f"the broker did not take all of {load.messages} messages")

    def new_output(self, org_id: str) -> str:
        """An empty topic of results."""
        return self._new(f"MEASURE_POINT_CAL_{org_id}_{uuid.uuid4().hex[:8]}")

    def _new(self, topic: str) -> str:
        """Create a topic and wait until its partitions are led: a broker makes a topic before it leads it."""
        self.kafka.create_topic(topic, PARTITIONS, **_TOPIC)
        eventually(lambda: self._is_led(topic), until=bool)
        return topic

    def _is_led(self, topic: str) -> bool:
        self.kafka.admin.list_topics(topic, timeout=30)  # or the client goes on with what it knew of leaders
        try:
            return self.count(topic) == 0
        except KafkaException:
            return False

    def count(self, topic: str) -> int:
        """How many messages have been written to a topic."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(topic, part): latest for part in range(PARTITIONS)}
        ends = self.kafka.admin.list_offsets(asked, request_timeout=30)
        return sum(end.result().offset for end in ends.values())

    def read(self, topic: str) -> list[tuple[bytes, bytes]]:
        """Keys and values of all that a topic holds; those of a partition in order."""
        consumer = Consumer({
            "bootstrap.servers": self.kafka.bootstrap_servers, "group.id": "judge", "enable.auto.commit": False,
            "enable.partition.eof": True,
        })  # fmt: skip
        try:
            consumer.assign([TopicPartition(topic, part, 0) for part in range(PARTITIONS)])
            return list(_until_all_end(consumer))
        finally:
            consumer.close()

    def broker_cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.kafka.process.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / 100


def _until_all_end(consumer: Consumer) -> Iterator[tuple[bytes, bytes]]:
    ended = 0
    while ended < PARTITIONS:
        for message in consumer.consume(10_000, timeout=0.2):
            error = message.error()
            if error is None:
                yield _bytes(message.key()), _bytes(message.value())
            elif error.code() == KafkaError._PARTITION_EOF:
                ended += 1
            else:
                raise KafkaException(error)


def _bytes(text: str | bytes | None) -> bytes:
    return text.encode() if isinstance(text, str) else text or b""


@contextmanager
def stage(folder: Path, host: str) -> Iterator[Stage]:
    """A broker at an address of this machine whose data lie in the folder, ended at the end."""
    kafka = KafkaBroker(folder, host)
    kafka.start()
    try:
        yield Stage(kafka)
    finally:
        kafka.process.kill()
