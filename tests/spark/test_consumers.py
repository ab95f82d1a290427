"""Reading exact ranges from a real broker, and looking up what there is to read."""

import time
import uuid
from pathlib import Path
from threading import Timer

import pytest
from confluent_kafka import Producer, TopicPartition

from fixtures.eventually import eventually
from fixtures.kafka import KafkaBroker
from streamjob_api.connections import Kafka
from streamjob_runtime.consumers import RangeReader, consumer_settings
from streamjob_runtime.faults import OffsetsLost
from streamjob_runtime.kafka_settings import Settings, client_settings
from streamjob_runtime.librdkafka import AssignedConsumer
from streamjob_runtime.offsets import OffsetRange, Place
from streamjob_runtime.topic_offsets import KafkaAway, TopicOffsets


@pytest.fixture
def topic(kafka: KafkaBroker) -> str:
    # what a test sends may be older than the week that brokers keep by default
    return kafka.create_topic(f"t{uuid.uuid4().hex}", 1, **{"max.message.bytes": "500000", "retention.ms": "-1"})


@pytest.fixture
def consumer(kafka: KafkaBroker) -> AssignedConsumer:
    return AssignedConsumer(consumer_settings(connection(kafka)))


def connection(kafka: KafkaBroker) -> Kafka:
    return Kafka.model_validate({"bootstrapServers": kafka.bootstrap_servers})


def offsets_of(kafka: KafkaBroker, topic: str) -> TopicOffsets:
    return TopicOffsets(client_settings(connection(kafka), Path("/nonexistent"), "test"), [topic])


def values(consumer: AssignedConsumer, wanted: OffsetRange, chunk_bytes: int = 1_000_000) -> list[bytes | None]:
    return [value for chunk in RangeReader(consumer).read(wanted, chunk_bytes) for value in chunk.values]


def test_a_range_is_read_exactly_and_again(kafka: KafkaBroker, topic: str, consumer: AssignedConsumer) -> None:
    sent = [str(number).encode() for number in range(5000)]
    kafka.produce_to(topic, 0, sent)
    assert values(consumer, OffsetRange(topic, 0, 100, 4900)) == sent[100:4900]
    assert values(consumer, OffsetRange(topic, 0, 100, 4900), chunk_bytes=50) == sent[100:4900]
    assert values(consumer, OffsetRange(topic, 0, 4999, 5000)) == sent[4999:]


def test_nothing_and_empty_are_told_apart(kafka: KafkaBroker, topic: str, consumer: AssignedConsumer) -> None:
    sent = [(b"k", b"v"), (None, b"v"), (b"", b""), (b"k", None), (None, None), ("ö".encode(), b"\xff\x00")]
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for key, value in sent * 100:
        producer.produce(topic, value, key)
    assert producer.flush(30) == 0
    (chunk, *more) = RangeReader(consumer).read(OffsetRange(topic, 0, 6, 594), 1_000_000)
    chunks = [chunk, *more]
    assert [pair for each in chunks for pair in zip(each.keys, each.values, strict=True)] == sent * 98
    assert [offset for each in chunks for offset in each.offsets] == list(range(6, 594))
    assert sum(each.value_bytes for each in chunks) == 98 * 4


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_batches_are_read_from_their_middle(
    kafka: KafkaBroker, topic: str, consumer: AssignedConsumer, codec: str
) -> None:
    sent = [f"{number} ".encode() * (number % 50) for number in range(3000)]
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "compression.type": codec, "linger.ms": 50})
    for value in sent:
        producer.produce(topic, value)
    assert producer.flush(30) == 0
    assert values(consumer, OffsetRange(topic, 0, 1234, 2999)) == sent[1234:2999]


def test_what_compaction_has_left_of_a_range_is_read(kafka: KafkaBroker, consumer: AssignedConsumer) -> None:
    eager = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}
    topic = kafka.create_topic(f"t{uuid.uuid4().hex}", 1, **eager)
    kafka.produce(topic, [("a", b"%d" % number) for number in range(50)])
    time.sleep(0.2)
    kafka.produce(topic, [("a", b"50"), ("b", b"51")])  # closes the segment before it
    wanted = OffsetRange(topic, 0, 10, 51)
    eventually(lambda: len(values(consumer, wanted)) < 41, within_seconds=90)
    assert values(consumer, wanted)[-1] == b"50"
    assert values(consumer, OffsetRange(topic, 0, 10, 20)) == []


def test_chunks_keep_to_their_size_and_outlive_the_consumer(kafka: KafkaBroker) -> None:
    mebi = 2**20
    topic = kafka.create_topic(f"t{uuid.uuid4().hex}", 1, **{"max.message.bytes": str(2 * mebi)})
    sent = [bytes([number]) * mebi for number in range(40)]
    kafka.produce_to(topic, 0, sent)
    consumer = AssignedConsumer(consumer_settings(connection(kafka)))
    chunks = list(RangeReader(consumer).read(OffsetRange(topic, 0, 0, 40), 4 * mebi))
    assert all(len(chunk) <= 4 for chunk in chunks[1:])
    del consumer
    assert [value for chunk in chunks for value in chunk.values] == sent


def test_reading_waits_for_a_broker_that_is_killed(kafka: KafkaBroker, consumer: AssignedConsumer) -> None:
    topic = kafka.create_topic(f"t{uuid.uuid4().hex}", 1, **{"max.message.bytes": "2000000"})
    sent = [number.to_bytes(4) * 25_000 for number in range(600)]  # more than a consumer fetches ahead
    kafka.produce_to(topic, 0, sent)
    chunks = RangeReader(consumer).read(OffsetRange(topic, 0, 0, len(sent)), 1_000_000)
    received = list(next(chunks).values)
    kafka.process.kill()
    back = Timer(1.0, kafka.start)
    back.start()
    try:
        received += [value for chunk in chunks for value in chunk.values]
    finally:
        back.join()
    assert received == sent


def test_a_reader_that_is_left_leaves_the_next_one_nothing(
    kafka: KafkaBroker, topic: str, consumer: AssignedConsumer
) -> None:
    sent = [str(number).encode() for number in range(5000)]
    kafka.produce_to(topic, 0, sent)
    for begin in (0, 3000, 17):
        chunks = RangeReader(consumer).read(OffsetRange(topic, 0, begin, 5000), 1_000_000)
        assert next(chunks).values[0] == sent[begin]
        chunks.close()


def test_aborted_transactions_and_their_markers_are_passed_over(
    kafka: KafkaBroker, topic: str, consumer: AssignedConsumer
) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": topic})
    producer.init_transactions(30)
    for number in range(6):
        producer.begin_transaction()
        producer.produce(topic, str(number).encode())
        producer.flush(30)
        (producer.commit_transaction if number % 2 == 0 else producer.abort_transaction)(30)
    end = eventually(lambda: offsets_of(kafka, topic).latest()[Place(topic, 0)], until=lambda offset: offset == 12)
    began = time.monotonic()
    assert values(consumer, OffsetRange(topic, 0, 0, end)) == [b"0", b"2", b"4"]
    assert time.monotonic() - began < 5


def test_deleted_offsets_are_a_loss_and_not_skipped(kafka: KafkaBroker, topic: str, consumer: AssignedConsumer) -> None:
    kafka.produce_to(topic, 0, [b"x"] * 100)
    partition = TopicPartition(topic, 0, 50)
    kafka.admin.delete_records([partition])[partition].result(30)
    assert len(values(consumer, OffsetRange(topic, 0, 50, 100))) == 50
    with pytest.raises(OffsetsLost, match="no longer holds offsets 40 to 100"):
        values(consumer, OffsetRange(topic, 0, 40, 100))


def test_a_range_beyond_the_end_of_the_partition_is_a_loss(
    kafka: KafkaBroker, topic: str, consumer: AssignedConsumer
) -> None:
    kafka.produce_to(topic, 0, [b"x"] * 10)
    with pytest.raises(OffsetsLost):
        values(consumer, OffsetRange(topic, 0, 5, 20))


def test_offsets_by_time(kafka: KafkaBroker, topic: str) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    now = round(time.time() * 1000)
    for number in range(10):
        producer.produce(topic, b"x", timestamp=now + number)
    assert producer.flush(30) == 0
    offsets, place = offsets_of(kafka, topic), Place(topic, 0)
    assert offsets.at(now + 4) == {place: 4}
    assert offsets.at(now + 60_000) == {place: 10}
    assert offsets.earliest([place]) == {place: 0}


def test_a_missing_topic_and_a_missing_broker_have_their_reasons(kafka: KafkaBroker) -> None:
    with pytest.raises(KafkaAway) as missing:
        offsets_of(kafka, "nowhere").latest()
    assert (missing.value.reason, missing.value.message) == ("TopicMissing", "topic nowhere does not exist")
    settings: Settings = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}
    with pytest.raises(KafkaAway) as away:
        TopicOffsets(settings, ["any"]).latest()
    assert away.value.reason == "KafkaUnreachable"
    assert "Connection refused" in away.value.message
