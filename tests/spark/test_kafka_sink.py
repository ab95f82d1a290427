"""Sending to a real broker until it has all."""

import ctypes
import os
import time
import uuid
from collections.abc import Sequence
from threading import Thread, Timer
from typing import Any

import polars as pl
import pytest
from confluent_kafka import KafkaError, cimpl

from fixtures.eventually import eventually
from fixtures.kafka import KafkaBroker
from streamjob_api.connections import Kafka
from streamjob_runtime.kafka_results import Headers, Outgoing
from streamjob_runtime.kafka_settings import Settings
from streamjob_runtime.sinks.kafka import KafkaSink, producer_settings
from streamjob_runtime.waiting import Interrupted, Waits

START_MS = 1_767_225_600_000


@pytest.fixture
def topic(kafka: KafkaBroker) -> str:
    return kafka.create_topic(f"t{uuid.uuid4().hex}", 1, **{"max.message.bytes": "500000", "retention.ms": "-1"})


def settings(kafka: KafkaBroker) -> Settings:
    return producer_settings(Kafka.model_validate({"bootstrapServers": kafka.bootstrap_servers}))


def outgoing(
    values: Sequence[Any], *, keys: Sequence[Any] | None = None, times_ms: int | Sequence[int] = START_MS,
    headers: Headers = (),
) -> Outgoing:  # fmt: skip
    times = [times_ms] * len(values) if isinstance(times_ms, int) else times_ms
    dtype = pl.String if any(isinstance(value, str) for value in values) else pl.Binary
    keyed = pl.Series([b"k"] * len(values) if keys is None else keys)
    return Outgoing(keyed, pl.Series(values, dtype=dtype), pl.Series(times, dtype=pl.Int64), headers)


def test_all_that_a_message_may_be_arrives_in_its_order(kafka: KafkaBroker, topic: str) -> None:
    contents = [b"v", b"", None, "ö€😀".encode(), b"\xff\x00", b"x" * 100] * 1000
    keys = [b"k", None, b"", "ö".encode(), b"\x00"] * 1200
    times = list(range(START_MS, START_MS + 6000))
    headers = [("streamjob-revision", b"1.2.3"), ("empty", b""), ("ö", b"\x00\xff")]
    sent = outgoing(contents, keys=keys, times_ms=times, headers=headers)
    texts = outgoing(["a", None, "ö", ""], keys=pl.Series([None] * 4, dtype=pl.String).to_list())
    nothing, empty = outgoing([]), outgoing([b"", b""], keys=[b"", b""])
    keyed, valued, timed = (pl.concat([each[5:9], each[700:702]]) for each in (sent.keys, sent.values, sent.times_ms))
    chunked = Outgoing(keyed, valued, timed)
    parts = [sent, nothing, texts, empty, sent.slice(3, 11), chunked]
    assert KafkaSink(settings(kafka), Waits()).write(topic, lambda: parts) == []
    stored = kafka.read_all(topic)
    wanted = [
        (key, value, time_ms)
        for part in parts
        for key, value, time_ms in zip(
            part.keys.cast(pl.Binary), part.values.cast(pl.Binary), part.times_ms, strict=True
        )
    ]
    assert [(message.key(), message.value(), message.timestamp()[1]) for message in stored] == wanted
    assert all(message.headers() == headers for message in stored[:6000])
    assert stored[6000].headers() is None


def test_headers_may_differ_by_message(kafka: KafkaBroker, topic: str) -> None:
    own = [pl.Series(["a", None, "", "ö"] * 1000), pl.Series([None, None, b"\xff", b""] * 1000, dtype=pl.Binary)]
    part = outgoing([b"v"] * 4000, headers=[("one", own[0]), ("all", b"1"), ("other", own[1])])
    assert KafkaSink(settings(kafka), Waits()).write(topic, lambda: [part]) == []
    wanted = [
        [("all", b"1"), *((name, value) for name, value in (("one", one), ("other", other)) if value is not None)]
        for one, other in zip(own[0].cast(pl.Binary), own[1], strict=True)
    ]
    assert [message.headers() for message in kafka.read_all(topic)] == wanted


def test_a_message_from_beyond_what_the_topic_takes_gets_the_time_of_sending(kafka: KafkaBroker, topic: str) -> None:
    sink, began = KafkaSink(settings(kafka), Waits()), round(time.time() * 1000)
    future = began + 86_400_000
    times = [future if number % 7 == 3 else 1000 for number in range(50)]
    values = [b"same" if number % 10 == 3 else b"%d" % number for number in range(50)]  # told apart by number alone
    assert (
        sink.write(
            topic, lambda: [outgoing(values[:20], times_ms=times[:20]), outgoing(values[20:], times_ms=times[20:])]
        )
        == []
    )
    stored = kafka.read_all(topic)[-50:]
    assert [message.value() for message in stored] == values
    for message, at in zip(stored, times, strict=True):
        stamp = message.timestamp()[1]
        assert stamp == 1000 if at == 1000 else began <= stamp < future


def test_a_sink_sends_all_and_returns_what_the_broker_finds_too_large(kafka: KafkaBroker, topic: str) -> None:
    waits = Waits()
    sink = KafkaSink(settings(kafka), waits)
    large = os.urandom(600_000)  # would compress otherwise
    (refused,) = sink.write(topic, lambda: [outgoing([b"v", large], headers=[("h", b"1")])])
    assert refused.values.to_list() == [large]  # although both went in one request, which was refused as a whole
    (stored,) = kafka.read_all(topic)
    assert (stored.value(), stored.headers(), stored.timestamp()[1]) == (b"v", [("h", b"1")], START_MS)
    assert waits.current() is None


def test_what_the_producer_itself_finds_too_large_is_returned_as_well(kafka: KafkaBroker, topic: str) -> None:
    sink = KafkaSink(settings(kafka) | {"message.max.bytes": 100_000}, Waits())
    values = [b"a", b"x" * 200_000, b"b", b"c"]
    (refused,) = sink.write(topic, lambda: [outgoing(values[:1]), outgoing(values[1:])])
    assert refused.values.to_list() == values[1:2]
    assert [message.value() for message in kafka.read_all(topic)] == [b"a", b"b", b"c"]


def test_more_than_the_queue_holds_is_sent_once_and_in_order(kafka: KafkaBroker, topic: str) -> None:
    sink = KafkaSink(settings(kafka) | {"queue.buffering.max.messages": 1000}, Waits())
    values = [b"%d" % number for number in range(100_000)]
    assert sink.write(topic, lambda: [outgoing(values[:70_000]), outgoing(values[70_000:])]) == []
    assert [message.value() for message in kafka.read_all(topic)] == values


def test_values_of_a_mebibyte(kafka: KafkaBroker) -> None:
    topic = kafka.create_topic(f"t{uuid.uuid4().hex}", 1, **{"max.message.bytes": "2000000", "retention.ms": "-1"})
    values = [os.urandom(2**20) for _ in range(100)]  # more than the queue's 64 MiB
    assert KafkaSink(settings(kafka), Waits()).write(topic, lambda: [outgoing(values)]) == []
    assert [message.value() for message in kafka.read_all(topic)] == values


def test_sending_waits_for_a_broker_that_is_killed(kafka: KafkaBroker, topic: str) -> None:
    waits = Waits()
    sink, values = KafkaSink(settings(kafka), waits), [b"%d" % number for number in range(5000)]
    assert sink.write(topic, lambda: [outgoing([b"first"])]) == []
    kafka.process.kill()
    back = Timer(7.0, kafka.start)
    back.start()
    try:
        assert sink.write(topic, lambda: [outgoing(values)]) == []
    finally:
        back.join()
    assert [message.value() for message in kafka.read_all(topic)] == [b"first", *values]
    assert waits.current() is None


def test_a_missing_topic_is_waited_for(kafka: KafkaBroker) -> None:
    topic, waits = f"t{uuid.uuid4().hex}", Waits()
    sink = KafkaSink(settings(kafka) | {"topic.metadata.propagation.max.ms": 500}, waits)
    writing = Thread(target=lambda: sink.write(topic, lambda: [outgoing([b"v"])]))
    writing.start()
    wait = eventually(waits.current)
    kafka.create_topic(topic, 1, **{"retention.ms": "-1"})
    writing.join(60)
    assert wait is not None
    assert (wait.reason, wait.message) == ("TopicMissing", f"topic {topic} does not exist")
    assert {message.value() for message in kafka.read_all(topic)} == {b"v"}


def test_a_driver_that_is_told_to_stop_waits_no_longer(kafka: KafkaBroker) -> None:
    waits = Waits()
    sink = KafkaSink(settings(kafka) | {"bootstrap.servers": "127.0.0.1:1", "queue.buffering.max.messages": 100}, waits)
    for rows in (10, 1000):  # while it flushes, and while the queue is full
        stop = Timer(0.3, waits.abort)
        stop.start()
        began = time.monotonic()
        with pytest.raises(Interrupted):
            sink.write("any", lambda: [outgoing([b"v"] * rows)])  # noqa: B023 (called at once)
        assert time.monotonic() - began < 3
        stop.join()


def test_after_a_fatal_error_another_producer_sends_all(kafka: KafkaBroker, topic: str) -> None:
    sink = KafkaSink(settings(kafka), Waits())
    producer = sink._producer
    fail = ctypes.CDLL(cimpl.__file__).rd_kafka_test_fatal_error
    fail(ctypes.c_void_p(producer.handle), KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, b"made up")
    assert sink.write(topic, lambda: [outgoing([b"a", b"b"])]) == []
    assert sink._producer is not producer
    assert [message.value() for message in kafka.read_all(topic)] == [b"a", b"b"]


def test_what_an_abandoned_write_leaves_is_not_taken_for_anothers(kafka: KafkaBroker, topic: str) -> None:
    def broken() -> Any:
        yield outgoing([b"abandoned", os.urandom(600_000)])
        raise ValueError("made up")

    sink = KafkaSink(settings(kafka), Waits())
    with pytest.raises(ValueError, match="made up"):
        sink.write(topic, broken)
    assert sink.write(topic, lambda: [outgoing([b"a", b"b"])]) == []
    assert {message.value() for message in kafka.read_all(topic)} >= {b"a", b"b"}
